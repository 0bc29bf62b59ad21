"""Looking at the API: what is found out, what is kept of it, and that no person is kept."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from simulator.support import RECORDED, VISITS, needs_samples
from support.commands import call
from support.lake import VirtualSeconds
from support.some import some
from wistia_simulator import (
    Fault,
    FaultPlan,
    Nth,
    Profile,
    ServerOptions,
    World,
    create_app,
    create_replay_app,
    transport,
)
from wistia_simulator.main import running
from wistlake.contracts import source
from wistlake.entrypoints.cli.explore import explore
from wistlake.errors import SourceRefused
from wistlake.exploration import probes
from wistlake.exploration.probes import ProbeOptions
from wistlake.exploration.samples import Samples
from wistlake.exploration.watermarks import candidates, suggested
from wistlake.privacy.redaction import blanked
from wistlake.wiring.source import NoBudget
from wistlake.wistia import Connection, WistiaClient

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
STAMP = "20260302T021500Z"
OPEN = ServerOptions(token="simulated", rate_limit_per_minute=None)


def world() -> World:
    return World(7, Profile(media=2, sessions_per_day=20, history_days=10), NOW)


@pytest.fixture
def app():
    return create_app(world(), OPEN)


@pytest.fixture
def media(app) -> tuple[str, ...]:
    (look,), _ = looked(app, probes.medias, ProbeOptions())
    return tuple(m["hashed_id"] for m in look.records)


class Nowhere(Samples):
    """Samples that are not written."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"), NOW)

    def summary(self, name: str, document: Any) -> Path:
        self.written.append(Path(name))
        return Path(name)


def looked(app, look, asked: ProbeOptions, samples: Samples | None = None, base: str = "modern"):
    """What `look` finds, and what the client counted; no waiting is real."""
    seconds = VirtualSeconds()

    async def found():
        connection = Connection("simulated", base_url=f"https://api.wistia.com/{base}")
        async with WistiaClient(
            connection,
            NoBudget(),
            transport=transport(app),
            sleep=seconds.sleep,
            monotonic=seconds.monotonic,
        ) as client:
            return await look(client, asked, samples or Nowhere()), client.stats

    return asyncio.run(found())


def test_lists_tell_how_they_ended(app, media) -> None:
    (look, _), stats = looked(app, probes.events, ProbeOptions(media, per_page=50))
    assert look.sizes == (50, 50, 50, 50, 40)
    assert look.ended == "a short page: 40 of 50"
    assert look.keys[:2] == ("received_at", "event_key")
    assert sum(look.per_day.values()) == len(look.records) == 240
    assert list(look.per_day) == sorted(look.per_day, reverse=True)
    assert stats.throttled == 0
    (full, _), _ = looked(app, probes.events, ProbeOptions(media, per_page=80))
    assert full.sizes[-1] == 0
    assert full.ended == "an empty page"
    (cut, _), _ = looked(app, probes.events, ProbeOptions(media, page=2, per_page=50, max_pages=2))
    assert cut.sizes == (50, 50)
    assert "--max-pages 2" in cut.ended
    assert cut.records == look.records[50:150]


def test_a_window_holds_whole_utc_days(app, media) -> None:
    day = date(2026, 2, 27)
    (look, _), _ = looked(app, probes.events, ProbeOptions(media, start=day, end=day))
    assert set(look.per_day) == {day.isoformat()}


def test_lifetime_stats_have_no_pages(app, media) -> None:
    looks, _ = looked(app, probes.media_stats, ProbeOptions(media, max_pages=5))
    assert [look.sizes for look in looks] == [(1, 1)] * 2
    assert all("one unpaged object" in look.ended for look in some(looks))
    assert all("play_count" in look.keys for look in looks)
    assert all(len(look.records) == 1 for look in looks)


def test_visitors_are_the_accounts(app, media) -> None:
    (look,), stats = looked(app, probes.visitors, ProbeOptions(media, max_pages=2))
    assert look.scope == "account-wide"
    assert look.path == "/stats/visitors"
    assert [note for note in look.notes if "answers 404" in note] == [
        f"/stats/medias/{m}/visitors answers 404" for m in media
    ]
    assert stats.requests == len(media) + len(look.sizes)


