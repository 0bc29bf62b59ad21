"""The identities that hold between a day's numbers and the source's own totals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median

Pair = tuple[str, date]  # media and day


class Verdict(StrEnum):
    """The result of a check."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Band:
    """How far events may differ from plays: by a share of the plays, but at least by a count."""

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
LEARNING_DAYS = 14  # settled days of a media before its own band replaces the default
MAX_LEARNED_SHARE = 0.2  # a learned band never accepts a larger share
_MARGIN = 0.01


def learned_band(days: Iterable[tuple[int, int]], default: Band = DEFAULT_BAND) -> Band:
    """The band of one media from the (plays, events) of its settled days: the range of all but the outermost of
    them, and a small margin. Some media have viewers that are never listed; others none.

    The default with fewer than `LEARNING_DAYS`; the least counts are always the default's.
    """
    shares = sorted((plays - events) / plays for plays, events in days if plays > 0)
    if len(shares) < LEARNING_DAYS:
        return default
    outermost = len(shares) // LEARNING_DAYS
    low, high = shares[outermost], shares[-1 - outermost]
    return Band(
        below_share=min(MAX_LEARNED_SHARE, max(_MARGIN, _MARGIN - low)),
        below_least=default.below_least,
        above_share=min(MAX_LEARNED_SHARE, max(_MARGIN, high + _MARGIN)),
        above_least=default.above_least,
    )


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One (media, local day), counted two ways. None where a side has no value.

    `events` are distinct keys in silver, `rows` the rows they have there, `misplaced` rows whose day is not
    their partition's. `listed` tells whether the day's sessions could be listed at all. `settled_counts` are
    the (loads, plays) with which the day was settled before, None if it was not, or was not read again.
    `plays_confirmed`: Wistia reported plays of this magnitude in more than one observation. `usual` describes the
    media's other days.
    """

    media_id: str
    date: date
    plays: int | None
    events: int
    rows: int
    misplaced: int
    settled: bool
    listed: bool = True
    loads: int | None = None
    settled_counts: tuple[int | None, int | None] | None = None
    plays_confirmed: bool = False
    usual: "Usual | None" = None

    @property
    def pair(self) -> Pair:
        """Media and day."""
        return self.media_id, self.date


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


PLAYED_HOURS = "lifetime_hours"
WHOLE_PLAYERS = "lifetime_players"
GROWTH = "lifetime_growth"
EVENTS_AND_PLAYS = "events_and_plays"
UNIQUE_KEYS = "unique_event_keys"
SETTLED_COUNTS = "settled_counts_stay"
GOLD_IS_SILVER = "gold_is_silver"
PLAUSIBLE = "plausible_plays"
TRAFFIC_AND_PLAYS = "traffic_and_plays"

IDENTITIES: Mapping[str, str] = {
    PLAYED_HOURS: "Lifetime hours x 3600 = plays x duration x engagement.",
    WHOLE_PLAYERS: "Lifetime play rate x visitors is a whole number of people.",
    GROWTH: "Lifetime plays grew by the daily counts of the days between two snapshots.",
    EVENTS_AND_PLAYS: "Distinct sessions against Wistia's plays of a settled day.",
    UNIQUE_KEYS: "As many session keys as rows, none outside its partition's day.",
    SETTLED_COUNTS: "Wistia's counts of a settled day don't change any more.",
    GOLD_IS_SILVER: "Gold, counted anew from silver, is gold.",
    PLAUSIBLE: "Plays that sessions contradict by an order of magnitude are not believed at once.",
    TRAFFIC_AND_PLAYS: "The plays of each breakdown of Wistia's analytics against its plays of the day, less bots.",
}


OF_DAYS: Mapping[str, bool] = {  # of a day of gold, and whether it blocks
    EVENTS_AND_PLAYS: False,
    UNIQUE_KEYS: True,
    SETTLED_COUNTS: False,
    PLAUSIBLE: True,
    GOLD_IS_SILVER: True,
}


def judge(day: DayFigures, band: Band) -> tuple[Judgement, ...]:
    """Every identity of one day that does not need gold."""
    return (_events_and_plays(day, band), _unique_keys(day), _settled_counts(day), _plausible(day))


def blocked(judgements: Iterable[Judgement]) -> set[Pair]:
    """The (media, day) pairs that must stay out of gold."""
    return {(j.media_id, j.date) for j in judgements if j.blocking and j.verdict is Verdict.BROKEN}


def judgement(
    identity: str,
    scope: Pair,
    ours: float | None,
    theirs: float | None,
    band: tuple[float, float | None] = (0.0, 0.0),
    *,
    holds: bool,
) -> Judgement:
    """The judgement on a (media, day); whether a broken identity blocks the day is declared in `OF_DAYS`."""
    verdict = Verdict.HOLDS if holds else Verdict.BROKEN
    return Judgement(identity, *scope, verdict, OF_DAYS.get(identity, False), ours, theirs, *band)


def not_applicable(identity: str, scope: Pair) -> Judgement:
    """The judgement where a figure is missing."""
    return Judgement(identity, *scope, Verdict.NOT_APPLICABLE, OF_DAYS.get(identity, False))


def _events_and_plays(day: DayFigures, band: Band) -> Judgement:
    """Identity 4: distinct events against by_date plays, on settled days."""
    if day.plays is None or not day.settled or not day.listed:
        return not_applicable(EVENTS_AND_PLAYS, day.pair)
    lower, upper = band.limits(day.plays)
    ours, theirs = float(day.events), float(day.plays)
    holds = lower <= theirs - ours <= upper
    return judgement(EVENTS_AND_PLAYS, day.pair, ours, theirs, (-upper, -lower), holds=holds)


IMPLAUSIBLE_FACTOR, IMPLAUSIBLE_MARGIN = 10, 200  # plays that exceed the sessions by more than both
USUAL_FACTOR = 3  # how far a day may differ from what is usual for its media
SAME_MAGNITUDE = 3  # two readings of a count agree if neither is more than so many times the other


@dataclass(frozen=True, slots=True)
class Usual:
    """The accepted days of a media whose plays always far exceed its sessions, because podcast apps play it without
    one. `ratio` is plays per session."""

    ratio: float
    plays: float


def usual(days: Iterable[tuple[int, int]]) -> Usual | None:
    """Learned from the (plays, sessions) of a media's accepted days; None if the media is like most."""
    played = [(plays, sessions) for plays, sessions in days if plays > 0]
    if not played:
        return None
    ratio = median(plays / max(1, sessions) for plays, sessions in played)
    if USUAL_FACTOR * ratio <= IMPLAUSIBLE_FACTOR:
        return None
    return Usual(ratio, median(plays for plays, _ in played))


