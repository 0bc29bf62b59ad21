"""What makes the command line pleasant: progress, colours, completion, suggestions, tables that fit."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from typer.main import get_command

from support.commands import call
from support.lake import START, Lake, Scenario
from support.some import some
from support.terminal import on_terminal
from wistia_simulator import Profile, ServerOptions, create_app
from wistia_simulator.main import running
from wistlake.adapters.local.lake_archive import restore
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.entrypoints.cli.main import app

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m")
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PROGRAM = [sys.executable, "-m", "wistlake.entrypoints.cli.main"]
TOMORROW = START + timedelta(days=1)


def plain_environment(**more: str) -> dict[str, str]:
    """An environment without anybody's settings."""
    kept = ("PATH", "PYTHONPATH", "HOME")
    return {name: os.environ[name] for name in kept if name in os.environ} | more


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that one simulated day has filled."""
    profile = replace(Profile.calm(), media=2, sessions_per_day=6, history_days=4)
    lake = Lake(tmp_path_factory.mktemp("grown") / "lake", Scenario(profile, settings={"lookback_days": 2}))
    lake.run_day(START)
    return lake


@pytest.fixture
def served(grown: Lake, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a command that works on a copy of the lake, with its Wistia on this machine."""
    restore(grown.folder, tmp_path / "lake")
    grown.world.clock.set(TOMORROW)
    with running(
        create_app(grown.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    ) as url:
        yield plain_environment(
            WISTIA_API_TOKEN="simulated",
            WISTIA_BASE_URL=f"{url}/modern",
            MEDIA_IDS="all",
            WISTLAKE_LAKE=str(tmp_path / "lake"),
        )


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command in this process."""
    capsys.readouterr()
    return (call(*arguments), *capsys.readouterr())


# a terminal


@pytest.mark.engine
def test_a_run_on_a_terminal_shows_how_long_it_still_takes(served: dict[str, str], tmp_path: Path) -> None:
    code, seen = on_terminal(["run", "--now", TOMORROW.isoformat()], tmp_path, served)
    assert code == 0, seen
    assert re.search(r"fetching .*\d+/\d+ .*\d:\d\d:\d\d", STYLE.sub("", seen))
    assert re.search(r"building .*\d+/\d+", STYLE.sub("", seen))
    assert COLOUR.search(seen)
    assert '"event"' not in seen  # steps are for logs


@pytest.mark.engine
def test_no_color_is_honoured(served: dict[str, str], tmp_path: Path) -> None:
    now = TOMORROW.isoformat()
    code, seen = on_terminal(["--verbose", "run", "--now", now], tmp_path, served | {"NO_COLOR": "1"})
    assert code == 0
    assert "fetching" in seen
    assert COLOUR.findall(seen) == []


@pytest.mark.engine
def test_in_a_pipe_a_run_is_one_line_and_its_steps_can_be_json(
    served: dict[str, str], tmp_path: Path
) -> None:
    def in_a_pipe(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, "run", "--now", TOMORROW.isoformat()],
            cwd=tmp_path, env=served | environment, capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip

    plain = in_a_pipe()
    assert plain.stderr == ""
    assert re.fullmatch(
        r"run \S+ succeeded: [1-9][\d,]* new rows, \d+ media days .*, \d+ s\n(  .*\n)*", plain.stdout
    )
    done = in_a_pipe(WISTLAKE_LOG="json")
    assert "\x1b" not in done.stdout + done.stderr
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == [
        "run started", "planned", "run ended",
    ]  # fmt: skip


@pytest.mark.engine
@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(grown: Lake, tmp_path: Path, columns: int) -> None:
    environment = plain_environment(WISTLAKE_LAKE=str(grown.folder), NO_COLOR="1")
    media = grown.world.media_ids[0]
    for command in (
        ["status"],
        ["gaps", "--now", (START + timedelta(days=9)).isoformat()],
        ["watermark", "show"],
        ["media", "list"],
        ["revisions"],
        ["certify", "--days", "1"],
        ["explain", "fact_media_daily", "--media", media, "--date", "2026-02-28"],
        ["query", "SELECT * FROM gold.fact_media_daily"],
        ["plan", "--media", media, "--now", TOMORROW.isoformat()],
    ):
        code, seen = on_terminal(command, tmp_path, environment, columns=columns)
        lines = STYLE.sub("", seen).splitlines()
        assert code == 0, (command, seen)
        wide = [line for line in lines if len(line.rstrip()) > columns and "landing_id" not in line]
        assert wide == [], command


@pytest.mark.engine
def test_a_value_is_never_cut_in_two(grown: Lake, tmp_path: Path) -> None:
    environment = plain_environment(WISTLAKE_LAKE=str(grown.folder), NO_COLOR="1")
    sql = "SELECT media_id, title, status, first_value(landing_id) OVER () AS landing FROM silver.dim_media"
    _, seen = on_terminal(["query", sql], tmp_path, environment, columns=60)
    for row in some(grown.sql(sql)):
        assert f"landing   {row['landing']}" in seen


# help, typos, completion


def test_no_description_is_cut_in_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    group = get_command(app)
    for name in ("", *(n for n, c in group.commands.items() if hasattr(c, "commands"))):
        code, said, _ = called(capsys, *filter(None, [name]), "--help")
        assert code == 0
        assert [line for line in some(said.splitlines()[1:]) if line.endswith("...")] == []


def test_every_option_has_help() -> None:
    group = get_command(app)
    commands = [(n, s) for n, c in group.commands.items() for s in getattr(c, "commands", {"": c}).values()]
    silent = [(n, p.name) for n, c in commands for p in c.params if not getattr(p, "help", None)]
    assert silent == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("statsu",), "status"),
        (("plan", "--datasets", "evnts", "--media", "abc123xyz0"), "events"),
        (("watermark", "set", "event", "abc123xyz0", "2026-01-01"), "events"),
        (
            ("explain", "fact_media_dayly", "--media", "abc123xyz0", "--date", "2026-01-01"),
            "fact_media_daily",
        ),
        (("query", "SELECT * FROM gold.fact_media_dayly"), "fact_media_daily"),
    ],
)
@pytest.mark.engine
def test_a_typo_is_answered_with_what_was_meant(
    grown: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: tuple, meant: str
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(grown.folder))
    code, _, said = called(capsys, *typed)
    assert code == 2
    assert re.search(rf"did you mean .?{meant}", said, re.IGNORECASE)


@pytest.mark.engine
def test_a_typo_in_a_metric(
    grown: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(grown.folder))
    row = ("explain", "fact_media_daily", "--media", grown.world.media_ids[0], "--date", "2026-02-28")
    code, _, said = called(capsys, *row, "--metric", "unique_viewer")
    assert code == 2
    assert "did you mean unique_viewers?" in said
    assert called(capsys, *row, "--metric", "unique_viewers")[0] == 0


def test_a_typo_in_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wistlake.toml").write_text('WISTLAKE_LOKBACK_DAYS = "3"\n')
    code, _, said = called(capsys, "status")
    assert code == 2
    assert "did you mean WISTLAKE_LOOKBACK_DAYS?" in said


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("wistlake ba", {"backfill", "backup"}),
        ("wistlake watermark s", {"show", "set"}),
        ("wistlake run --datasets media_m", {"media_metadata"}),
        ("wistlake run --datasets events,vis", {"events,visitors"}),
        ("wistlake query --format c", {"csv"}),
    ],
)
def test_the_shell_completes_commands_and_values(tmp_path: Path, words: str, offered: set[str]) -> None:
    asked = {
        "_WISTLAKE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    program = (
        "import sys; sys.argv[0] = 'wistlake'\nfrom wistlake.entrypoints.cli.main import console\nconsole()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=plain_environment(**asked), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert set(done.stdout.split()) == offered, done.stderr


# the first minute, and mistakes


def test_a_first_run_without_anything_lists_all_that_is_missing_and_offers_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, said = called(capsys, "run")
    assert code == 2
    for word in ("WISTIA_API_TOKEN is not set", "MEDIA_IDS is empty", "wistlake demo", "wistlake init"):
        assert word in said
    assert list(tmp_path.iterdir()) == []  # nothing is begun


def test_init_asks_on_a_terminal(served: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in served.items() if k in ("PATH", "PYTHONPATH", "HOME", "WISTIA_BASE_URL")}
    environment["TZ"] = "America/New_York"
    # To the last space: what is typed before the prompt has ended is thrown away where nothing is echoed.
    answers = [
        ("API token: ", "simulated"),
        ("Media ids, or all [all]: ", "all"),
        ("York]: ", "Europe/Berlin"),
        ("[Y/n]: ", "n"),
    ]
    code, seen = on_terminal(["init"], elsewhere, environment, typed=answers)
    assert code == 0, seen
    assert "simulated" not in seen  # a secret is not shown as it is typed
    assert (elsewhere / ".env").read_text() == "WISTIA_API_TOKEN=simulated\n"
    assert (elsewhere / ".env").stat().st_mode & 0o777 == 0o600
    assert 'WISTLAKE_ACCOUNT_TIMEZONE = "Europe/Berlin"' in (elsewhere / "wistlake.toml").read_text()


def test_a_mistake_of_ours_is_said_without_a_traceback_and_without_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wistlake.entrypoints.cli import session

    def broken(*_: object) -> None:
        raise RuntimeError("somebody@example.com")

    monkeypatch.setattr(session, "settings", broken)
    code, _, said = called(capsys, "status")
    assert code == 70
    assert "RuntimeError" in said
    assert "Traceback" not in said
    assert "somebody" not in said
    assert "Traceback" in called(capsys, "--verbose", "status")[2]


@pytest.mark.engine
def test_a_reader_that_goes_away_is_no_error(grown: Lake, tmp_path: Path) -> None:
    environment = plain_environment(WISTLAKE_LAKE=str(grown.folder))
    process = subprocess.Popen(
        [*PROGRAM, "query", "SELECT unnest(range(200000)) AS n", "--format", "csv"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.wait(60)
    assert b"Traceback" not in said
    assert b"Error" not in said


# status


@pytest.mark.engine
def test_status_says_what_was_proved_what_is_provisional_and_what_was_refused(
    grown: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(grown.folder))
    found = json.loads(called(capsys, "status", "--json")[1])
    days = sum(found["certificates"].values())
    kept = {i["identity"]: i["holds"] for i in found["reconciliation"]}
    assert (kept["gold_is_silver"], kept["unique_event_keys"]) == (days, days)
    assert found["quarantine"] == []
    said = called(capsys, "status")[1]
    assert f"provisional media days: {found['certificates']['provisional']}" in said
    assert "records in quarantine: 0" in said


@pytest.mark.engine
def test_a_lake_of_simulated_days_is_looked_at_as_of_its_last_run(
    grown: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(grown.folder))
    assert json.loads(called(capsys, "status", "--json")[1])["gaps"] == []
    assert called(capsys, "gaps")[1] == "no gaps\n"
    assert SqliteLedger(grown.folder / "ledger.db", read_only=True).runs(1)[0].origin == "simulated"
    _, said, _ = called(capsys, "gaps", "--now", (START + timedelta(days=9)).isoformat())
    first = next(line for line in said.splitlines() if line.startswith("events"))
    assert first.split()[2:] == ["2026-03-02", "2026-03-10", "9"]  # days in a row are one line


# commands that nothing else runs as a person does


def test_simulate_serves_a_wistia_until_it_is_interrupted(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "simulate", "--port", "0", "--token", "simulated", "--now", START.isoformat()],
        cwd=tmp_path, env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = ""
        while not (url := re.search(r"http://127\.0\.0\.1:\d+", said)):
            said += process.stdout.readline()
            assert process.poll() is None, said
        asked = httpx2.get(f"{url[0]}/modern/medias", headers={"Authorization": "Bearer simulated"})
        assert len(asked.json()) > 0
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, 130)
        process.stdout.close()


@pytest.mark.engine
def test_the_key_is_rotated_and_only_its_epoch_is_shown(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    restore(grown.folder, tmp_path / "lake")
    monkeypatch.setenv("WISTLAKE_LAKE", str(tmp_path / "lake"))
    assert called(capsys, "key", "show-epoch")[:2] == (0, "1\n")
    code, said, _ = called(capsys, "key", "rotate", "--now", START.isoformat())
    assert code == 0
    assert re.fullmatch(r"epoch 2: [1-9][0-9,]* rows wrapped\n", said)
    assert called(capsys, "key", "show-epoch")[:2] == (0, "2\n")


@pytest.mark.engine
def test_contract_drift_of_a_lake_that_met_nothing_new(
    grown: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(grown.folder))
    code, said, _ = called(capsys, "contract", "drift", "--json")
    assert (code, json.loads(said)) == (0, {"new_fields": {}})
