"""Parts of the simulator by themselves: what is kept, what is let through, how far lists reach, when a flaw begins."""

from datetime import UTC, date, datetime

import pytest

from simulator.support import NOW, app_of, fetch, get, world
from wistia_simulator import Profile
from wistia_simulator.cache import BoundedCache
from wistia_simulator.catalog import FOREVER
from wistia_simulator.clock import DAY, day_number, epoch
from wistia_simulator.http.ratelimit import RateLimiter
from wistia_simulator.listings import Window, horizon
from wistia_simulator.main import Serving, build
from wistia_simulator.outlines import _delay, between
from wistia_simulator.sessions import key_text

TODAY = day_number(NOW.date())


def test_a_cache_drops_what_was_used_least_lately_beyond_its_limit():
    """A value counts its length, and one for itself."""
    cache, made = BoundedCache(12), []

    def get_(key, length=3):
        return cache.get(key, lambda: made.append(key) or "x" * length)

    for key in "abc":
        assert get_(key) == "xxx"
    get_("a")
    assert made == ["a", "b", "c"]
    get_("d")
    assert made == ["a", "b", "c", "d"]
    for key in "acd":
        get_(key)
    assert made == ["a", "b", "c", "d"]
    get_("b")
    assert made[4:] == ["b"]
    assert get_("whole", 50) == "x" * 50  # one value is kept, however long
    get_("whole", 50)
    assert made[5:] == ["whole"]


@pytest.mark.parametrize(
    ("fixed", "at", "waits"),
    [
        (False, [1000, 1010, 1030, 1059.5, 1060, 1061, 1070], [None, None, 30, 1, None, 9, None]),
        (True, [1000, 1010, 1015, 1019.5, 1020, 1020, 1079], [None, None, 5, 1, None, None, 1]),
    ],
)
def test_a_limit_of_two_a_minute(fixed, at, waits):
    seconds = iter(at)
    limiter = RateLimiter(2, lambda: next(seconds), fixed=fixed)
    assert [limiter.admit() for _ in at] == waits


def test_no_limit_lets_everything_through():
    assert [RateLimiter(None, lambda: 0.0).admit() for _ in range(3)] == [None] * 3
    assert RateLimiter(0, lambda: 1000.0).admit() == 60


@pytest.mark.parametrize(
    ("now", "oldest"),
    [((2026, 11, 20), (2024, 11, 20)), ((2028, 2, 29), (2026, 2, 28)), ((2028, 2, 28), (2026, 2, 28)),
     ((2027, 1, 29), (2025, 1, 29))],
)  # fmt: skip
def test_events_are_kept_for_two_years(now, oldest):
    assert horizon(epoch(datetime(*now, 23, tzinfo=UTC))) == day_number(date(*oldest))


@pytest.mark.parametrize("start", range(8))
@pytest.mark.parametrize("length", range(1, 8))
def test_a_slice_of_a_list_computes_the_days_that_it_needs(start, length):
    rows = {1: "ab", 2: "", 3: "cde", 4: "f"}
    computed = []
    window = Window(
        range(1, 5), lambda day: computed.append(day) or list(rows[day]), lambda day: len(rows[day])
    )
    stop = start + length
    assert "".join(window.slice(start, stop)) == "fcdeab"[start:stop]
    ends = {4: (0, 1), 3: (1, 4), 1: (4, 6)}
    assert [day for day in computed if rows[day]] == [
        day for day, (first, last) in ends.items() if first < stop and last > start
    ]
    assert list(window) == list("fcdeab")


def test_between_is_from_the_first_up_to_the_last():
    assert [between([1, 3, 3, 5], *span) for span in ((1, 5), (3, 4), (4, 4), (0, 9))] == [3, 2, 0, 4]


@pytest.mark.parametrize(
    ("draw", "seconds"),
    [(0.0004, -600), (0.0005, 20), (0.5, 29), (0.99, 381), (1.0, 47_439)],
)
def test_a_page_is_loaded_a_moment_or_hours_before_its_session_or_by_a_clock_that_is_wrong(draw, seconds):
    assert _delay(draw) == seconds


