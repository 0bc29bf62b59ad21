"""Which days may be in gold, which must be computed though no row changed, which are taken back: one day at a time."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from wistlake.planning.intervals import STOPPED, Interval, MediaEntry, State
from wistlake.planning.publishing import GoldDays, gold_days
from wistlake.zones import zone

DAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
LONG_AFTER = NOW + timedelta(days=30)
PAIR = ("m1", DAY)
MEDIA = MediaEntry("m1", DAY, NOW)


def landed(dataset: str, day: date = DAY, **more: Any) -> Interval:
    plain = Interval(
        dataset, "m1", day, State.PUBLISHED, "before", NOW, landing_id="x", observed_at=NOW, finished=True
    )
    return replace(plain, **more)


def gold(
    certificate: str = "provisional", state: State = State.PUBLISHED, zone_name: str = "UTC"
) -> Interval:
    return Interval("gold", "m1", DAY, state, "before", NOW, reason=certificate, built_signature=zone_name)


EVENTS, COUNTS = landed("events"), landed("media_by_date")
REST = {"confirmations": 1}


def marks(
    *intervals: Interval, pending: tuple[Interval, ...] = (), media: MediaEntry = MEDIA, **more: Any
) -> set[str]:
    """The sets of `GoldDays` that have the day; no other day is in any of them."""
    given: dict[str, Any] = {
        "datasets": frozenset({"events", "media_by_date"}), "now": NOW, "tz": UTC, "lookback_days": 7,
        "zone_name": "UTC", "run_id": "this",
    }  # fmt: skip
    found = gold_days([media], intervals, pending, **(given | more))
    assert all(getattr(found, f.name) <= {PAIR} for f in fields(GoldDays))
    return {f.name for f in fields(GoldDays) if getattr(found, f.name)}


NEW = {"publishable", "refresh", "listed"}


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ((EVENTS, COUNTS), NEW),
        ((EVENTS,), set()),
        ((COUNTS,), set()),
        # What the source does not have is not waited for, but a day without a list isn't a day without sessions.
        ((EVENTS, landed("media_by_date", landing_id="", missing=True)), NEW),
        ((landed("events", landing_id="", missing=True), COUNTS), set()),
        ((landed("events", built_signature=f"{STOPPED}s", state=State.FAILED), COUNTS), set()),
        ((landed("events", finished=False), COUNTS), set()),
        ((landed("events", **REST), COUNTS), NEW),
        ((EVENTS, landed("media_by_date", **REST)), NEW | {"counts_confirmed"}),
        (
            (landed("events", **REST), landed("media_by_date", **REST)),
            NEW | {"counts_confirmed", "confirmed"},
        ),
    ],
)
def test_a_day_needs_all_that_it_is_made_of(intervals: tuple[Interval, ...], expected: set[str]) -> None:
    assert marks(*intervals) == expected


def test_datasets_that_are_switched_off_are_not_waited_for() -> None:
    assert marks(COUNTS, datasets=frozenset({"media_by_date"})) == NEW - {"listed"}
    assert marks(datasets=frozenset({"media_stats"})) == set()


def test_a_local_day_needs_every_utc_day_that_it_touches() -> None:
    new_york, following = zone("-05:00"), landed("events", DAY + timedelta(days=1))
    assert marks(EVENTS, COUNTS, tz=new_york) == set()
    assert marks(EVENTS, following, COUNTS, tz=new_york) == NEW
    too_early = NOW - timedelta(hours=3)  # the UTC day in which the local day ends is not over
    assert marks(EVENTS, following, COUNTS, tz=new_york, now=too_early) == set()


def test_a_running_day_only_where_the_settings_ask_for_it() -> None:
    open_day = (landed("events", finished=False), landed("media_by_date", finished=False))
    at = {"now": datetime(2026, 3, 4, 12, tzinfo=UTC)}
    assert marks(*open_day, **at) == set()
    assert marks(*open_day, **at, include_open_days=True) == NEW


STANDING = {"publishable", "listed"}


@pytest.mark.parametrize(
    ("of_gold", "now", "rest", "expected"),
    [
        (gold(), NOW, {}, STANDING),
        (gold(), LONG_AFTER, {}, STANDING | {"past_lookback"}),
        # Now its certificate is due.
        (gold(), LONG_AFTER, REST, STANDING | {"past_lookback", "refresh", "confirmed", "counts_confirmed"}),
        (gold(state=State.BUILT), NOW, {}, NEW),  # silver has left it behind
        (gold(state=State.PLANNED), NOW, {}, NEW),
        (gold("settled"), LONG_AFTER, REST, set()),
        (gold("certified"), LONG_AFTER, REST, set()),
        (gold("settled", State.BUILT), LONG_AFTER, {}, NEW | {"past_lookback"}),
        (gold("settled", zone_name="-05:00"), LONG_AFTER, {}, NEW | {"past_lookback"}),
        (gold("settled", zone_name=""), LONG_AFTER, {}, set()),  # a version that did not write the zone down
    ],
)
def test_a_day_that_gold_has_is_computed_only_if_something_may_change(
    of_gold: Interval, now: datetime, rest: dict[str, Any], expected: set[str]
) -> None:
    day = (landed("events", **rest), landed("media_by_date", **rest), of_gold)
    assert marks(*day, now=now) == expected


def test_a_settled_day_that_changes_is_settled_still() -> None:
    day = (EVENTS, COUNTS, gold("settled"))
    assert marks(*day, pending=(EVENTS,), lookbacks={"m1": 30}) == STANDING | {"past_lookback"}
    assert marks(EVENTS, COUNTS, gold(), pending=(EVENTS,)) == STANDING


def test_a_settled_day_that_this_run_has_read_again_is_judged_again() -> None:
    read = replace(COUNTS, run_id="this", observed_at=LONG_AFTER)
    assert marks(EVENTS, read, gold("settled"), now=LONG_AFTER) == NEW | {"past_lookback", "reread"}
    failed = replace(read, state=State.FAILED)
    assert marks(EVENTS, failed, gold("settled"), now=LONG_AFTER) == set()
    built = replace(COUNTS, run_id="this")
    assert marks(EVENTS, built, gold("settled"), now=LONG_AFTER) == set(), "it was built, and not read"
    assert marks(EVENTS, read, gold()) == STANDING, "it is not settled: that isn't a second look"


@pytest.mark.parametrize(("zone_name", "expected"), [("-05:00", {"withdrawn"}), ("UTC", set()), ("", set())])
@pytest.mark.parametrize("state", [State.PUBLISHED, State.BUILT])
def test_a_day_that_is_not_whole_is_taken_back_only_if_it_is_one_of_another_zone(
    zone_name: str, expected: set[str], state: State
) -> None:
    assert marks(COUNTS, gold(state=state, zone_name=zone_name)) == expected
    assert marks(COUNTS, gold(state=State.PLANNED, zone_name="-05:00")) == set(), "it is not there any more"


def test_of_a_media_that_is_no_longer_followed_only_what_gold_has() -> None:
    retired = replace(MEDIA, retired_at=NOW)
    assert marks(EVENTS, COUNTS, media=retired) == set()
    assert marks(EVENTS, COUNTS, gold(state=State.BUILT), media=retired) == NEW


@pytest.mark.parametrize(("days", "is_old"), [(9, False), (10, True)])
def test_a_day_is_old_once_no_run_asks_for_it_again(days: int, is_old: bool) -> None:
    """A lookback of seven days reaches from the last whole day to the one seven days before it; a local day may touch
    one more."""
    now = datetime(2026, 3, 4, 2, 15, tzinfo=UTC) + timedelta(days=days)
    assert ("past_lookback" in marks(EVENTS, COUNTS, now=now)) is is_old
    assert "past_lookback" not in marks(EVENTS, COUNTS, now=now, lookbacks={"m1": 8, "m2": 1})


def test_a_backfill_before_the_first_day_is_a_day_like_others() -> None:
    later = replace(MEDIA, first_day=DAY + timedelta(days=1))
    assert marks(EVENTS, COUNTS, media=later) == set()
    assert marks(EVENTS, COUNTS, pending=(COUNTS,), media=later) == NEW
