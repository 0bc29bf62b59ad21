"""Whatever happened on the way, the tables end as those of one clean run.

WISTLAKE_STORY_EXAMPLES sets how many stories are told to the engine; they differ from call to call then.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from support import model
from support.compare import differences
from support.killing import wrapped
from support.lake import START, Lake, Row, Scenario
from support.model import ModelLake
from wistia_simulator import Profile
from wistlake.contracts import table
from wistlake.pipeline.run import build as build_step
from wistlake_soak.dying import Died, Dying

FEW = 2  # a lake of several runs each
EXAMPLES = int(os.environ.get("WISTLAKE_STORY_EXAMPLES", FEW))
# No shrinking: a story that fails is short, and telling it again takes seconds.
BOUNDED: dict[str, Any] = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}
HISTORY = 4
SCENARIO = Scenario(
    replace(
        Profile.hostile(),
        media=2,
        sessions_per_day=6.0,
        history_days=HISTORY,
        growing=0.8,
        late=0.2,
        late_days=2.0,
        moving=0.6,
        vanishing=0.15,
        returning_share=0.4,
    ),
    settings={"lookback_days": 2},
    twofold=True,
)
END = START + timedelta(days=5)
# What an observation of the last moment alone can tell. Certificates count observations: they may differ.
STATE = (
    "silver.dim_media",
    "silver.fact_media_by_date",
    "silver.fact_events",
    "gold.fact_media_daily",
    "gold.fact_media_engagement",
    "gold.dim_visitor",
    "gold.channel_daily",
    "gold.geo_daily",
    "gold.device_daily",
    "gold.embed_daily",
)


@dataclass(frozen=True)
class Step:
    """A run after `hours` more: the daily one or, `back` days ago, one of `days` days.

    It dies at its `dies`-th write; `after` it is done, or before.
    """

    hours: int
    back: int | None = None
    days: int = 1
    dies: int | None = None
    after: bool = False

    def asked(self, now: datetime) -> dict[str, Any]:
        """What `Lake.run_day` takes."""
        if self.back is None:
            return {}
        start = now.date() - timedelta(days=self.back)
        end = min(start + timedelta(days=self.days - 1), now.date() - timedelta(days=1))
        return {"start": start, "end": end, "trigger": "backfill"}


def steps(most: int, writes: int) -> st.SearchStrategy[list[Step]]:
    """Stories of up to `most` steps, each of which may die at one of its first `writes` writes."""
    step = st.builds(
        Step,
        hours=st.sampled_from([0, 1, 7, 24, 26, 31]),
        back=st.none() | st.integers(1, HISTORY),
        days=st.integers(1, 3),
        dies=st.none() | st.integers(1, writes),
        after=st.booleans(),
    )
    return st.lists(step, min_size=1, max_size=most)


def moments(story: list[Step]) -> Iterator[tuple[datetime, Step]]:
    """Each step's time; none is after the end."""
    now = START
    for step in story:
        now = min(now + timedelta(hours=step.hours), END)
        yield now, step


def everything(now: datetime) -> dict[str, Any]:
    """All days that the world has, asked for anew."""
    first: date = START.date() - timedelta(days=HISTORY)
    return {"start": first, "end": now.date() - timedelta(days=1), "trigger": "backfill"}


@contextmanager
def a_lake() -> Iterator[Lake]:
    """A new one."""
    with tempfile.TemporaryDirectory() as folder:
        yield Lake(Path(folder) / "lake", SCENARIO)


def live(lake: ModelLake) -> dict[str, Any]:
    """What the model's readers see, without what was."""
    tables = lake.state()["tables"]
    sessions = {
        k: {n: value for n, value in row.items() if n != "seen"}
        for k, row in tables[model.EVENTS].items()
        if not row["removed"]
    }
    return {name: tables[name] for name in (model.BY_DATE, model.GOLD)} | {model.EVENTS: sessions}


@settings(max_examples=25, derandomize=True, **BOUNDED)
@given(story=steps(most=4, writes=80))
def test_any_story_ends_like_one_clean_run_without_an_engine(story: list[Step]) -> None:
    """Deaths are counted in all writes here: to objects, ledger, tables and people."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(
            build_step, "build_tables", model.build
        )  # tables without an engine; all else is the product's
        clean, wandering = (ModelLake(Path(folder) / n, SCENARIO) for n in ("clean", "wandering"))
        clean.run(END, Dying(), **everything(END))
        now = START
        for now, step in moments(story):
            with suppress(Died):
                wandering.run(now, Dying(at=step.dies, after=step.after), **step.asked(now))
        wandering.run(now, Dying())
        assert wandering.changed_by_rebuild(now) == {}
        wandering.run(END, Dying(), **everything(END))
        assert live(wandering) == live(clean)
        assert wandering.changed_by_rebuild(END) == {}
        marks = {(w.dataset, w.media_id): w.last_date for w in wandering.ledger.watermarks()}
        assert marks == {(w.dataset, w.media_id): w.last_date for w in clean.ledger.watermarks()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The tables of a lake that was run once, at the end, for all days."""
    lake = Lake(tmp_path_factory.mktemp("clean") / "lake", SCENARIO)
    lake.run_day(END, **everything(END))
    return state(lake)


def state(lake: Lake) -> dict[str, list[Row]]:
    """What is, without what was."""
    found = {name: lake.rows(name) for name in STATE}
    found["silver.fact_events"] = [r for r in found["silver.fact_events"] if r["removed_at"] is None]
    for row in found["gold.fact_media_daily"]:
        row.pop("certificate")
    return found


@pytest.mark.engine
@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= FEW, **BOUNDED)
@example(story=[Step(0), Step(24, dies=7), Step(1, back=4, days=2), Step(31, dies=11, after=True), Step(0)])
@given(story=steps(most=3, writes=16))
def test_any_story_ends_like_one_clean_run(clean: dict[str, list[Row]], story: list[Step]) -> None:
    """Deaths are counted in commits here: MERGEs and publications."""
    with a_lake() as lake:
        now = START
        for now, step in moments(story):
            death = Dying(at=step.dies, after=step.after, methods=("merge", "publish"))
            with suppress(Died):
                lake.run_day(now, around=lambda p, death=death: wrapped(p, death.around), **step.asked(now))
        lake.run_day(now)
        assert lake.changed_by_rebuild(now) == []
        lake.run_day(END, **everything(END))
        found = state(lake)
        for name in STATE:
            assert differences(table(name), clean[name], found[name]) == [], name
        for name, rows in lake.truth().tables().items():
            assert differences(table(name), rows, lake.rows(name)) == [], name
