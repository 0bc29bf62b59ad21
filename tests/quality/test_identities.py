"""The identities, each on figures that keep it and on figures that break it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from support.some import some
from wistlake.quality.lifetime import Snapshot
from wistlake.quality.lifetime import judge as judge_lifetime
from wistlake.quality.reconciliation import (
    DEFAULT_BAND,
    EVENTS_AND_PLAYS,
    GROWTH,
    IDENTITIES,
    LEARNING_DAYS,
    MAX_LEARNED_SHARE,
    PLAUSIBLE,
    PLAYED_HOURS,
    SETTLED_COUNTS,
    UNIQUE_KEYS,
    WHOLE_PLAYERS,
    Band,
    DayFigures,
    Judgement,
    Verdict,
    blocked,
    gold_is_silver,
    judge,
    learned_band,
    same_magnitude,
    traffic_and_plays,
    usual,
)

DAY = date(2026, 3, 4)
GOOD = DayFigures("m", DAY, plays=100, events=99, rows=99, misplaced=0, settled=True, loads=300,
                  settled_counts=(300, 100))  # fmt: skip


def verdicts(day: DayFigures) -> dict[str, Judgement]:
    return {j.identity: j for j in judge(day, DEFAULT_BAND)}


def test_a_good_day_keeps_every_identity() -> None:
    assert {j.verdict for j in verdicts(GOOD).values()} == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("identity", "changes", "blocks"),
    [
        (EVENTS_AND_PLAYS, {"events": 94, "rows": 94}, False),
        (EVENTS_AND_PLAYS, {"events": 103, "rows": 103}, False),
        (UNIQUE_KEYS, {"rows": 100}, True),
        (UNIQUE_KEYS, {"misplaced": 1}, True),
        (SETTLED_COUNTS, {"settled_counts": (300, 99)}, False),
        (PLAUSIBLE, {"plays": 99_999}, True),
    ],
)
def test_a_day_that_breaks_one(identity: str, changes: dict[str, object], blocks: bool) -> None:
    found = verdicts(replace(GOOD, **changes))
    assert found[identity].verdict is Verdict.BROKEN
    assert (("m", DAY) in blocked(found.values())) is blocks


@pytest.mark.parametrize(("plays", "events", "holds"), [(100, 95, True), (100, 94, False), (100, 102, True),
                                                        (100, 103, False), (10, 5, True), (10, 4, False),
                                                        (0, 2, True), (0, 3, False)])  # fmt: skip
def test_the_band_at_its_edges(plays: int, events: int, holds: bool) -> None:
    found = verdicts(replace(GOOD, plays=plays, events=events, rows=events))[EVENTS_AND_PLAYS]
    assert (found.verdict is Verdict.HOLDS) is holds
    assert found.lower is not None
    assert found.upper is not None
    assert (found.lower <= events - plays <= found.upper) is holds  # the figures that are kept say the same


@pytest.mark.parametrize("changes", [{"plays": None}, {"settled": False}, {"listed": False}])
def test_what_can_not_be_judged_is_not(changes: dict[str, object]) -> None:
    assert verdicts(replace(GOOD, **changes))[EVENTS_AND_PLAYS].verdict is Verdict.NOT_APPLICABLE


def test_what_wistia_says_twice_is_believed() -> None:
    wild = replace(GOOD, plays=99_999, plays_confirmed=True)
    assert blocked(judge(wild, DEFAULT_BAND)) == set()


PODCAST = [(480 + 7 * n, 5 + n % 3) for n in range(8)]  # plays in apps make no sessions


@pytest.mark.parametrize(
    ("believed", "plays", "events", "holds"),
    [
        (PODCAST, 470, 4, True),
        (PODCAST, 480, 0, True),  # a day without any session
        (PODCAST, 1_900, 19, True),  # a new episode: more of both
        (PODCAST, 4_800, 5, False),
        (PODCAST[:1], 470, 4, True),  # one believed day is enough
        ([(100, 99)] * 20, 480, 5, False),
        ([(100, 99)] * 20 + [(5_000, 5)], 5_000, 5, False),  # one wild day teaches nothing
        ([(0, 0)] * 9, 480, 5, False),
        ([], 480, 5, False),
    ],
)
def test_plausibility_is_learned_from_a_medias_own_believed_days(
    believed: list[tuple[int, int]], plays: int, events: int, holds: bool
) -> None:
    day = replace(GOOD, plays=plays, events=events, rows=events, usual=usual(believed))
    assert (blocked(judge(day, DEFAULT_BAND)) == set()) is holds


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(4_800, 4_810, True), (4_800, 14_000, True), (4_800, 480, False), (480, 4_800, False), (0, 4_800, False),
     (1_000, 3_001, False)],
)  # fmt: skip
def test_a_count_that_moves_is_of_one_magnitude_until_it_has_trebled(
    one: int, other: int, same: bool
) -> None:
    assert same_magnitude(one, other) is same


def test_counts_are_judged_settled_only_when_they_were_read_again() -> None:
    assert verdicts(replace(GOOD, settled_counts=None))[SETTLED_COUNTS].verdict is Verdict.NOT_APPLICABLE
    assert verdicts(GOOD)[SETTLED_COUNTS].verdict is Verdict.HOLDS


def test_a_band_is_learned_from_a_medias_own_days() -> None:
    days = [(100, 88 + n % 3) for n in range(3 * LEARNING_DAYS)]  # always about 11 % fewer
    assert learned_band(days[: LEARNING_DAYS - 1]) == DEFAULT_BAND
    band = learned_band(days)
    assert band.above_share == pytest.approx(0.13)
    assert replace(DEFAULT_BAND, above_share=band.above_share, below_share=band.below_share) == band


def test_one_wild_day_teaches_nothing_and_no_band_accepts_everything() -> None:
    steady = [(100, 99)] * (LEARNING_DAYS + 1)
    assert learned_band([*steady, (100, 1)]).above_share == pytest.approx(0.02)
    assert learned_band([(100, 10)] * 30).above_share == MAX_LEARNED_SHARE
    assert Band() == DEFAULT_BAND


def test_gold_that_differs_in_any_figure_is_not_silver() -> None:
    again = {"sessions": 9, "watch_milliseconds": 100}
    assert gold_is_silver("m", DAY, dict(again), again).verdict is Verdict.HOLDS
    found = gold_is_silver("m", DAY, again | {"watch_milliseconds": 99}, again)
    assert (found.verdict, found.blocking, found.ours, found.theirs) == (Verdict.BROKEN, True, 99, 100)


# lifetime

ZONE = timezone(timedelta(hours=-5))


def snapshot(day: date, plays: int, **changes: object) -> Snapshot:
    duration, engagement = 435.456, 0.435
    made = Snapshot(
        "m", day, datetime(day.year, day.month, day.day, 2, 15, tzinfo=UTC), plays, 200, 37 / 200,
        plays * duration * engagement / 3600, engagement, duration,
    )  # fmt: skip
    return replace(made, **changes)


def lifetime(snapshots: list[Snapshot], plays: dict[date, int] | None = None) -> dict[str, Judgement]:
    counts = {("m", day): n for day, n in (plays or {}).items()}
    return {j.identity: j for j in judge_lifetime(snapshots, counts, ZONE)}


WEEK = {DAY + timedelta(days=n): 100 for n in range(-3, 8)}


def test_lifetime_figures_that_agree() -> None:
    found = lifetime([snapshot(DAY, 5000), snapshot(DAY + timedelta(days=7), 5700)], WEEK)
    assert {i: j.verdict for i, j in found.items()} == dict.fromkeys(
        (PLAYED_HOURS, WHOLE_PLAYERS, GROWTH), Verdict.HOLDS
    )
    assert not any(j.blocking for j in some(found.values()))


@pytest.mark.parametrize(
    ("identity", "last"),
    [
        (PLAYED_HOURS, {"hours_watched": 1.0}),
        (PLAYED_HOURS, {"duration_seconds": 435.5}),
        (WHOLE_PLAYERS, {"play_rate": 0.18501}),
        (GROWTH, {"play_count": 6400}),
        (GROWTH, {"play_count": 5200}),
    ],
)
def test_lifetime_figures_that_break_one(identity: str, last: dict[str, object]) -> None:
    newest = snapshot(DAY + timedelta(days=7), 5700, **last)
    assert lifetime([snapshot(DAY, 5000), newest], WEEK)[identity].verdict is Verdict.BROKEN


# No two sums of these days are the same, so that a day too many or too few is seen.
DOUBLED = {DAY + timedelta(days=n): 2 ** (n + 3) for n in range(-3, 8)}


@pytest.mark.parametrize(
    ("changes", "lately"),
    [
        ({}, 512),  # as many plays may be uncounted as the later day has,
        ({DAY + timedelta(days=6): None}, 256),  # where it is not counted yet: as the busiest day before,
        ({DAY - timedelta(days=1): 3_000}, 3_000),  # also one at the earlier edge
    ],
)
def test_the_band_of_growth_is_that_of_the_whole_days_and_the_plays_at_both_edges(
    changes: dict[date, int | None], lately: int
) -> None:
    """Snapshots on the evenings of March 3 and 10 in the account's zone: six whole days lie between."""
    plays = {day: n for day, n in (DOUBLED | changes).items() if n is not None}
    counted = sum(plays[date(2026, 3, n)] for n in range(4, 10))
    before = plays[date(2026, 3, 2)] + plays[date(2026, 3, 3)]
    older = snapshot(DAY - timedelta(days=1), 1)  # more than a week before the newest
    found = lifetime([snapshot(DAY + timedelta(days=7), 6_000), older, snapshot(DAY, 5_400)], plays)[GROWTH]
    low, high = DEFAULT_BAND.limits(counted)
    assert (found.ours, found.theirs) == (600, counted)
    assert (found.lower, found.upper) == (low - 2 * lately, high + before + lately)


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [(7, None, 5_700), (7, 5_000, None), (1, 5_000, 5_100), (8, 5_000, 5_700)],
)
def test_growth_needs_two_counts_about_a_week_apart(days: int, first: int | None, last: int | None) -> None:
    older = snapshot(DAY, 5_000, play_count=first)
    newest = snapshot(DAY + timedelta(days=days), 5_700, play_count=last)
    assert lifetime([older, newest], WEEK)[GROWTH].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("day", [DAY - timedelta(days=2), DAY - timedelta(days=1)])
