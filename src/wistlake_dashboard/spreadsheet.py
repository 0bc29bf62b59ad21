"""CSV that a spreadsheet may open."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wistlake.foreign import no_formula


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
    return no_formula(value) if isinstance(value, str) else value
