"""The identities of Wistia's lifetime figures: with themselves, and with its daily counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from wistlake.quality.reconciliation import (
    DEFAULT_BAND,
    GROWTH,
    PLAYED_HOURS,
    WHOLE_PLAYERS,
    Judgement,
    Pair,
    judgement,
    not_applicable,
)

EXACT = 1e-6
SPAN_DAYS = 7  # growth is judged over about a week, so that the partial days at its edges weigh less


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Lifetime figures of a media as of `snapshot_date` (UTC day), read at `observed_at`."""

    media_id: str
    snapshot_date: date
    observed_at: datetime
    play_count: int | None
    visitors: int | None
    play_rate: float | None
    hours_watched: float | None
    engagement: float | None
    duration_seconds: float | None

    @property
    def pair(self) -> Pair:
        """Media and day."""
        return self.media_id, self.snapshot_date


def judge(
    snapshots: Iterable[Snapshot], plays: Mapping[tuple[str, date], int], tz: tzinfo
) -> tuple[Judgement, ...]:
    """Identities 1 to 3 on the newest snapshot of each media. `plays` are Wistia's daily counts (local days)."""
    by_media: dict[str, list[Snapshot]] = {}
    for s in sorted(snapshots, key=lambda s: (s.media_id, s.snapshot_date)):
        by_media.setdefault(s.media_id, []).append(s)
    judgements: list[Judgement] = []
    for of_media in by_media.values():
        last = of_media[-1]
        judgements += _played_hours(last), _whole_players(last), _growth(of_media, plays, tz)
    return tuple(judgements)


def _judged(identity: str, s: Snapshot, ours: float, theirs: float, lower: float, upper: float) -> Judgement:
    holds = lower <= ours - theirs <= upper
    return judgement(identity, s.pair, ours, theirs, (lower, upper), holds=holds)


def _played_hours(s: Snapshot) -> Judgement:
    """Identity 1. Not applicable without a duration (images, or none yet)."""
    plays, engagement, hours = s.play_count, s.engagement, s.hours_watched
    if plays is None or engagement is None or hours is None or not s.duration_seconds:
        return not_applicable(PLAYED_HOURS, s.pair)
    ours, theirs = plays * s.duration_seconds * engagement, hours * 3600
    room = EXACT * max(abs(ours), abs(theirs), 1.0)
    return _judged(PLAYED_HOURS, s, ours, theirs, -room, room)


def _whole_players(s: Snapshot) -> Judgement:
    """Identity 2."""
    if s.play_rate is None or s.visitors is None:
        return not_applicable(WHOLE_PLAYERS, s.pair)
    players = s.play_rate * s.visitors
    room = EXACT * max(1.0, players * EXACT)
    return _judged(WHOLE_PLAYERS, s, players, float(round(players)), -room, room)


def _growth(of_media: Sequence[Snapshot], plays: Mapping[tuple[str, date], int], tz: tzinfo) -> Judgement:
    """Identity 3, from the earliest snapshot within `SPAN_DAYS`. Both moments lie inside a day: the band is wide
    enough for plays of the days at the edges, and of the day before, which may have been counted late."""
    last = of_media[-1]
    earliest = last.snapshot_date - timedelta(days=SPAN_DAYS)
    first = next((s for s in of_media if s.snapshot_date >= earliest), last)
    if first is last or first.play_count is None or last.play_count is None:
        return not_applicable(GROWTH, last.pair)
    begins, ends = (s.observed_at.astimezone(tz).date() for s in (first, last))
    between = (begins + timedelta(days=n) for n in range(1, (ends - begins).days))
    inside = [plays.get((last.media_id, d)) for d in between]
    edges = [plays.get((last.media_id, d)) for d in (begins - timedelta(days=1), begins)]
    if None in inside or None in edges or not inside:
        return not_applicable(GROWTH, last.pair)
    sure = sum(p for p in inside if p is not None)
    before = sum(p for p in edges if p is not None)
    after = plays.get((last.media_id, ends))
    grown = last.play_count - first.play_count
    # Plays that are not counted yet at the later moment: as many as on its own day, or on the busiest day before.
    lately = max((p for p in (*inside, *edges, after) if p is not None), default=0)
    low, high = DEFAULT_BAND.limits(sure)
    return _judged(GROWTH, last, float(grown), float(sure), low - 2 * lately, high + before + lately)
