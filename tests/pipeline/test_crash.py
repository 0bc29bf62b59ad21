"""A run may die anywhere: the next one makes the tables what they would have been."""

import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.compare import differences
from support.killing import Point, run_until_killed, wrapped
from support.lake import START, Lake, Row, Scenario
from support.processes import in_process
from wistia_simulator import Profile
from wistlake.adapters.memory import Died, Dying, MemoryLedger, MemoryObjects
from wistlake.contracts import TABLES
from wistlake.pipeline.assemble import assemble
from wistlake.pipeline.build import BuildPlan
from wistlake.pipeline.order import Parts

SCENARIO = Scenario(
    replace(
        Profile.hostile(),
        media=2,
        sessions_per_day=6.0,
        history_days=4,
        growing=0.8,
        late=0.2,
        late_days=2.0,
        moving=0.6,
        vanishing=0.15,
        returning_share=0.4,
    ),
    settings={"lookback_days": 3},
)


def moment(day: int):
    """When the run of the n-th day is due."""
    return START + timedelta(days=day)


class Clean:
    """A lake whose runs never die: its tables after each day."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder, SCENARIO)
        self.after: list[dict[str, list[Row]]] = []

    def tables(self, day: int) -> dict[str, list[Row]]:
        """All tables after the run of the n-th day."""
        while len(self.after) <= day:
            self.lake.run_day(moment(len(self.after)))
            self.after.append(self.lake.tables())
        return self.after[day]

    def unlike(self, other: Lake, day: int) -> list[str]:
        """How another lake's tables differ after that day, in words."""
        wanted = self.tables(day)
        return [d for t in TABLES for d in differences(t, wanted[t.full_name], other.rows(t.full_name))]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """The lake that the others are compared with."""
    return Clean(tmp_path_factory.mktemp("clean") / "lake")


class NoEngine(Exception):
    """Raised where a run would begin to build."""


def planned(lake: Lake, parts: Parts, day: int) -> BuildPlan:
    """What a run would build now."""
    order = lake.order(moment(day))
    ledger = parts.ledger
    return assemble(order, ledger.media(), ledger.intervals(), parts.objects, parts.keys())


def landed(plan: BuildPlan) -> dict[object, object]:
    """What the build's landings say, whoever landed them."""
    return {
        (m.dataset, m.media_id, m.day): (m.content_hash, m.finished, m.observed_at) for m in plan.landings
    }


class InMemory:
    """A lake without files or engine: objects and ledger in memory, a run ends where building would begin."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder, SCENARIO)
        self.objects, self.ledger = MemoryObjects(), MemoryLedger()

    def run(self, day: int, death: Dying) -> Parts:
        """One run up to the engine; the parts that it left."""

        def no_engine():
            raise NoEngine

        def around(parts: Parts) -> Parts:
            self.parts = replace(parts, objects=self.objects, ledger=self.ledger, tables=no_engine)
            return replace(self.parts, objects=death.around(self.objects), ledger=death.around(self.ledger))

        with pytest.raises((Died, NoEngine)):
            self.lake.run_day(moment(day), around=around)
        return self.parts


def test_a_death_at_any_write_before_the_build_leaves_the_same_to_build(tmp_path: Path) -> None:
    clean = InMemory(tmp_path / "clean")
    counting = Dying()
    wanted = planned(clean.lake, clean.run(0, counting), 0)
    assert counting.calls > 30
    for n in range(1, counting.calls + 1):
        mortal = InMemory(tmp_path / "mortal")
        mortal.run(0, Dying(at=n, after=n % 2 == 0))
        plan = planned(mortal.lake, mortal.run(0, Dying()), 0)
        assert landed(plan) == landed(wanted), n
        assert (plan.publishable, plan.refresh) == (wanted.publishable, wanted.refresh), n
        assert len(mortal.ledger.media()) == len(clean.ledger.media())


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_death_at_any_commit_is_cured_by_the_next_run(clean: Clean, tmp_path: Path) -> None:
    """Each day the run dies one commit later than the day before, until a run has no more of them."""
    mortal = Lake(tmp_path / "lake", SCENARIO)
    mortal.run_day(moment(0))
    day, survived = 0, False
    while not survived:
        day += 1
        death = Dying(at=day, methods=("merge", "publish"))
        try:
            mortal.run_day(moment(day), around=lambda parts, death=death: wrapped(parts, death.around))
            survived = True
        except Died:
            mortal.run_day(moment(day))
        assert clean.unlike(mortal, day) == [], f"died at commit {day}"
    assert day > 12


POINTS = (
    Point("before the first page is kept", "put", "part-"),
    Point("between pages and manifest", "put", "manifest.json", nth=3),
    Point("before silver's first commit", "merge", "silver."),
    Point("before the sessions are committed", "merge", "silver.fact_events"),
    Point("after the sessions are committed", "merge", "silver.fact_events", after=True),
    Point("amid gold", "merge", "gold.fact_media_engagement", after=True),
    Point("before readers are told", "publish"),
    Point("after readers are told", "publish", after=True),
)


@pytest.mark.engine
def test_kill_9_at_eight_points_is_cured_by_the_next_run(clean: Clean, tmp_path: Path) -> None:
    mortal = Lake(tmp_path / "lake", SCENARIO)
    mortal.run_day(moment(0))
    for day, point in enumerate(POINTS, 1):
        code = in_process(run_until_killed, mortal.folder, SCENARIO, moment(day), point)
        assert code == -signal.SIGKILL, point.name
        mortal.run_day(moment(day))
        assert clean.unlike(mortal, day) == [], point.name
