"""Days, zones, and the hours that summer time takes and gives."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.contracts.form import Calendar
from wistlake.derive.localtime import local_date
from wistlake.errors import ConfigError
from wistlake.planning import calendar
from wistlake.zones import fixed_offset, zone

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    "America/New_York",
    "UTC",
    "-05:00",
    "UTC+05:30",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Cairo",  # summer time begins and ends at midnight
    "America/Havana",
    "Antarctica/Troll",  # two hours
    "-12:00",
    "+14:00",
]
zones = st.sampled_from(ZONES).map(zone)
recent_days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
moments = st.integers(1_420_000_000, 2_080_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


class TestZones:
    @pytest.mark.parametrize(
        ("name", "minutes"),
        [
            ("UTC", 0),
            ("gmt", 0),
            ("Z", 0),
            ("UTC-5", -300),
            ("-05:00", -300),
            ("-0530", -330),
            ("GMT+5:45", 345),
            ("+14", 840),
        ],
    )
    def test_fixed_offsets(self, name: str, minutes: int) -> None:
        assert fixed_offset(name) == timedelta(minutes=minutes)
        assert datetime(2026, 7, 1, tzinfo=zone(name)).utcoffset() == timedelta(minutes=minutes)

    def test_names_follow_summer_time(self) -> None:
        offsets = [datetime(2026, month, 1, tzinfo=NEW_YORK).utcoffset() for month in (1, 7)]
        assert offsets == [timedelta(hours=-5), timedelta(hours=-4)]

    @pytest.mark.parametrize(
        "name",
        [
            *("", "Mars/Olympus", "New York", "UTC+24", "+99:00", "-05:99", "-05:00\n", "../UTC", "America"),
            *("UTC+15", "+14:01", "-12:30", "utc+5:30", "Europe/", "/etc/localtime"),
        ],
    )
    def test_what_is_no_zone_is_told_with_the_cure(self, name: str) -> None:
        with pytest.raises(ConfigError, match=r"WISTLAKE_ACCOUNT_TIMEZONE is .* use an IANA name") as refused:
            zone(name)
        assert repr(name) in str(refused.value)


class TestDays:
    def test_both_ends_are_included_and_reversed_ends_hold_nothing(self) -> None:
        first, last = date(2024, 2, 28), date(2024, 3, 1)
        assert list(calendar.days(first, last)) == [first, date(2024, 2, 29), last]
        assert list(calendar.days(first, first)) == [first]
        assert list(calendar.days(last, first)) == []

    def test_a_local_day_is_over_later_than_the_utc_day(self) -> None:
        now, tz = datetime(2026, 11, 20, 2, 15, tzinfo=UTC), zone("-05:00")
        assert calendar.today(Calendar.UTC, now, tz) == date(2026, 11, 20)
        assert calendar.today(Calendar.LOCAL, now, tz) == date(2026, 11, 19)
        assert calendar.last_finished(Calendar.UTC, now, tz) == date(2026, 11, 19)
        assert calendar.last_finished(Calendar.LOCAL, now, tz) == date(2026, 11, 18)

    def test_a_snapshot_is_about_its_own_moment(self) -> None:
        now = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)
        assert calendar.last_finished(Calendar.SNAPSHOT, now, NEW_YORK) == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 1), 24)],
    ids=["spring", "autumn", "summer"],
)
def test_days_of_23_24_and_25_hours(day: date, hours: int) -> None:
    start, end = calendar.bounds(day, NEW_YORK)
    assert end - start == timedelta(hours=hours)
    assert (start.tzinfo, end.tzinfo) == (UTC, UTC)


def test_midnight_that_summer_time_skips_is_the_first_instant_after_it() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    start, end = calendar.bounds(date(2026, 4, 24), cairo)  # 00:00 does not exist
    assert start == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert start.astimezone(cairo).hour == 1
    assert end - start == timedelta(hours=23)


def test_a_day_that_a_country_left_out_is_empty() -> None:
    start, end = calendar.bounds(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert start == end


def test_days_overlap_by_the_offset() -> None:
    day = date(2026, 7, 1)
    following, before = day + timedelta(days=1), day - timedelta(days=1)
    assert calendar.utc_days_of(day, NEW_YORK) == (day, following)
    assert calendar.local_days_of(day, NEW_YORK) == (before, day)
    assert calendar.utc_days_of(day, UTC) == calendar.local_days_of(day, UTC) == (day,)
    assert calendar.utc_days_of(day, zone("+05:30")) == (before, day)


@given(recent_days, zones)
def test_overlap_is_mutual_and_of_one_or_two_days(day: date, tz: ZoneInfo) -> None:
    utc_days = calendar.utc_days_of(day, tz)
    assert 1 <= len(utc_days) <= 2
    assert all(day in calendar.local_days_of(utc_day, tz) for utc_day in utc_days)


@given(recent_days, zones)
def test_local_days_follow_each_other_without_gap(day: date, tz: ZoneInfo) -> None:
    assert calendar.bounds(day, tz)[1] == calendar.bounds(day + timedelta(days=1), tz)[0]


@given(moments, zones)
def test_the_running_day_holds_the_moment(now: datetime, tz: ZoneInfo) -> None:
    start, end = calendar.bounds(calendar.today(Calendar.LOCAL, now, tz), tz)
    assert start <= now < end


@given(moments, zones)
def test_no_day_is_over_before_its_end(now: datetime, tz: ZoneInfo) -> None:
    running = calendar.today(Calendar.LOCAL, now, tz)
    assert not calendar.is_over(running, now, tz)
    for back in range(1, 4):
        day = running - timedelta(days=back)
        over = calendar.is_over(day, now, tz)
        ends = datetime.combine(day + timedelta(days=1), time(), tz) - timedelta(microseconds=1)
        assert over == (ends.astimezone(UTC).date() < now.date())  # its last instant's UTC day is over
        assert over or back < 3


def test_a_local_day_waits_for_the_utc_day_it_ends_in() -> None:
    tz = zone("-05:00")
    assert not calendar.is_over(date(2026, 11, 18), datetime(2026, 11, 19, 6, tzinfo=UTC), tz)
    assert calendar.is_over(date(2026, 11, 18), datetime(2026, 11, 20, 0, tzinfo=UTC), tz)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("UTC", "to_date(at + INTERVAL '0' MINUTE)"),
        ("-05:00", "to_date(at + INTERVAL '-300' MINUTE)"),
        ("UTC+5:30", "to_date(at + INTERVAL '330' MINUTE)"),
        ("Asia/Kolkata", "to_date(from_utc_timestamp(at, 'Asia/Kolkata'))"),
    ],
)
def test_a_day_in_sql_is_that_of_the_zone(name: str, day: str) -> None:
    assert local_date("at", name) == day
