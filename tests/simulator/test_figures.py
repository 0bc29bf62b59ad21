"""Daily and lifetime figures: the identities of the real ones, batches, restated hours."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulator.support import NOW, app_of, days, get, world
from support.some import some
from wistia_simulator import MediaChange, Profile
from wistia_simulator.zones import LocalDays, parse_zone

FIRST, LAST = date(2026, 11, 11), date(2026, 11, 18)


def lifetime_and_duration(subject, media):
    app = app_of(subject)
    return get(app, f"/v1/stats/medias/{media}"), get(app, f"/v1/medias/{media}")["duration"]


@pytest.mark.parametrize("profile", [Profile.calm(), Profile.hostile()])
@pytest.mark.parametrize("hours", [0, 7, 200])
def test_lifetime_identities(profile, hours):
    subject = world(profile)
    subject.clock.advance(timedelta(hours=hours))
    for media in some(subject.media_ids):
        stats, duration = lifetime_and_duration(subject, media)
        product = stats["play_count"] * stats["engagement"] * duration
        assert stats["hours_watched"] * 3600 == pytest.approx(product, rel=1e-12)
        players = stats["play_rate"] * stats["visitors"]
        assert players == pytest.approx(round(players), abs=1e-6)
        assert stats["engagement"] == round(stats["engagement"], 6)
        daily = subject.truth.by_date(media, date(2026, 11, 1), subject.clock.now().date())
        gap = stats["play_count"] - sum(row["play_count"] for row in daily)
        assert -60 <= gap <= 20


def test_daily_hours_are_plays_times_lifetime_engagement_and_an_integer_zero_without_plays():
    subject = world(sessions_per_day=1.0)
    media = subject.media_ids[1]
    stats, duration = lifetime_and_duration(subject, media)
    rows = get(app_of(subject), f"/v1/stats/medias/{media}/by_date?start_date=2026-10-01&end_date=2026-11-19")
    assert len(rows) == 50
    kinds = set()
    for row in rows:
        expected = row["play_count"] * stats["engagement"] * duration / 3600
        assert row["hours_watched"] == pytest.approx(expected, rel=1e-12)
        assert isinstance(row["hours_watched"], float if row["play_count"] else int)
        kinds.add(type(row["hours_watched"]))
    assert kinds == {int, float}
    assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)


@pytest.mark.parametrize("rate", [1.0, 40.0, 400.0])
@pytest.mark.parametrize("zone", ["America/New_York", "UTC-5", "+05:30"])
def test_events_and_plays_of_settled_local_days_agree_within_the_band(rate, zone):
    subject = world(sessions_per_day=rate, account_timezone=zone, history_days=20)
    at = NOW + timedelta(days=12)
    local = parse_zone(zone)
    for media in some(subject.media_ids):
        listed, ever = subject.truth.sessions(media, at=at), subject.truth.ever(media, at=at)
        everything = per_day(listed, local)
        alive, once = per_day(no_conversions(listed), local), per_day(no_conversions(ever), local)
        for row in some(subject.truth.by_date(media, date(2026, 11, 2), date(2026, 11, 19), at=at)):
            plays, day = row["play_count"], row["date"]
            assert 0 <= plays - alive[day] <= max(2, 0.02 * plays)
            assert plays >= once[day]
            assert -max(2, 0.02 * plays) <= everything[day] - plays <= max(5, 0.05 * plays)


def per_day(sessions, zone):
    return Counter(session.received_at.astimezone(zone).date().isoformat() for session in sessions)


def no_conversions(sessions):
    return [session for session in sessions if not session.conversion_type]


def test_counts_of_the_running_and_the_previous_day_grow_in_batches_and_then_stand():
    subject = world()
    media, day = subject.media_ids[0], date(2026, 11, 18)
    midnight = datetime(2026, 11, 19, tzinfo=ZoneInfo("America/New_York"))
    series = [
        subject.truth.by_date(media, day, day, at=midnight + timedelta(minutes=15 * step))[0]
        for step in range(-96, 240)
    ]
    plays = [row["play_count"] for row in series]
    assert plays == sorted(plays)
    assert plays[0] == 0
    assert 0.7 * plays[-1] < plays[96] < plays[-1]
    assert plays[96 + 8] < plays[-1], "two hours after midnight the day is not complete yet"
    assert len(set(plays)) < 60
    assert len(set(plays[96 + 85 :])) == 1
    later = subject.truth.by_date(media, day, day, at=midnight + timedelta(days=30))[0]
    assert later["play_count"] == plays[-1]
    assert later["load_count"] == series[-1]["load_count"]


def test_hours_of_closed_days_are_restated_when_lifetime_engagement_moves():
    subject = world()
    media = subject.media_ids[0]
    before = subject.truth.by_date(media, FIRST, FIRST)[0]
    after = subject.truth.by_date(media, FIRST, FIRST, at=NOW + timedelta(days=2))[0]
    assert before["play_count"] == after["play_count"]
    assert before["hours_watched"] != after["hours_watched"]
    engagements = [
        subject.truth.lifetime(media, at=NOW + timedelta(days=step))["engagement"] for step in range(12)
    ]
    assert engagements != sorted(engagements)


def test_lifetime_plays_grow_by_the_days_in_between():
    subject = world(Profile.calm())
    media = subject.media_ids[0]
    # 07:00 UTC is past local midnight and past the last hourly refresh of the closed day.
    first, last = datetime(2026, 11, 12, 7, tzinfo=UTC), datetime(2026, 11, 16, 7, tzinfo=UTC)
    growth = (
        subject.truth.lifetime(media, at=last)["play_count"]
        - subject.truth.lifetime(media, at=first)["play_count"]
    )
    daily = subject.truth.by_date(media, date(2026, 11, 12), date(2026, 11, 15))
    assert growth == pytest.approx(sum(row["play_count"] for row in daily), abs=12)


def test_by_date_defaults_to_yesterday_and_today_in_the_account_zone():
    rows = get(app_of(world()), f"/v1/stats/medias/{world().media_ids[0]}/by_date")
    assert [row["date"] for row in rows] == ["2026-11-18", "2026-11-19"]


def test_engagement_curve_has_one_item_a_second_up_to_a_thousand():
    subject = world(media=5, sessions_per_day=20.0)
    app = app_of(subject)
    for media in some(subject.truth.medias()):
        body = get(app, f"/modern/stats/medias/{media.media_id}/engagement")
        assert list(body) == ["engagement", "engagement_data", "rewatch_data"]
        stats = get(app, f"/modern/stats/medias/{media.media_id}")
        assert body["engagement"] == stats["engagement"]
        curve = body["engagement_data"]
        if not stats["play_count"]:
            assert curve == []
            continue
        assert len(curve) == len(body["rewatch_data"]) == min(1000, -int(-media.duration // 1))
        assert all(isinstance(value, int) for value in curve)
        assert curve[0] > curve[-1] > 0


def test_analytics_are_real_per_day_and_bare_on_days_without_plays():
    subject = world(sessions_per_day=200.0)
    media = subject.truth.medias()[0]
    path = f"/modern/analytics/medias/{media.media_id}/timeseries?start_date=2026-11-07&end_date=2026-11-19"
    rows = get(app_of(subject), f"{path}&granularity=daily")
    assert [row["timestamp"] for row in rows][:2] == ["2026-11-07 05:00:00.000Z", "2026-11-08 05:00:00.000Z"]
    assert len(rows) == 12
    assert list(rows[0]) == ["timestamp"]
    assert all(0.0 < row["play_rate"] <= 1.0 for row in rows[4:])
    rates = {round(row["played_time"] / row["plays"], 3) for row in rows[4:]}
    assert len(rates) == len(rows[4:])
    daily = subject.truth.by_date(media.media_id, date(2026, 11, 11), date(2026, 11, 18))
    for row, day in zip(rows[4:], daily, strict=True):
        assert 0.8 * day["play_count"] < row["plays"] < 0.9 * day["play_count"]
    assert len(get(app_of(subject), f"{path}&granularity=weekly")) == 3
    assert len(get(app_of(subject), f"{path}&granularity=monthly")) == 1


@pytest.mark.parametrize(("stamp", "first"), [("observed", "2026-11-07 05:00:00.000Z"),
                                              ("described", "2026-11-07T05:00:00.000Z")])  # fmt: skip
def test_timeseries_are_stamped_with_a_blank_or_a_t_by_profile(stamp, first):
    subject = world(timeseries_stamp=stamp)
    path = f"/modern/analytics/medias/{subject.media_ids[0]}/timeseries?start_date=2026-11-07&end_date=2026-11-19"
    assert get(app_of(subject), f"{path}&granularity=daily")[0]["timestamp"] == first
    assert Profile().timeseries_stamp == Profile.hostile().timeseries_stamp == "observed"
    assert Profile.described().timeseries_stamp == "described"


def test_a_new_duration_restates_hours():
    change = MediaChange(0, NOW - timedelta(hours=1), "duration", 100.0)
    media = world().media_ids[0]
    short, long = world(changes=(change,)), world()
    one, other = (subject.truth.lifetime(media) for subject in (short, long))
    assert one["play_count"] == other["play_count"]
    assert one["hours_watched"] / other["hours_watched"] == pytest.approx(100.0 / 435.456)


def test_zones_and_their_days():
    assert parse_zone("UTC-5").utcoffset(None) == parse_zone("-05:00").utcoffset(None) == timedelta(hours=-5)
    assert parse_zone("UTC+05:30").utcoffset(None) == timedelta(hours=5, minutes=30)
    local = LocalDays("America/New_York")
    lengths = {}
    for day in days(date(2026, 3, 7), date(2026, 11, 2)):
        start, end = local.bounds((day - date(1970, 1, 1)).days)
        lengths[(day.month, day.day)] = end - start
    assert lengths[(3, 8)] == 23 * 3600
    assert lengths[(11, 1)] == 25 * 3600
    with pytest.raises(Exception, match="Nowhere"):
        Profile(account_timezone="Nowhere/Land")
