"""Judging the days of a build: each by its own figures, and by what is usual for its media. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import PAST_DAYS, Past, by_media
from wistlake.quality.reconciliation import (
    EVENTS_AND_PLAYS,
    SETTLED_COUNTS,
    Band,
    DayFigures,
    Judgement,
    Pair,
    Usual,
    Verdict,
    judge,
    learned_band,
    max_plausible_plays,
    usual,
)

_SETTLED = (str(Certificate.SETTLED), str(Certificate.CERTIFIED))


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on some days, and the certificates of those that have not changed since they settled: they
    keep their certificate, whatever has been learned of other days."""

    judgements: tuple[Judgement, ...]
    standing: Mapping[Pair, Certificate]


def is_settled(past: Past) -> bool:
    """Whether gold has the day as settled."""
    return past.certificate in _SETTLED


def judge_days(
    figures: Sequence[DayFigures], past: Collection[Past], at_rest: Collection[Pair], default: Band
) -> Judged:
    """Every identity of the days that does not need gold. `past` are days of the same media in gold, `at_rest` the
    pairs that are past the lookback and confirmed."""
    before = {(p.media_id, p.date): p for p in past}
    standing = {
        f.pair: Certificate(p.certificate)
        for f in figures
        if (p := before.get(f.pair)) and f.pair in at_rest and _is_unchanged(f, p)
    }
    history = by_media(past)
    usuals = _usual(history, figures)
    judgements = tuple(
        judgement
        for f in figures
        for judgement in judge(
            replace(f, usual=usuals.get(f.media_id)), _band(history.get(f.media_id, ()), f.date, default)
        )
        if f.pair not in standing or not _is_repeated(judgement)
    )
    return Judged(judgements, standing)


def doubtful_plays(figures: Sequence[DayFigures], past: Iterable[Past]) -> dict[Pair, int]:
    """Plays that are unusual for their media and that no second reading has confirmed."""
    usuals = _usual(by_media(past), figures)
    return {
        f.pair: f.plays
        for f in figures
        if f.plays
        and not f.plays_confirmed
        and f.plays > max_plausible_plays(f.events, usuals.get(f.media_id))
    }


def _is_unchanged(day: DayFigures, before: Past) -> bool:
    """Whether the day is what it was when it settled."""
    same = (before.loads, before.plays, before.sessions) == (day.loads, day.plays, day.rows)
    return is_settled(before) and same


def _is_repeated(judgement: Judgement) -> bool:
    """Whether a verdict on a day that keeps its certificate adds nothing to the last one."""
    if judgement.identity == SETTLED_COUNTS:
        return judgement.verdict is Verdict.NOT_APPLICABLE
    return judgement.identity == EVENTS_AND_PLAYS


def _usual(past: Mapping[str, Sequence[Past]], figures: Iterable[DayFigures]) -> dict[str, Usual | None]:
    """What is usual for each media: on its days in gold, and on those of which two readings agree."""
    days = {media: [(p.plays, p.sessions) for p in of_media if p.plays] for media, of_media in past.items()}
    for f in figures:
        if f.plays_confirmed and f.plays:
            days.setdefault(f.media_id, []).append((f.plays, f.events))
    return {media: usual(of_media) for media, of_media in days.items()}


def _band(past: Iterable[Past], day: date, default: Band) -> Band:
    """The band of a day, from the settled days of its media before it."""
    settled = (
        (p.plays, p.sessions)
        for p in past
        if is_settled(p) and p.plays is not None and 0 < (day - p.date).days <= PAST_DAYS
    )
    return learned_band(settled, default)