def test_a_list_that_is_not_there_is_said_and_no_failure(media) -> None:
    looks, _ = looked(create_app(world(), OPEN), probes.media_stats, ProbeOptions(("nothere000",)))
    assert looks[0].ended == "404: nothing there"
    assert looks[0].records == []


def test_refusals_are_errors(media) -> None:
    plan = FaultPlan(1, (Fault("token_revoked", when=Nth(1)),))
    with pytest.raises(SourceRefused) as refused:
        looked(create_app(world(), OPEN, plan), probes.medias, ProbeOptions())
    assert refused.value.status == 401


def test_refusals_for_haste_are_counted(media) -> None:
    plan = FaultPlan(1, (Fault("rate_limited", "medias", Nth(1), seconds=7),))
    _, stats = looked(create_app(world(), OPEN, plan), probes.medias, ProbeOptions())
    assert (stats.throttled, stats.requests) == (1, 2)


def test_what_the_summary_proposes(app, media, tmp_path: Path) -> None:
    (looks, summary), _ = looked(
        app, probes.incremental, ProbeOptions(media, max_pages=3), Samples(tmp_path, NOW)
    )
    assert {name: d["suggested_watermark_field"] for name, d in summary["datasets"].items()} == {
        "events": "received_at",
        "visitors": "last_active_at",
        "medias": None,
    }
    assert (summary["suggested_watermark_list"], summary["suggested_watermark_field"]) == (
        "events",
        "received_at",
    )
    written = json.loads((tmp_path / f"incremental_probe_summary_{STAMP}.json").read_text())
    assert written == json.loads(json.dumps(summary))
    pages = [p for p in tmp_path.iterdir() if "summary" not in p.name]
    assert summary["pages_saved"] == len(pages) == sum(len(look.files) for look in looks)
    stamps = [r["received_at"] for look in looks if "events" in look.what for r in look.records]
    span = [datetime.fromisoformat(stamp).isoformat() for stamp in (min(stamps), max(stamps))]
    assert summary["datasets"]["events"]["num_ts_values_found"] == len(stamps)
    assert [summary["min_timestamp"], summary["max_timestamp"]] == span


def test_without_a_field_that_orders_a_list_there_is_no_span(app, media, tmp_path: Path) -> None:
    """A list of one record tells nothing of an order."""
    options = ProbeOptions(media[:1], per_page=1, max_pages=1)
    (_, summary), _ = looked(app, probes.incremental, options, Samples(tmp_path, NOW))
    assert summary["num_ts_values_found"] > 0
    names = ("suggested_watermark_list", "suggested_watermark_field", "min_timestamp", "max_timestamp")
    assert [summary[name] for name in names] == [None] * 4


def test_a_field_is_proposed_only_if_it_orders_the_list() -> None:
    def rows(*days: int | None) -> list[dict[str, Any]]:
        return [{"created_at": f"2026-03-{d:02}T00:00:00Z" if d else None} for d in days]

    assert suggested(candidates([rows(5, 4, 4), rows(9, 1)])) == "created_at"
    assert suggested(candidates([rows(5, 4, 5)])) is None  # not newest first
    assert suggested(candidates([rows(5, None, 4)])) is None  # not always there
    assert suggested(candidates([rows(5, 5)])) is None  # tells nothing
    both = [{"created_at": f"2026-03-0{d}T00:00:00Z", "last_active_at": f"2026-04-0{d}"} for d in (2, 1)]
    assert suggested(candidates([both])) == "last_active_at"  # what happens later counts, too
    assert candidates([[{"created_at": "soon", "percent_viewed": 1.0}]]) == []


PERSON = {
    "event_key": "1772416_e34862b2",
    "ip": "203.0.113.9",
    "email": "jane@example.org",
    "lat": 51.5,
    "country": "GB",
    "city": "",
    "visitor_key": "1772416_77",
    "percent_viewed": 0.25,
    "embed_url": "https://user:secret@example.org/a?email=jane@example.org&utm_source=mail",
    "user_agent_details": {"browser": "Firefox", "mobile": False, "owner": "Jane"},
    "conversion_data": {"first_name": "Jane"},
    "attributes": {},
    "new_field": ["jane@example.org"],
}


