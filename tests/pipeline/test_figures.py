"""The figures that a run says of itself: they are those of what was asked and answered, counted by somebody else."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from support import model
from support.lake import START, Scenario
from support.model import ModelLake
from support.some import some
from wistia_simulator import Profile
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies
from wistlake_soak.dying import Dying

SCENARIO = Scenario(profile=Profile(media=2, sessions_per_day=5, history_days=3))


@pytest.fixture(autouse=True)
def _tables_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_step, "build_tables", model.build)


class Ticking:
    """Each look at the clock is a second later than the one before; `looks` were taken."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.looks = 0

    def __call__(self) -> float:
        self.looks = next(self._count)
        return float(self.looks)


def test_rows_pages_and_days_of_a_run_are_those_of_its_landings(tmp_path: Path) -> None:
    lake = ModelLake(tmp_path / "lake", SCENARIO)
    result = lake.run(START, Dying())
    landed = [i for i in lake.ledger.intervals() if i.dataset != "gold" and i.landing_id]
    rows, days = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for interval in some(landed):
        rows[interval.dataset, interval.media_id] += interval.rows
        days[interval.dataset, interval.media_id] += 1
    lines = {(line["dataset"], line["media_id"]): line for line in result.intervals}
    assert {pair: line["rows"] for pair, line in lines.items() if line["days"]} == dict(rows)
    assert {pair: line["days"] for pair, line in lines.items() if line["days"]} == dict(days)
    for media_id in some(lake.lake.world.media_ids):
        line = lines["events", media_id]
        # All days of a media are one list, which fits on one page.
        assert line["pages"] == line["requests"] == 1 < line["days"]
        assert lines["media_by_date", media_id]["requests"] == 1


def test_every_step_of_a_run_takes_the_seconds_between_two_looks_at_the_clock(tmp_path: Path) -> None:
    clock = Ticking()
    lake = ModelLake(tmp_path / "lake", SCENARIO)
    result = timed(lake, clock)
    assert list(result.seconds) == ["plan", "ingest", "engine", "build", "publish"]
    assert all(seconds >= 1.0 for seconds in result.seconds.values())
    assert sum(result.seconds.values()) == clock.looks - 1
    assert all(line["seconds"] >= 1.0 for line in some(result.intervals) if line["requests"] and line["days"])


def timed(lake: ModelLake, clock: Ticking) -> RunResult:
    """A run of the model whose clock is `clock`."""
    from dataclasses import replace

    original = lake.lake.parts

    def parts(settings: object) -> Dependencies:
        return replace(original(settings), monotonic=clock)  # type: ignore[arg-type]

    lake.lake.parts = parts  # type: ignore[method-assign]
    return lake.run(START, Dying())
