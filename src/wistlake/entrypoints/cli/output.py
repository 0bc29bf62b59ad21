"""How answers look: tables for people, JSON for programs, CSV for spreadsheets."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# What a spreadsheet takes for a formula, the wide forms included that some programs read as plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what could give a terminal orders


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(f"{text}\n")


def as_json(value: Any) -> None:
    """One JSON object on standard output."""
    say(json.dumps(value, default=str))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table for a terminal, plain in a pipe."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title or None, title_justify="left")
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*(_cell(v) for v in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(drawn, markup=False, highlight=False)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    return escape(f"{value:,.4g}" if isinstance(value, float) else _CONTROL.sub("\ufffd", str(value)))


def rows(found: "pa.Table", form: str) -> None:
    """Query results as a table, JSON lines in one array, or CSV."""
    plain: list[Mapping[str, Any]] = found.to_pylist()
    if form == "json":
        as_json(plain)
    elif form == "csv":
        sys.stdout.write(to_csv(found.column_names, plain))
    else:
        table("", found.column_names, (list(r.values()) for r in plain))


def to_csv(columns: Sequence[str], plain: Iterable[Mapping[str, Any]]) -> str:
    """CSV that a spreadsheet may open: text that it would take for a formula is quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_guard(c) for c in columns])
    for row in plain:
        writer.writerow([_guard(v) for v in row.values()])
    return buffer.getvalue()


def _guard(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    guarded = f"'{value}" if value.startswith(_FORMULA) else value
    # A bare carriage return is not quoted by csv, and begins a new row in spreadsheets.
    return guarded.replace("\r\n", "\n").replace("\r", "\n")
