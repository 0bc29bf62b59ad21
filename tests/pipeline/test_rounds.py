"""The end of a round's time, with a source that does not answer."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT, Source
from wistlake.errors import LeaseHeld, SourceUnavailable
from wistlake.pipeline.run.fetched import FetchLine, FetchSummary
from wistlake.pipeline.run.handover import RunPlan, of_plan, read_summary
from wistlake.pipeline.run.outage import BELIEVED, IN_A_ROW
from wistlake.pipeline.run.publish import failed_media
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.stages import LAST_SECONDS, StepFailed, ingest_round
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.packing import batches
from wistlake.planning.plan import Window

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
DAY, MEDIA = date(2026, 3, 1), "abcdef1234"
SOURCES = (source("media_metadata"), source("media_by_date"), source("events"))
ORDER = RunSpec(
    "r1", "scheduled", "simulated", "UTC", Window(NOW, zone("UTC"), 7), SOURCES, MediaChoice((MEDIA,))
)
PLANNED = RunPlan(ORDER, tuple(Fetch(s.name, MEDIA, DAY, DAY) for s in SOURCES), (), NOW)
COUNTS = ("media_by_date", "analytics_daily")  # read by one function
COUNTED = RunPlan(ORDER, tuple(Fetch(name, MEDIA, DAY, DAY) for name in COUNTS), (), NOW)


@dataclass
class Empty:
    """A complete listing without records."""

    records: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 1
    requests: int = 1
    request: dict[str, Any] = field(default_factory=dict)
    api: dict[str, Any] = field(default_factory=dict)
    walk: dict[str, Any] = field(default_factory=dict)
    missing: bool = False


class Silent:
    """Answers at once, but for the datasets that it is silent about."""

    def __init__(self, *silent: str) -> None:
        self.silent, self.asked = silent, []

    async def fetch(self, contract: Source, media_id: str, start: date, end: date, rows: int = 0) -> Empty:
        self.asked.append(contract.name)
        if contract.name in self.silent:
            await asyncio.Event().wait()
        return Empty()


def parts(client: Silent, objects: MemoryObjects, ledger: MemoryLedger) -> Dependencies:
    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        yield client

    def none() -> Any:
        raise AssertionError("nobody asks for this")

    return Dependencies(
        objects, ledger, none, none, lambda: NOW, connected, RecordingNotifier(), time.monotonic
    )


def figures(objects: MemoryObjects) -> dict[tuple[str, str], FetchLine]:
    """The lines of the run's batches, added up."""
    whole = FetchSummary()
    for batch in ("metadata-1", "by_date-1", "events-1"):
        whole.add(read_summary(objects, "r1", batch))
    return whole.lines


def states(ledger: MemoryLedger) -> dict[str, State]:
    return {i.dataset: i.state for i in ledger.intervals()}


def test_what_is_under_way_at_the_end_waits_for_the_next_round() -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    seconds = chain([LAST_SECONDS + 0.05], repeat(900.0))  # the round's own end is asked for first
    client = Silent("media_by_date")
    first = ingest_round(COUNTED, "by_date-1", parts(client, objects, ledger), lambda: next(seconds), NOW)
    assert (first.left, first.landed) == (1, 1)
    assert states(ledger) == {"analytics_daily": State.LANDED, "media_by_date": State.PLANNED}
    again = Silent()
    second = ingest_round(COUNTED, "by_date-1", parts(again, objects, ledger), lambda: 900.0, NOW)
    assert (second.left, second.landed, again.asked) == (0, 1, ["media_by_date"])


def test_the_figures_of_all_rounds_are_those_of_the_run() -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    seconds = chain([LAST_SECONDS + 0.05], repeat(900.0))
    ingest_round(
        COUNTED, "by_date-1", parts(Silent("media_by_date"), objects, ledger), lambda: next(seconds), NOW
    )
    for batch in ("metadata-1", "by_date-1", "events-1"):
        ingest_round(PLANNED, batch, parts(Silent(), objects, ledger), lambda: 900.0, NOW)
    lines = figures(objects)
    assert {pair: (line.days, line.pages, line.requests) for pair, line in lines.items()} == {
        ("media_metadata", MEDIA): (1, 1, 1),
        ("media_by_date", MEDIA): (1, 1, 1),
        ("analytics_daily", MEDIA): (1, 1, 1),
        ("events", MEDIA): (1, 1, 1),
        ("media_metadata", ACCOUNT): (0, 1, 1),  # an empty list of sessions is vouched for by a question
    }
    for batch in ("metadata-1", "by_date-1", "events-1"):
        ingest_round(PLANNED, batch, parts(Silent(), objects, ledger), lambda: 900.0, NOW)
    assert figures(objects) == lines  # there was nothing left to do


def test_a_run_for_an_earlier_time_lands_nothing_older_than_what_is_there() -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    later = NOW.replace(hour=9)
    seen = Interval("events", MEDIA, DAY, State.PUBLISHED, "r0", later, landing_id="x", observed_at=later)
    ledger.record([seen])
    ingest_round(PLANNED, "events-1", parts(Silent(), objects, ledger), lambda: 900.0, NOW)
    assert {i.observed_at for i in ledger.intervals()} == {later}


