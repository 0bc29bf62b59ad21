"""Which days a run asks for, which are missing, and how far a watermark may go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import ACCOUNT, Calendar
from wistlake.planning.calendar import days, last_finished, today
from wistlake.planning.intervals import Fetch, Interval, MediaEntry, State
from wistlake.planning.plan import (
    HORIZON,
    Window,
    first_day,
    gaps,
    newest,
    plan,
    wanted_days,
    watermark,
)
from wistlake.zones import zone

EVENTS, BY_DATE, METADATA = source("events"), source("media_by_date"), source("media_metadata")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
YESTERDAY = date(2026, 11, 19)
ALPHA, BETA = "alphaalpha", "betabetabe"


def window(**more: Any) -> Window:
    return Window(**{"now": NOW, "tz": zone("America/New_York"), "lookback_days": 2, **more})


def entry(first: date, media_id: str = ALPHA, **more: Any) -> MediaEntry:
    return MediaEntry(media_id, first, NOW, **more)


def published(day: date, dataset: str = "events", media_id: str = ALPHA, **more: Any) -> Interval:
    """A day that two equal landings agree on and readers have."""
    plain = Interval(
        dataset,
        media_id,
        day,
        State.PUBLISHED,
        "r1",
        NOW,
        observed_at=NOW,
        finished=True,
        confirmations=1,
        published_at=NOW,
    )
    return replace(plain, **more)


def ago(n: int) -> date:
    """The day `n` days before yesterday."""
    return YESTERDAY - timedelta(days=n)


def known(intervals: Sequence[Interval]) -> dict[date, Interval]:
    return {i.day: i for i in intervals}


class TestFirstDay:
    def test_a_new_media_begins_with_the_lookback(self) -> None:
        assert first_day(window()) == ago(2)

    def test_or_where_the_settings_say(self) -> None:
        assert first_day(window(start_date=date(2026, 1, 1))) == date(2026, 1, 1)

    def test_but_never_beyond_what_wistia_keeps(self) -> None:
        begin = first_day(window(start_date=date(2000, 1, 1)))
        assert begin == YESTERDAY - HORIZON
        # Otherwise no watermark could ever begin: its first day would never be asked for.
        assert wanted_days(EVENTS, entry(begin), window(), {})[0] == begin


class TestWantedDays:
    def test_daily_asks_for_the_lookback_again(self) -> None:
        done = known([published(ago(n)) for n in range(20)])
        assert wanted_days(EVENTS, entry(ago(19)), window(), done) == (ago(2), ago(1), ago(0))

    def test_and_for_every_earlier_day_that_readers_do_not_have(self) -> None:
        done = known([published(ago(n)) for n in range(8) if n not in (4, 6)])
        done[ago(7)] = published(ago(7), published_at=None)
        done[ago(5)] = published(ago(5), finished=False)
        wanted = wanted_days(EVENTS, entry(ago(8)), window(), done)
        assert wanted == (ago(8), ago(7), ago(6), ago(5), ago(4), ago(2), ago(1), ago(0))

    @pytest.mark.parametrize("read", [ago(4), YESTERDAY])  # within the lookback, and long after it
    def test_and_for_a_day_of_which_no_two_readings_agree_however_old_it_is(self, read: date) -> None:
        at = datetime(read.year, read.month, read.day, 2, tzinfo=UTC)
        moved = published(ago(40), confirmations=0, observed_at=at)
        assert ago(40) in wanted_days(EVENTS, entry(ago(40)), window(), known([moved]))
        said_again = replace(moved, confirmations=1)
        assert ago(40) not in wanted_days(EVENTS, entry(ago(40)), window(), known([said_again]))

    def test_a_day_that_the_source_does_not_have_is_not_asked_for_forever(self) -> None:
        missing = published(ago(5), missing=True, confirmations=0, observed_at=None)
        assert wanted_days(EVENTS, entry(ago(5)), window(), known([missing]))[0] == ago(4)

    def test_the_running_day_only_if_it_is_wanted(self) -> None:
        assert wanted_days(EVENTS, entry(ago(1)), window(), {})[-1] == YESTERDAY
        assert wanted_days(EVENTS, entry(ago(1)), window(include_open_days=True), {})[-1] == NOW.date()

    def test_a_local_day_ends_with_the_account(self) -> None:
        early = window(now=datetime(2026, 11, 20, 2, 15, tzinfo=UTC), tz=zone("-05:00"))
        assert wanted_days(BY_DATE, entry(ago(3)), early, {})[-1] == ago(1)
        assert wanted_days(EVENTS, entry(ago(3)), early, {})[-1] == ago(0)

    def test_by_hand_asks_for_exactly_what_is_named(self) -> None:
        done = known([published(ago(n)) for n in range(20)])
        by_hand = window(start=ago(10), end=ago(9))
        assert wanted_days(BY_DATE, entry(ago(5)), by_hand, done) == (ago(10), ago(9))

    @pytest.mark.parametrize(
        ("zone_name", "start", "end", "utc"),
        [
            ("America/New_York", ago(10), ago(9), (ago(10), ago(9), ago(8))),
            ("Asia/Kolkata", ago(10), ago(9), (ago(11), ago(10), ago(9))),
            ("UTC", ago(10), ago(9), (ago(10), ago(9))),
            ("Pacific/Auckland", ago(10), ago(10), (ago(11), ago(10))),
            ("America/New_York", ago(0), ago(0), (ago(0),)),  # the second day that it touches is not over
        ],
    )
    def test_by_hand_asks_for_every_utc_day_that_the_named_days_touch(
        self, zone_name: str, start: date, end: date, utc: tuple[date, ...]
    ) -> None:
        by_hand = window(start=start, end=end, tz=zone(zone_name))
        assert wanted_days(EVENTS, entry(ago(5)), by_hand, {}) == utc

    @pytest.mark.parametrize(
        ("start", "end", "wanted"),
        [
            (None, ago(3), (ago(4), ago(3))),
            (ago(1), None, (ago(1), ago(0))),
            (ago(1), date(2030, 1, 1), (ago(1), ago(0))),
            (ago(1), ago(2), ()),
            (date(2030, 1, 1), None, ()),
        ],
    )
    def test_by_hand_with_an_open_or_impossible_end(
        self, start: date | None, end: date | None, wanted: tuple[date, ...]
    ) -> None:
        assert wanted_days(BY_DATE, entry(ago(4)), window(start=start, end=end), {}) == wanted

    def test_by_hand_stops_at_what_wistia_keeps(self) -> None:
        by_hand = window(start=date(2000, 1, 1), end=YESTERDAY - HORIZON + timedelta(days=1))
        assert wanted_days(BY_DATE, entry(ago(1)), by_hand, {}) == (
            YESTERDAY - HORIZON,
            YESTERDAY - HORIZON + timedelta(days=1),
        )

    @pytest.mark.parametrize(
        ("start", "end"),
        [(None, None), (ago(5), None), (ago(5), ago(1)), (None, ago(1)), (date(2026, 11, 21), None)],
    )
    def test_a_snapshot_is_of_now_whatever_days_are_named(self, start: date | None, end: date | None) -> None:
        assert wanted_days(METADATA, entry(ago(30)), window(start=start, end=end), {}) == (NOW.date(),)


dates = st.dates(date(2023, 1, 1), date(2027, 6, 1))
windows = st.builds(
    Window,
    now=st.integers(0, 96).map(lambda hours: datetime(2026, 10, 30, tzinfo=UTC) + timedelta(hours=hours)),
    tz=st.sampled_from(["America/New_York", "UTC", "+14:00", "-12:00"]).map(zone),
    lookback_days=st.integers(1, 60),
    start=st.none() | dates,
    end=st.none() | dates,
    start_date=st.none() | dates,
    include_open_days=st.booleans(),
)


@given(st.sampled_from(SOURCES), windows, st.none() | dates, st.sets(st.integers(0, 800), max_size=30))
def test_nothing_is_asked_for_that_is_not_over_or_no_more_kept(
    dataset: Any, run: Window, first: date | None, settled: set[int]
) -> None:
    media = entry(first or first_day(run))
    last = newest(dataset, run)
    done = known([published(last - timedelta(days=n), dataset.name) for n in settled])
    wanted = wanted_days(dataset, media, run, done)
    assert list(wanted) == sorted(set(wanted))
    limit = today if run.include_open_days else last_finished
    assert all(last - HORIZON <= day <= limit(dataset.calendar, run.now, run.tz) for day in wanted)
    if run.by_hand:
        if dataset.calendar is not Calendar.SNAPSHOT:
            touches = timedelta(days=dataset.calendar is Calendar.UTC)
            begin, end = (run.start or media.first_day) - touches, (run.end or last) + touches
            assert all(begin <= day <= end for day in wanted)
    elif dataset.calendar is not Calendar.SNAPSHOT:
        assert all(day >= media.first_day for day in wanted)
        if dataset.rest_days:  # figures that rest first are read once: what the lookback lacks
            rested = last - timedelta(days=dataset.rest_days)
            begin = max(media.first_day, rested - timedelta(days=run.lookback_days), last - HORIZON)
            kept = last - timedelta(days=dataset.kept_days)
            assert list(wanted) == [day for day in days(max(begin, kept), rested) if day not in done]
            return
        must = {day for day in days(max(media.first_day, last - HORIZON), last) if day not in done}
        assert must <= set(wanted)


class TestPlan:
    def test_by_dataset_then_media_then_day(self) -> None:
        media = [entry(ago(1)), entry(ago(0), BETA)]
        assert plan([METADATA, EVENTS], media, [], window()) == (
            Fetch(
                "media_metadata", ACCOUNT, NOW.date(), NOW.date(),
                ((ALPHA, NOW.date(), NOW.date()), (BETA, NOW.date(), NOW.date())),
            ),
            Fetch("events", ALPHA, ago(1), ago(0)),
            Fetch("events", BETA, ago(0), ago(0)),
        )  # fmt: skip

    def test_ranges_where_the_source_serves_them(self) -> None:
        done = [published(ago(4), "media_by_date"), published(ago(4), "events")]
        assert plan([BY_DATE], [entry(ago(6))], done, window()) == (
            Fetch("media_by_date", ALPHA, ago(6), ago(0), ((ALPHA, ago(6), ago(5)), (ALPHA, ago(3), ago(0)))),
        )

    def test_a_range_has_a_greatest_length(self) -> None:
        fetches = plan([BY_DATE], [entry(ago(729))], [], window())
        assert [(f.end - f.start).days + 1 for f in fetches] == [366, 730 - 366]
        assert fetches[1].start == fetches[0].end + timedelta(days=1)

    def test_what_one_media_has_does_not_serve_another(self) -> None:
        done = [published(ago(n), "events", BETA) for n in range(10)]
        fetches = plan([EVENTS], [entry(ago(9))], done, window())
        assert sum(len(f.keys) for f in fetches) == 10

    def test_retired_media_are_left_alone(self) -> None:
        assert plan(SOURCES, [entry(ago(9), retired_at=NOW)], [], window()) == ()

    def test_an_account_wide_dataset_is_asked_once(self) -> None:
        media = [entry(ago(1)), entry(ago(0), BETA)]
        assert plan([source("visitors")], media, [], window()) == (
            Fetch("visitors", ACCOUNT, NOW.date(), NOW.date()),
        )
        assert plan([source("visitors")], [], [], window()) == ()

    @given(st.sampled_from([s for s in SOURCES if s.calendar is not Calendar.SNAPSHOT]), windows, dates)
    def test_fetches_cover_each_wanted_day_once(self, dataset: Any, run: Window, first: date) -> None:
        media = entry(first)
        wanted = wanted_days(dataset, media, run, {})
        covered = [day for f in plan([dataset], [media], [], run) for _, _, day in f.keys]
        assert covered == list(wanted)


class TestGaps:
    def test_days_that_readers_should_have_and_do_not(self) -> None:
        done = [published(ago(n)) for n in (0, 1, 3)] + [published(ago(2), published_at=None)]
        assert gaps([EVENTS], [entry(ago(3))], done, window()) == (("events", ALPHA, ago(2)),)

    def test_no_gap_before_the_first_day_nor_today_nor_for_the_retired(self) -> None:
        media = [entry(ago(0)), entry(ago(9), BETA, retired_at=NOW)]
        open_days = window(include_open_days=True)
        assert gaps([EVENTS], media, [published(ago(0))], open_days) == ()

    def test_snapshots_and_optional_datasets_have_none(self) -> None:
        others = [s for s in SOURCES if s.calendar is Calendar.SNAPSHOT or s.optional]
        assert gaps(others, [entry(ago(9))], [], window()) == ()

    def test_what_wistia_has_forgotten_is_no_gap(self) -> None:
        done = [published(YESTERDAY - timedelta(days=n)) for n in range(HORIZON.days + 1)]
        assert gaps([EVENTS], [entry(date(2000, 1, 1))], done, window()) == ()

    def test_a_daily_run_asks_for_every_gap(self) -> None:
        media, done = [entry(ago(40))], [published(ago(n)) for n in range(0, 40, 3)]
        asked = {day for f in plan([EVENTS], media, done, window()) for _, _, day in f.keys}
        assert {day for _, _, day in gaps([EVENTS], media, done, window())} <= asked


class TestWatermark:
    def test_the_contiguous_prefix(self) -> None:
        assert watermark(ago(5), [ago(5), ago(4), ago(2), ago(1)]) == ago(4)
        assert watermark(ago(5), [ago(5)]) == ago(5)

    def test_none_without_the_first_day(self) -> None:
        assert watermark(ago(5), [ago(4), ago(3)]) is None
        assert watermark(ago(5), []) is None

    @given(st.integers(0, 20), st.sets(st.integers(0, 40)))
    def test_everything_up_to_it_is_there_and_the_next_day_is_not(self, first: int, have: set[int]) -> None:
        origin = date(2026, 1, 1)
        last = watermark(origin + timedelta(days=first), [origin + timedelta(days=n) for n in have])
        if last is None:
            assert first not in have
            return
        reached = (last - origin).days
        assert set(range(first, reached + 1)) <= have
        assert reached + 1 not in have

    @given(st.integers(0, 20), st.sets(st.integers(0, 40)), st.integers(0, 40))
    def test_one_more_day_never_takes_it_back(self, first: int, have: set[int], more: int) -> None:
        origin = date(2026, 1, 1)

        def reached(days_there: set[int]) -> date:
            there = [origin + timedelta(days=n) for n in days_there]
            return watermark(origin + timedelta(days=first), there) or date.min

        assert reached(have | {more}) >= reached(have)
