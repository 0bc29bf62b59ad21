"""How answers look: tables for people, JSON for programs, CSV for spreadsheets."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


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
    return escape(f"{value:,.4g}" if isinstance(value, float) else str(value))


def rows(found: "pa.Table", form: str) -> None:
    """Query results as a table, JSON lines in one array, or CSV."""
    plain: list[Mapping[str, Any]] = found.to_pylist()
    if form == "json":
        as_json(plain)
    elif form == "csv":
        from wistlake_dashboard.spreadsheet import to_csv

        sys.stdout.write(to_csv(found.column_names, plain))
    else:
        table("", found.column_names, (list(r.values()) for r in plain))
