"""The same SQL with copies in memory, for a reader of many figures: most of them take longer to read than to add up."""

from typing import Any

import duckdb
import pyarrow as pa

from wistlake.adapters.duckdb_query import DuckDBQuery, Read
from wistlake.adapters.ledger_tables import words
from wistlake.contracts import TABLES, fact_events
from wistlake.contracts.form import Table, Type
from wistlake.errors import ConfigError

MOST_HELD = 3_000_000  # rows of all copies together: some 400 MB
_UNREAD = {
    "event_key",
    "received_at",
    "browser_version",
    "city",
}  # columns of sessions that no figure is made of


def _held(table: Table) -> list[str]:
    """The columns of its copy; none where it is not held. Lists take a hundred times the room of numbers."""
    if table is fact_events.TABLE:
        return [c.name for c in table.columns if not c.lineage and c.name not in _UNREAD]
    is_small = table.layer == "gold" and all(c.type is not Type.LONGS for c in table.columns)
    return list(table.column_names) if is_small else []


class HeldQuery(DuckDBQuery):
    """DuckDBQuery that copies gold and sessions into memory as they are named first, as long as there is room. A
    query that the copies can't answer is asked of the files, as all that come after it.

    Copies are tables that a query may name: it is for figures, and not for what strangers ask.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._to_hold = {t.full_name: t for t in TABLES if _held(t)}
        self._copies: dict[str, Table] = {}
        self._room = MOST_HELD

    def _ask(self, text: str, read: Read) -> pa.Table:
        connection = self._open()
        to_hold = [n for n in dict.fromkeys(self._tables_of(words(text))) if n in self._to_hold]
        self._make(connection, to_hold)
        for name in to_hold:
            self._hold(connection, self._to_hold.pop(name))
        try:
            return super()._ask(text, read)
        except ConfigError:
            if not self._copies:
                raise
            self._release(connection)
            return super()._ask(text, read)

    def _hold(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        name = table.full_name
        if name in self._damaged or not self._ref(name):
            return
        copy = _copy_of(table)
        try:
            (rows,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
            if rows > self._room:
                return
            connection.execute(f"CREATE TABLE {copy} AS SELECT {', '.join(_held(table))} FROM {name}")
        except duckdb.InterruptException:
            raise
        except duckdb.Error:  # the query itself says what is wrong, if it is its matter
            return
        self._room -= rows
        self._copies[name] = table  # first: an interrupt may come in between
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {copy}")

    def _release(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._to_hold = {}
        while self._copies:
            name, table = next(iter(self._copies.items()))
            self._unbound[name] = table
            connection.execute(f"DROP VIEW IF EXISTS {name}")
            connection.execute(f"DROP TABLE IF EXISTS {_copy_of(table)}")
            del self._copies[name]


def _copy_of(table: Table) -> str:
    return f"_held_{table.layer}_{table.name}"
