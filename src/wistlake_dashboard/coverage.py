"""Which days of a period each media has numbers for, so that nothing is compared with a hole.

A day that is not there is zero only where it must be: before the media was made, and after it was deleted.
Everywhere else it is unknown: it is named, and a comparison leaves it out of both periods.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from wistlake.quality.scope import Scope, day_literal, listed
from wistlake_dashboard import words
from wistlake_dashboard.reader import Row, extent, once, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

Days = Mapping[str, set[date]]  # by media
_DAY = timedelta(days=1)
_SOON = timedelta(
    days=2
)  # a new media is followed this long after it was made: from a UTC day, by the next run


class Reason(StrEnum):
    """Why a media's day has no number, or no current one."""

    ABSENT = "absent"
    BLOCKED = "blocked"
    STALE = "stale"
    UNCOUNTED = "without counts"
    NOT_YET = "not followed yet"
    NO_LONGER = "no longer followed"
    NOT_MADE = "not made yet"
    DELETED = "deleted"


ZERO = (Reason.NOT_MADE, Reason.DELETED)  # nothing can have been played then
NOT_THERE = (Reason.ABSENT, Reason.BLOCKED)
EXPECTED = (*NOT_THERE, Reason.STALE)  # the lake should have these days


@dataclass(frozen=True, slots=True)
class Lifespan:
    """A media as the lake knows it: when it was made (UTC), its first and last published day, the day it is
    followed from, and whether it is no longer followed, or deleted."""

    made: date | None = None
    first: date | None = None
    last: date | None = None
    followed_from: date | None = None
    retired: bool = False
    deleted: bool = False

    def reason(self, day: date, *, failed: bool) -> Reason:
        """Why there is no number for `day`; `failed`: an attempt at it is on record."""
        if self.made and day < self.made:
            return Reason.NOT_MADE
        start = self.first or self.followed_from
        if not failed and start and day < start:
            return Reason.NOT_YET
        over = self.last is None or day > self.last
        if over and self.deleted:
            return Reason.DELETED
        if over and self.retired:
            return Reason.NO_LONGER
        return Reason.BLOCKED if failed else Reason.ABSENT

    def note(self, scope: Scope, lake_start: date) -> str:
        """What explains the media's change apart from its viewers: new, deleted, or newly followed."""
        if self.deleted and (self.last is None or self.last < scope.end):
            return f"deleted, nothing after {words.day(self.last)}" if self.last else "deleted"
        if self.made and scope.start <= self.made <= scope.end:
            return "new"
        if self.retired and self.last and self.last < scope.end:
            return f"no longer followed after {words.day(self.last)}"
        if self.first and self.first > max(scope.before.start, lake_start) and not self._since_made():
            return f"followed since {words.day(self.first)}"
        return ""

    def _since_made(self) -> bool:
        return bool(self.made and self.first and self.made >= self.first - _SOON)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row that a media has no current number for."""

    media_id: str
    start: date
    end: date
    reason: Reason


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a scope and the period before it lack. `media`: all that have a part in them; `uneven`: by media,
    the days (counted from the period's first) that one of the two lacks; `even`: media with enough of both
    to be compared; `notes`: what explains a media's change apart from its viewers."""

    scope: Scope
    gaps: tuple[Gap, ...] = ()
    media: frozenset[str] = frozenset()
    even: frozenset[str] = frozenset()
    uneven: Mapping[str, frozenset[int]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether both periods have everything."""
        return not self.uneven and self.even == self.media

    def lacks(self, days: Collection[date], reasons: Collection[Reason] = EXPECTED) -> Mapping[str, int]:
        """By media, how many of these days it lacks for these reasons: those that the lake should have, and has not,
        or not as they are now."""
        wanted = {*days}
        return Counter(
            gap.media_id
            for gap in self.gaps
            if gap.reason in reasons
            for n in range((gap.end - gap.start).days + 1)
            if gap.start + n * _DAY in wanted
        )

    def condition(self) -> str:
        """SQL that is true of the media days that both periods have: those are compared, and nothing else."""
        if not self.even:
            return "FALSE"
        gaps: dict[frozenset[int], list[str]] = {}
        for media_id in sorted(self.even & self.uneven.keys()):
            gaps.setdefault(self.uneven[media_id], []).append(media_id)
        without = (
            f"NOT (media_id IN {listed(ids)} AND ({self._days(offsets)}))" for offsets, ids in gaps.items()
        )
        return " AND ".join((f"media_id IN {listed(sorted(self.even))}", *without))

    def _days(self, offsets: Iterable[int]) -> str:
        """Those days of both periods, in SQL, as ranges."""
        lacking = {
            start + n * _DAY: Reason.ABSENT
            for start in (self.scope.before.start, self.scope.start)
            for n in offsets
        }
        return " OR ".join(
            f"date BETWEEN {day_literal(run.start)} AND {day_literal(run.end)}" for run in _runs("", lacking)
        )


def coverage(query: "Query", scope: Scope) -> Coverage:
    """What the scope and the period before it lack."""
    both = scope.with_before
    published = _days_of(
        query, f"SELECT media_id, date AS day FROM gold.fact_media_daily WHERE {both.where()}"
    )
    stale = _days_of(
        query,
        "SELECT media_id, day FROM ops.intervals WHERE dataset = 'gold' AND state <> 'published' "
        f"AND {both.where('day')}",
    )
    uncounted = _uncounted(query, both)
    failed = _failed(query, both)
    lifespans = _lifespans(query, scope)
    days = frozenset(both.days)
    lacking = {
        m: _lacking(life, days, m, published, stale, uncounted, failed)
        for m, life in sorted(lifespans.items())
    }
    # A media that is neither there nor expected has no part in these days.
    media = {m for m, days in lacking.items() if m in published or any(w in EXPECTED for w in days.values())}
    uneven = {m: offsets for m in sorted(media) if (offsets := _offsets(scope, lacking[m]))}
    lake_start = _lake_start(query)
    return Coverage(
        scope,
        tuple(gap for m in sorted(media) for gap in _runs(m, lacking[m])),
        frozenset(media),
        frozenset(m for m in media if m in published and 2 * len(uneven.get(m, ())) <= scope.length),
        uneven,
        {m: note for m in sorted(media) if (note := lifespans[m].note(scope, lake_start))},
    )


def _lacking(
    life: Lifespan,
    days: frozenset[date],
    media_id: str,
    published: Days,
    stale: Days,
    uncounted: Days,
    failed: Days,
) -> dict[date, Reason]:
    """The days without a current number, and why."""
    there, old, part, tried = (of.get(media_id, set()) for of in (published, stale, uncounted, failed))

    def reason(day: date) -> Reason:
        if day not in there:
            return life.reason(day, failed=day in tried)
        return Reason.STALE if day in old else Reason.UNCOUNTED

    return {day: reason(day) for day in (days - there) | (days & (old | part))}


def _offsets(scope: Scope, lacking: Mapping[date, Reason]) -> frozenset[int]:
    """The days, counted from a period's first, that are unknown in one of the two."""
    return frozenset(scope.offsets(day for day, reason in lacking.items() if reason not in ZERO))


def _lifespans(query: "Query", scope: Scope) -> dict[str, Lifespan]:
    def of_media(columns: str, table: str, grouped: str = "") -> dict[str, Row]:
        text = f"SELECT media_id, {columns} FROM {table} WHERE {scope.where_media()}{grouped}"
        return {row["media_id"]: row for row in rows(query, text)}

    spans = of_media("min(date) AS first, max(date) AS last", "gold.fact_media_daily", " GROUP BY media_id")
    described = of_media("created_at, is_deleted", "silver.dim_media")
    followed = of_media("first_day, retired_at", "ops.media")
    return {
        m: _lifespan(spans.get(m, {}) | described.get(m, {}) | followed.get(m, {}))
        for m in {**spans, **followed}
    }


def _lifespan(row: Row) -> Lifespan:
    made = row.get("created_at")
    return Lifespan(
        made.date() if made else None,
        row.get("first"),
        row.get("last"),
        row.get("first_day"),
        row.get("retired_at") is not None,
        bool(row.get("is_deleted")),
    )


def _lake_start(query: "Query") -> date:
    published = once(query, extent)
    return published[0] if published else date.max


def _uncounted(query: "Query", both: Scope) -> dict[str, set[date]]:
    """Published days of which Wistia's counts are unknown, of media of which it counts others: sums would take them
    for zero. Where a media has no counts at all, sessions are compared."""
    of_both = f"FROM gold.fact_media_daily WHERE {both.where()}"
    counted = f"media_id IN (SELECT DISTINCT media_id {of_both} AND plays IS NOT NULL)"
    return _days_of(query, f"SELECT media_id, date AS day {of_both} AND plays IS NULL AND {counted}")


def _failed(query: "Query", both: Scope) -> dict[str, set[date]]:
    """The account's days that a failed attempt is about; one of sessions may be about the days around it, too."""
    days: dict[str, set[date]] = {}
    wide = both.wider(1)
    text = (
        "SELECT media_id, dataset, day FROM ops.intervals WHERE state = 'failed' "
        f"AND dataset IN ('events', 'media_by_date') AND {wide.where('day')}"
    )
    for row in rows(query, text):
        around = (-1, 0, 1) if row["dataset"] == "events" else (0,)
        days.setdefault(row["media_id"], set()).update(row["day"] + n * _DAY for n in around)
    return days


def _days_of(query: "Query", text: str) -> dict[str, set[date]]:
    table = query.sql(text)  # of two years and many media: columns, not a mapping a row
    days: dict[str, set[date]] = {}
    for media_id, day in zip(table["media_id"].to_pylist(), table["day"].to_pylist(), strict=True):
        days.setdefault(media_id, set()).add(day)
    return days


def _runs(media_id: str, lacking: Mapping[date, Reason]) -> Iterator[Gap]:
    """Days in a row for one reason, as one."""
    run: Gap | None = None
    for day, reason in sorted(lacking.items()):
        if run and run.reason is reason and run.end + _DAY == day:
            run = Gap(media_id, run.start, day, reason)
            continue
        if run:
            yield run
        run = Gap(media_id, day, day, reason)
    if run:
        yield run
