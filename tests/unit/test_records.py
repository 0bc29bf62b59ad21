"""A run that was killed is closed by the next one, wherever that begins; nothing else is touched."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.contracts import source
from wistlake.pipeline.jobs import forget
from wistlake.pipeline.run import driver as daily
from wistlake.pipeline.run.record import KILLED, RUNNING
from wistlake.pipeline.run.record import begin as begun
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.stages import plan_run
from wistlake.planning.intervals import MediaEntry
from wistlake.planning.plan import Window
from wistlake.ports import Run
from wistlake.zones import zone

NOW = datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
ORDER = RunSpec(
    "now",
    "scheduled",
    "simulated",
    "UTC",
    Window(NOW, zone("UTC"), 7),
    (source("events"),),
    MediaChoice(("abcdef1234",)),
    build_only=True,
)
EARLIER = (
    Run("r1", "scheduled", "live", "succeeded", NOW - timedelta(days=4), NOW - timedelta(days=4)),
    Run("r2", "scheduled", "live", RUNNING, NOW - timedelta(days=3)),
    Run("r3", "forget", "live", RUNNING, NOW - timedelta(days=2)),
    Run("r4", "manual", "live", "failed", NOW - timedelta(days=1), NOW, "its own reason"),
)
OTHERS = ("r1", "r4")


class Lease:
    """A lease that is always to be had."""

    def take(self, *_: object) -> None: ...

    def release(self, *_: object) -> None: ...


@pytest.fixture
def parts() -> Dependencies:
    @asynccontextmanager
    async def nobody() -> AsyncIterator[Any]:
        raise AssertionError("nobody asks for this")
        yield

    ledger = MemoryLedger()
    ledger.put_media([MediaEntry("abcdef1234", NOW.date(), NOW)])
    for run in EARLIER:
        ledger.put_run(run)
    engine: Any = None
    return Dependencies(
        MemoryObjects(), ledger, engine, lambda: (b"k" * 32,), lambda: NOW, nobody, RecordingNotifier(),
        time.monotonic,
    )  # fmt: skip


def by_laptop(parts: Dependencies) -> None:
    daily.run(ORDER, parts)


def by_step(parts: Dependencies) -> None:
    lease: Any = Lease()
    plan_run(ORDER, parts, lease, NOW)


def by_forgetting(parts: Dependencies) -> None:
    forget.recorded(ORDER, parts, dict)


@pytest.mark.parametrize("begin", [by_laptop, by_step, by_forgetting], ids=["laptop", "aws", "forget"])
def test_the_next_run_closes_those_that_were_killed(begin: Any, parts: Dependencies) -> None:
    begin(parts)
    found = {run.run_id: run for run in parts.ledger.runs()}
    assert found["now"].status in ("succeeded", RUNNING)
    for name in ("r2", "r3"):
        assert (found[name].status, found[name].error, found[name].ended_at) == ("failed", KILLED, NOW)
    assert [found[name] for name in OTHERS] == [run for run in EARLIER if run.run_id in OTHERS]


def test_a_step_that_is_tried_again_does_not_close_itself(parts: Dependencies) -> None:
    mine = replace(EARLIER[1], run_id="now")
    begun(parts.ledger, mine, NOW)
    begun(parts.ledger, mine, NOW)
    assert {r.run_id: r.status for r in parts.ledger.runs()}["now"] == RUNNING


def test_no_run_ends_before_it_begins(parts: Dependencies) -> None:
    """A run for a moment of the past comes after one for a later moment."""
    past = NOW - timedelta(days=30)
    begun(parts.ledger, Run("now", "backfill", "live", RUNNING, past), past)
    closed = {r.run_id: r for r in parts.ledger.runs()}["r3"]
    assert closed.ended_at == closed.started_at
