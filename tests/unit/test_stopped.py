"""A landing of which a build took nothing: it is no landing to publish from, and is not tried again for ever."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.insight.gaps import failed
from wistlake.pipeline.jobs.rebuild import REBUILD
from wistlake.pipeline.run.outcome import outcome, unchanged
from wistlake.pipeline.run.pending import pending
from wistlake.pipeline.run.recover import landed as reading
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.tables.plan import BuildPlan, BuildResult
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.planning.publishing import publishing

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 4)
EVENTS, BY_DATE, STATS = "events", "media_by_date", "media_stats"
SOURCES = (source(STATS), source(BY_DATE), source(EVENTS))
ORDER = RunSpec("run", "scheduled", "live", "UTC", Window(NOW, zone("UTC"), 7), SOURCES, MediaChoice(("m1",)))
MEDIA = MediaEntry("m1", DAY, NOW)
WHY = "40 of 48 records were refused"


def landed(dataset: str = EVENTS, day: date = DAY) -> Interval:
    return Interval(
        dataset, "m1", day, State.LANDED, "run", NOW, landing_id="x", observed_at=NOW, content_hash="h",
        finished=True,
    )  # fmt: skip


def gone(dataset: str = EVENTS) -> Interval:
    """Answered 404, with nothing landed before."""
    return Interval(
        dataset, "m1", DAY, State.PUBLISHED, "run", NOW, missing=True, finished=True, published_at=NOW
    )


def stopped(interval: Interval) -> Interval:
    """The interval after a build that took nothing of it."""
    manifest = Manifest("x", interval.dataset, "m1", interval.day, "run", NOW, True, 48, 1, "h", "", ())
    plan = BuildPlan("run", NOW, "UTC", (b"key",), (manifest,), frozenset(), frozenset())
    result = BuildResult({}, {}, (), {interval.key: WHY}, {}, frozenset(), {})
    return outcome(ORDER, {interval.key: interval}, plan, result)[interval.key]


def publishable(*intervals: Interval) -> bool:
    """Whether the day may stand in gold."""
    days = publishing(
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
