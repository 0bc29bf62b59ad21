"""Days are judged by their own figures, by what is usual for their media, and by what gold has of them already."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Past, is_shrunk
from wistlake.quality.days import doubtful_plays, judge_days
from wistlake.quality.reconciliation import (
    DEFAULT_BAND,
    EVENTS_AND_PLAYS,
    LEARNING_DAYS,
    OF_DAYS,
    PLAUSIBLE,
    SETTLED_COUNTS,
    DayFigures,
    Verdict,
)

DAY = date(2026, 3, 20)
PAIR = ("m1", DAY)
FIGURES = DayFigures(*PAIR, plays=100, events=100, rows=100, misplaced=0, settled=True, loads=300)
SETTLED = Past(*PAIR, loads=300, plays=100, sessions=100, certificate="settled")


def before(days: int, plays: int, sessions: int, certificate: str = "settled") -> Past:
    return Past("m1", DAY - timedelta(days=days), 3 * plays, plays, sessions, certificate)


def verdicts(figures: DayFigures, past: list[Past], at_rest: set[tuple[str, date]]) -> dict[str, Verdict]:
    judged = judge_days([figures], past, at_rest, DEFAULT_BAND)
    return {j.identity: j.verdict for j in judged.judgements}


def test_a_new_day_is_judged_by_every_identity_that_does_not_need_gold() -> None:
    judged = judge_days([FIGURES], [], {PAIR}, DEFAULT_BAND)
    assert {j.identity for j in judged.judgements} == set(OF_DAYS) - {"gold_is_silver"}
    assert judged.standing == {}


def test_a_settled_day_that_has_not_changed_keeps_its_certificate_and_its_verdicts() -> None:
    figures = replace(FIGURES, settled_counts=(300, 100))
    judged = judge_days([figures], [SETTLED], {PAIR}, DEFAULT_BAND)
    assert judged.standing == {PAIR: Certificate.SETTLED}
    assert EVENTS_AND_PLAYS not in {j.identity for j in judged.judgements}
    assert SETTLED_COUNTS in {j.identity for j in judged.judgements}  # it was read again: that is news
    unread = judge_days([FIGURES], [SETTLED], {PAIR}, DEFAULT_BAND)
    assert SETTLED_COUNTS not in {j.identity for j in unread.judgements}


@pytest.mark.parametrize(
    "past",
    [
        replace(SETTLED, loads=299),
        replace(SETTLED, plays=99),
        replace(SETTLED, sessions=99),
        replace(SETTLED, certificate="provisional"),
        replace(SETTLED, media_id="m2"),
    ],
)
def test_a_day_that_has_changed_or_had_not_settled_is_judged_again(past: Past) -> None:
    judged = judge_days([FIGURES], [past], {PAIR}, DEFAULT_BAND)
    assert judged.standing == {}
    assert EVENTS_AND_PLAYS in {j.identity for j in judged.judgements}


def test_a_day_that_is_not_at_rest_keeps_no_certificate() -> None:
    assert judge_days([FIGURES], [SETTLED], set(), DEFAULT_BAND).standing == {}


def test_the_band_is_learned_from_settled_days_of_the_same_media_before_the_day() -> None:
    """A media of which every tenth play makes no session."""
    tenth = replace(FIGURES, events=90, rows=90)
    past = [before(n, plays=100, sessions=90) for n in range(1, LEARNING_DAYS + 1)]
    assert verdicts(tenth, [], set())[EVENTS_AND_PLAYS] is Verdict.BROKEN
    assert verdicts(tenth, past, set())[EVENTS_AND_PLAYS] is Verdict.HOLDS
    assert verdicts(tenth, past[1:], set())[EVENTS_AND_PLAYS] is Verdict.BROKEN
    for other in (
        [replace(p, certificate="provisional") for p in past],
        [replace(p, media_id="m2") for p in past],
        [replace(p, date=DAY + timedelta(days=n)) for n, p in enumerate(past)],
        [replace(p, date=p.date - timedelta(days=28)) for p in past],
    ):
        assert verdicts(tenth, other, set())[EVENTS_AND_PLAYS] is Verdict.BROKEN


def test_plays_far_above_sessions_are_doubtful_until_a_second_reading_confirms_them() -> None:
    wild = replace(FIGURES, plays=5_000)
    assert doubtful_plays([wild, FIGURES], []) == {PAIR: 5_000}
    assert doubtful_plays([replace(wild, plays_confirmed=True)], []) == {}
    assert doubtful_plays([replace(wild, plays=None)], []) == {}
    assert verdicts(wild, [], set())[PLAUSIBLE] is Verdict.BROKEN
    assert verdicts(replace(wild, plays_confirmed=True), [], set())[PLAUSIBLE] is Verdict.HOLDS


def test_plays_far_above_sessions_are_usual_for_some_media() -> None:
    """Podcast apps play without sessions."""
    wild = replace(FIGURES, plays=5_000)
    past = [before(n, plays=4_000, sessions=80) for n in range(1, 4)]
    assert doubtful_plays([wild], past) == {}
    assert doubtful_plays([wild], [replace(p, media_id="m2") for p in past]) == {PAIR: 5_000}
    confirmed = replace(wild, date=DAY - timedelta(days=1), plays_confirmed=True)
    assert doubtful_plays([wild, confirmed], []) == {}
    assert verdicts(wild, past, set())[PLAUSIBLE] is Verdict.HOLDS


@pytest.mark.parametrize(
    ("rows", "lost", "shrunk"),
    [(100, 21, True), (100, 20, False), (105, 21, False), (21, 21, True), (0, 0, False)],
)
def test_a_day_shrinks_if_it_loses_more_than_a_fifth_and_more_than_twenty(
    rows: int, lost: int, shrunk: bool
) -> None:
    assert is_shrunk(rows, lost) is shrunk
