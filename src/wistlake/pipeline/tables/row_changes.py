"""What a build changes in a table, counted by media and day: what the run reports and what gold must recompute."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from wistlake.contracts.form import Table
from wistlake.derive.merge import days_in, months_in
from wistlake.pipeline.tables.plan import Pair
from wistlake.ports import TableStore
from wistlake.transforms import change_counts
from wistlake.transforms.changes import (
    NEW,
    REMOVED,
    UNCHANGED,
    UPDATED,
    change_schema,
    changes,
    without_days,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Rows that touch most months anyway: an engine holds both sides of a MERGE in memory, which a table that is written
# anew as a whole does not need.
MOST_MERGED = 100_000


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows that share a change, a media and a day. Days are None where the table has none."""

    change: str
    count: int
    media_id: str | None
    day: date | None
    was_day: date | None
    local_day: date | None
    was_local_day: date | None
    staged_day: date | None = None  # where the build has the key, if another day may keep it
    broken: Mapping[str, int] = field(default_factory=dict)  # rows by the check of the contract they break
    measured: int = 0  # the sum of the measure that `compare` was given
    months: frozenset[date] = (
        frozenset()
    )  # that they are in, or were, of a table partitioned by a moment's month

    @property
    def is_written(self) -> bool:
        """Whether these rows are about to be written."""
        return self.change in (NEW, UPDATED)

    @property
    def days(self) -> Iterator[date]:
        """The partition days that these rows are on now, were on before, or both."""
        return (d for d in (self.day, self.was_day) if d is not None)

    @property
    def local_days(self) -> Iterator[date]:
        """The account's days that these rows count in, or counted in."""
        return (d for d in (self.local_day, self.was_local_day) if d is not None)


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What a build changes in one table: the staged frame of changes, and its rows by kind, media and day."""

    table: Table
    staged: "DataFrame"
    by_day: tuple[RowChange, ...]

    @property
    def changed(self) -> tuple[RowChange, ...]:
        """What is not unchanged."""
        return tuple(c for c in self.by_day if c.change != UNCHANGED)

    @property
    def media(self) -> set[str]:
        """The media that the build compared rows of, changed or not."""
        return {c.media_id for c in self.by_day if c.media_id}

    def counts(self) -> dict[str, int]:
        """Rows by change."""
        counts: dict[str, int] = {}
        for c in self.by_day:
            counts[c.change] = counts.get(c.change, 0) + c.count
        return counts


def compare(
    store: TableStore,
    table: Table,
    rows: "DataFrame",
    current: "DataFrame",
    measure: str = "",
    built_at: "Column | None" = None,
) -> TableChanges:
    """Stage what `rows` would change in `current`, and count it; nothing is committed yet. `built_at` is when
    rows that are marked as removed have changed.

    Counts rows that break the contract too, and adds up `measure` (SQL of a row) of what the table will hold.
    """
    name = f"changes_{table.layer}_{table.name}"
    staged = store.stage(name, changes(table, rows, current, built_at), change_schema(table))
    counted = change_counts.by_day(table, staged, measure).collect()
    return TableChanges(table, staged, tuple(_row_change(table, row.asDict()) for row in counted))


def _row_change(table: Table, row: dict[str, Any]) -> RowChange:
    day = table.day_column
    written = row["_change"] in (NEW, UPDATED)
    return RowChange(
        row["_change"],
        row["_rows"],
        row.get("media_id"),
        row.get(day),
        row.get(f"_was_{day}"),
        row.get("event_date_local", row.get("date")),
        row.get("_was_event_date_local", row.get("_was_date")),
        row.get(f"_staged_{day}"),
        {
            name.removeprefix("_broken_"): count
            for name, count in row.items()
            if name.startswith("_broken_") and count and written
        },
        int(row.get("_measured") or 0) if row["_change"] != REMOVED else 0,
        frozenset(row.get("_months") or ()).union(row.get("_was_months") or ()),
    )


def without(changes: TableChanges, pairs: Set[Pair]) -> TableChanges:
    """The same, less the rows of some (media_id, date) pairs."""
    if not pairs:
        return changes
    rest = tuple(c for c in changes.by_day if (c.media_id, c.local_day) not in pairs)
    return TableChanges(changes.table, without_days(changes.staged, pairs), rest)


def commit(store: TableStore, changes: TableChanges) -> None:
    """One MERGE, if anything changed; pruned to the days or months that did."""
    if changes.changed:
        store.merge(changes.table, changes.staged, _prune(changes))


def _prune(changes: TableChanges) -> str | None:
    if all(c.change == NEW for c in changes.changed):
        return None
    table = changes.table
    if table.day_column:
        return days_in(table.day_column, (d for c in changes.changed for d in c.days), "t")
    if table.moment_column and sum(c.count for c in changes.changed) <= MOST_MERGED:
        return months_in(table.moment_column, (m for c in changes.changed for m in c.months), "t")
    return ""


def affected_pairs(outcomes: Iterable[TableChanges]) -> set[Pair]:
    """The (media, local day) pairs whose numbers may differ from before."""
    return {(c.media_id, day) for o in outcomes for c in o.changed if c.media_id for day in c.local_days}
