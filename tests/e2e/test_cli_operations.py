"""The operator's commands, on one small lake that three simulated days have filled."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

import wistlake
from support.checkpoints import Checkpoint
from support.commands import call, served
from support.lake import START, Lake, Scenario
from support.processes import work_of_children
from wistia_simulator import Profile
from wistlake.adapters.local import history
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES as ALL
from wistlake.contracts import table as contract
from wistlake.entrypoints.cli.main import app
from wistlake.errors import ConfigError, StoreBusy
from wistlake.planning.calendar import utc_days_of
from wistlake.planning.intervals import State
from wistlake.ports import Publication
from wistlake.wistia.endpoints import ENDPOINTS

pytestmark = pytest.mark.engine
DAYS = 3
LAST = START + timedelta(days=DAYS - 1)
NOW = LAST.isoformat()
TABLES = ("silver.fact_events", "gold.fact_media_daily", "gold.dim_visitor")


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("grown") / "lake"
    folder.mkdir(mode=0o700)
    lake = Lake(folder, Scenario(Profile(media=2, sessions_per_day=15, history_days=12)))
    lake.run_days(DAYS)
    return Checkpoint(lake)


@pytest.fixture
def grown(three_days: Checkpoint) -> Lake:
    """The lake as it was after its three days."""
    return three_days.restored()


@pytest.fixture
def lake(grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Its folder, with settings that point to it and to a simulated Wistia."""
    monkeypatch.chdir(tmp_path)
    with served(grown.world, grown.folder, monkeypatch):
        yield grown.folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capsys.readouterr()
    assert call(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def contents(folder: Path) -> dict[str, list]:
    found = wistlake.open(folder)
    return {t: sorted(map(str, found.table(t).drop_columns(["built_at"]).to_pylist())) for t in TABLES}


# every command


def commands() -> list[tuple[str, str]]:
    group = get_command(app)
    return [
        (f"{name} {sub}".strip(), (nested or command).help or "")
        for name, command in group.commands.items()
        for sub, nested in (getattr(command, "commands", None) or {"": None}).items()
    ]


@pytest.mark.parametrize(("name", "text"), commands(), ids=lambda value: str(value)[:20])
def test_every_command_has_help_with_an_example_of_itself(name: str, text: str) -> None:
    assert f"Example: wistlake {name}" in text


@pytest.mark.parametrize(("typed", "meant"), [(["rnu"], "run"), (["run", "--scheduld"], "--scheduled")])
def test_a_typo_is_answered_with_a_suggestion(
    typed: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*typed) == 2
    assert meant in capsys.readouterr().err


def test_help_is_fast() -> None:
    times = []
    for _ in range(3):
        begin = work_of_children()
        subprocess.run(
            [sys.executable, "-m", "wistlake.entrypoints.cli.main", "--help"], check=True, capture_output=True
        )
        times.append(work_of_children() - begin)
    assert min(times) < 0.4


# reading


def test_open_reads_what_is_published(grown: Lake) -> None:
    found = wistlake.open(grown.folder)
    assert "gold.fact_media_daily" in found.tables()
    counted = found.sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist()[0]["n"]
    assert counted == found.table("silver.fact_events").num_rows > 100
    with pytest.raises(
        ConfigError, match=r"no such table: gold\.fact_event, did you mean silver\.fact_events\?"
    ):
        found.table("gold.fact_event")


def test_open_says_where_there_is_no_lake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a lake yet"):
        wistlake.open(tmp_path)
    with pytest.raises(ConfigError, match="no such home folder"):
        wistlake.open("~0/lake")


def test_catalog_serves_readers_and_refuses_writers(lake: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", "catalog"],
        stdout=subprocess.PIPE, text=True, env=os.environ.copy(),
    )  # fmt: skip
    try:
        lines = [process.stdout.readline() for _ in range(6)]
        uri = re.search(r"catalog: (\S+)", lines[0])[1]
        from pyiceberg.catalog import load_catalog
        from pyiceberg.exceptions import ForbiddenError

        reader = load_catalog("lake", uri=uri)
        table = reader.load_table("gold.fact_media_daily")
        assert table.scan().to_arrow().num_rows == wistlake.open(lake).table("gold.fact_media_daily").num_rows
        with pytest.raises(ForbiddenError):
            reader.create_namespace("mine")
        assert {line.split(":")[0].strip() for line in lines[1:5]} == {"DuckDB", "pandas", "Polars", "Spark"}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


# gaps, repair, rebuild


def test_repair_fetches_what_failed_and_nothing_else(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    ledger = SqliteLedger(lake / "ledger.db")
    broken = next(i for i in ledger.intervals("events") if i.rows)
    ledger.record([replace(broken, state=State.FAILED, reason="a test said so", published_at=None)])
    before = contents(lake)
    found = answer(capsys, "gaps", "--now", NOW)
    assert [f["reason"] for f in found["failed"]] == ["a test said so"]
    assert {"dataset": "events", "media_id": broken.media_id, "day": str(broken.day)} in found["gaps"]
    done = answer(capsys, "repair", "--now", NOW)
    assert [(i["dataset"], i["media_id"], i["days"]) for i in done["intervals"]] == [
        ("events", broken.media_id, 1)
    ]
    assert answer(capsys, "gaps", "--now", NOW) == {"gaps": [], "failed": []}
    assert contents(lake) == before
    assert answer(capsys, "repair", "--now", NOW)["intervals"] == []


def test_accept_shrink_wants_a_media(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("repair", "--accept-shrink") == 2
    assert "name the media it is about with --media" in capsys.readouterr().err


def test_rebuild_computes_the_same_rows_anew(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(lake)
    done = answer(capsys, "rebuild", "--now", NOW)
    assert done["status"] == "succeeded"
    assert done["tables"]["silver.fact_events"]["unchanged"] > 100
    assert contents(lake) == before


def test_rebuild_says_which_raw_pages_have_expired(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = sorted((lake / "bronze/wistia/events").glob("dt=*"))[0]
    shutil.rmtree(day)
    assert call("rebuild", "--now", NOW) == 0
    said = capsys.readouterr().out
    assert re.search(rf"raw pages of 1 days from {day.name[3:]} .* expired", said)


def test_rebuild_changes_the_zone_of_the_days(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("rebuild", "--zone", "Europe/Berlin", "--now", NOW) == 0
    assert json.loads((lake / "lake.json").read_text())["zone"] == "Europe/Berlin"
    wrong = wistlake.open(lake).sql(
        "SELECT count(*) AS n FROM silver.fact_events WHERE event_date_local <> "
        "CAST(received_at AT TIME ZONE 'Europe/Berlin' AS DATE)"
    )
    assert wrong.to_pylist() == [{"n": 0}]
    assert call("run", "--now", NOW) == 2  # the settings still say New York
    assert "WISTLAKE_ACCOUNT_TIMEZONE" in capsys.readouterr().err


def gold_days(lake: Path) -> dict[tuple[str, date], int]:
    """Sessions of each (media, day) in gold."""
    rows = wistlake.open(lake).sql("SELECT media_id, date, sessions FROM gold.fact_media_daily").to_pylist()
    return {(r["media_id"], r["date"]): r["sessions"] for r in rows}


def sessions_by_day(lake: Path, zone: str) -> Counter[tuple[str, date]]:
    """Listed sessions by media and day of the zone, counted here."""
    rows = wistlake.open(lake).sql(
        "SELECT media_id, received_at FROM silver.fact_events WHERE removed_at IS NULL"
    )
    return Counter(
        (r["media_id"], r["received_at"].astimezone(ZoneInfo(zone)).date()) for r in rows.to_pylist()
    )


@pytest.mark.parametrize(("zone", "expired"), [("Europe/Berlin", False), ("Asia/Tokyo", True)])
def test_no_day_of_the_old_zone_stays_in_gold(
    lake: Path, capsys: pytest.CaptureFixture[str], zone: str, *, expired: bool
) -> None:
    ledger = SqliteLedger(lake / "ledger.db")
    landed, counts = ({(i.media_id, i.day) for i in ledger.intervals(n)} for n in ("events", "media_by_date"))
    before = gold_days(lake)
    if expired:
        shutil.rmtree(sorted((lake / "bronze/wistia/events").glob("dt=*"))[0])
    assert call("rebuild", "--zone", zone, "--now", NOW) == 0
    said, after = capsys.readouterr().out, gold_days(lake)

    def whole(media_id: str, day: date) -> bool:
        return all((media_id, d) in landed for d in utc_days_of(day, ZoneInfo(zone)))

    withdrawn = {pair for pair in before if not whole(*pair)}
    assert len(withdrawn) == len({m for m, _ in before})  # the first day of each media
    assert after.keys() == {pair for pair in counts if whole(*pair)}
    counted = sessions_by_day(lake, zone)
    assert after == {pair: counted[pair] for pair in after}
    for media_id, day in withdrawn:
        assert f"{media_id}: {day} stands in gold no more" in said.replace("\n", " ")
    others = ("fact_media_engagement", "channel_daily", "geo_daily", "device_daily", "embed_daily")
    for table in others:
        rows = wistlake.open(lake).sql(f"SELECT DISTINCT media_id, date FROM gold.{table}").to_pylist()
        assert rows
        assert {(r["media_id"], r["date"]) for r in rows} <= after.keys(), table
    people = wistlake.open(lake).sql(
        "SELECT (SELECT sum(play_count) FROM gold.dim_visitor) AS visitors, (SELECT sum(sessions) FROM"
        " gold.fact_media_daily) AS days"
    )
    assert len({*people.to_pylist()[0].values()}) == 1
    assert answer(capsys, "status", "--now", NOW)["certificates"] == {"provisional": len(after)}


# watermark, media


def test_watermark_is_set_with_a_reason_only(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = answer(capsys, "watermark", "show")["watermarks"][0]
    name = (mark["dataset"], mark["media_id"], "2026-02-27")
    assert call("watermark", "set", *name) == 2
    assert call("watermark", "set", *name, "--reason", "agreed") == 0
    shown = answer(capsys, "watermark", "show")["watermarks"][0]
    assert (shown["last_date"], shown["override_reason"]) == ("2026-02-27", "agreed")


def test_a_retired_media_raises_no_gap(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media_id = answer(capsys, "media", "list")["media"][0]["media_id"]
    later = (LAST + timedelta(days=5)).isoformat()
    late = {g["media_id"] for g in answer(capsys, "gaps", "--now", later)["gaps"]}
    assert media_id in late
    assert call("media", "retire", media_id, "--reason", "over") == 0
    assert {g["media_id"] for g in answer(capsys, "gaps", "--now", later)["gaps"]} == late - {media_id}
    assert call("media", "add", media_id) == 0
    assert {g["media_id"] for g in answer(capsys, "gaps", "--now", later)["gaps"]} == late
    assert call("media", "retire", "unknown1") == 2


def test_a_media_that_is_added_begins_where_the_settings_say(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WISTLAKE_START_DATE", "2026-01-05")
    assert call("media", "add", "added12345", "--now", NOW) == 0
    entries = {m["media_id"]: m for m in answer(capsys, "media", "list")["media"]}
    assert entries["added12345"]["first_day"] == "2026-01-05"


# upkeep, copies


def superseded(lake: Path) -> datetime:
    """Every file of one table is replaced and published, as a run does; when that was."""
    upkeep = history.LocalUpkeep(lake)
    table = upkeep._catalog.load("silver.fact_events")
    table.overwrite(table.scan().to_arrow())
    ledger = SqliteLedger(lake / "ledger.db")
    now = datetime.now(UTC)
    ledger.publish(
        Publication("later", now, upkeep.refs(t for t in ALL if t.full_name in upkeep_names(ledger)))
    )
    return now


def upkeep_names(ledger: SqliteLedger) -> set[str]:
    published = ledger.publication()
    assert published is not None
    return set(published.tables)


def test_maintain_disturbs_no_reader(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(lake)
    reader = wistlake.open(lake)  # follows what is published now
    moment = superseded(lake)
    done = answer(capsys, "maintain", "--now", (moment + timedelta(hours=23)).isoformat())
    assert done["landings_removed"] > 0  # the simulated days are long ago
    assert reader.table("silver.fact_events").num_rows == len(before["silver.fact_events"])
    assert contents(lake) == before
    later = answer(capsys, "maintain", "--now", (moment + timedelta(days=3)).isoformat())
    assert later["snapshots_expired"] > 0
    assert later["orphans_removed"] > 0
    assert contents(lake) == before
    with pytest.raises(StoreBusy, match="open it again"):  # three days are longer than any query
        reader.table("silver.fact_events")


def test_compaction_keeps_every_row(lake: Path) -> None:
    upkeep = history.LocalUpkeep(lake)
    found = upkeep._catalog.load("gold.fact_media_daily")
    rows = found.scan().to_arrow()
    for n in range(rows.num_rows):
        found.overwrite(rows.slice(n, 1), overwrite_filter="media_id = 'none'")
        found = upkeep._catalog.load("gold.fact_media_daily")
    doubled = found.scan().to_arrow().num_rows
    assert upkeep.compact(contract("gold.fact_media_daily")) > 0
    assert upkeep._catalog.load("gold.fact_media_daily").scan().to_arrow().num_rows == doubled


@pytest.mark.parametrize("name", ["copy", "copy.tar", "copy.tar.gz"])
def test_a_backup_comes_to_life_elsewhere_and_can_be_written(
    lake: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(lake)
    assert call("backup", str(tmp_path / name)) == 0
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    shutil.rmtree(lake)
    assert call("restore", str(tmp_path / name), "--to", str(tmp_path / "new")) == 0
    assert contents(tmp_path / "new") == before
    monkeypatch.setenv("WISTLAKE_LAKE", str(tmp_path / "new"))
    done = answer(capsys, "rebuild", "--now", NOW)
    assert done["status"] == "succeeded"
    assert contents(tmp_path / "new") == before


def test_what_stands_in_the_way_of_copies_is_named(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    assert call("backup", str(tmp_path / "taken")) == 2
    assert call("backup", str(lake / "inside")) == 2
    assert call("restore", str(tmp_path / "nothing"), "--to", str(tmp_path / "new")) == 2
    (tmp_path / "bad.tar").write_bytes(b"no tar")
    assert call("restore", str(tmp_path / "bad.tar"), "--to", str(tmp_path / "new")) == 74
    assert not (tmp_path / "new").exists()


# lakes that can't be used


def test_a_moved_lake_is_refused_with_the_cure(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = lake.rename(lake.with_name("moved"))
    os.environ["WISTLAKE_LAKE"] = str(moved)
    assert call("query", "SELECT 1") == 2
    assert "wistlake restore" in capsys.readouterr().err
    assert call("restore", str(moved), "--to", str(lake)) == 0
    assert contents(lake)["silver.fact_events"]


def test_a_newer_lake_is_refused_with_the_cure(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = json.loads((lake / "lake.json").read_text())
    (lake / "lake.json").write_text(json.dumps({**described, "layout": 99}))
    for command in (["run", "--now", NOW], ["status"], ["maintain"]):
        assert call(*command) == 2
        assert "upgrade wistlake" in capsys.readouterr().err


# beginning


def test_init_writes_what_a_run_reads(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WISTIA_API_TOKEN")
    assert call("init", "--token", "wrong", "--media", "all") == 77
    assert not (tmp_path / ".env").exists()
    assert call("init", "--token", "simulated", "--media", "all", "--lake", str(lake)) == 0
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert "simulated" not in (tmp_path / "wistlake.toml").read_text()
    assert call("init", "--token", "simulated") == 2  # there is one
    monkeypatch.delenv("WISTLAKE_LAKE")
    monkeypatch.delenv("MEDIA_IDS")
    assert call("status") == 0


def test_doctor_names_what_is_wrong(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = {c["name"]: c["verdict"] for c in answer(capsys, "doctor", "--now", NOW)["checks"]}
    assert set(verdicts) == {"settings", "token", "lake", "engine", "engine's port", "disk", "clock"}
    assert set(verdicts.values()) == {"ok"}
    monkeypatch.setenv("WISTIA_API_TOKEN", "wrong")
    assert call("doctor", "--now", NOW) == 2
    assert "401" in capsys.readouterr().out


def test_doctor_asks_what_nobody_has_written_down(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = {c["name"]: c for c in answer(capsys, "doctor", "--live", "--now", NOW)["checks"]}
    assert checks["live: events a page without per_page"]["verdict"] == "10"
    assert checks["live: unknown media in stats"]["verdict"] == "404"
    assert checks["live: basic authentication"]["verdict"] in ("yes", "no")
    assert {n for n in ENDPOINTS if ENDPOINTS[n].dated_only} <= {n.removeprefix("live: ") for n in checks}
    assert len(checks) == 7 + 10 + 1 + 5  # five optional datasets


def test_a_first_run_without_a_token_offers_the_demo(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WISTIA_API_TOKEN")
    assert call("run") == 2
    said = capsys.readouterr().err
    assert "WISTIA_API_TOKEN is not set" in said
    assert "wistlake demo" in said
    assert "wistlake init" in said


def test_schedule_catches_up_after_sleep(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("schedule", "--systemd", "--at", "03:30") == 0
    unit = capsys.readouterr().out
    assert "Persistent=true" in unit
    assert "OnCalendar=*-*-* 03:30:00 UTC" in unit
    assert "run --scheduled" in unit
    assert call("schedule", "--cron") == 0
    assert "15 2 * * *" in capsys.readouterr().out
    assert call("schedule") == 2


# the daily run


def test_nothing_new_starts_no_engine(lake: Path) -> None:
    """A run whose landings say what silver was built from already."""
    program = (
        "import sys\nfrom wistlake.entrypoints.cli.main import main\n"
        f"try:\n    main(['run', '--now', {NOW!r}, '--json'])\nexcept SystemExit:\n    pass\n"
        "heavy = [m for m in ('pysail', 'pyspark.sql.connect', 'pyiceberg', 'duckdb', 'pandas')"
        " if m in sys.modules]\n"
        "print(heavy)"
    )
    first = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    begin = work_of_children()
    second = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    spent = work_of_children() - begin
    result = json.loads(second.stdout.splitlines()[0])
    assert result["status"] == "succeeded", first.stderr
    assert second.stdout.splitlines()[-1] == "[]"
    assert spent < 4  # two on an idle machine: see benchmarks
