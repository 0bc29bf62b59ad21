"""The last step of a run whose steps are processes: what it publishes, and the figures that alarms watch."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.contracts import source
from wistlake.pipeline.run.fetched import FetchLine, FetchSummary
from wistlake.pipeline.run.handover import RunPlan, Verdicts, add_summary, encode_verdicts, verdicts_key
from wistlake.pipeline.run.publish import drift, note_drift
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.stages import Published, StepFailed, _figures, is_idle, publish_run
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import Fetch, Interval, MediaEntry, State, Watermark
from wistlake.planning.plan import Window
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.reconciliation import Judgement, Verdict

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
WALL = datetime(2026, 3, 6, 8, 0, tzinfo=UTC)
DAY, NEXT = date(2026, 3, 4), date(2026, 3, 5)
SPEC = RunSpec(
    "r1", "scheduled", "live", "UTC", Window(NOW, UTC, 7), (source("events"),), MediaChoice(("m1",))
)
FETCH = Fetch("events", "m1", DAY, DAY)
COUNTS = Fetch("media_by_date", "m2", DAY, DAY)
PLAN = RunPlan(SPEC, (FETCH, COUNTS), ("gone",), WALL - timedelta(minutes=5))
MEDIA = (
    MediaEntry("m1", DAY, NOW),
    MediaEntry("gone", DAY, NOW),
    MediaEntry("retired", date(2026, 1, 1), NOW, retired_at=NOW),
)


class Lease:
    """Notes what becomes of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def take(self, *_: object) -> None:
        self.calls.append("take")

    def renew(self, *_: object) -> None:
        self.calls.append("renew")

    def release(self, *_: object) -> None:
        self.calls.append("release")


@asynccontextmanager
async def nobody() -> AsyncIterator[Any]:
    raise AssertionError("nobody asks for this")
    yield


@pytest.fixture
def parts() -> Dependencies:
    engine: Any = None
    ledger, objects = MemoryLedger(), MemoryObjects()
    ledger.put_media(MEDIA)
    ledger.advance(Watermark("media_by_date", "m1", DAY, NOW))
    for batch, media_id, requests, rows in (("events-1", "m1", 3, 40), ("media-1", "m2", 2, 5)):
        lines = {("events", media_id): FetchLine("events", media_id, requests=requests, rows=rows)}
        add_summary(objects, "r1", batch, FetchSummary(lines))
    return Dependencies(
        objects,
        ledger,
        engine,
        lambda: (b"k" * 32,),
        lambda: NOW,
        nobody,
        RecordingNotifier(),
        time.monotonic,
    )


def interval(dataset: str = "events", day: date = DAY, state: State = State.PUBLISHED) -> Interval:
    return Interval(dataset, "m1", day, state, "r1", NOW, landing_id="x", finished=True, published_at=NOW)


BUILT = BuildResult(
    counts={"silver.fact_events": {"new": 45}},
    by_interval={("events", "m1", DAY): {"rows": 40, "new": 37, "quarantined": 3}},
    judgements=(
        Judgement("plausible_plays", "m3", DAY, Verdict.BROKEN, blocking=True, ours=1, theirs=900),
        Judgement("events_and_plays", "m1", DAY, Verdict.BROKEN, blocking=False),
    ),
    stopped={("events", "m4", DAY): "it lost sessions"},
    published={("m1", DAY): Certificate.SETTLED, ("m1", NEXT): Certificate.PROVISIONAL},
    blocked=frozenset({("m3", DAY)}),
    tables={"silver.fact_events": TableRef("s3://x", 7)},
)  # fmt: skip


def published(
    parts: Dependencies,
    verdicts: Verdicts | None,
    failed: Sequence[StepFailed] = (),
    build_failed: StepFailed | None = None,
) -> Published:
    if verdicts is not None:
        parts.objects.put(verdicts_key("r1"), encode_verdicts(verdicts))
    lease = Lease()
    done = publish_run(PLAN, parts, lease, WALL, failed, build_failed)
    assert lease.calls == ["renew", "release"]
    return done


def test_a_run_that_succeeded_moves_watermarks_and_says_so(parts: Dependencies) -> None:
    clean = replace(BUILT, judgements=(), stopped={}, blocked=frozenset())
    done = published(parts, Verdicts(clean, (interval(), interval(day=NEXT))))
    assert (done.result.status, done.intervals, done.watermarks) == ("succeeded", 2, 1)
    assert {w.dataset: w.last_date for w in parts.ledger.watermarks()} == {
        "events": NEXT,
        "media_by_date": DAY,
    }
    publication = parts.ledger.publication()
    assert publication is not None
    assert publication.tables == BUILT.tables
    assert done.figures == {
        "RunFailed": 0.0, "MediaFailed": 0.0, "DaysPublished": 2.0, "RowsLanded": 45.0, "Requests": 5.0,
        "QuarantinedRows": 3.0, "IdentitiesBroken": 0.0, "DataAgeHours": 2.25,
    }  # fmt: skip
    (run,) = parts.ledger.runs()
    # It is about another time than it runs at; how long it took is real.
    assert (run.status, run.ended_at) == ("succeeded", NOW + timedelta(minutes=5))
    assert {m.media_id: m.retired_at for m in parts.ledger.media()} == {
        "m1": None,
        "gone": NOW,
        "retired": NOW,
    }
    (notice,) = parts.notifier.notices  # type: ignore[attr-defined]
    assert not notice.failed