class Down(Silent):
    """Answers for none of the datasets that it is silent about, after it was asked in vain for a while."""

    async def fetch(self, contract: Source, media_id: str, start: date, end: date, rows: int = 0) -> Empty:
        self.asked.append(contract.name)
        await asyncio.sleep(0)
        if contract.name in self.silent:
            raise SourceUnavailable("503")
        return Empty()


MANY = tuple(f"media{n:05}" for n in range(100))  # two batches


def of_many(*datasets: str) -> RunPlan:
    fetches = tuple(Fetch(name, m, DAY, DAY) for m in MANY for name in datasets)
    return RunPlan(replace(ORDER, max_concurrency=4), fetches, (), NOW)


def test_a_source_that_is_down_is_asked_by_one_function_and_a_few_listings() -> None:
    """The others fail at once; what another endpoint says lands."""
    objects, ledger = MemoryObjects(), MemoryLedger()
    plan, down = of_many(*COUNTS), Down("media_by_date")
    with pytest.raises(SourceUnavailable, match="503"):
        ingest_round(plan, "by_date-1", parts(down, objects, ledger), lambda: 900.0, NOW)
    asked = Counter(down.asked)
    assert asked["analytics_daily"] == 50
    assert IN_A_ROW <= asked["media_by_date"] < IN_A_ROW + 4, "those that were under way by then"
    failed = [i for i in ledger.intervals() if i.state is State.FAILED]
    assert len(failed) == 50
    assert {"not asked for" in i.reason for i in failed} == {True, False}

    second = Down("media_by_date")
    with pytest.raises(SourceUnavailable, match="media_by_date in a row"):
        ingest_round(plan, "by_date-2", parts(second, objects, ledger), lambda: 900.0, NOW + BELIEVED / 2)
    assert set(second.asked) == {"analytics_daily"}

    # Nobody who only took its word says so again: afterwards it is asked, and answers.
    third = Down()
    later = NOW + BELIEVED + timedelta(seconds=1)
    for batch in ("by_date-1", "by_date-2"):
        ingest_round(plan, batch, parts(third, objects, ledger), lambda: 900.0, later)
    assert Counter(third.asked) == {"media_by_date": 100}
    assert {i.state for i in ledger.intervals()} == {State.LANDED}


def test_a_few_media_that_get_no_answer_are_no_outage() -> None:
    class Odd(Down):
        async def fetch(
            self, contract: Source, media_id: str, start: date, end: date, rows: int = 0
        ) -> Empty:
            self.asked.append(media_id)
            if int(media_id[-2:]) % 4 == 0:
                raise SourceUnavailable("503")
            return Empty()

    objects, ledger, odd = MemoryObjects(), MemoryLedger(), Odd()
    with pytest.raises(SourceUnavailable, match="503"):
        ingest_round(of_many("media_by_date"), "by_date-1", parts(odd, objects, ledger), lambda: 900.0, NOW)
    assert len(odd.asked) == 50
    assert ledger.facts("outage") == {}


class Counting(Silent):
    """Counts plays of one day, and none of the other."""

    async def fetch(self, contract: Source, media_id: str, start: date, end: date, rows: int = 0) -> Empty:
        self.asked.append((contract.name, start))
        if contract.name == "media_by_date":
            return Empty(
                [{"date": DAY.isoformat(), "play_count": 3}, {"date": NEXT.isoformat(), "play_count": 0}]
            )
        return Empty()


NEXT = DAY + timedelta(days=1)


def test_days_without_plays_are_not_waited_for() -> None:
    """What is asked of days with plays only: the others are neither left, nor a reason to be hurt."""
    objects, ledger, client = MemoryObjects(), MemoryLedger(), Counting()
    now = NOW + timedelta(days=1)
    sources = (source("media_by_date"), source("traffic_daily"))
    order = replace(ORDER, sources=sources, window=replace(ORDER.window, now=now))
    fetches = (
        Fetch("media_by_date", MEDIA, DAY, NEXT),
        *(Fetch("traffic_daily", MEDIA, day, day) for day in (DAY, NEXT)),
    )
    planned = RunPlan(order, fetches, (), now)
    deps = parts(client, objects, ledger)
    first, second = batches(fetches)
    assert (first.name, second.name) == ("by_date-1", "played-1")
    assert ingest_round(planned, first.name, deps, lambda: 900.0, now).left == 0
    done = ingest_round(planned, second.name, deps, lambda: 900.0, now)
    assert (done.left, done.landed) == (0, 1)
    assert client.asked[1:] == [("traffic_daily", DAY)]
    assert ingest_round(planned, second.name, deps, lambda: 900.0, now).requests == 0
    handover = replace(of_plan(planned), errors=(StepFailed("SourceUnavailable", "503", "played-1"),))
    assert failed_media(LedgerView(ledger.intervals()), handover, None) == set()


def test_nothing_is_written_by_a_run_that_has_lost_its_lease() -> None:
    def lost() -> None:
        raise LeaseHeld("another run has it")

    objects, ledger = MemoryObjects(), MemoryLedger()
    with pytest.raises(LeaseHeld):
        ingest_round(PLANNED, "events-1", parts(Silent(), objects, ledger), lambda: 900.0, NOW, lost)
    assert ledger.intervals() == []
