"""The one MERGE, of tables with partitions: every row of theirs that changes or is lost goes through this text.

The source is a frame of changes: contract columns, and `_change` (new, updated or removed). Rows that
did not change are not in it, so a run that finds nothing new commits nothing.
"""

from collections.abc import Iterable
from datetime import date

from wistlake.contracts.form import Removal, Table


def merge(table: Table, target: str, changes: str, prune: str) -> str:
    """MERGE text for `changes` (a view) into `target`.

    `prune` is a literal predicate over the target's own columns: engines push it into the file scan, so
    the cost follows the changed days and not the history. Rows of a newer observation are left alone.
    """
    on = " AND ".join(f"t.{k} = s.{k}" for k in table.key)
    condition = f"{on} AND {prune}" if prune else on
    newer = " AND s.observed_at >= t.observed_at" if table.has("observed_at") else ""
    assign = ", ".join(f"{c} = s.{c}" for c in table.column_names)
    columns = ", ".join(table.column_names)
    values = ", ".join(f"s.{c}" for c in table.column_names)
    clauses = [f"MERGE INTO {target} t USING {changes} s ON {condition}"]
    if table.removal is Removal.DELETE:
        clauses.append("WHEN MATCHED AND s._change = 'removed' THEN DELETE")
    clauses.append(f"WHEN MATCHED{newer} THEN UPDATE SET {assign}")
    clauses.append(f"WHEN NOT MATCHED AND s._change <> 'removed' THEN INSERT ({columns}) VALUES ({values})")
    return " ".join(clauses)


def days_in(column: str, days: Iterable[date], alias: str = "") -> str:
    """`column` lies in one of the days, as a literal predicate; ranges where days follow each other.

    No days at all is a predicate that never holds.
    """
    name = f"{alias}.{column}" if alias else column
    ranges: list[list[date]] = []
    for day in sorted(set(days)):
        if ranges and (day - ranges[-1][1]).days == 1:
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    if not ranges:
        return "1 = 0"
    return "(" + " OR ".join(f"{name} BETWEEN DATE'{a}' AND DATE'{b}'" for a, b in ranges) + ")"


def months_in(column: str, months: Iterable[date], alias: str = "") -> str:
    """The moment `column` lies in one of the months (their first days), as a literal predicate."""
    name = f"{alias}.{column}" if alias else column
    spans = (
        f"{name} >= TIMESTAMP'{first} 00:00:00' AND {name} < TIMESTAMP'{following_month(first)} 00:00:00'"
        for first in sorted(set(months))
    )
    return f"({' OR '.join(f'({span})' for span in spans)})"


def following_month(first: date) -> date:
    """The first day of the month after the one that begins on `first`."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
