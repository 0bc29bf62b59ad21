"""A run may die anywhere: the next one makes the tables what they would have been."""

import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support import model, tampering
from support.checkpoints import Checkpoint
from support.compare import differences
from support.killing import Point, run_until_killed, wrapped
from support.lake import START, Lake, Row, Scenario
from support.model import ModelLake
from support.processes import in_process
from support.tampering import Tampering
from wistia_simulator import Profile, ServerOptions, create_app, transport
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run.build import VISITORS
from wistlake.pipeline.run.record import RUNNING
from wistlake.pipeline.run.result import RunResult
from wistlake.quality.checks import REFERENCES
from wistlake_soak.dying import Died, Dying

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
DYING_DAY = 2  # by then sessions have moved and vanished


def moment(day: int):
    """When the run of the n-th day is due."""
    return START + timedelta(days=day)


def published(lake: Lake) -> dict[str, list[Row]]:
    """All tables; of verdicts and checks, what is broken: as of the last time that somebody looked, and of the
    newest run. How much a run looks at is its own affair: after a death it looks again at days that nothing
    has moved since, and what is known of them by then may be more."""
    tables = {t.full_name: lake.rows(t.full_name) for t in TABLES}
    newest = lake.ledger.runs(1)[0].run_id
    checks = _broken(tables["ops.quality_results"])
    tables["ops.quality_results"] = [r | {"run_id": "newest"} for r in checks if r["run_id"] == newest]
    tables["ops.reconciliation"] = _broken(tables["ops.reconciliation"])
    return tables


def _broken(rows: list[Row]) -> list[Row]:
    return [r for r in rows if r["verdict"] == "broken"]


class Clean:
    """A lake whose runs never die: its tables after each day."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder, SCENARIO)
        self.after: list[dict[str, list[Row]]] = []

    def tables(self, day: int) -> dict[str, list[Row]]:
        """All tables after the run of the n-th day."""
        while len(self.after) <= day:
            self.lake.run_day(moment(len(self.after)))
            self.after.append(published(self.lake))
        return self.after[day]

    def unlike(self, other: Lake, day: int) -> list[str]:
        """How another lake's tables differ after that day, in words."""
        wanted, found = self.tables(day), published(other)
        return [d for t in TABLES for d in differences(t, wanted[t.full_name], found[t.full_name])]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """The lake that the others are compared with."""
    return Clean(tmp_path_factory.mktemp("clean") / "lake")


def cured_wherever_it_dies(begun: ModelLake, day: int, *, after: bool) -> int:
    """Die at every write of that day's run in turn, run again, and compare; how many writes there are."""
    clean, counting = begun.copy(), Dying()
    clean.run(moment(day), counting)
    for n in range(1, counting.calls + 1):
        mortal = begun.copy()
        with pytest.raises(Died):
            mortal.run(moment(day), Dying(at=n, after=after))
        mortal.run(moment(day), Dying())
        assert mortal.state() == clean.state(), f"died at write {n}"
    return counting.calls


@pytest.mark.timeout(600)
@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("day", [0, 1, 3])
def test_a_death_at_any_write_is_cured_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: int, *, after: bool
) -> None:
    """Every write of a whole run to objects, ledger, tables and people: the first of a lake, and later ones."""
    monkeypatch.setattr(
        build_step, "build_tables", model.build
    )  # tables without an engine; all else is the product's
    begun = ModelLake(tmp_path / "lake", SCENARIO)
    for before in range(day):
        begun.run(moment(before), Dying())
    assert cured_wherever_it_dies(begun, day, after=after) > 50


