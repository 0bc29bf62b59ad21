"""CSV that a spreadsheet may open."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wistlake.foreign import one_line

# What a spreadsheet takes for a formula, the wide forms included that some programs read as plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_csv(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], headers: Mapping[str, str] | None = None
) -> str:
    """A header (the columns' names, or those of `headers`) and the rows.
    Text that would be taken for a formula gets an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_guard((headers or {}).get(c, c)) for c in columns])
    for row in rows:
        writer.writerow([_guard(row[c]) for c in columns])
    return buffer.getvalue()


def _guard(value: Any) -> Any:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if not isinstance(value, str):
        return value
    # On one line: csv would not quote a bare carriage return, and a terminal shows what follows a line break
    # as if it were a row.
    return one_line(f"'{value}" if value.startswith(_FORMULA) else value)
