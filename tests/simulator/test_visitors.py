"""The account-wide list of visitors and what happens to those who walk it while people watch."""

from datetime import timedelta

import pytest

from simulator.support import NOW, app_of, get, walk, world
from support.some import some
from wistia_simulator import Profile


@pytest.fixture(scope="module")
def subject():
    return world(returning_share=0.3, email_share=0.2)


def test_visitors_are_account_wide_and_ordered_by_last_activity(subject):
    app = app_of(subject)
    rows = walk(app, "/v1/stats/visitors")
    stamps = [row["last_active_at"] for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert len({row["visitor_key"] for row in rows}) == len(rows)
    assert get(app, f"/v1/stats/visitors?media_id={subject.media_ids[1]}") == rows[:10]
    assert all(row["load_count"] >= 1 and row["play_count"] >= 1 for row in rows)
    created = [(row["created_at"], row["last_active_at"]) for row in rows]
    assert {one > other for one, other in created} == {True, False}


def test_visitors_are_those_of_the_events(subject):
    rows = walk(app_of(subject), "/v1/stats/visitors")
    sessions = [session for session in subject.truth.ever() if not session.private]
    assert {row["visitor_key"] for row in rows} == {session.visitor_key for session in sessions}
    counts = {row["visitor_key"]: row["play_count"] for row in rows}
    assert sum(counts.values()) == len(sessions)
    assert max(counts.values()) > 1
    assert {row["last_event_key"] for row in rows} <= {session.event_key for session in sessions}
    assert [row["visitor_key"] for row in rows] == [v.visitor_key for v in subject.truth.visitors()]


def test_one_visitor_search_and_filter(subject):
    app = app_of(subject)
    known = get(app, "/v1/stats/visitors?filter=has_email&per_page=100")
    assert known
    assert all(row["visitor_identity"]["email"] for row in known)
    email = known[0]["visitor_identity"]["email"]
    assert get(app, f"/v1/stats/visitors?search={email}") == [known[0]]
    assert get(app, f"/v1/stats/visitors/{known[0]['visitor_key']}") == known[0]
    gated = get(app, "/v1/stats/visitors?filter=identified_by_email_gate&per_page=100")
    assert all(row["identifying_event_key"] for row in some(gated))


def test_a_walk_during_activity_repeats_some_and_misses_the_movers():
    subject = world(Profile.calm(), returning_share=0.5, sessions_per_day=300.0)
    app = app_of(subject)
    at_start = {visitor.visitor_key for visitor in subject.truth.visitors()}
    walked = []
    for page in range(1, 100):
        rows = get(app, f"/v1/stats/visitors?per_page=100&page={page}")
        walked += [row["visitor_key"] for row in rows]
        subject.clock.advance(timedelta(minutes=20))
        if len(rows) < 100:
            break
    assert len(walked) > len(set(walked))
    assert at_start - set(walked)


def test_going_back_in_time_forgets(subject):
    before = subject.truth.visitors(at=NOW - timedelta(days=2))
    assert len(before) < len(subject.truth.visitors())
    assert subject.truth.visitors(at=NOW - timedelta(days=2)) == before
