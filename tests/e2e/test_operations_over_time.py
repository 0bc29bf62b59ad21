"""What an operator meets over weeks: losses at the source, notices, sleep, a folder that can't be written to."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import Profile, ServerOptions, World
from wistia_simulator.backend import Backend, EventQuery, Slices, WorldBackend
from wistia_simulator.http.app import build_app
from wistia_simulator.main import running
from wistia_simulator.versions import Api
from wistlake.adapters.local.lake_archive import restore
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.entrypoints.cli.main import main

pytestmark = pytest.mark.engine
TOMORROW = START + timedelta(days=1)
PROGRAM = [sys.executable, "-m", "wistlake.entrypoints.cli.main"]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that one simulated day has filled."""
    profile = replace(Profile.calm(), media=2, sessions_per_day=60, history_days=4)
    lake = Lake(tmp_path_factory.mktemp("grown") / "lake", Scenario(profile, settings={"lookback_days": 1}))
    lake.run_day(START)
    return lake


class Losing(WorldBackend):
    """Leaves every second session of one media out of all lists, of that media or of all."""

    def __init__(self, world: World, media_id: str) -> None:
        super().__init__(world)
        self._lossy = media_id

    def events(self, query: EventQuery, api: Api) -> Slices:
        rows = super().events(query, api)(0, sys.maxsize)
        lost = {r["event_key"] for r in [r for r in rows if r["media_id"] == self._lossy][1::2]}
        served = [r for r in rows if r["event_key"] not in lost]
        return lambda start, stop: served[start:stop]


@contextmanager
def serving(
    grown: Lake, folder: Path, backend: Callable[[World], Backend] = WorldBackend
) -> Iterator[dict[str, str]]:
    """The environment of commands on a copy of the lake; its Wistia is on this machine."""
    if not folder.exists():
        restore(grown.folder, folder)
    options = ServerOptions(token="simulated", rate_limit_per_minute=None)
    with running(build_app(backend(grown.world), options, None, grown.world)) as url:
        yield {
            "WISTIA_API_TOKEN": "simulated",
            "WISTIA_BASE_URL": f"{url}/modern",
            "MEDIA_IDS": "all",
            "WISTLAKE_LOOKBACK_DAYS": "1",
            "WISTLAKE_LAKE": str(folder),
        }


def command(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *arguments: str, now: datetime | None = None
) -> int:
    """The exit code of one command, in this process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        main([*arguments, *(("--now", now.isoformat()) if now else ())])
    except SystemExit as e:
        return int(e.code or 0)
    return 0


def sessions(folder: Path, media_id: str) -> int:
    """Sessions of a media that count."""
    import wistlake

    sql = f"SELECT count(*) AS n FROM silver.fact_events WHERE media_id = '{media_id}' AND removed_at IS NULL"
    return int(wistlake.open(folder).sql(sql).to_pylist()[0]["n"])


def test_a_loss_at_the_source_stops_its_media_until_somebody_accepts_it(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lake, (lossy, other) = tmp_path / "lake", grown.world.media_ids
    grown.world.clock.set(TOMORROW)
    before = sessions(grown.folder, lossy)

    with serving(grown, lake, lambda world: Losing(world, lossy)) as environment:
        assert command(monkeypatch, environment, "run", now=TOMORROW) == 65
        said = capsys.readouterr().err
        assert f"`wistlake repair --media {lossy} --accept-shrink`" in said
        assert sessions(lake, lossy) == before  # nothing is removed, and nothing of a doubtful day is added
        assert sessions(lake, other) > sessions(grown.folder, other)
        failed = [i for i in SqliteLedger(lake / "ledger.db").intervals("events") if i.state == "failed"]
        assert {i.media_id for i in failed} == {lossy}

        assert (
            command(monkeypatch, environment, "repair", now=TOMORROW) == 65
        )  # repair alone believes no loss
        assert sessions(lake, lossy) == before
        accept = ("repair", "--media", lossy, "--accept-shrink")
        assert command(monkeypatch, environment, *accept, now=TOMORROW) == 0
        assert 0 < sessions(lake, lossy) < before
        assert not [i for i in some(SqliteLedger(lake / "ledger.db").intervals()) if i.state == "failed"]
        assert command(monkeypatch, environment, "run", now=TOMORROW) == 0


class Inbox:
    """A web server on this machine that keeps what is posted to it."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inbox.notices.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


