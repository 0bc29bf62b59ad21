"""How many rows a MERGE changed, by media and day: what the run reports and what gold must recompute."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.derive.merge import days_in
from wistlake.ports import TableStore
from wistlake.transforms.changes import (
    NEW,
    REMOVED,
    UNCHANGED,
    UPDATED,
    change_columns,
    change_schema,
    changes,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_GROUPS = ("media_id", "event_date", "event_date_local", "date", "dt", "snapshot_date")


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
    measured: int = 0  # the sum that was asked for

    @property
    def is_written(self) -> bool:
        """Whether these rows are about to be written."""
        return self.change in (NEW, UPDATED)

    @property
    def days(self) -> Iterator[date]:
        """The partition days on which these rows stand, stood, or both."""
        return (d for d in (self.day, self.was_day) if d is not None)

    @property
    def local_days(self) -> Iterator[date]:
        """The account's days that these rows count in, or counted in."""
        return (d for d in (self.local_day, self.was_local_day) if d is not None)


@dataclass(frozen=True, slots=True)
class TableChanges:
    """The outcome of one table's MERGE: the staged changes and their tally."""

    table: Table
    changes: "DataFrame"
    tally: tuple[RowChange, ...]

    @property
    def moved(self) -> tuple[RowChange, ...]:
        """What is not unchanged."""
        return tuple(t for t in self.tally if t.change != UNCHANGED)

    def counts(self) -> dict[str, int]:
        """Rows by change."""
        found: dict[str, int] = {}
        for t in self.tally:
            found[t.change] = found.get(t.change, 0) + t.count
        return found


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
    groups = [c for c in change_columns(table) if c.startswith("_") or c in _GROUPS]
    counted = staged.groupBy(*groups).agg(F.count(F.lit(1)).alias("_rows"), *_sums(table, measure)).collect()
    return TableChanges(table, staged, tuple(_tally(table, row.asDict()) for row in counted))


def _sums(table: Table, measure: str) -> "Iterator[Column]":
    for check, condition in checks.violations(table).items():
        yield F.expr(f"sum(case when {condition} then 1 else 0 end)").alias(f"_broken_{check}")
    if grouped_by_key(table):
        key = checks.key_text([k for k in table.key if k not in _GROUPS])
        yield F.expr(f"count(1) - count(distinct {key})").alias(f"_broken_{checks.KEYS}")
    if measure:
        yield F.expr(f"sum({measure})").alias("_measured")


def grouped_by_key(table: Table) -> bool:
    """Whether rows of one key are counted in one group, so that twice there is twice at all. A session's key
    may stand on two days: it is counted apart."""
    return table.name != "fact_events"


def _tally(table: Table, row: dict[str, Any]) -> RowChange:
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
    )


def without(applied: TableChanges, pairs: Set[tuple[str, date]]) -> TableChanges:
    """The same, less the rows of some (media_id, date) pairs."""
    if not pairs:
        return applied
    named = ", ".join(f"('{media_id}', DATE'{day}')" for media_id, day in sorted(pairs))
    kept = tuple(t for t in applied.tally if (t.media_id, t.local_day) not in pairs)
    return TableChanges(applied.table, applied.changes.where(f"not (media_id, date) in ({named})"), kept)


def commit(store: TableStore, applied: TableChanges) -> None:
    """One MERGE, if anything moved; pruned to the days that moved."""
    if applied.moved:
        store.merge(applied.table, applied.changes, _prune(applied))


def _prune(applied: TableChanges) -> str | None:
    if all(t.change == NEW for t in applied.moved):
        return None
    day = applied.table.day_column
    return days_in(day, (d for t in applied.moved for d in t.days), "t") if day else ""


def affected_pairs(outcomes: Iterable[TableChanges]) -> set[tuple[str, date]]:
    """The (media, local day) pairs whose numbers may differ from before."""
    return {
        (t.media_id, day) for applied in outcomes for t in applied.moved if t.media_id for day in t.local_days
    }
