"""Which timestamp could tell what is new: found by looking at records, not by trusting names. Pure."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CANDIDATES = (
    "updated_at",
    "updated",
    "modified_at",
    "modified",
    "created_at",
    "created",
    "received_at",
    "last_active_at",
)
_OF_CREATION = ("created_at", "created")
Records = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the walked lists show of one field. `inversions`: neighbours that are not newest first."""

    field: str
    values: int
    distinct: int
    missing: int
    inversions: int
    minimum: str
    maximum: str

    @property
    def orders_the_list(self) -> bool:
        """Whether reading may stop at the first record that is older than the last run."""
        return self.distinct > 1 and not self.missing and not self.inversions


def candidates(walks: Sequence[Records]) -> list[Candidate]:
    """Each candidate field that some record has. A walk is one listing in the order served."""
    return [found for name in CANDIDATES if (found := _candidate(name, walks)) is not None]


def suggested(found: Iterable[Candidate]) -> str | None:
    """The field by which the list is ordered, newest first; None if none is: such a list is read whole.

    Where several do, a time of creation comes last: it misses what happens to a record later.
    """
    ordering = [c.field for c in found if c.orders_the_list]
    return min(ordering, key=lambda name: name in _OF_CREATION, default=None)


def _candidate(name: str, walks: Sequence[Records]) -> Candidate | None:
    stamps = [[moment(record.get(name)) for record in walk] for walk in walks]
    known = [s for walk in stamps for s in walk if s is not None]
    if not known:
        return None
    inversions = sum(a < b for walk in stamps for a, b in _neighbours(walk))
    texts = (min(known).isoformat(), max(known).isoformat())
    missing = sum(len(walk) for walk in stamps) - len(known)
    return Candidate(name, len(known), len(set(known)), missing, inversions, *texts)


def _neighbours(walk: Iterable[datetime | None]) -> Iterator[tuple[datetime, datetime]]:
    return itertools.pairwise(s for s in walk if s is not None)


def moment(value: Any) -> datetime | None:
    """A timestamp as Wistia writes them, in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
