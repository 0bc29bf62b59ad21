"""UTC days of one media that list a session under the same key: they are built together.

A key has one row. It belongs to the day that was read last and, of days that one run has read, to the copy that
saw most. Which day that is follows from all of their listings: if one of them changes, or the order in which
they were read, the others have their say again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from wistlake.planning.publishing import EVENTS

FACTS = "shared_keys"  # the ledger's document
Key = tuple[str, str, date]
ReadAt = Mapping[tuple[str, date], datetime]  # when each (media, UTC day) was last read


@dataclass(frozen=True, slots=True)
class Shared:
    """Two days of a media, the earlier one first. `newer` is the order of their readings when they were last
    built: 0 of one run, -1 the first day's is newer, 1 the last day's; None before they were built together."""

    media_id: str
    first: date
    last: date
    newer: int | None = None

    @property
    def keys(self) -> tuple[Key, Key]:
        """The two intervals."""
        return (EVENTS, self.media_id, self.first), (EVENTS, self.media_id, self.last)


def between(media_id: str, one: date, other: date) -> Shared:
    """The two days, in order."""
    return Shared(media_id, min(one, other), max(one, other))


def newer(shared: Shared, read_at: ReadAt) -> int | None:
    """The order of their readings; None if one of them has not been read."""
    first, last = (read_at.get((shared.media_id, day)) for day in (shared.first, shared.last))
    if first is None or last is None:
        return None
    return (last > first) - (last < first)


def readings(
    read_at: ReadAt, places: Collection[tuple[str, date]], days: Collection[date]
) -> list[tuple[tuple[str, date], datetime]]:
    """When the (media, UTC day)s of `places`, and those of any media on one of `days`, were last read."""
    return [(place, at) for place, at in read_at.items() if place in places or place[1] in days]


def restless(shared: Iterable[Shared], read_at: ReadAt) -> set[Key]:
    """Intervals whose keys may belong elsewhere by now, although no listing has changed."""
    return {k for s in shared if s.newer is None or s.newer != newer(s, read_at) for k in s.keys}


def neighbours(chosen: Collection[Key], shared: Iterable[Shared]) -> set[Key]:
    """The intervals that share a key with one of the chosen. Theirs in turn are not needed: a listing that has not
    changed makes no difference to what it shares with others."""
    return {k for s in shared if any(k in chosen for k in s.keys) for k in s.keys} - set(chosen)


def built(
    known: Iterable[Shared], days: Collection[Key], found: Iterable[Shared], read_at: ReadAt
) -> frozenset[Shared]:
    """What is shared after a build of `days`, which has `found` some: of days that it built together, no others.

    Of a day that was built without its neighbour nothing new is known: where the key stands in that day already,
    such a build finds nothing shared, and the neighbour lists it still.
    """
    seen = {replace(s, newer=None) for s in found}
    kept = {s for s in known if not set(s.keys) <= set(days) and replace(s, newer=None) not in seen}
    return frozenset(kept | {replace(s, newer=newer(s, read_at)) for s in seen})


def added(known: Iterable[Shared], found: Iterable[Shared]) -> frozenset[Shared]:
    """What is shared while a build that has `found` some is not published yet: its days must be built again."""
    seen = {replace(s, newer=None) for s in found}
    return frozenset({s for s in known if replace(s, newer=None) not in seen} | seen)


def document(shared: Iterable[Shared]) -> dict[str, Any]:
    """As the ledger keeps it."""
    listed = sorted(shared, key=lambda s: (s.media_id, s.first, s.last))
    return {"days": [[s.media_id, s.first.isoformat(), s.last.isoformat(), s.newer] for s in listed]}


def read(facts: Mapping[str, Any]) -> frozenset[Shared]:
    """The days in the ledger's document."""
    day = date.fromisoformat
    return frozenset(Shared(m, day(a), day(b), n) for m, a, b, n in facts.get("days", ()))