def test_samples_keep_the_form_and_no_person() -> None:
    kept = blanked(source("events"), PERSON)
    assert list(kept) == list(PERSON)
    assert not re.search(r"jane|secret|203\.0|51\.5|1772416_77", json.dumps(kept), re.IGNORECASE)
    assert (kept["event_key"], kept["country"], kept["percent_viewed"]) == ("1772416_e34862b2", "GB", 0.25)
    assert kept["embed_url"] == "https://example.org/a?utm_source=mail"
    assert kept["user_agent_details"] == {
        "browser": "Firefox",
        "mobile": False,
        "owner": "[redacted: a text]",
    }
    assert kept["conversion_data"] == "[redacted: an object of 1]"
    assert (kept["city"], kept["attributes"]) == ("", {})


def test_samples_show_the_rows_that_an_object_holds() -> None:
    served = {
        "timestamp": "2026-03-02",
        "entries": [{"embed_domain": "a.example", "page_title": "Jane"}, "Jane"],
    }
    assert blanked(source("embed_locations_daily"), served) == {
        "timestamp": "2026-03-02",
        "entries": [{"embed_domain": "a.example", "page_title": "[redacted: a text]"}, "[redacted: a text]"],
    }


def test_nothing_personal_reaches_the_disk_unless_it_is_asked_for(app, media, tmp_path: Path) -> None:
    for raw in (False, True):
        samples = Samples(tmp_path / str(raw), NOW, raw)
        (look, *_), _ = looked(app, probes.events, ProbeOptions(media, max_pages=1), samples)
        text = "".join(p.read_text() for p in samples.written)
        for name in ("ip", "visitor_key", "iframe_heatmap_url"):
            values = {r[name] for r in look.records if len(str(r[name])) > 6}
            assert values
            assert all((f'"{value}"' in text) == raw for value in values), name
        assert all(p.stat().st_mode & 0o077 == 0 for p in some(samples.written))
        assert (samples.folder / ".gitignore").exists() == raw


