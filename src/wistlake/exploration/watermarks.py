"""Which timestamp could tell what is new: judged by the records, not by the field's name. Pure."""

import itertools
from collections.abc import Iterable, Sequence
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
    """One timestamp field in the lists. `inversions`: neighbours that are not newest first."""

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


def candidates(listings: Sequence[Records]) -> list[Candidate]:
    """Each candidate field that some record has. A listing has the order in which it was served."""
    return [candidate for name in CANDIDATES if (candidate := _candidate(name, listings)) is not None]


def suggested(fields: Iterable[Candidate]) -> str | None:
    """The field by which the list is ordered, newest first; None if none is: such a list is read whole.

    Where several do, a time of creation comes last: it misses what happens to a record later.
    """
    ordering = [c.field for c in fields if c.orders_the_list]
    return min(ordering, key=lambda name: name in _OF_CREATION, default=None)


def _candidate(name: str, listings: Sequence[Records]) -> Candidate | None:
    stamps = [[moment(record.get(name)) for record in listing] for listing in listings]
    present = [s for listing in stamps for s in listing if s is not None]
    if not present:
        return None
    newest_first = ([s for s in listing if s is not None] for listing in stamps)
    inversions = sum(a < b for listing in newest_first for a, b in itertools.pairwise(listing))
    texts = (min(present).isoformat(), max(present).isoformat())
    missing = sum(len(listing) for listing in stamps) - len(present)
    return Candidate(name, len(present), len(set(present)), missing, inversions, *texts)


def moment(value: Any) -> datetime | None:
    """A timestamp as Wistia writes them, in UTC; None for anything else."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
