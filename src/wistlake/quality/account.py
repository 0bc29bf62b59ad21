"""The account's own totals beside those of the followed media: their share, and what contradicts it. Pure.

Readers have the account's totals as `ops.account`, a run's request for the days of its media; the sums of the media are
those of published gold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

# Both sides are counts by day of one source: they differ only where one of them was read before the day moved.
BAND_SHARE, BAND_LEAST = 0.02, 2
REST_DAYS = 2  # Wistia adds to a day for hours after its end, and the two sides are read minutes apart
_NAMED = 3  # days that a sentence names
DEFINITION = "What the followed media have / what Wistia counts of the whole account, on days that both have."

# Of each day: the account's figures, those of the followed media and of media that are followed no longer, and how many
# followed media have none. A figure that is newer than the account's is none: the two would be of different moments.
# What is asked of the ledger stands by itself: where the ledger can't be joined with tables, its answer is short.
DAYS = """
WITH account AS (
  SELECT date, loads, plays, observed_at, follows_all, reason FROM ops.account
), media AS (
  SELECT media_id, retired_at IS NULL AS followed FROM ops.media
), of_other_moments AS (
  SELECT i.media_id, i.day FROM ops.account a
  JOIN ops.intervals i ON i.dataset = 'media_by_date' AND i.day = a.date
  WHERE a.observed_at IS NOT NULL AND NOT coalesce(i.state = 'published' AND i.observed_at <= a.observed_at, FALSE)
), current_figures AS (
  SELECT g.media_id, g.date, g.loads, g.plays, m.followed
  FROM account a
  JOIN gold.fact_media_daily g ON g.date = a.date
  JOIN media m ON m.media_id = g.media_id
  LEFT JOIN of_other_moments o ON o.media_id = g.media_id AND o.day = g.date
  WHERE o.media_id IS NULL AND a.observed_at IS NOT NULL AND g.loads IS NOT NULL AND g.plays IS NOT NULL
), sums AS (
  SELECT date, followed, sum(loads) AS loads, sum(plays) AS plays FROM current_figures GROUP BY date, followed
), lacking AS (
  SELECT a.date, count(*) AS media
  FROM account a
  JOIN media m ON m.followed
  LEFT JOIN silver.dim_media d ON d.media_id = m.media_id
  LEFT JOIN current_figures c ON c.media_id = m.media_id AND c.date = a.date
  WHERE c.media_id IS NULL AND (d.created_at IS NULL OR CAST(d.created_at AS DATE) <= a.date)
  GROUP BY a.date
)
SELECT a.date, a.loads AS account_loads, a.plays AS account_plays, a.observed_at, a.follows_all, a.reason,
  CAST(coalesce(s.loads, 0) AS BIGINT) AS loads, CAST(coalesce(s.plays, 0) AS BIGINT) AS plays,
  CAST(coalesce(f.loads, 0) AS BIGINT) AS former_loads, CAST(coalesce(f.plays, 0) AS BIGINT) AS former_plays,
  CAST(coalesce(l.media, 0) AS BIGINT) AS lacking
FROM account a
LEFT JOIN sums s ON s.date = a.date AND s.followed
LEFT JOIN sums f ON f.date = a.date AND NOT f.followed
LEFT JOIN lacking l ON l.date = a.date
ORDER BY a.date
"""


class Standing(StrEnum):
    """What a day's figures say."""

    AGREES = "agrees"
    MORE = "more than the account"
    LESS = "less than the account"
    YOUNG = "may still change"
    PARTIAL = "not all media read"
    UNAVAILABLE = "not available"


@dataclass(frozen=True, slots=True)
class TiedDay:
    """One day as `DAYS` has it."""

    date: date
    account_loads: int | None
    account_plays: int | None
    loads: int
    plays: int
    former_loads: int = 0
    former_plays: int = 0
    lacking: int = 0
    follows_all: bool = False
    observed_at: datetime | None = None
    reason: str = ""

    @property
    def standing(self) -> Standing:
        """Whether the followed media have more than the whole account, or less although they are all of it."""
        if (
            self.reason
            or self.account_loads is None
            or self.account_plays is None
            or self.observed_at is None
        ):
            return Standing.UNAVAILABLE
        if self.observed_at.date() - self.date <= timedelta(days=REST_DAYS):
            return Standing.PARTIAL if self.lacking else Standing.YOUNG
        return self._judged(self.account_loads, self.account_plays)

    def _judged(self, loads: int, plays: int) -> Standing:
        # The account may count media that are followed no longer, deleted ones for example, or may not.
        pairs = ((self.loads, self.former_loads, loads), (self.plays, self.former_plays, plays))
        if any(ours - theirs > _room(theirs) for ours, _, theirs in pairs):
            return Standing.MORE
        if self.lacking:
            return Standing.PARTIAL
        if self.follows_all and any(theirs - ours - former > _room(theirs) for ours, former, theirs in pairs):
            return Standing.LESS
        return Standing.AGREES


