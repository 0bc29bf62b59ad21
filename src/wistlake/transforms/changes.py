"""What a newer, complete observation changes: the frame that table stores take."""

from collections.abc import Iterable
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Removal, Table
from wistlake.derive.spark import SPARK

NEW, UPDATED, REMOVED, UNCHANGED = "new", "updated", "removed", "unchanged"


def changes(table: Table, staged: DataFrame, current: DataFrame, built_at: Column | None = None) -> DataFrame:
    """Compare `staged` (contract columns: what should be) with `current` (contract columns plus
    `scope_columns`: what is).

    One row a key of either side: contract columns as they should be, `_change`, and the old row's columns
    as `_was_<name>` where the table has a day of its own. Rows of `current` outside the scope are only
    there because their key is in `staged` (a key may move between days): `_listed_at` is when they were last
    listed on their own day, NULL if they are not any more. A row that is marked as removed has changed at `built_at`.
    """
    was = current.select(
        *(F.col(c).alias(f"_was_{c}") for c in table.column_names),
        *(F.col(c) for c in scope_columns(table)),
    )
    # Columns by name, not through the frames: asking a frame for a column costs a round trip to the engine.
    on = reduce(lambda a, b: a & b, (F.col(k).eqNullSafe(F.col(f"_was_{k}")) for k in table.key))
    # Engines hold the left side in memory: of new days it is empty.
    joined = was.join(staged, on=on, how="full")
    marked = joined.withColumn("_change", _change(table))
    return marked.select(
        *(_outcome(table, name, built_at).alias(name) for name in table.column_names),
        "_change",
        *(F.col(f"_was_{c}") for c in _days(table)),
        *(F.col(c).alias(f"_staged_{c}") for c in _staged(table)),
    )


def after(table: Table, current: DataFrame, changed: DataFrame) -> DataFrame:
    """`current` rows (contract columns), and what changed of them (`changes` without the unchanged), to the rows
    that the table is to have."""
    unchanged = current.join(changed.select(*table.key), on=list(table.key), how="left_anti")
    if table.removal is Removal.DELETE:
        changed = changed.where(F.col("_change") != REMOVED)
    columns = table.column_names
    return unchanged.select(*columns).unionByName(changed.select(*columns))


def marked(table: Table, rows: DataFrame, change: str) -> DataFrame:
    """Rows with the contract's columns, each as the same kind of change."""
    return rows.select(*table.column_names, F.lit(change).alias("_change"))


def without_days(changed: DataFrame, pairs: Iterable[tuple[str, date]]) -> DataFrame:
    """`changes` less the rows of some (media_id, date) pairs."""
    named = ", ".join(f"('{media_id}', DATE'{day}')" for media_id, day in sorted(pairs))
    return changed.where(f"not (media_id, date) in ({named})")


def scope_columns(table: Table) -> tuple[str, ...]:
    """The columns of `current` beside those of the contract."""
    marks = ("_scope_observed_at", "_scope_landing_id") if table.removal is Removal.SOFT else ()
    return ("_in_scope", *marks, *(("_listed_at",) if table.preferred else ()))


def change_columns(table: Table) -> tuple[str, ...]:
    """The columns of `changes`, in order."""
    days = (*(f"_was_{c}" for c in _days(table)), *(f"_staged_{c}" for c in _staged(table)))
    return (*table.column_names, "_change", *days)


def change_schema(table: Table) -> str:
    """Their types, as DDL: known without asking the engine."""
    kinds = {c.name: SPARK[c.type] for c in table.columns} | {"_change": "string"}
    return ", ".join(
        f"{c} {kinds[c.removeprefix('_was_').removeprefix('_staged_')]}" for c in change_columns(table)
    )


def _days(table: Table) -> tuple[str, ...]:
    days = tuple(c for c in ("event_date", "event_date_local", "date", "dt", "snapshot_date") if table.has(c))
    return (*days, table.moment_column) if table.moment_column else days


def _staged(table: Table) -> tuple[str, ...]:
    """The day of the staged row, where another day may keep the key."""
    return (table.day_column,) if table.preferred else ()


def _change(table: Table) -> Column:
    first = table.key[0]
    absent, unknown = F.col(first).isNull(), F.col(f"_was_{first}").isNull()
    same = reduce(
        lambda a, b: a & b,
        (F.col(c).eqNullSafe(F.col(f"_was_{c}")) for c in table.compared),
        F.lit(True),
    )
    gone = absent & F.coalesce(F.col("_in_scope"), F.lit(False))
    if table.removal is Removal.KEEP:
        gone = F.lit(False)
    if table.removal is Removal.SOFT:
        gone = (
            gone
            & F.col("_was_removed_at").isNull()
            & (F.col("_scope_observed_at") >= F.col("_was_observed_at"))
        )
    older = F.col("_was_observed_at") > F.col("observed_at") if table.has("observed_at") else F.lit(False)
    if table.preferred:
        older = older | _stays_elsewhere(table)
        gone = gone | _left_behind(table)
    return (
        F.when(gone, REMOVED)
        .when(absent, UNCHANGED)
        .when(unknown, NEW)
        .when(older | same, UNCHANGED)
        .otherwise(UPDATED)
    )


def _left_behind(table: Table) -> Column:
    """Whether a row's own scope lacks it now, and only an older reading of another one has the key still."""
    day = table.day_column
    return F.coalesce(
        F.col("_in_scope")
        & F.col("_was_removed_at").isNull()
        & (F.col(day) != F.col(f"_was_{day}"))
        & (F.col("_scope_observed_at") > F.col("observed_at")),
        F.lit(False),
    )


def _stays_elsewhere(table: Table) -> Column:
    """Whether a row outside the scope keeps its key: it was listed there later, or by the same run and is
    preferred."""
    outside = ~F.coalesce(F.col("_in_scope"), F.lit(False))
    later = F.col("_listed_at") > F.col("observed_at")
    equal = F.col("_listed_at") == F.col("observed_at")
    preferred = F.lit(False)
    for name in reversed(table.preferred):
        was, is_now = F.col(f"_was_{name}"), F.col(name)
        preferred = (was > is_now) | ((was == is_now) & preferred)
    return F.coalesce(outside & (later | (equal & preferred)), F.lit(False))


def _outcome(table: Table, name: str, built_at: Column | None) -> Column:
    """The value a column should have: staged, or for a row that is gone, what it was, marked."""
    staged, was = F.col(name), F.col(f"_was_{name}")
    if table.removal is Removal.SOFT:
        marks = {
            "removed_at": F.col("_scope_observed_at"),
            "observed_at": F.col("_scope_observed_at"),
            "landing_id": F.col("_scope_landing_id"),
            "built_at": F.col("_was_built_at") if built_at is None else built_at,
        }
        was = marks.get(name, was)
    if name == "first_observed_at":
        staged = F.coalesce(F.col("_was_first_observed_at"), staged)
    return F.when(F.col(table.key[0]).isNull() | (F.col("_change") == REMOVED), was).otherwise(staged)