def max_plausible_plays(events: int, usual: Usual | None) -> float:
    """The plays beyond which a day with so many sessions needs a confirmation."""
    most = float(max(IMPLAUSIBLE_FACTOR * events, events + IMPLAUSIBLE_MARGIN))
    if usual is None:
        return most
    return max(most, USUAL_FACTOR * usual.ratio * events, USUAL_FACTOR * usual.plays)


def same_magnitude(one: int, other: int) -> bool:
    """Whether two readings of a count agree on its magnitude, though the count still changes."""
    return max(one, other) <= SAME_MAGNITUDE * min(one, other)


def _plausible(day: DayFigures) -> Judgement:
    """Ten times more plays than sessions are an error, unless Wistia reports them twice or they are usual for the
    media."""
    if day.plays is None or not day.listed:
        return not_applicable(PLAUSIBLE, day.pair)
    most = max_plausible_plays(day.events, day.usual)
    ours, theirs, band = float(day.events), float(day.plays), (day.events - most, None)
    return judgement(PLAUSIBLE, day.pair, ours, theirs, band, holds=day.plays_confirmed or day.plays <= most)


def _unique_keys(day: DayFigures) -> Judgement:
    """Identity 5: as many keys as rows, none outside its partition's day."""
    holds = day.rows == day.events and day.misplaced == 0
    return judgement(UNIQUE_KEYS, day.pair, float(day.rows + day.misplaced), float(day.events), holds=holds)


def _settled_counts(day: DayFigures) -> Judgement:
    """Identity 6: the source's counts of a settled day, read again, are what they were."""
    if day.settled_counts is None or day.plays is None:
        return not_applicable(SETTLED_COUNTS, day.pair)
    loads, plays = day.settled_counts
    holds = (loads, plays) == (day.loads, day.plays)
    return judgement(SETTLED_COUNTS, day.pair, float(plays or 0), float(day.plays), holds=holds)


MOST_LISTED = 100  # values of a breakdown that Wistia lists
BOTS_SHARE, BOTS_LEAST = 0.5, 5.0  # of a day's plays, that a bot filter may leave out
MORE_SHARE, MORE_LEAST = 0.05, 3.0  # that a later reading may have more


def traffic_and_plays(day: Pair, listed: Iterable[tuple[int, bool]], plays: int | None) -> Judgement:
    """The plays of a day's breakdowns, each with whether it may have been cut off, against the day's plays. The one
    that differs most is told. It stops nothing: the two figures are made by different services."""
    if plays is None:
        return not_applicable(TRAFFIC_AND_PLAYS, day)
    lower, upper = -max(BOTS_LEAST, BOTS_SHARE * plays), max(MORE_LEAST, MORE_SHARE * plays)
    whole = [ours for ours, is_cut in listed if not (is_cut and ours < plays)]
    if not whole:
        return not_applicable(TRAFFIC_AND_PLAYS, day)
    ours = max(whole, key=lambda n: abs(n - plays))
    holds = all(lower <= n - plays <= upper for n in whole)
    return judgement(TRAFFIC_AND_PLAYS, day, float(ours), float(plays), (lower, upper), holds=holds)


def gold_is_silver(
    media_id: str, day: date, gold: Mapping[str, int | None], again: Mapping[str, int | None]
) -> Judgement:
    """Identity 7: figures of the staged gold against the same figures counted anew from silver. `ours` and `theirs`
    are those of the first figure that differs, else the sessions."""
    differs = [name for name in again if gold.get(name) != again[name]]
    shown = differs[0] if differs else "sessions"
    ours, theirs = (None if n is None else float(n) for n in (gold.get(shown, 0), again.get(shown, 0)))
    return judgement(GOLD_IS_SILVER, (media_id, day), ours, theirs, holds=not differs)
