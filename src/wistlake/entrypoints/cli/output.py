"""How answers look: tables for people, JSON for programs, CSV for spreadsheets."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

_PIPE_WIDTH = 200  # where nobody sees a line's end
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(f"{text}\n")


def as_json(value: Any) -> None:
    """One JSON object on standard output."""
    say(json.dumps(value, default=str))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table for a terminal, plain in a pipe."""
    from rich import box
    from rich.table import Table

    plain = [list(row) for row in rows]
    drawn = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
                  pad_edge=False, show_edge=False)  # fmt: skip
    for number, column in enumerate(columns):
        numeric = any(_is_number(row[number]) for row in plain)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in plain:
        drawn.add_row(*(_cell(v) for v in row))
    console = _console()
    console.print(drawn, markup=False, highlight=False)
    say()


def width() -> int:
    """Characters in a line of standard output."""
    return _console().width


def _console() -> "Console":
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))


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
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
