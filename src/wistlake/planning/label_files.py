"""Labels of many media as a table: a line a media, a column a label. Written for a spreadsheet, and read from one."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.errors import ConfigError
from wistlake.foreign import one_line
from wistlake.planning.labels import CHANNEL, cleaned, mistakes

KEY = "media_id"
# They tell a person which media it is, and are not read.
CONTEXT = frozenset(DIM_MEDIA.column_names) - {KEY, CHANNEL}
LARGEST = 5_000_000  # characters
_MOST_PROBLEMS = 20
_MEDIA_ID = re.compile(r"[A-Za-z0-9]{6,32}")
_GUARDED = re.compile("'[=+@\uff1d\uff0b\uff0d\uff20-]")  # an apostrophe keeps a text from being a formula


@dataclass(frozen=True, slots=True)
class Line:
    """The labels that one line gives to a media. An empty cell says nothing."""

    number: int
    labels: Mapping[str, str]


def parsed(text: str) -> dict[str, Line]:
    """The lines of a file by media. ConfigError names every line that can't be taken: then none of them is."""
    if len(text) > LARGEST:
        raise ConfigError(f"the file is larger than {LARGEST:,} characters: split it")
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header, lines, problems = _lines(rows)
    except csv.Error as e:
        raise ConfigError(f"line {rows.line_num}: this is no CSV ({e}): export it again") from e
    if KEY not in header:
        raise ConfigError(f"line 1: there is no column {KEY}: name it, and each label, in the first line")
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise ConfigError([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])
    return lines


def _lines(rows: Iterator[list[str]]) -> tuple[list[str], dict[str, Line], list[str]]:
    header = [name.strip().lower() for name in next(iter(rows), [])]
    named = [name for name in header if name not in ("", KEY, *CONTEXT)]
    problems = [f"line 1: {p}" for name in named for p in mistakes(name, "")]
    problems += [f"line 1: {name} is there twice" for name in sorted(set(named)) if named.count(name) > 1]
    lines: dict[str, Line] = {}
    if problems or KEY not in header:
        return header, lines, problems
    number = 1
    for row in rows:
        number += 1
        if not any(cell.strip() for cell in row):
            continue
        problems += [f"line {number}: {p}" for p in _add(lines, number, header, row)]
    return header, lines, problems


def _add(lines: dict[str, Line], number: int, header: Sequence[str], row: Sequence[str]) -> list[str]:
    """Add one line, or say what is wrong with it."""
    if len(row) > len(header):
        return [f"it has {len(row)} cells, and the first line names {len(header)}"]
    if any(cell.strip() and not name for name, cell in zip(header, row, strict=False)):
        return ["it has a cell in a column that the first line does not name"]
    cells = {name: _unguarded(cell.strip()) for name, cell in zip(header, row, strict=False)}
    media_id = cells.pop(KEY, "")
    if not _MEDIA_ID.fullmatch(media_id):
        return [f"{one_line(media_id)[:40]!r} isn't a hashed id: 6 to 32 letters and digits"]
    if media_id in lines:
        return [f"{media_id} is in line {lines[media_id].number} already"]
    labels = dict(cleaned(name, cell) for name, cell in cells.items() if cell and name not in CONTEXT)
    lines[media_id] = Line(number, labels)
    return [problem for name, value in labels.items() for problem in mistakes(name, value)]


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
