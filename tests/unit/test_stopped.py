"""A landing of which a build took nothing: it isn't a landing to publish from, and is not tried again for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from support.memory import MemoryObjects
from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.insight.gaps import failed
from wistlake.pipeline.jobs.rebuild import REBUILD
from wistlake.pipeline.run.outcome import outcome, unchanged
from wistlake.pipeline.run.pending import assemble, pending
from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.pipeline.run.recover import landed as reading
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables.plan import BuildPlan, BuildResult
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.planning.publishing import gold_days
from wistlake.planning.shared_keys import Key, SharedDays

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 4)
EVENTS, BY_DATE, STATS = "events", "media_by_date", "media_stats"
SOURCES = (source(STATS), source(BY_DATE), source(EVENTS))
ORDER = RunSpec("run", "scheduled", "live", "UTC", Window(NOW, zone("UTC"), 7), SOURCES, MediaChoice(("m1",)))
MEDIA = MediaEntry("m1", DAY, NOW)
WHY = "40 of 48 records were refused"


def landed(dataset: str = EVENTS, day: date = DAY) -> Interval:
    return Interval(
        dataset, "m1", day, State.LANDED, "run", NOW, landing_id=f"{dataset}-{day}", observed_at=NOW, content_hash="h",
        finished=True,
    )  # fmt: skip


def gone(dataset: str = EVENTS) -> Interval:
    """Answered 404, with nothing landed before."""
    return Interval(
        dataset, "m1", DAY, State.PUBLISHED, "run", NOW, missing=True, finished=True, published_at=NOW
    )


def stopped(interval: Interval) -> Interval:
    """The interval after a build that took nothing of it."""
    return after_build(interval, stopped=[interval])[interval.key]


def after_build(*intervals: Interval, stopped: Sequence[Interval]) -> Mapping[Key, Interval]:
    """What a build of the intervals that took nothing of some tells the ledger."""
    plan = BuildPlan("run", NOW, "UTC", (b"key",), tuple(map(manifest, intervals)), frozenset(), frozenset())
    result = BuildResult({}, {}, (), {i.key: WHY for i in stopped}, {}, frozenset(), {})
    return outcome(ORDER, {i.key: i for i in intervals}, plan, result)


def manifest(interval: Interval) -> Manifest:
    return Manifest(
        interval.landing_id, interval.dataset, "m1", interval.day, "run", NOW, True, 48, 1, "h", "", ()
    )


def publishable(*intervals: Interval) -> bool:
    """Whether the day may stand in gold."""
    days = gold_days(
        [MEDIA], intervals, intervals, datasets=frozenset({EVENTS, BY_DATE}), now=NOW, tz=UTC, lookback_days=1
    )
    return ("m1", DAY) in days.publishable


def waits(interval: Interval) -> bool:
    """Whether the next build has it."""
    return bool(pending([interval], ORDER, 1))


def test_a_stopped_landing_says_why_and_is_not_published() -> None:
    found = stopped(landed())
    assert (found.state, found.reason, found.published_at) == (State.FAILED, WHY, None)
    assert publishable(landed(), landed(BY_DATE))
    assert not publishable(found, landed(BY_DATE))
    assert not publishable(landed(), stopped(landed(BY_DATE)))


def test_it_is_built_again_only_when_something_about_it_is_new() -> None:
    """Else one day of a media that is deleted meanwhile would fail every run for ever."""
    found = stopped(landed())
    assert not waits(found)
    assert not waits(replace(found, state=State.PUBLISHED, reason="not found at the source"))
    assert waits(replace(found, state=State.LANDED)), "it was listed anew, and may not pass as confirmed"
    assert not unchanged(ORDER, [replace(found, state=State.LANDED)], {found.key})
    assert waits(replace(found, built_signature=REBUILD)), "a rebuild, or `quarantine replay`"
    assert pending([found], replace(ORDER, zone_name="UTC-5"), 1), "another contract, zone or key"


def built(interval: Interval) -> Interval:
    """The interval after a build that took its landing."""
    return after_build(interval, stopped=[])[interval.key]


def test_the_same_content_in_another_landing_is_built_again() -> None:
    """Refused records name the landing that they came from, which a rebuild would read."""
    done = built(landed())
    assert not waits(replace(done, state=State.LANDED))
    assert waits(replace(done, state=State.LANDED, landing_id="another"))


def test_a_neighbour_that_was_stopped_along_with_its_media_stands_as_it_was_built() -> None:
    """Nothing new was read of it: it must not fail, nor be less confirmed than it was."""
    neighbour = built(replace(landed(day=DAY - timedelta(days=1)), confirmations=1))
    known = after_build(landed(), neighbour, stopped=[landed(), neighbour])
    assert {key: i.state for key, i in known.items()} == {landed().key: State.FAILED}
    assert not waits(neighbour)


def test_a_stopped_landing_is_not_built_as_the_neighbour_of_another_day() -> None:
    """What it lists was not taken: it must not be tried again with every day that shares a key with it."""
    first, last = landed(day=DAY - timedelta(days=1)), landed()
    days, objects = frozenset({SharedDays.of("m1", first.day, last.day)}), MemoryObjects()
    for interval in (first, last):
        objects.put(bronze.manifest_key(interval.landing_id), bronze.encode_manifest(manifest(interval)))

    def together(*intervals: Interval, spec: RunSpec = ORDER) -> set[date]:
        work = assemble(spec, [MEDIA], LedgerView(intervals), RawPages(objects), (b"key",), shared=days)
        return {m.day for m in work.landings}

    assert together(first, built(last)) == {first.day, last.day}
    assert together(first, stopped(last)) == {first.day}
    assert together(built(first), built(last)) == {first.day, last.day}, "they were never built together"
    assert together(built(first), stopped(last)) == {first.day}
    alone = replace(ORDER, sources=(source("events"),))
    assert together(built(first), built(last), spec=alone) == {first.day, last.day}
    without = replace(ORDER, sources=(source(BY_DATE),))
    assert together(built(first), built(last), spec=without) == set(), (
        "a run of other datasets builds no sessions"
    )


@pytest.mark.parametrize(
    ("newer", "days"),
    [(1, set()), (0, {DAY - timedelta(days=1), DAY}), (None, {DAY - timedelta(days=1), DAY})],
)
def test_days_that_share_keys_are_built_again_once_their_lists_were_read_in_another_order(
    newer: int | None, days: set[date]
) -> None:
    """The order in which counts were read does not matter."""
    first, last = (
        built(landed(day=DAY - timedelta(days=1))),
        built(replace(landed(), observed_at=NOW + timedelta(hours=1))),
    )
    counts = [
        replace(i, dataset=BY_DATE, observed_at=at)
        for i, at in ((first, last.observed_at), (last, first.observed_at))
    ]
    shared, objects = SharedDays("m1", first.day, last.day, newer), MemoryObjects()
    for interval in (first, last):
        objects.put(bronze.manifest_key(interval.landing_id), bronze.encode_manifest(manifest(interval)))
    view = LedgerView([first, last, *counts])
    work = assemble(ORDER, [MEDIA], view, RawPages(objects), (b"key",), shared=frozenset({shared}))
    assert {m.day for m in work.landings if m.dataset == EVENTS} == days


def test_a_day_that_is_listed_well_again_is_a_day_like_any_other() -> None:
    again = replace(stopped(landed()), state=State.LANDED, content_hash="another")
    assert waits(again)
    assert publishable(again, landed(BY_DATE))


@pytest.mark.parametrize("listed", [False, True])
def test_a_day_without_a_listing_is_no_day_without_sessions(listed: bool) -> None:
    """The media was deleted after its counts were read, and before its sessions were."""
    assert publishable(landed() if listed else gone(), landed(BY_DATE)) == listed
    assert publishable(landed(), gone(BY_DATE)), "counts that the source does not have are not waited for"


def test_a_snapshot_that_was_refused_is_missed_until_the_next_one_is_there() -> None:
    before = stopped(landed(STATS))
    after = replace(landed(STATS, DAY + timedelta(days=1)), state=State.PUBLISHED, published_at=NOW)
    events = stopped(landed())
    assert failed([before, events], [MEDIA]) == (before, events)
    assert failed([before, after, events], [MEDIA]) == (events,)


@pytest.mark.parametrize("dataset", [EVENTS, BY_DATE, STATS])
def test_a_stopped_landing_neither_moves_its_day_nor_is_confirmed(dataset: str) -> None:
    """Else a unit that was wrong for one day would teach the media a longer lookback, for months."""
    before = NOW - timedelta(days=3)
    told = replace(landed(dataset), steady_hash="other", confirmations=2, moved_at=NOW)
    found = stopped(told)
    assert (found.confirmations, found.moved_at, found.is_confirmed) == (0, None, False)
    assert not waits(found)
    assert stopped(replace(told, moved_at=before)).moved_at == before
    later = Manifest(
        "y", dataset, "m1", DAY, "next", NOW + timedelta(days=1), True, 48, 1, "good", "", (), steady_hash="good"
    )  # fmt: skip
    again = reading(found, later)
    assert (again.confirmations, again.moved_at) == (0, None)
    assert reading(again, replace(later, observed_at=NOW + timedelta(days=2))).confirmations == 1
