"""The examples for Dagster and Airflow, executed by both without their servers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.aws.tools import ROOT, python
from wistia_simulator import Profile, ServerOptions, World, create_app
from wistia_simulator.main import running
from wistlake.insight.answer import Answer
from wistlake.pipeline.run.record import PARTIAL
from wistlake.pipeline.run.result import RunResult

pytestmark = pytest.mark.engine
WISTLAKE = str(Path(sys.executable).with_name("wistlake"))
TRUTH = """SELECT (SELECT status FROM ops.runs) AS status, (SELECT run_id FROM ops.runs) AS publication,
    (SELECT count(*) FROM gold.fact_media_daily) AS days_published,
    (SELECT count(*) FROM silver.fact_events) AS new_sessions,
    (SELECT count(*) FROM ops.reconciliation WHERE verdict = 'broken') AS broken_checks,
    (SELECT count(*) FROM ops.intervals WHERE state = 'failed') AS failed_intervals,
    (SELECT count(*) FROM silver.quarantine) AS refused_records, 0 AS missing_media_days,
    (SELECT CAST(max(date) AS VARCHAR) FROM gold.fact_media_daily) AS last_day"""
LOST, MISSING = "aaaaaa: lost 5 of 9 sessions at the source", "1 media day missing, or not current."
NOTHING = {
    "missing_media_days": 0,
    "broken_checks": 0,
    "refused_records": 0,
    "failed_intervals": 0,
    "last_day": None,
}
MISSED = Answer(
    ("date", "certificate"),
    ({"date": "2026-03-01", "certificate": "settled"},),
    publication="r1",
    trust=MISSING,
    facts=NOTHING | {"missing_media_days": 1, "refused_records": 2, "last_day": "2026-03-01"},
)
EMPTY = Answer(
    ("date", "certificate"), (), publication="r1", trust="Nothing is published yet.", facts=NOTHING
)
WARNINGS = {
    "dagster": (
        rf"WARNING .+ {LOST}",
        rf"check 'trust' on 'wistlake' did not pass. Description: '{MISSING}'",
    ),
    "airflow": (rf"\[warning *\] {LOST}", rf"\[warning *\] {MISSING}"),
}


@dataclass(frozen=True)
class Days:
    """What an orchestrator did in each case, all that it printed, and what the lake of the first one holds."""

    orchestrator: str
    cases: dict[str, dict[str, Any]]
    log: str
    truth: dict[str, Any]


@pytest.fixture(scope="module")
def wistia() -> Iterator[str]:
    world = World(7, Profile(media=2, sessions_per_day=15, history_days=6), datetime.now(UTC))
    with running(create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))) as url:
        yield f"{url}/modern"


@pytest.fixture(scope="module", params=["dagster", "airflow"])
def days(request: pytest.FixtureRequest, wistia: str, tmp_path_factory: pytest.TempPathFactory) -> Days:
    folder = tmp_path_factory.mktemp(request.param)
    dags = folder / "dags"
    dags.mkdir()
    shutil.copy(ROOT / "examples" / f"{request.param}_lake.py", dags)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join((str(dags), *filter(None, [os.environ.get("PYTHONPATH")]))),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "WISTIA_BASE_URL": wistia,
        "MEDIA_IDS": "all",
    }
    real = {"WISTLAKE_COMMAND": WISTLAKE, "WISTLAKE_LAKE": "lake", "WISTIA_API_TOKEN": "simulated"}
    cases = {
        "a day": real,
        "a refusal": {"WISTIA_API_TOKEN": "wrong", "WISTLAKE_LAKE": "other"},
        "a partial day": {"WISTLAKE_COMMAND": _pretended(folder / "partial", MISSED)},
        "a first day": {"WISTLAKE_COMMAND": _pretended(folder / "first", EMPTY)},
        "too long": {"WISTLAKE_COMMAND": _pretended(folder / "long", MISSED, "exec sleep 60"), "LIMIT": "2"},
        "an outage": {
            "LIMIT": "600",
            "WISTLAKE_COMMAND": _pretended(
                folder / "busy", MISSED, 'echo "error: Wistia did not answer" >&2; exit 75'
            ),
        },
        "killed": {"WISTLAKE_COMMAND": _pretended(folder / "killed", MISSED, "kill -9 $$")},
    }
    story = Path(__file__).with_name(f"{request.param}_days.py")
    done = _called([python("orchestrators"), story, json.dumps([*cases.values()])], folder, environment)
    ended = [json.loads(line) for line in done.splitlines() if line.startswith("{")]
    queried = _called([WISTLAKE, "query", TRUTH, "--format", "json"], folder, environment | real)
    (truth,) = json.loads(queried.splitlines()[-1])
    return Days(request.param, dict(zip(cases, ended, strict=True)), done, truth)


def _called(command: list[Any], folder: Path, environment: dict[str, str]) -> str:
    """Everything that the command prints."""
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def _pretended(path: Path, trust: Answer, first: str = "") -> str:
    """A command that answers as `wistlake` does on a partial day; the first time it does what `first` says."""
    run = RunResult("r1", "scheduled", PARTIAL, errors=[LOST], days_published=3).as_json()
    path.with_suffix(".run").write_text(json.dumps(run))
    path.with_suffix(".trust").write_text(json.dumps(trust.as_json()))
    once = f'[ -e "$0.tried" ] || {{ touch "$0.tried"; {first}; }}\n' if first else ""
    path.write_text(f'#!/bin/sh\n{once}cat "$0.$1"\n[ "$1" != run ] || exit 3\n')
    path.chmod(0o755)
    return str(path)


def test_a_day_has_the_lakes_own_figures(days: Days) -> None:
    assert days.cases["a day"] == {"state": "success", "tried_again": False, "figures": days.truth}
    assert days.truth["new_sessions"] > 50


def test_what_no_repetition_cures_fails_at_once_with_the_commands_own_words(days: Days) -> None:
    case = days.cases["a refusal"]
    assert (case["state"], case["tried_again"]) == ("failed", False)
    assert re.search(r"error: .+ 401 code unauthorized_credentials.+ and set WISTIA_API_TOKEN", days.log)


def test_a_partial_day_is_a_warning(days: Days) -> None:
    figures = {
        "status": "partial", "days_published": 3, "new_sessions": 0, "publication": "r1",
        "broken_checks": 0, "failed_intervals": 0, "refused_records": 2, "missing_media_days": 1,
        "last_day": "2026-03-01",
    }  # fmt: skip
    assert days.cases["a partial day"] == {"state": "success", "tried_again": False, "figures": figures}
    for warning in WARNINGS[days.orchestrator]:
        assert re.search(warning, days.log), warning


def test_a_first_day_that_is_not_over_passes(days: Days) -> None:
    case = days.cases["a first day"]
    assert (case["state"], case["figures"]["last_day"]) == ("success", None)
    warnings = [line for line in days.log.splitlines() if "warning" in line.lower()]
    assert not [line for line in warnings if "Nothing is published yet" in line]


def test_a_command_that_takes_too_long_is_not_tried_again(days: Days) -> None:
    assert (days.cases["too long"]["state"], days.cases["too long"]["tried_again"]) == ("failed", False)
    assert "took longer than 2" in days.log


def test_a_killed_command_is_tried_again_and_says_so(days: Days) -> None:
    assert days.cases["killed"]["tried_again"]
    assert "ended with -9" in days.log


def test_an_outage_is_tried_again(days: Days) -> None:
    assert days.cases["an outage"]["tried_again"]
    assert "error: Wistia did not answer" in days.log
