"""Absence is read as zero only of a media that is there after its listing was read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.answer import Answer
from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.bronze import MANIFEST
from wistlake.contracts import source
from wistlake.contracts.form import Source
from wistlake.errors import SourceChanged, SourceUnavailable, WistlakeError
from wistlake.pipeline.run.handover import RunPlan
from wistlake.pipeline.run.ingest import Ingest, IngestContext
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.stages import ingest_round
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.packing import batches
from wistlake.planning.plan import Window

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
DAY, MEDIA = date(2026, 3, 1), "abcdef1234"
SOURCES = (source("media_metadata"), source("media_by_date"), source("events"))
SESSION = {"event_key": "k1", "received_at": "2026-03-01T10:00:00.000Z", "media_id": MEDIA}


GONE = Answer(missing=True)
THERE = Answer([{"hashed_id": MEDIA, "duration": 60.0}])


class Wistia:
    """Answers each dataset with what was prepared; the media's description in the order given, the last for ever."""

    def __init__(self, descriptions: Sequence[Answer | Exception], **listings: Answer) -> None:
        self.descriptions, self.listings = list(descriptions), listings
        self.asked: list[str] = []

    async def fetch(self, contract: Source, media_id: str, start: date, end: date, rows: int = 0) -> Answer:
        self.asked.append(contract.name)
        await asyncio.sleep(0)
        if contract.name != "media_metadata":
            return self.listings.get(contract.name, Answer())
        few = len(self.descriptions) > 1
        answer = self.descriptions.pop(0) if few else self.descriptions[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Landed:
    """What an ingest left behind."""

    intervals: dict[tuple[str, date], Interval]
    manifests: int
    error: WistlakeError | None = None

    def state(self, dataset: str, day: date = DAY) -> tuple[State, bool, bool]:
        """How far the interval has come, whether it has a landing, whether there is nothing to land."""
        found = self.intervals[(dataset, day)]
        return found.state, bool(found.landing_id), found.missing


def landed(objects: MemoryObjects, ledger: MemoryLedger, error: WistlakeError | None) -> Landed:
    found = {(i.dataset, i.day): i for i in ledger.intervals()}
    return Landed(found, sum(key.endswith(MANIFEST) for key in objects.list("")), error)


def laptop(wistia: Wistia, fetches: Sequence[Fetch], known: Sequence[Interval] = ()) -> Landed:
    objects, ledger = MemoryObjects(), MemoryLedger()
    ledger.record(known)
    context = IngestContext("r1", zone("UTC"), lambda: NOW, time.monotonic)
    work = Ingest(context, objects, ledger, LedgerView(known), wistia)
    done = asyncio.run(work.run(fetches))
    return landed(objects, ledger, next(iter(done.errors.values()), None))


def aws(wistia: Wistia, fetches: Sequence[Fetch], known: Sequence[Interval] = ()) -> Landed:
    objects, ledger = MemoryObjects(), MemoryLedger()
    ledger.record(known)
    spec = RunSpec(
        "r1", "scheduled", "simulated", "UTC", Window(NOW, zone("UTC"), 7), SOURCES, MediaChoice((MEDIA,))
    )

    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        yield wistia

    def none() -> Any:
        raise AssertionError("nobody asks for this")

    parts = Dependencies(
        objects, ledger, none, none, lambda: NOW, connected, RecordingNotifier(), time.monotonic
    )
    error = None
    try:
        for batch in batches(fetches):
            ingest_round(RunPlan(spec, tuple(fetches), (), NOW), batch.name, parts, lambda: 900.0, NOW)
    except WistlakeError as e:
        error = e
    return landed(objects, ledger, error)


Way = Callable[..., Landed]


@pytest.fixture(params=[laptop, aws], ids=["laptop", "aws"])
def ingest(request: pytest.FixtureRequest) -> Way:
    """Both ways in which a run lands what it asked for."""
    way: Way = request.param
    return way


def of_day(*datasets: str, days: int = 1) -> list[Fetch]:
    """One fetch a dataset and day, the newest day last."""
    span = [DAY - timedelta(days=back) for back in reversed(range(days))]
    return [Fetch(name, MEDIA, day, day) for name in datasets for day in span]


def read_before(rows: int) -> Interval:
    return Interval(
        "events", MEDIA, DAY, State.PUBLISHED, "r0", NOW, landing_id="x", observed_at=NOW, rows=rows,
        finished=True, published_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize("rows", [None, 0, 12], ids=["never read", "read as empty", "read with sessions"])
def test_an_empty_day_of_a_media_that_went_away_is_no_day_of_zeros(ingest: Way, rows: int | None) -> None:
    known = [] if rows is None else [read_before(rows)]
    found = ingest(Wistia([THERE, GONE]), of_day("media_metadata", "events"), known)
    assert found.state("events") == (State.PUBLISHED, rows is not None, rows is None)
    assert found.manifests == 1  # the description alone
    assert found.error is None


def test_an_empty_day_of_a_media_that_is_there_is_a_day_of_zeros(ingest: Way) -> None:
    found = ingest(Wistia([THERE]), of_day("media_metadata", "events"))
    assert found.state("events") == (State.LANDED, True, False)


def test_rows_of_a_list_that_moved_while_its_media_went_away_are_not_taken_for_all(ingest: Way) -> None:
    moved = Answer([SESSION], walk={"passes": 2})
    found = ingest(Wistia([THERE, GONE], events=moved), of_day("media_metadata", "events"))
    assert found.state("events") == (State.PUBLISHED, False, True)
    still = ingest(Wistia([THERE, THERE], events=moved), of_day("media_metadata", "events"))
    assert still.state("events") == (State.LANDED, True, False)


def test_a_page_with_rows_needs_no_proof(ingest: Way) -> None:
    wistia = Wistia([THERE], events=Answer([SESSION]))
    ingest(wistia, of_day("media_metadata", "events"))
    assert wistia.asked == ["media_metadata", "events"]


def test_a_proof_that_fails_lands_nothing(ingest: Way) -> None:
    down = SourceUnavailable("503")
    found = ingest(Wistia([THERE, down, THERE]), of_day("media_metadata", "events"))
    assert found.state("events") == (State.FAILED, False, False)
    assert found.error is down


def test_a_proof_that_was_asked_for_before_a_listing_ended_does_not_vouch_for_it() -> None:
    """Two days are read at once; the media goes away between the two proofs."""
    first, last = DAY - timedelta(days=1), DAY
    ends = {first: asyncio.Event(), last: asyncio.Event()}

    class Slow(Wistia):
        async def fetch(
            self, contract: Source, media_id: str, start: date, end: date, rows: int = 0
        ) -> Answer:
            if contract.name == "events" and start == last:
                await asyncio.wait_for(
                    ends[first].wait(), 2
                )  # it ends while the proof for the first day is under way
                return Answer()
            answer = await super().fetch(contract, media_id, start, end)
            if contract.name == "media_metadata" and not ends[first].is_set():
                ends[first].set()
                await asyncio.sleep(0.001)
            return answer

    found = laptop(Slow([THERE, GONE]), of_day("events", days=2))
    assert found.state("events", first) == (State.LANDED, True, False)
    assert found.state("events", last) == (State.PUBLISHED, False, True)


def test_days_that_are_empty_together_share_a_proof() -> None:
    wistia = Wistia([THERE])
    laptop(wistia, of_day("events", days=64))
    assert wistia.asked.count("events") == 64
    assert 1 <= wistia.asked.count("media_metadata") <= 12


@pytest.mark.parametrize("dataset", ["events", "media_by_date"])
def test_a_404_of_a_media_that_is_there_fails_its_day(ingest: Way, dataset: str) -> None:
    found = ingest(Wistia([THERE], **{dataset: GONE}), of_day("media_metadata", dataset))
    assert found.state(dataset) == (State.FAILED, False, False)
    assert isinstance(found.error, SourceChanged)
    assert found.error.exit_code == 65
    assert f"404 to {dataset} of {DAY}" in str(found.error)


@pytest.mark.parametrize("dataset", ["events", "media_by_date"])
def test_a_404_of_a_media_that_is_gone_is_its_end(ingest: Way, dataset: str) -> None:
    found = ingest(Wistia([THERE, GONE], **{dataset: GONE}), of_day("media_metadata", dataset))
    assert found.state(dataset) == (State.PUBLISHED, False, True)
    assert found.error is None
