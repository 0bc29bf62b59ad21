"""A lake is filled by one kind of source: a Wistia account, or a simulator."""

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.errors import ConfigError
from wistlake.pipeline.run import driver, stages
from wistlake.pipeline.run.lake import require_same_origin
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Ledger, Run
from wistlake.settings import ArgumentsOnly
from wistlake.wiring.spec import run_spec

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
LOCAL = "http://127.0.0.1:8765/modern"


def filled(folder: Path, origin: str, *more: tuple[str, str]) -> SqliteLedger:
    """The ledger of a lake with one landing, after runs of (trigger, origin)."""
    ledger = SqliteLedger(folder / "ledger.db")
    ledger.record([Interval("events", "abc123def4", date(2026, 3, 4), State.LANDED, "r0", NOW)])
    for number, (trigger, of) in enumerate((("scheduled", origin), *more)):
        ledger.put_run(Run(f"r{number}", trigger, of, "succeeded", NOW.replace(minute=number)))
    return ledger


def deps(ledger: Ledger, *, on_the_network: bool = True) -> Any:
    return SimpleNamespace(ledger=ledger, on_the_network=on_the_network)


@pytest.mark.parametrize(
    ("origin", "url", "holds", "adds"),
    [
        ("simulated", None, "simulated days", "days of a Wistia account"),
        ("live", LOCAL, "days of a Wistia account", "simulated days"),
    ],
)
def test_a_run_of_the_other_kind_is_refused_and_leaves_no_trace(
    tmp_path: Path, origin: str, url: str | None, holds: str, adds: str
) -> None:
    ledger = filled(tmp_path, origin)
    given = {"base_url": url} if url else {}
    settings = ArgumentsOnly(token="x" * 20, media_ids=("all",), **given)
    spec = run_spec(settings, run_id="next", trigger="scheduled", now=NOW)
    expected = f"this lake holds {holds}, and this run would add {adds}: set WISTLAKE_LAKE to another folder"
    with pytest.raises(ConfigError, match=expected):
        driver.run(spec, deps(ledger))
    with pytest.raises(ConfigError, match=expected):  # nothing is taken: there is no lease to take
        stages.plan_run(spec, deps(ledger), cast(Any, None), NOW)
    assert [r.run_id for r in ledger.runs()] == ["r0"]


def test_a_simulator_in_the_process_is_one_whatever_the_address_says(tmp_path: Path) -> None:
    settings = ArgumentsOnly(token="x" * 20, media_ids=("all",))
    spec = run_spec(settings, run_id="next", trigger="scheduled", now=NOW)
    assert spec.origin == "live"
    with pytest.raises(ConfigError, match="would add simulated days"):
        driver.run(spec, deps(filled(tmp_path, "live"), on_the_network=False))


def test_the_same_kind_may_go_on(tmp_path: Path) -> None:
    """Runs that ask no source say nothing of where the pages came from."""
    ledger = filled(tmp_path, "simulated", ("rebuild", "live"), ("forget", "live"), ("rotate", "live"))
    require_same_origin(ledger, "simulated")
    with pytest.raises(ConfigError):
        require_same_origin(ledger, "live")


def test_a_lake_into_which_nothing_was_landed_takes_either(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    require_same_origin(ledger, "live")
    ledger.put_run(Run("r0", "scheduled", "live", "failed", NOW))
    require_same_origin(ledger, "simulated")


def test_the_results_of_older_runs_are_read_only_where_the_last_one_asked_no_source(tmp_path: Path) -> None:
    asked: list[int] = []

    class Noting(SqliteLedger):
        def runs(self, limit: int = 100) -> Any:
            asked.append(limit)
            return super().runs(limit)

    filled(tmp_path, "simulated")
    require_same_origin(Noting(tmp_path / "ledger.db"), "simulated")
    assert asked == [1]
    filled(tmp_path, "simulated", ("rebuild", "live"))
    require_same_origin(Noting(tmp_path / "ledger.db"), "simulated")
    assert asked == [1, 1, 100]
