"""The ledger's tables in a query of Athena's, which has none of them: their rows as part of its text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from wistlake.contracts.form import Table, Type
from wistlake.date_ranges import ranges
from wistlake.derive import athena

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 262_144  # bytes that Athena takes as a query
_MARKS = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/|[()]""", re.DOTALL)
Rows = Sequence[Sequence[Any]]


def written(columns: Mapping[str, Type], rows: Rows) -> str:
    """Rows as a subquery. With a `day`, those that differ in nothing else are written once for all days in a row: of
    intervals there may be thousands."""
    if "day" not in columns:
        return athena.rows([*columns.items()], rows)
    at = list(columns).index("day")
    return athena.of_days([*columns.items()], list(_in_a_row(rows, at)))


def empty(table: Table) -> str:
    """A table without rows."""
    return athena.rows([(column.name, column.type) for column in table.columns], ())


def _in_a_row(rows: Rows, at: int) -> Iterator[tuple[Any, ...]]:
    """The values but the day, then the first and the last day of each run of days. A row that is there twice is in two
    of them."""
    days: dict[tuple[Any, ...], Counter[date]] = defaultdict(Counter)
    for row in rows:
        days[(*row[:at], *row[at + 1 :])][row[at]] += 1
    for others, counted in days.items():
        for times in range(max(counted.values())):
            for span in ranges([day for day, n in counted.items() if n > times]):
                yield (*others, *span)


def parts(text: str) -> list[tuple[int, int]]:
    """Where each part of a query in brackets begins and ends, brackets included; outer ones first."""
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    for mark in _MARKS.finditer(text):
        if mark[0] == "(":
            opened.append(mark.start())
        elif mark[0] == ")" and opened:
            spans.append((opened.pop(), mark.end()))
    return sorted(spans)


def answer_written(answer: "pa.Table") -> str | None:
    """A table as rows of a query; None if there is no literal for one of its columns."""
    columns = {field.name: _kind(field.type) for field in answer.schema}
    typed = {name: kind for name, kind in columns.items() if kind}
    if len(typed) < len(columns):
        return None
    return rows_written(typed, list(zip(*(c.to_pylist() for c in answer.columns), strict=True)))


def rows_written(columns: Mapping[str, Type], rows: Rows) -> str:
    """The rows of an answer as a subquery."""
    if columns.get("day") is Type.DATE:
        at = list(columns).index("day")
        if all(row[at] is not None for row in rows):
            return written(columns, rows)
    return athena.rows([*columns.items()], rows)


def _kind(data_type: "pa.DataType") -> Type | None:
    import pyarrow as pa

    kinds = (
        (pa.types.is_string, Type.STRING),
        (pa.types.is_integer, Type.LONG),
        (pa.types.is_floating, Type.DOUBLE),
        (pa.types.is_boolean, Type.BOOLEAN),
        (pa.types.is_date, Type.DATE),
        (lambda of: pa.types.is_timestamp(of) and of.tz is not None, Type.TIMESTAMP),
    )
    return next((kind for is_kind, kind in kinds if is_kind(data_type)), None)
