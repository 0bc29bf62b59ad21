"""What commands print: tables for people, JSON for programs, CSV for spreadsheets.

Everything printed goes through here and loses its terminal control sequences (`wistlake.foreign`).
"""

import io
import json
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wistlake.entrypoints.cli import cells
from wistlake.foreign import one_line, printable
from wistlake_dashboard.spreadsheet import to_csv

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

FAILURE = ("dataset", "media_id", "day", "reason")  # what is shown of an interval that failed
_PIPE_WIDTH = (
    100  # characters of prose, where there is no terminal and no COLUMNS; tables are as wide as they are
)
_UNLIMITED = 100_000
_GAP = 2  # blanks between columns
_WHOLE = 10_000  # from here on no decimals are shown


def take_any_text() -> None:
    """Let every text be printed: a character that a stream's encoding lacks becomes an escape such as \\u2192."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """A message on standard output; values in it are one line each."""
    sys.stdout.write(f"{printable(text)}\n")


def sentence(text: str) -> None:
    """A message that may be long, broken between words where the terminal is narrower."""
    say(textwrap.fill(one_line(text), width(), break_long_words=False, break_on_hyphens=False))


def warn(text: str) -> None:
    """One line on standard error: programs that read the answer do not see it."""
    sys.stderr.write(f"warning: {printable(text)}\n")


def print_json(value: Any) -> None:
    """One strict JSON value on standard output: no NaN, no infinity."""
    say(json.dumps(cells.plain(value), default=str, allow_nan=False))


def answer(facts: Any, text: str, *, as_json: bool) -> None:
    """The facts for programs, or the text for people."""
    if as_json:
        print_json(facts)
    else:
        say(text)


def fields(items: Iterable[Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """These attributes of each item, as plain rows."""
    return [{name: getattr(item, name) for name in names} for item in items]


def listing(title: str, columns: Sequence[str], items: Iterable[Any], *, as_json: bool) -> None:
    """These attributes of each item as a table, or as JSON under the title's name."""
    rows = fields(items, columns)
    if as_json:
        print_json({title.lower(): rows})
    else:
        table(title, columns, rows)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any] | Mapping[str, Any]]) -> None:
    """A table for a terminal, as wide as it needs to be in a pipe. Of a row that is a mapping, `columns` are shown.

    Where a terminal is too narrow to hold every value in one piece, each row becomes lines of `column value`.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    plain = [[row[c] for c in columns] if isinstance(row, Mapping) else list(row) for row in rows]
    title, columns = one_line(title), list(map(one_line, columns))
    if title and not plain:
        say(f"{title}: none")
        return
    cells = [[_cell(value) for value in row] for row in plain]
    console = _console()
    if console.is_terminal and sum(_pieces(columns, cells)) + _GAP * (len(columns) - 1) > console.width:
        _records(title, columns, cells)
        return
    if title:  # not the table's own title, which is wrapped where the table is narrow; a Text has no markup
        console.print(Text(title, style="bold"), soft_wrap=True)
    drawn = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    for number, (column, longest) in enumerate(zip(columns, _pieces(columns, cells), strict=True)):
        numeric = any(_is_number(row[number]) for row in plain)
        drawn.add_column(
            Text(column), justify="right" if numeric else "left", min_width=longest, overflow="fold"
        )
    for row in cells:
        drawn.add_row(*map(Text, row))
    if not console.is_terminal:
        unlimited = console.options.update(max_width=_UNLIMITED)
        console.width = console.measure(drawn, options=unlimited).maximum
    console.print(drawn)
    say()


def _pieces(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> list[int]:
    """The length of the longest word or timestamp in each column: none of them is broken across lines."""
    return [
        max(len(piece) for text in column for piece in ([text] if text.endswith("Z") else text.split(" ")))
        for column in zip(columns, *cells, strict=True)
    ]


def _records(title: str, columns: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    if title:
        say(title)
    name = max(map(len, columns))
    for row in cells:
        for column, text in zip(columns, row, strict=True):
            if text:
                say(f"  {column:<{name}}  {text}")
        say()


def on_terminal() -> bool:
    """Whether a person reads standard output as it is written."""
    return sys.stdout.isatty()


def width() -> int:
    """Characters in a line of standard output."""
    return _console().width


def _console() -> "Console":
    from rich.console import Console

    console = Console()
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = _PIPE_WIDTH
    return console


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:,.4g}"
    if isinstance(value, datetime):
        # Without a zone it is not known whose local time it is: not converted.
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z" if value.tzinfo else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return one_line(str(value))


def rows(result: "pa.Table", form: str) -> None:
    """Query results as a table, JSON objects in one array, or CSV."""
    columns, plain = result.column_names, cells.rows(result)
    if form == "table":
        table("", columns, plain)
        return
    named = [dict(zip(columns, row, strict=True)) for row in plain]
    if form == "json":
        print_json(named)
        return
    sys.stdout.write(to_csv(columns, named))
