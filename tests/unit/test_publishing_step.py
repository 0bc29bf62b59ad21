"""The last step of a run whose steps are processes: what it publishes, and the figures that alarms watch."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.adapters.aws import items
from wistlake.adapters.aws.notify import SnsNotifier
from wistlake.adapters.notify import plain
from wistlake.channel_rules import Rule
from wistlake.contracts import source
from wistlake.errors import SourceChanged, StoreError
from wistlake.pipeline.run.compact import compact
from wistlake.pipeline.run.driver import RunFailed, run
from wistlake.pipeline.run.fetched import FetchLine, FetchSummary
from wistlake.pipeline.run.handover import (
    RunPlan,
    Verdicts,
    add_summary,
    encode_verdicts,
    of_plan,
    verdicts_key,
)
from wistlake.pipeline.run.outcome import Policy
from wistlake.pipeline.run.pending import built_from, built_from_all, signature
from wistlake.pipeline.run.publish import drift, note_drift, publish
from wistlake.pipeline.run.result import RunResult, notice
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.stages import Published, StepFailed, _figures, is_idle, publish_run
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import Fetch, Interval, MediaEntry, State, Watermark
from wistlake.planning.packing import batches
from wistlake.planning.plan import Window
from wistlake.ports import Run, TableRef
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
    ledger.advance([Watermark("media_by_date", "m1", DAY, NOW)])
    for batch, media_id, requests, rows in (("events-1", "m1", 3, 40), ("by_date-1", "m2", 2, 5)):
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


def resting(parts: Dependencies, days: int) -> list[Interval]:
    """Days of sessions of January that nobody will ask about any more, in the ledger."""
    plain = [
        replace(interval(day=date(2026, 1, 1) + timedelta(days=n)), run_id="r0", confirmations=1)
        for n in range(days)
    ]
    rested = [replace(i, built_signature=signature(i, SPEC, 2)) for i in plain]
    parts.ledger.record(rested)
    return rested


def test_a_build_alone_makes_good_what_a_run_before_it_left_open(parts: Dependencies) -> None:
    (rested,) = resting(parts, 1)
    signed = replace(rested, built_signature=signature(rested, SPEC, 1))
    parts.ledger.record([replace(signed, state=State.PLANNED, run_id="dead")])
    parts.ledger.put_run(Run("dead", "schedule", "live", "running", NOW - timedelta(days=1)))
    run(replace(SPEC, build_only=True), parts)
    assert [i.state for i in parts.ledger.intervals("events")] == [State.PUBLISHED]


@pytest.mark.parametrize(("version", "compacted"), [({}, 10), ({"events": "of another program"}, 0)])
def test_days_that_rest_are_compacted_by_the_program_that_built_them(
    parts: Dependencies, version: dict[str, str], compacted: int
) -> None:
    rested = resting(parts, 10)
    published(parts, Verdicts(None, (), 2, built_from_all(SPEC, 2) | version))
    assert len(parts.ledger.open_intervals(["m1"])) == 10 - compacted
    assert {i.day for i in parts.ledger.intervals("events")} == {i.day for i in rested}


@pytest.mark.parametrize(
    ("spec", "epoch"),
    [
        (replace(SPEC, zone_name="Europe/Paris"), 1), (replace(SPEC, keep_city=True), 1), (SPEC, 2),
        (replace(SPEC, rules=(Rule("podcast", "title", "cast"),)), 1),
    ],
)  # fmt: skip
def test_what_builds_an_open_day_anew_builds_a_compacted_one_anew(spec: RunSpec, epoch: int) -> None:
    assert signature(interval(), spec, epoch) != signature(interval(), SPEC, 1)
    assert built_from("events", spec, epoch) != built_from("events", SPEC, 1)


def test_a_store_that_fails_while_it_compacts_fails_no_run(
    parts: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the table is throttled")

    resting(parts, 10)
    monkeypatch.setattr(parts.ledger, "compact", full)
    done = published(parts, Verdicts(None, (), 2, built_from_all(SPEC, 2)))
    assert done.result.status == "succeeded"


@pytest.mark.parametrize(("most", "left"), [(30, 0), (20, 10), (1, 20)])
def test_a_run_compacts_so_many_and_the_next_one_goes_on(parts: Dependencies, most: int, left: int) -> None:
    """At least one media, or it would never end."""
    ledger = parts.ledger
    of_one = resting(parts, 10)
    ledger.record(replace(i, media_id=m) for m in ("m2", "m3") for i in of_one)
    for expected in (left, max(0, left - max(most // 10, 1) * 10)):
        compact(SPEC, ledger, LedgerView.of(ledger), 2, built_from_all(SPEC, 2), most)
        assert len(ledger.open_intervals(["m1", "m2", "m3"])) == expected


MANY = tuple(f"media{n:05}" for n in range(30))


def of_thirty(parts: Dependencies, failed: int, **spec: Any) -> RunPlan:
    """A plan for thirty media, of which the last `failed` could not be read."""
    fetches = tuple(Fetch("media_by_date", m, DAY, DAY) for m in MANY)
    parts.ledger.put_media(MediaEntry(m, DAY, NOW) for m in MANY)
    state = [State.LANDED] * (30 - failed) + [State.FAILED] * failed
    parts.ledger.record(
        replace(interval("media_by_date", state=s), media_id=m) for m, s in zip(MANY, state, strict=True)
    )
    return RunPlan(replace(SPEC, **spec), fetches, (), WALL)


@pytest.mark.parametrize(
    ("failed", "tolerated", "status"),
    [
        (0, 10, "succeeded"),
        (1, 10, "partial"),
        (3, 10, "partial"),
        (4, 10, "failed"),
        (1, 0, "failed"),
        (30, 100, "partial"),
    ],
)
@pytest.mark.parametrize("policy", list(Policy))
def test_a_run_of_which_few_media_failed_is_partial(
    parts: Dependencies, failed: int, tolerated: float, status: str, policy: Policy
) -> None:
    plan = of_thirty(parts, failed, tolerated_percent=tolerated)
    errors = tuple(SourceChanged(f"{m}: lacks a field") for m in MANY[30 - failed :])
    done = publish(parts, replace(of_plan(plan), errors=errors, verdicts=Verdicts(None, ())), policy)
    assert done.result.status == status
    assert done.result.failed_media == list(MANY[30 - failed :])
    told = notice(done.result)
    assert (told.title, told.failed) == (f"wistlake run {status}", status != "succeeded")
    assert ("media could not be published whole; the others were" in told.text) is (status == "partial")


def test_what_concerns_the_whole_run_is_never_partial(parts: Dependencies) -> None:
    plan = of_thirty(parts, 0)
    whole = replace(of_plan(plan), errors=(StepFailed("States.Timeout", "no end"),))
    assert publish(parts, whole, Policy.AT_THE_END).result.status == "failed"


def test_a_partial_run_is_no_failure_of_the_machine(parts: Dependencies) -> None:
    plan = of_thirty(parts, 1)
    parts.objects.put(verdicts_key("r1"), encode_verdicts(Verdicts(None, ())))
    batch = batches(plan.fetches)[-1].name
    done = publish_run(plan, parts, Lease(), WALL, [StepFailed("SourceChanged", "odd", batch)], None)
    assert done.result.status == "partial"
    assert (done.figures["RunFailed"], done.figures["MediaFailed"]) == (0.0, 1.0)
    (run,) = parts.ledger.runs()
    assert (run.status, run.error) == ("partial", f"{batch}: SourceChanged: odd")
    assert parts.ledger.summary(run)["failed_media"] == [MANY[-1]]


@pytest.mark.parametrize("refused", [RunFailed, None])
def test_the_exit_code_of_a_partial_run_is_its_own(refused: object) -> None:
    result = RunResult("r1", "manual", "partial" if refused else "failed", errors=["odd"])
    assert RunFailed(SourceChanged("odd"), result).exit_code == (3 if refused else SourceChanged.exit_code)


def test_two_thousand_blocked_days_fit_into_every_store_and_notice(parts: Dependencies) -> None:
    """An item of DynamoDB holds 400 KB, a message of SNS 256 KB."""
    days = [DAY - timedelta(days=n) for n in range(70)]
    blocked = [(m, day) for m in MANY for day in days][:2000]
    judgements = tuple(
        Judgement("plausible_plays", m, day, Verdict.BROKEN, blocking=blocking, ours=1.5, theirs=900)
        for m, day in blocked
        for blocking in (True, False)
    )
    lines = {
        (dataset, m): FetchLine(dataset, m, 8, 3, 2, n, n, n, 0, 7 * n, 1, n / 7)
        for n, (dataset, m) in enumerate((f"dataset{d}", f"{n:010x}") for d in range(9) for n in range(1000))
    }
    add_summary(parts.objects, "r1", "events-1", FetchSummary(lines))
    built = replace(BUILT, judgements=judgements, stopped={}, blocked=frozenset(blocked))
    done = published(parts, Verdicts(built, ()))
    assert len(done.result.errors) == 51
    assert done.result.errors[-1].startswith("and 1,950 more: `wistlake status`")

    (run,) = parts.ledger.runs()
    summary = {"summary": items.document(parts.ledger.summary(run))}
    for item in (items.to_item(run), summary):
        assert sum(len(next(iter(value.values()))) for value in item.values()) < 100_000
    assert (
        sum(line["rows"] for line in parts.ledger.summary(run)["intervals"])
        == sum(line.rows for line in lines.values()) + 45
    )
    (told,) = parts.notifier.notices  # type: ignore[attr-defined]
    assert len(json.dumps(plain(told))) < 256_000
    assert told.text.count("does not reconcile") >= 50

    heard: list[str] = []
    sns = SimpleNamespace(publish=lambda **message: heard.append(message["Message"]))
    SnsNotifier("topic", sns=sns).notify(replace(told, text="\N{HIGH VOLTAGE SIGN} " * 200_000))
    (message,) = heard
    assert len(message.encode()) < 256_000
    assert json.loads(message)["text"].endswith("... (cut)")


def test_a_second_try_publishes_nothing_twice(parts: Dependencies) -> None:
    """The first one died before the machine heard of its end."""

    class Dies(Lease):
        def release(self, *_: object) -> None:
            raise KeyboardInterrupt

    parts.objects.put(verdicts_key("r1"), encode_verdicts(Verdicts(BUILT, (interval(),))))
    with pytest.raises(KeyboardInterrupt):
        publish_run(PLAN, parts, Dies(), WALL, (), None)
    published(parts, None)
    assert len(parts.ledger.publications(NOW - timedelta(days=1))) == 1
    assert len(parts.ledger.runs()) == 1


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
        ledger.advance([watermark])
    assert _figures(ledger, RunResult("r", "manual"), None, PLAN)["DataAgeHours"] == hours


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
    assert not is_idle(replace(PLAN, fetches=fetches, absent=("nosuch1234",)), ledger)