def test_growth_needs_the_counts_at_its_earlier_edge(day: date) -> None:
    holed = {d: n for d, n in WEEK.items() if d != day}
    both = [snapshot(DAY, 5000), snapshot(DAY + timedelta(days=7), 5700)]
    assert lifetime(both, holed)[GROWTH].verdict is Verdict.NOT_APPLICABLE
    assert lifetime(both, WEEK)[GROWTH].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("play_rate", "visitors", "expected"),
    [
        (0.1850000025, 200, Verdict.HOLDS),  # rates are served with a rounded last digit
        (0.18500001, 200, Verdict.BROKEN),
        (None, 200, Verdict.NOT_APPLICABLE),
        (0.185, None, Verdict.NOT_APPLICABLE),
    ],
)
def test_people_are_whole_to_a_millionth(
    play_rate: float | None, visitors: int | None, expected: Verdict
) -> None:
    found = lifetime([snapshot(DAY, 5000, play_rate=play_rate, visitors=visitors)])[WHOLE_PLAYERS]
    assert found.verdict is expected


@pytest.mark.parametrize("missing", ["play_count", "engagement", "hours_watched", "duration_seconds"])
def test_hours_need_every_figure(missing: str) -> None:
    found = lifetime([snapshot(DAY, 5000, **{missing: None})])[PLAYED_HOURS]
    assert found.verdict is Verdict.NOT_APPLICABLE


def test_growth_needs_two_snapshots_and_every_day_between() -> None:
    assert lifetime([snapshot(DAY, 5000)], WEEK)[GROWTH].verdict is Verdict.NOT_APPLICABLE
    holed = {day: n for day, n in WEEK.items() if day != DAY + timedelta(days=2)}
    both = [snapshot(DAY, 5000), snapshot(DAY + timedelta(days=7), 9999)]
    assert lifetime(both, holed)[GROWTH].verdict is Verdict.NOT_APPLICABLE


def test_a_media_without_a_duration_has_no_hours_to_judge() -> None:
    assert lifetime([snapshot(DAY, 0, duration_seconds=None)])[PLAYED_HOURS].verdict is Verdict.NOT_APPLICABLE


def test_every_identity_is_described() -> None:
    judged = {*verdicts(GOOD), *lifetime([snapshot(DAY, 1)]), gold_is_silver("m", DAY, {}, {}).identity,
              traffic_and_plays(("m", DAY), [], None).identity}  # fmt: skip
    assert judged == set(IDENTITIES)