def test_every_media_that_was_hurt_is_counted_once(parts: Dependencies) -> None:
    failed = [StepFailed("SourceUnavailable", "503", "events-1"), StepFailed("StoreError", "the disk")]
    done = published(parts, Verdicts(BUILT, (interval(day=NEXT),)), failed)
    assert done.result.status == "failed"
    assert done.result.errors[:2] == ["events-1: SourceUnavailable: 503", "StoreError: the disk"]
    assert done.figures["RunFailed"] == 1.0
    assert done.figures["MediaFailed"] == 3.0, "m1 failed, m4 was stopped, a day of m3 was blocked"
    assert done.figures["IdentitiesBroken"] == 2.0
    (notice,) = parts.notifier.notices  # type: ignore[attr-defined]
    assert notice.failed


def test_nothing_is_published_of_a_build_that_failed(parts: Dependencies) -> None:
    done = published(parts, None, build_failed=StepFailed("MemoryError", "out of memory"))
    assert (done.intervals, done.watermarks) == (0, 0)
    assert done.result.errors == ["MemoryError: out of memory"]
    assert (done.figures["RunFailed"], done.figures["MediaFailed"], done.figures["IdentitiesBroken"]) == (
        1,
        0,
        0,
    )
    assert parts.ledger.publication() is None
    assert done.figures["DataAgeHours"] == 2.25 + 48


def test_intervals_are_published_where_there_was_nothing_to_build(parts: Dependencies) -> None:
    done = published(parts, Verdicts(None, (interval(),)))
    assert (done.result.status, done.intervals, done.figures["DaysPublished"]) == ("succeeded", 1, 0)
    assert parts.ledger.publication() is None


def test_a_field_that_the_payload_has_gained_is_told_once(parts: Dependencies) -> None:
    def noted(**keys: set[str]) -> dict[str, list[str]]:
        return note_drift(parts.ledger, FetchSummary(unknown_keys=keys))

    assert noted(events={"b", "a"}) == {"events": ["a", "b"]}
    assert noted(events={"a"}) == {}
    assert noted(events={"c", "b"}, visitors={"a"}) == {"events": ["c"], "visitors": ["a"]}
    assert drift(parts.ledger) == {"events": ["a", "b", "c"], "visitors": ["a"]}


def test_the_error_of_another_process_is_cut_to_what_a_state_carries() -> None:
    error = StepFailed("E", "x" * 600, "b1")
    assert (error.batch, len(str(error)), str(error)[:7]) == ("b1", 500, "b1: E: ")


@pytest.mark.parametrize(
    ("marks", "media", "hours"),
    [
        ({}, (), 0.0),
        ({"m1": NEXT}, ("m1",), 2.25),
        ({"m1": NEXT, "m2": DAY}, ("m1", "m2"), 26.25),
        ({"m1": NEXT}, ("m1", "m2"), 26.25 + 24),  # of m2 nothing is there, from its first day on
        ({"m1": NEXT, "other": date(2026, 1, 1)}, ("m1",), 2.25),
    ],
)
def test_data_is_as_old_as_the_media_furthest_behind(
    marks: dict[str, date], media: tuple[str, ...], hours: float
) -> None:
    watermarks = [Watermark("events", m, day, NOW) for m, day in marks.items()]
    watermarks += [Watermark("media_by_date", m, date(2026, 2, 1), NOW) for m in marks]
    ledger = MemoryLedger()
    ledger.put_media(
        [*(MediaEntry(m, DAY, NOW) for m in media), MediaEntry("gone", DAY, NOW, retired_at=NOW)]
    )
    for watermark in watermarks:
        ledger.advance(watermark)
    assert _figures(ledger, RunResult("r", "manual"), None, PLAN, ())["DataAgeHours"] == hours


@pytest.mark.parametrize(
    ("fetches", "state", "expected"),
    [
        ((), State.PUBLISHED, True),
        ((), State.LANDED, False),
        ((FETCH,), State.PUBLISHED, False),
        ((FETCH,), State.LANDED, False),
    ],
)
def test_a_run_is_idle_if_it_asks_for_nothing_and_nothing_waits(
    fetches: tuple[Fetch, ...], state: State, expected: bool
) -> None:
    ledger = MemoryLedger()
    ledger.record([interval(state=state)])
    assert is_idle(replace(PLAN, fetches=fetches), ledger) is expected