def test_a_day_that_only_a_moved_session_touches_is_computed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key comes back far from the day on which it was last listed. Had the run died between silver and gold,
    no landing and no row that moves would speak of that day any more."""
    monkeypatch.setattr(build_step, "build_tables", model.build)
    settings = {"lookback_days": 1, "start_date": (START - timedelta(days=6)).date()}
    calm = replace(Profile.calm(), media=1, sessions_per_day=6.0, history_days=8)
    begun = ModelLake(tmp_path / "lake", Scenario(calm, settings=settings))
    begun.run(moment(0), Dying())
    world, long_ago = begun.lake.world, (START - timedelta(days=5)).date()
    (key, *_) = (s.event_key for s in world.truth.sessions(start=long_ago, end=long_ago))

    def comes_back(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        newest = page and page[0]["received_at"].startswith(str(START.date()))
        return [*page, page[0] | {"event_key": key}] if newest else page

    app = create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    begun.lake._source = Tampering(transport(app), tampering.events(comes_back))
    sessions = begun.tables.states[model.EVENTS][-1]
    assert sessions[(world.media_ids[0], key)]["day"] == long_ago
    assert cured_wherever_it_dies(begun, 1, after=True) > 30


@pytest.mark.engine
@pytest.mark.timeout(1200)
def test_a_death_at_any_commit_is_cured_by_the_next_run(clean: Clean, tmp_path: Path) -> None:
    """The run of one day dies three commits later each time, until it has no more of them. Every single write is
    tried above, without an engine."""
    mortal = Lake(tmp_path / "lake", SCENARIO)
    for day in range(DYING_DAY):
        mortal.run_day(moment(day))
    begun, now = Checkpoint(mortal), moment(DYING_DAY)
    commit, survived = -2, False
    while not survived:
        commit += 3
        mortal, death = begun.restored(), Dying(at=commit, methods=("merge", "publish"))
        try:
            mortal.run_day(now, around=lambda parts, death=death: wrapped(parts, death.around))
            survived = True
        except Died:
            mortal.run_day(now)
        assert clean.unlike(mortal, DYING_DAY) == [], f"died at commit {commit}"
    assert commit > 12


class Merges(Dying):
    """Never dies; notes which tables a run writes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[str] = []

    def wrap(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`; a merge is noted."""

        def noted(table: Table, *rest: Any) -> Any:
            self.tables.append(table.full_name)
            return method(table, *rest)

        return noted if name == "merge" else method


def in_many_builds(lake: Lake, death: Dying) -> RunResult:
    """The first run of a lake, of which every build takes one day."""
    return lake.run_day(
        moment(0), around=lambda parts: replace(wrapped(parts, death.around), rows_per_build=1)
    )


@pytest.mark.engine
def test_the_checks_of_many_builds_are_those_of_one(tmp_path: Path) -> None:
    """What each build has looked at is added up, and nothing is late because a later build has it. Whether media are
    described is asked for by each build of theirs."""
    one, many = Lake(tmp_path / "one", SCENARIO), Lake(tmp_path / "many", SCENARIO)
    expected, result = one.run_day(moment(0)), in_many_builds(many, Merges())
    assert (result.warnings, result.checks) == (expected.warnings, expected.checks)

    def checks_of(lake: Lake) -> dict[tuple[str, str], tuple[str, int, int]]:
        rows = [r for r in lake.rows("ops.quality_results") if r["check_name"] != REFERENCES]
        return {(r["check_name"], r["scope"]): (r["verdict"], r["checked"], r["violations"]) for r in rows}

    assert checks_of(many) == checks_of(one)


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_run_of_many_builds_adds_visitors_up_once_also_after_a_death(clean: Clean, tmp_path: Path) -> None:
    """Each build would read all engagement for them. What a run that died had not written, the next one does, also
    if nothing else is left to build."""
    whole, merges = Lake(tmp_path / "whole", SCENARIO), Merges()
    in_many_builds(whole, merges)
    assert clean.unlike(whole, 0) == []
    of_engagement, of_visitors = (
        [n for n, name in enumerate(merges.tables, 1) if name == f"gold.{table}"]
        for table in ("fact_media_engagement", "dim_visitor")
    )
    assert len(of_engagement) > 1
    assert len(of_visitors) > 1  # in shares, which are as small as the builds
    assert max(of_engagement) < min(of_visitors)
    mortal, death = Lake(tmp_path / "mortal", SCENARIO), Dying(at=of_visitors[1], methods=("merge",))
    with pytest.raises(Died):
        in_many_builds(mortal, death)
    assert mortal.rows("gold.dim_visitor") == []
    mortal.run_day(moment(0))
    assert clean.unlike(mortal, 0) == []
    assert mortal.ledger.facts(VISITORS) == {"due": False}


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
@pytest.mark.timeout(600)
def test_kill_9_at_eight_points_is_cured_by_the_next_run(clean: Clean, tmp_path: Path) -> None:
    mortal = Lake(tmp_path / "lake", SCENARIO)
    mortal.run_day(moment(0))
    for day, point in enumerate(POINTS, 1):
        code = in_process(run_until_killed, mortal.folder, SCENARIO, moment(day), point)
        assert code == -signal.SIGKILL, point.name
        mortal.run_day(moment(day))
        assert clean.unlike(mortal, day) == [], point.name
        assert [r for r in mortal.ledger.runs() if r.status == RUNNING] == [], point.name