def test_samples_in_the_repository_are_ignored_by_git() -> None:
    names = [f"exploration/samples/{name}" for name in ("x.json", "media_a_events_p1_20260302T021500Z.json")]
    done = subprocess.run(
        ["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == names


# As people call it: the commands, and the scripts, against a server.


@pytest.fixture
def served(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with running(app) as url:
        monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
        monkeypatch.setenv("WISTIA_BASE_URL", f"{url}/modern")
        monkeypatch.setenv("WISTLAKE_LAKE", str(tmp_path / "lake"))
        yield tmp_path / "exploration" / "samples"


FILES = {
    "medias": ["medias_index_p1"],
    "media-stats": ["media_{}_stats_p1", "media_{}_stats_p2"],
    "events": ["media_{}_events_p1", "media_{}_events_p2"],
    "visitors": ["media_{}_visitors_p1", "media_{}_visitors_p2"],
}
SCRIPTS = {
    "list_medias": "medias",
    "page_walk_media_stats": "media-stats",
    "sample_visitors": "visitors",
    "incremental_probe": "incremental",
}


@pytest.mark.parametrize("command", FILES)
def test_commands_name_their_files(
    command: str, served: Path, media, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [] if command == "medias" else ["--media-id", ",".join(media)]
    assert call("explore", command, *chosen, "--max-pages", "2", "--now", NOW.isoformat()) == 0
    expected = {f"{name.format(m)}_{STAMP}.json" for name in FILES[command] for m in media}
    assert {p.name for p in served.iterdir()} == expected
    told = capsys.readouterr().out
    assert "429s met: 0 in" in told
    assert "redacted" in told
    if command == "visitors":
        document = json.loads(next(served.iterdir()).read_text())
        assert (document["scope"], document["redacted"]) == ("account-wide", True)


@pytest.mark.parametrize(("script", "command"), SCRIPTS.items())
def test_scripts_do_what_the_commands_do(
    script: str, command: str, served: Path, media, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [] if command == "medias" else ["--media-id", media[0]]
    arguments = [*chosen, "--max-pages", "1", "--now", NOW.isoformat(), "--json"]
    done = subprocess.run(
        [sys.executable, ROOT / "exploration" / "scripts" / f"{script}.py", *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    by_script = {p.name for p in served.iterdir()}
    shutil.rmtree(served)
    assert call("explore", command, *arguments) == 0
    assert {p.name for p in served.iterdir()} == by_script
    seconds = re.compile(r'"seconds": [\d.]+')
    by_command = capsys.readouterr().out
    assert seconds.sub("", done.stdout) == seconds.sub("", by_command)
    assert len((ROOT / "exploration" / "scripts" / f"{script}.py").read_text().splitlines()) <= 12


def test_a_script_reads_the_settings_file_of_the_folder_it_is_started_in(
    served: Path, tmp_path: Path, media, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("WISTIA_API_TOKEN", "WISTIA_BASE_URL", "WISTLAKE_LAKE")
    lines = [f"{name}={os.environ[name]}\n" for name in names]
    for name in names:
        monkeypatch.delenv(name)
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join([*lines, f"MEDIA_IDS={media[0]}\n"]))
    dotenv.chmod(0o600)
    subprocess.run(
        [sys.executable, ROOT / "exploration" / "scripts" / "page_walk_media_stats.py", "--max-pages", "1"],
        capture_output=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert [p.name.rpartition("_")[0] for p in served.iterdir()] == [f"media_{media[0]}_stats_p1"]


def test_the_incremental_command_says_it(served: Path, media, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("explore", "incremental", "--media-id", media[0], "--max-pages", "2") == 0
    told = capsys.readouterr().out
    assert "watermark for events: received_at" in told
    assert "watermark for visitors: last_active_at" in told
    assert "watermark for medias: none orders the list" in told


def test_the_page_of_the_scripts_names_scripts_and_options_that_exist() -> None:
    page = ROOT / "exploration" / "README.md"
    text = page.read_text()
    calls = re.findall(r"exploration[/\\]scripts[/\\](\w+)\.py(.*)", text.replace("`", ""))
    group = get_command(explore)
    assert {script for script, _ in calls} | set(re.findall(r"`scripts/(\w+)\.py`", text)) == set(SCRIPTS)
    for script, rest in some(calls):
        command = group.commands[SCRIPTS[script]]  # type: ignore[attr-defined]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, script
    for system in ("macOS and Linux", "PowerShell", "CMD", "PyCharm"):
        assert re.search(rf"^## .*{system}", text, re.MULTILINE), system
    for target in some(re.findall(r"\]\(([^)#]+)", text)):
        assert (page.parent / target).is_file(), target


def test_media_have_to_be_named(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("explore", "events") == 2
    assert "--media-id" in capsys.readouterr().err
    assert not served.exists()


@needs_samples
@pytest.mark.parametrize("base", ["v1", "modern"])
def test_on_recorded_payloads(base: str, tmp_path: Path) -> None:
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    for path in (*RECORDED.iterdir(), *VISITS.iterdir()):
        shutil.copy(path, recorded)
    app = create_replay_app(recorded, OPEN)
    busy = "v08dlrgr7v"
    (looks, summary), _ = looked(
        app, probes.incremental, ProbeOptions((busy,), max_pages=20), Samples(tmp_path / "s", NOW), base
    )
    assert {name: d["suggested_watermark_field"] for name, d in summary["datasets"].items()} == {
        "events": "received_at",
        "visitors": "last_active_at",
        "medias": None,
    }
    assert (summary["suggested_watermark_list"], summary["suggested_watermark_field"]) == (
        "events",
        "received_at",
    )
    events = next(look for look in looks if "events" in look.what)
    assert len(events.records) == 1682
    assert list(events.per_day.values()) == [267, 273, 275, 227, 243, 225, 172]
    assert events.ended == "a short page: 82 of 100"
    text = "".join(p.read_text() for p in (tmp_path / "s").iterdir())
    assert not [r["ip"] for r in events.records if f'"{r["ip"]}"' in text]
    assert not [r["visitor_key"] for r in events.records if f'"{r["visitor_key"]}"' in text]
    (stats,), _ = looked(app, probes.media_stats, ProbeOptions((busy,)), None, base)
    assert "one unpaged object" in stats.ended
    assert stats.records[0]["play_count"] == 43810
