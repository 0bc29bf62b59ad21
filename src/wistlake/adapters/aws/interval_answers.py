"""What is asked of the ledger's intervals, answered without DuckDB: by SQLite, which every Python brings.

For the product's own queries. The SQLite of Lambda may be one of 2013: it has neither WITH nor TRUE, and no type for a
day or a moment, so that these are texts here.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from wistlake.adapters.ledger_tables import LEDGER_TABLES, words
from wistlake.adapters.table_names import code
from wistlake.contracts.form import Type
from wistlake.errors import ConfigError

_LITERAL = re.compile(r"'(?:[^']|'')*'|\bDATE\s+(?=')|\bTRUE\b|\bFALSE\b", re.IGNORECASE)
# SQLite computes with the year of a day, casts to text what has no type, and takes a name in quotes for a text.
_OTHERWISE = re.compile(r'\b(?:CAST|TRY_CAST|I?LIKE)\b|["+-]', re.IGNORECASE)
_WRITTEN = {"TRUE": "1", "FALSE": "0"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
_KINDS = {int: Type.LONG, float: Type.DOUBLE, str: Type.STRING, date: Type.DATE, datetime: Type.TIMESTAMP}
# A column without any value has the type of the ledger's column of that name.
_NAMED = {name: kind for table in LEDGER_TABLES.values() for name, kind in table.columns.items()}
Rows = Sequence[Sequence[Any]]


class IntervalAnswers:
    """Answers to SELECTs of the ledger's tables alone; `read` gives the rows of one of them. True is 1."""

    def __init__(self, read: Callable[[str], Sequence[object]]) -> None:
        self._read = read
        self._database = sqlite3.connect(":memory:")
        self._database.execute("ATTACH ':memory:' AS ops")
        self._made: set[str] = set()

    def ask(self, text: str) -> tuple[Mapping[str, Type], Rows]:
        """The columns of the answer, and its rows. ConfigError for what SQLite can't answer, or not as Athena does."""
        if found := _OTHERWISE.search(code(text)):
            raise ConfigError(
                f"the query can't run: of the ledger alone a function takes no {found[0].upper()}; select the columns "
                "by their plain names, and compute with the rows"
            )
        for name in sorted(LEDGER_TABLES.keys() & words(text) - self._made):
            self._make(name)
        try:
            cursor = self._database.execute(_LITERAL.sub(_literal, text))
            rows = [tuple(map(_value, row)) for row in cursor]
        except sqlite3.Error as e:
            raise ConfigError(f"the query can't run: {e}") from None
        names = [described[0] for described in cursor.description]
        return {name: _kind(name, [row[at] for row in rows]) for at, name in enumerate(names)}, rows

    def _make(self, name: str) -> None:
        columns = [*LEDGER_TABLES[name].columns]
        listed = ", ".join(f'"{column}"' for column in columns)
        self._database.execute(f"CREATE TABLE {name} ({listed})")
        if "media_id" in columns:  # or what is asked of each media would read all of them each time
            layer, _, table = name.partition(".")
            self._database.execute(f"CREATE INDEX {layer}.{table}_of_media ON {table} (media_id)")
        marks = ", ".join("?" * len(columns))
        rows = (tuple(_stored(getattr(row, column)) for column in columns) for row in self._read(name))
        self._database.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        self._made.add(name)


def _literal(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith("'") else _WRITTEN.get(match[0].upper(), "")


def _stored(value: Any) -> Any:
    """Texts in the order of their moments."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if _DAY.fullmatch(value):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else value


def _kind(name: str, values: Sequence[Any]) -> Type:
    first = next((v for v in values if v is not None), None)
    return _NAMED.get(name, Type.STRING) if first is None else _KINDS[type(first)]