def test_keys_have_their_form():
    assert (
        key_text(1_733_874_123, 1) == f"1733874_{'0' * 8}-0000-0000-0000-{'0' * 12}-{'0' * 9}-{'0' * 12}-0001"
    )
    assert len({key_text(1_733_874_123, 1 << n) for n in range(228)}) == 228
    assert key_text(1, 1 << 228) == key_text(999, 0)


# flaws


def flawed(**profile):
    subject = world(Profile.calm(), sessions_per_day=150.0, flawed=1.0, media=1, **profile)
    return [s for day in range(TODAY - 10, TODAY) for s in subject.sessions.of(0, day) if s.flaw]


def test_a_flaw_lasts_two_days_or_for_ever_from_a_noon_on():
    found = flawed()
    assert len(found) > 40
    assert {s.mends - s.spoils for s in found if s.mends != FOREVER} == {2 * DAY}
    assert 0.3 < sum(s.mends == FOREVER for s in found) / len(found) < 0.7
    assert {s.spoils % DAY for s in found} == {DAY // 2}
    assert {s.spoils // DAY - s.day for s in found} == {1, 2, 3, 4}
    assert {s.flaw for s in found if s.percent == 1.0} == {"above_one"}
    assert {s.flaw for s in found if s.percent < 1.0} == {"no_percent", "no_visitor"}


def test_no_session_has_a_flaw_while_it_still_grows():
    assert flawed(restless=1.0) == [s for s in flawed(restless=1.0) if s.listed + s.grows <= s.spoils]
    growing = flawed(growing=1.0)
    assert any(s.grows for s in growing)
    assert all(s.listed + s.grows <= s.spoils for s in growing)


def test_of_each_day_one_session_in_twenty_five_has_a_flaw_at_most():
    subject = world(Profile.calm(), sessions_per_day=150.0, flawed=1.0, media=1)
    for day in range(TODAY - 9, TODAY):
        sessions = subject.sessions.of(0, day)
        assert sum(bool(s.flaw) for s in sessions) == len(sessions) // 25 > 0


# calls to action


def test_calls_to_action_are_shown_to_a_third_and_taken_by_one_in_forty():
    subject = world(Profile.calm(), actions=True, sessions_per_day=100.0)
    for media in subject.media_ids[:2]:
        stats = get(app_of(subject), f"/modern/stats/medias/{media}")
        (action,) = stats["actions"]
        plays = stats["play_count"]
        assert (action["action_count"], action["impression_count"]) == (plays // 40, plays // 3)
        assert action["rate"] == (plays // 40) / (plays // 3)
    quiet = world(Profile.calm(), actions=True, sessions_per_day=0.0)
    plain = world(Profile.calm(), actions=False)
    for without in (quiet, plain):
        assert "actions" not in get(app_of(without), f"/modern/stats/medias/{without.media_ids[0]}")


def test_the_figures_beside_a_media_are_whole_numbers():
    subject = world(Profile.calm(), sessions_per_day=100.0)
    for media in subject.media_ids:
        figures, truth = (
            get(app_of(subject), f"/v1/medias/{media}/stats")["stats"],
            subject.truth.lifetime(media),
        )
        assert figures == {
            "pageLoads": truth["load_count"],
            "visitors": truth["visitors"],
            "percentOfVisitorsClickingPlay": round(100 * truth["play_rate"]),
            "plays": truth["play_count"],
            "averagePercentWatched": round(100 * truth["engagement"]),
        }
        assert figures["averagePercentWatched"] > 0


@pytest.mark.parametrize(("limit", "statuses"), [(2, [200, 200, 429]), (0, [200, 200, 200])])
def test_a_served_world_has_the_limit_that_it_is_given(limit, statuses):
    app = build(Serving(now=NOW, media=1, sessions_per_day=0.0, rate_limit=limit))
    assert [r.status_code for r in fetch(app, *["/v1/medias"] * 3)] == statuses