def _room(total: int) -> float:
    """How far the media may be from the account's total."""
    return max(BAND_LEAST, BAND_SHARE * total)


def tied(rows: Iterable[Mapping[str, Any]]) -> list[TiedDay]:
    """The days in the answer to `DAYS`."""
    return [TiedDay(**row) for row in rows]


def share(ours: Iterable[int], theirs: Iterable[int | None]) -> float | None:
    """Ratio of sums; None of nothing."""
    below = sum(n or 0 for n in theirs)
    return sum(ours) / below if below else None


def sentences(days: Sequence[TiedDay]) -> list[str]:
    """The share of the account that the followed media make up over these days, and what contradicts it."""
    by_standing = {s: [d for d in days if d.standing is s] for s in Standing}
    absent, partial = by_standing[Standing.UNAVAILABLE], by_standing[Standing.PARTIAL]
    compared = [d for d in days if d not in absent and d not in partial]
    if not compared:
        return [f"The account's own totals are not available{_reason(absent)}.", *_partial(partial)]
    plays = share((d.plays for d in compared), (d.account_plays for d in compared))
    loads = share((d.loads for d in compared), (d.account_loads for d in compared))
    shares = f"{_percent(plays)} of the account's plays and {_percent(loads)} of its loads"
    return [
        f"The followed media are {shares}, over {_days(compared)}.",
        *_contradictions(by_standing),
        *_partial(partial),
        *([f"The account's totals of {_days(absent)} are not available{_reason(absent)}."] if absent else []),
    ]


def _contradictions(by_standing: Mapping[Standing, Sequence[TiedDay]]) -> list[str]:
    more, less, agrees = (by_standing[s] for s in (Standing.MORE, Standing.LESS, Standing.AGREES))
    lines = []
    if more:
        lines.append(f"More than the whole account on {_named(more)}: something is counted twice.")
    if less:
        lines.append(
            f"Less than the account on {_named(less)}, though all is followed: something is missing."
        )
    if agrees and not lines:
        lines.append(_together(agrees))
    return lines


def _together(days: Sequence[TiedDay]) -> str:
    """What days say that agree one by one: what is too small for a day's band may be too much for that of them all."""
    match _added(days).standing:
        case Standing.MORE:
            return f"Together, {_days(days)} have more than the whole account: something is counted twice."
        case Standing.LESS:
            return f"Together, {_days(days)} have less than the account, though all is followed: something is missing."
    return f"Nothing followed is missing or counted twice on {_days(days)} that are at rest."


def _added(days: Sequence[TiedDay]) -> TiedDay:
    """Several days as one."""
    last = days[-1]
    return TiedDay(
        last.date,
        sum(d.account_loads or 0 for d in days),
        sum(d.account_plays or 0 for d in days),
        sum(d.loads for d in days),
        sum(d.plays for d in days),
        sum(d.former_loads for d in days),
        sum(d.former_plays for d in days),
        follows_all=all(d.follows_all for d in days),
        observed_at=last.observed_at,
    )


def _partial(days: Sequence[TiedDay]) -> list[str]:
    return (
        [f"On {_named(days)} a followed media has no current figures: these days are left out."]
        if days
        else []
    )


def _reason(days: Sequence[TiedDay]) -> str:
    return f" ({days[-1].reason})" if days and days[-1].reason else ""


def _named(days: Sequence[TiedDay]) -> str:
    more = f" and {len(days) - _NAMED} more" if len(days) > _NAMED else ""
    return ", ".join(d.date.isoformat() for d in days[-_NAMED:]) + more


def _days(days: Sequence[TiedDay]) -> str:
    return "1 day" if len(days) == 1 else f"{len(days)} days"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.1f} %"
