"""The identities that every day's numbers must keep with the source's own totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """What came out of a check."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Band:
    """How far events may lie from plays: a share of plays, but at least so many."""

    below_share: float = 0.02
    below_least: float = 2
    above_share: float = 0.05
    above_least: float = 5

    def limits(self, plays: int) -> tuple[float, float]:
        """Smallest and largest allowed value of plays minus events."""
        return (
            -max(float(self.below_least), self.below_share * plays),
            max(float(self.above_least), self.above_share * plays),
        )


DEFAULT_BAND = Band()


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One (media, local day), counted two ways. None where a side has not spoken.

    `events` are distinct keys in silver, `rows` the rows they have there, `misplaced` rows whose day is
    not their partition's; `gold_sessions` what the staged gold says.
    """

    media_id: str
    date: date
    plays: int | None
    events: int
    rows: int
    misplaced: int
    gold_sessions: int | None
    settled: bool
    unchanged_since_settled: bool | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One identity on one (media, local day). `ours - theirs` must lie between `lower` and `upper`."""

    identity: str
    media_id: str
    date: date
    verdict: Verdict
    blocking: bool
    ours: float | None = None
    theirs: float | None = None
    lower: float | None = None
    upper: float | None = None


EVENTS_AND_PLAYS = "events_and_plays"
UNIQUE_KEYS = "unique_event_keys"
SETTLED_COUNTS = "settled_counts_stay"
GOLD_IS_SILVER = "gold_is_silver"


def judge(day: DayFigures, band: Band) -> tuple[Judgement, ...]:
    """Every daily identity on one day."""
    return (
        _events_and_plays(day, band),
        _unique_keys(day),
        _settled_counts(day),
        _gold_is_silver(day),
    )


def blocked(judgements: Iterable[Judgement]) -> set[tuple[str, date]]:
    """The (media, day) pairs that must stay out of gold."""
    return {(j.media_id, j.date) for j in judgements if j.blocking and j.verdict is Verdict.BROKEN}


def _verdict(*, holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.BROKEN


def _events_and_plays(day: DayFigures, band: Band) -> Judgement:
    """Identity 4: distinct events against by_date plays, on settled days."""
    if day.plays is None or not day.settled:
        return Judgement(EVENTS_AND_PLAYS, day.media_id, day.date, Verdict.NOT_APPLICABLE, blocking=False)
    lower, upper = band.limits(day.plays)
    difference = day.plays - day.events
    return Judgement(
        EVENTS_AND_PLAYS,
        day.media_id,
        day.date,
        _verdict(holds=lower <= difference <= upper),
        blocking=False,
        ours=float(day.events),
        theirs=float(day.plays),
        lower=-upper,
        upper=-lower,
    )


def _unique_keys(day: DayFigures) -> Judgement:
    """Identity 5: as many keys as rows, none outside its partition's day."""
    return Judgement(
        UNIQUE_KEYS,
        day.media_id,
        day.date,
        _verdict(holds=day.rows == day.events and day.misplaced == 0),
        blocking=True,
        ours=float(day.rows + day.misplaced),
        theirs=float(day.events),
        lower=0.0,
        upper=0.0,
    )


def _settled_counts(day: DayFigures) -> Judgement:
    """Identity 6: the source's counts of a settled day don't move any more."""
    known = day.unchanged_since_settled
    verdict = Verdict.NOT_APPLICABLE if known is None else _verdict(holds=known)
    return Judgement(SETTLED_COUNTS, day.media_id, day.date, verdict, blocking=False)


def _gold_is_silver(day: DayFigures) -> Judgement:
    """Identity 7: gold re-added from silver equals gold."""
    return Judgement(
        GOLD_IS_SILVER,
        day.media_id,
        day.date,
        _verdict(holds=day.gold_sessions == day.rows),
        blocking=True,
        ours=float(day.gold_sessions or 0),
        theirs=float(day.rows),
        lower=0.0,
        upper=0.0,
    )