def test_runs_that_succeed_and_runs_that_fail_send_notices_by_command_and_webhook(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grown.world.clock.set(TOMORROW)
    inbox, kept = Inbox(), tmp_path / "notices"
    script = tmp_path / "keep.py"
    script.write_text(f"import sys; open({str(kept)!r}, 'a').write(sys.stdin.read() + '\\n')")
    channels = {
        "WISTLAKE_NOTIFY_COMMAND": f"{sys.executable} {script}",
        "WISTLAKE_NOTIFY_WEBHOOK": inbox.url,
    }
    with serving(grown, tmp_path / "lake") as environment:
        assert command(monkeypatch, environment | channels, "run", now=TOMORROW) == 0
        refused = environment | channels | {"WISTIA_API_TOKEN": "somebody-elses"}
        assert command(monkeypatch, refused, "run", now=TOMORROW) == 77
    inbox.server.shutdown()
    by_command = [json.loads(line) for line in kept.read_text().splitlines()]
    assert by_command == inbox.notices
    assert [(n["title"], n["failed"]) for n in by_command] == [
        ("wistlake run succeeded", False), ("wistlake run failed", True),
    ]  # fmt: skip
    assert "days published" in by_command[0]["text"]
    assert "token" in by_command[1]["text"]
    assert "somebody-elses" not in kept.read_text()


def test_a_run_after_days_of_sleep_fetches_all_that_was_slept_through(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the timer's Persistent=true starts it at wake-up: one run, though its lookback is shorter."""
    monkeypatch.chdir(tmp_path)
    awake = START + timedelta(days=6, hours=7)
    grown.world.clock.set(awake)
    with serving(grown, tmp_path / "lake") as environment:
        assert command(monkeypatch, environment, "run", "--scheduled", now=awake) == 0
        capsys.readouterr()
        assert command(monkeypatch, environment, "gaps", "--json", now=awake) == 0
        assert json.loads(capsys.readouterr().out) == {"gaps": [], "failed": []}
    slept = {START.date() + timedelta(days=n) for n in range(6)}
    ledger = SqliteLedger(tmp_path / "lake" / "ledger.db")
    assert slept <= {i.day for i in ledger.intervals("events") if i.is_settled}
    assert ledger.runs(1)[0].trigger == "scheduled"


def test_the_printed_crontab_line_runs_in_a_folder_with_an_awkward_name(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "100% of 'all'"
    folder.mkdir()
    monkeypatch.chdir(folder)
    grown.world.clock.set(TOMORROW)
    with serving(grown, tmp_path / "lake") as environment:
        assert command(monkeypatch, environment, "schedule", "--cron", "--at", "04:05") == 0
        (line,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith("5 4 * * * "))
        typed = (
            line.removeprefix("5 4 * * * ").replace("\\%", "%") + f" --now {TOMORROW.isoformat()}"
        )  # as cron does
        base = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "HOME")}
        done = subprocess.run(
            ["sh", "-c", typed],
            cwd="/", env=base | environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert SqliteLedger(tmp_path / "lake" / "ledger.db").runs(1)[0].trigger == "scheduled"


def test_days_that_wistia_no_longer_has_are_said_before_they_are_left_out(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    grown.world.clock.set(TOMORROW)
    oldest = TOMORROW.date() - timedelta(days=731)
    with serving(grown, tmp_path / "lake") as environment:
        days = ("--from", "2020-01-01", "--to", str(oldest))
        assert command(monkeypatch, environment, "backfill", *days, now=TOMORROW) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"Wistia keeps events for two years: days before {oldest} are not asked for"
    asked = {i.day for i in SqliteLedger(tmp_path / "lake" / "ledger.db").intervals("events")}
    assert min(asked) == oldest


def without_power_over_files() -> list[str]:
    """What keeps a process of the superuser from writing where nobody may."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("frozen", ["the whole lake", "raw pages"])
def test_a_folder_that_is_read_only_is_named_with_its_cure(grown: Lake, tmp_path: Path, frozen: str) -> None:
    lake = tmp_path / "lake"
    grown.world.clock.set(TOMORROW)
    with serving(grown, lake) as environment:
        folders = [lake, lake / "bronze", *(p for p in (lake / "bronze").rglob("*") if p.is_dir())]
        for folder in folders if frozen == "the whole lake" else folders[1:]:
            folder.chmod(0o500)
        base = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "HOME")}
        done = subprocess.run(
            [*without_power_over_files(), *PROGRAM, "run", "--now", TOMORROW.isoformat()],
            cwd=tmp_path, env=base | environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        for folder in folders:
            folder.chmod(0o700)
        assert done.returncode == 74, done.stderr
        error = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(error) == 1
        assert str(lake) in error[0]
        assert "chmod" in error[0] or "right to write" in error[0]
        again = subprocess.run(
            [*PROGRAM, "run", "--now", TOMORROW.isoformat()],
            cwd=tmp_path, env=base | environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert again.returncode == 0, again.stderr
