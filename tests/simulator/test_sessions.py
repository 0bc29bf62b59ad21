"""What sessions do over time: they grow, come late, move, vanish, and are listed twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from simulator.support import NOW, app_of, days, get, walk, world
from support.some import some
from wistia_simulator import MediaChange, Profile, World

DAY = date(2026, 11, 18)
PATH = "/v1/stats/events?start_date=2026-11-18&end_date=2026-11-18"


def by_key(subject: World, **arguments):
    return {session.event_key: session for session in subject.truth.sessions(**arguments)}


def test_two_worlds_serve_the_same_bytes_in_any_order():
    paths = [PATH, "/v1/medias", "/v1/stats/visitors?per_page=100", "/v1/stats/events?page=2&per_page=50"]
    first, second = app_of(world()), app_of(world())
    from simulator.support import fetch

    forwards = [response.content for response in fetch(first, *paths)]
    backwards = [response.content for response in fetch(second, *reversed(paths))]
    assert forwards == list(reversed(backwards))
    assert forwards != [response.content for response in fetch(app_of(world(seed=8)), *paths)]


def test_a_day_does_not_depend_on_the_clock_that_was_shown_first():
    later = world()
    later.clock.set(NOW + timedelta(days=3))
    later.truth.sessions()
    later.clock.set(NOW)
    assert later.truth.sessions() == world().truth.sessions()
    assert get(app_of(later), "/v1/stats/visitors") == get(app_of(world()), "/v1/stats/visitors")


def test_events_are_listed_newest_first_over_days_and_medias():
    stamps = [row["received_at"] for row in walk(app_of(world()), "/v1/stats/events")]
    assert stamps == sorted(stamps, reverse=True)
    assert len(stamps) > 500


def test_percent_viewed_grows_and_never_falls():
    subject = world(Profile.calm(), growing=1.0)
    start = datetime(2026, 11, 18, tzinfo=UTC)
    seen: dict[str, float] = {}
    grown = set()
    for step in range(60):
        rows = by_key(subject, start=DAY, end=DAY, at=start + step * timedelta(minutes=30))
        for key, session in rows.items():
            before = seen.get(key, session.percent_viewed)
            assert session.percent_viewed >= before
            if session.percent_viewed > before:
                grown.add(key)
            seen[key] = session.percent_viewed
    assert len(grown) > len(seen) // 2


def test_a_calm_world_stands_still():
    subject = world(Profile.calm())
    at = datetime(2026, 11, 19, tzinfo=UTC)
    assert subject.truth.sessions(end=DAY, at=at) == subject.truth.sessions(
        end=DAY, at=at + timedelta(days=30)
    )


def test_late_sessions_appear_hours_to_days_after_their_day():
    subject = world(Profile.calm(), late=0.3)
    closed = datetime(2026, 11, 19, tzinfo=UTC)
    early = by_key(subject, start=DAY, end=DAY, at=closed)
    final = by_key(subject, start=DAY, end=DAY, at=closed + timedelta(days=8))
    missing = final.keys() - early.keys()
    assert len(missing) > 5
    waits = [final[key].first_listed_at - final[key].received_at for key in missing]
    assert max(waits) > timedelta(days=1)
    assert max(waits) <= timedelta(days=5)


def test_vanishing_sessions_were_listed_and_are_gone():
    subject = world(Profile.calm(), vanishing=0.2)
    later = NOW + timedelta(days=10)
    ever = {s.event_key: s for s in subject.truth.ever(start=DAY, end=DAY, at=later)}
    gone = {key for key, session in ever.items() if session.vanished_at is not None}
    assert len(gone) > 5
    assert by_key(subject, start=DAY, end=DAY, at=later).keys() == ever.keys() - gone
    one = ever[min(gone)]
    assert one.event_key in by_key(subject, start=DAY, end=DAY, at=one.vanished_at - timedelta(seconds=1))
    assert one.event_key not in by_key(subject, start=DAY, end=DAY, at=one.vanished_at)


def test_moving_sessions_change_their_day_and_are_on_one_day_at_a_time():
    subject = world(Profile.calm(), growing=1.0, moving=1.0, sessions_per_day=100.0)
    start = datetime(2026, 11, 18, 23, 50, tzinfo=UTC)
    before = by_key(subject, at=start)
    after = by_key(subject, at=start + timedelta(hours=8))
    moved = [key for key in before if before[key].received_at.date() < after[key].received_at.date()]
    assert moved
    for at in (start, start + timedelta(hours=2), start + timedelta(hours=8)):
        keys = [s.event_key for day in days(DAY, DAY + timedelta(days=1)) for s in by_day(subject, day, at)]
        assert len(keys) == len(set(keys))
        assert all(session.received_at <= at for session in some(by_day(subject, DAY, at)))


def by_day(subject: World, day: date, at: datetime):
    return subject.truth.sessions(start=day, end=day, at=at)


def test_duplicates_are_listed_twice_for_ever_and_the_truth_has_the_better_copy():
    subject = world(Profile.calm(), duplicated=0.5)
    rows = walk(app_of(subject), PATH)
    keys = [row["event_key"] for row in rows]
    doubles = {key for key in keys if keys.count(key) == 2}
    assert len(keys) == len(set(keys)) + len(doubles)
    truth = by_key(subject, start=DAY, end=DAY)
    assert {key for key, session in truth.items() if session.listed_twice} == doubles
    best = {key: max(row["percent_viewed"] for row in rows if row["event_key"] == key) for key in doubles}
    assert best == {key: truth[key].percent_viewed for key in doubles}
    copies = [[r["percent_viewed"] for r in rows if r["event_key"] == key] for key in doubles]
    assert {first == second for first, second in copies if first} == {True, False}
    assert all(first >= second for first, second in some(copies))


@pytest.mark.parametrize("at", [NOW, NOW + timedelta(days=9)])
def test_a_perfect_walk_of_a_hostile_world_is_the_truth(at):
    subject = world(duplicated=0.05, late=0.1, vanishing=0.05, moving=0.5)
    subject.clock.set(at)
    best: dict[str, tuple[float, str]] = {}
    for day in days(date(2026, 11, 9), at.date()):
        for row in walk(app_of(subject), f"/v1/stats/events?start_date={day}&end_date={day}"):
            assert row["received_at"].startswith(day.isoformat())
            found = (row["percent_viewed"], row["received_at"])
            best[row["event_key"]] = max(best.get(row["event_key"], found), found)
    truth = {
        s.event_key: (s.percent_viewed, s.received_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        for s in subject.truth.sessions()
    }
    assert best == truth != {}


def test_one_event_and_the_events_of_one_visitor():
    app = app_of(world())
    row = get(app, PATH)[3]
    assert get(app, f"/v1/stats/events/{row['event_key']}.json") == row
    mine = get(app, f"/v1/stats/events?visitor_key={row['visitor_key']}")
    assert row in mine
    assert {event["visitor_key"] for event in mine} == {row["visitor_key"]}


def test_events_older_than_two_years_are_gone():
    subject = world(history_days=0, now=datetime(2024, 11, 17, tzinfo=UTC))
    subject.clock.set(datetime(2026, 11, 20, 2, tzinfo=UTC))
    first = {row["received_at"][:10] for row in walk(app_of(subject), "/v1/stats/events?end_date=2024-11-22")}
    assert min(first) == "2024-11-20"
    old = subject.truth.ever(start=date(2024, 11, 18), end=date(2024, 11, 18))[0]
    from simulator.support import fetch

    assert fetch(app_of(subject), f"/v1/stats/events/{old.event_key}")[0].status_code == 404


def test_privacy_mode_has_no_place_and_a_key_used_once():
    sessions = world(privacy_mode_share=0.4, returning_share=0.3).truth.sessions()
    private = [session for session in sessions if session.private]
    assert len(private) > 100
    assert {(s.ip, s.country, s.city, s.email) for s in private if not s.conversion_type} == {
        ("", "", "", None)
    }
    keys = [session.visitor_key for session in sessions]
    assert all(keys.count(session.visitor_key) == 1 for session in private)


def test_medias_differ_in_popularity_and_one_is_never_played():
    subject = world(media=4, sessions_per_day=30.0)
    counts = [len(subject.truth.sessions(media)) for media in subject.media_ids]
    assert counts[0] > counts[1] > counts[2] > counts[3] == 0


def test_an_added_media_starts_at_its_own_day_and_a_deleted_one_is_gone():
    added, deleted = datetime(2026, 11, 15, 6, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
    changes = (MediaChange(2, added, "add", "New one"), MediaChange(0, deleted, "delete"))
    subject = world(media=2, changes=changes)
    first = min(session.page_loaded_at for session in subject.truth.sessions(subject.media_ids[2]))
    assert first >= added - timedelta(minutes=10)
    assert subject.truth.sessions(subject.media_ids[0]) == []
    assert len(subject.truth.sessions(subject.media_ids[0], at=deleted - timedelta(seconds=1))) > 100
    assert [media.name for media in subject.truth.medias()][-1] == "New one"
    assert {session.media_id for session in subject.truth.sessions()} == set(subject.media_ids[1:])


def test_canaries_mark_every_personal_value():
    subject = world(canary="zebra", email_share=0.5, conversion_share=0.3, embed_query_share=0.5)
    app = app_of(subject)
    events, visitors = walk(app, PATH), get(app, "/v1/stats/visitors?per_page=100")
    values = set(subject.truth.pii_values())
    assert min(map(len, values)) > 5
    for row in some(events):
        for field in ("email", "region", "city", "org", "embed_url"):
            assert not row[field] or "zebra-" in row[field], field
        assert row["visitor_key"] in values
        assert not row["ip"] or row["ip"] in values
        assert not row["ip"] or repr(row["lat"]) in values
        for name in ("email", "first_name", "last_name"):
            assert not row["conversion_data"] or "zebra-" in row["conversion_data"][name]
    known = [row["visitor_identity"] for row in visitors if row["visitor_identity"]["email"]]
    assert known
    assert all("zebra-" in identity["name"] and identity["email"] in values for identity in known)


FLAWED = replace(Profile.calm(), sessions_per_day=300.0, flawed=1.0)


def test_flawed_sessions_were_well_for_a_night_and_are_misshapen_later():
    subject, flaws = world(FLAWED), {}
    app, first = app_of(subject), subject.media_ids[0]
    day = date(2026, 11, 12)
    path = f"/v1/stats/events?media_id={first}&start_date={day}&end_date={day}"
    for night in range(1, 8):
        subject.clock.set(datetime(2026, 11, 12 + night, 2, 15, tzinfo=UTC))
        rows, truth = walk(app, path), {s.event_key: s for s in subject.truth.sessions(first, day, day)}
        assert len(rows) == len(truth) > 200
        for row in rows:
            true = truth[row["event_key"]]
            flaws.setdefault(true.event_key, []).append(true.flaw)
            served = (row["percent_viewed"], row["visitor_key"])
            assert (
                served
                == {
                    "": (true.percent_viewed, true.visitor_key),
                    "above_one": (1.0000000000000002, true.visitor_key),
                    "no_percent": (None, true.visitor_key),
                    "no_visitor": (true.percent_viewed, ""),
                }[true.flaw]
            )
            assert true.flaw != "above_one" or true.percent_viewed == 1.0
    seen = [tuple(nights) for nights in flaws.values() if any(nights)]
    assert len(seen) == len(flaws) // 25
    assert {nights[0] for nights in seen} == {""}
    assert {flaw for nights in seen for flaw in nights} == {"", "above_one", "no_percent", "no_visitor"}
    assert {nights[-1] == "" for nights in seen} == {True, False}


def test_restless_sessions_grow_every_day_for_twelve_days():
    subject = world(replace(Profile.calm(), restless=1.0), history_days=20)
    day, shares = date(2026, 11, 2), []
    for later in range(14):
        at = datetime(2026, 11, 3 + later, 0, 0, tzinfo=UTC)
        shares.append(
            {s.event_key: s.percent_viewed for s in subject.truth.sessions(start=day, end=day, at=at)}
        )
    moving = [key for key, share in shares[-1].items() if share > 0]
    assert len(moving) > 50
    for key in moving:
        steps = [shares[n][key] for n in range(14)]
        assert all(after > before for before, after in some(pairwise(steps[:12])))
        assert steps[12] == steps[13]


def test_straddling_sessions_stand_on_two_days_for_ever():
    subject = world(replace(Profile.calm(), straddling=1.0), history_days=20)
    app, first, second = app_of(subject), date(2026, 11, 9), date(2026, 11, 10)
    for at in (datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)):
        subject.clock.set(at)
        before = walk(app, f"/v1/stats/events?start_date={first}&end_date={first}")
        after = walk(app, f"/v1/stats/events?start_date={second}&end_date={second}")
        twice = {row["event_key"] for row in before} & {row["event_key"] for row in after}
        assert len(twice) > 10
        assert {row["received_at"][:10] for row in before} == {str(first)}
        early = {row["event_key"] for row in after if row["received_at"][11:13] < "06"}
        assert early == twice
        # Asked for one day, a perfect client has the copy of that day; asked for both, the later one.
        alone = {s.event_key: s for s in subject.truth.sessions(start=first, end=first)}
        both = {s.event_key: s for s in subject.truth.sessions(start=first, end=second)}
        assert {alone[key].received_at.date() for key in twice} == {first}
        assert {both[key].received_at.date() for key in twice} == {second}
        assert len(both) == len({row["event_key"] for row in (*before, *after)})


def test_what_is_off_by_default_leaves_every_other_draw_alone():
    plain, odd = world(), world(flawed=0.3, restless=0.3, straddling=0.3)
    told = [
        {s.event_key: (s.visitor_key, s.first_listed_at, s.embed_url) for s in subject.truth.ever()}
        for subject in (plain, odd)
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 500
