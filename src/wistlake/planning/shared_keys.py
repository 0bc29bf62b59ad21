"""UTC days of one media that list a session under the same key: they are built together.

A key has one row. It belongs to the day that was read last and, of days that one run has read, to the copy that
saw most. Which day that is follows from all of their listings: if one of them changes, or the order in which
they were read, the other days must be built again too.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from wistlake.planning.publishing import EVENTS

FACTS = "shared_keys"  # the ledger's document
# Days around a listing in which its keys are looked for: a session lasts hours, and is listed days late at the most.
# All days there are would make the cost of a day's build follow the history.
REACH = timedelta(days=31)
Key = tuple[str, str, date]
ReadAt = Mapping[tuple[str, date], datetime]  # when each (media, UTC day) was last read


@dataclass(frozen=True, slots=True)
class SharedDays:
    """Two days of a media that share keys, the earlier one first. `newer` is the order of their readings when they
    were last built: 0 of one run, -1 the first day's is newer, 1 the last day's; None before they were built together.
    """

    media_id: str
    first: date
    last: date
    newer: int | None = None

    @classmethod
    def of(cls, media_id: str, one: date, other: date) -> "SharedDays":
        """The two days, in order."""
        return cls(media_id, min(one, other), max(one, other))

    @property
    def keys(self) -> tuple[Key, Key]:
        """The two intervals."""
        return (EVENTS, self.media_id, self.first), (EVENTS, self.media_id, self.last)


def newer(days: SharedDays, read_at: ReadAt) -> int | None:
    """The order of their readings; None if one of them has not been read."""
    first, last = (read_at.get((days.media_id, day)) for day in (days.first, days.last))
    if first is None or last is None:
        return None
    return (last > first) - (last < first)


def readings(
    read_at: ReadAt, places: Collection[tuple[str, date]], days: Collection[date]
) -> list[tuple[tuple[str, date], datetime]]:
    """When the (media, UTC day)s of `places`, and those of any media on one of `days`, were last read."""
    return [(place, at) for place, at in read_at.items() if place in places or place[1] in days]


def elsewhere(days: Collection[date], shared: Iterable[SharedDays]) -> set[date]:
    """The other days on which a key of `days` may stand: those within `REACH`, and those known to share one."""
    one = timedelta(days=1)
    near = {day + n * one for day in days for n in range(-REACH.days, REACH.days + 1)}
    sharing = {d for s in shared if s.first in days or s.last in days for d in (s.first, s.last)}
    return (near | sharing) - set(days)


def reordered(shared: Iterable[SharedDays], read_at: ReadAt) -> set[Key]:
    """Intervals whose keys may belong to the other day now, although no listing has changed."""
    return {k for s in shared if s.newer is None or s.newer != newer(s, read_at) for k in s.keys}


def neighbours(keys: Collection[Key], shared: Iterable[SharedDays]) -> set[Key]:
    """The intervals that share a key with one of `keys`. Their own neighbours are not needed: a listing that has not
    changed makes no difference to what it shares with others."""
    return {k for s in shared if any(k in keys for k in s.keys) for k in s.keys} - set(keys)


def after_build(
    shared: Iterable[SharedDays], built: Collection[Key], detected: Iterable[SharedDays], read_at: ReadAt
) -> frozenset[SharedDays]:
    """`shared` after a build of some intervals that `detected` days which share keys: of two days that were built
    together, only those.

    A day that was built without its neighbour proves nothing: if the row of the key is in that day already, the build
    detects nothing shared, though the neighbour still lists the key.
    """
    pairs = {replace(s, newer=None) for s in detected}
    others = {s for s in shared if not set(s.keys) <= set(built) and replace(s, newer=None) not in pairs}
    return frozenset(others | {replace(s, newer=newer(s, read_at)) for s in pairs})


def before_publication(shared: Iterable[SharedDays], detected: Iterable[SharedDays]) -> frozenset[SharedDays]:
    """`shared` while the build that `detected` more is not published yet: those days must be built again."""
    pairs = {replace(s, newer=None) for s in detected}
    return frozenset({s for s in shared if replace(s, newer=None) not in pairs} | pairs)


def document(shared: Iterable[SharedDays]) -> dict[str, Any]:
    """As the ledger stores it."""
    rows = sorted(shared, key=lambda s: (s.media_id, s.first, s.last))
    return {"days": [[s.media_id, s.first.isoformat(), s.last.isoformat(), s.newer] for s in rows]}


def read(facts: Mapping[str, Any]) -> frozenset[SharedDays]:
    """The days in the ledger's document."""
    day = date.fromisoformat
    return frozenset(SharedDays(m, day(a), day(b), n) for m, a, b, n in facts.get("days", ()))
