"""Published tables whose rows a test writes itself, for readers: SQL without an engine, a lake or a run."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from wistlake.adapters.duckdb_query import DuckDBQuery, empty
from wistlake.adapters.memory import MemoryLedger
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.quality.metrics import views

Row = Mapping[str, Any]


class Published(DuckDBQuery):
    """What readers see if these are the rows of the tables: `Published({"gold.dim_visitor": [{...}]})`. What a
    row leaves out is NULL, or zero in a count that is never NULL. The other tables are empty."""

    def __init__(self, rows: Mapping[str, Iterable[Row]]) -> None:
        super().__init__(MemoryLedger(), views())
        unknown = rows.keys() - {t.full_name for t in TABLES}
        assert not unknown, unknown
        self._rows = {name: list(of_table) for name, of_table in rows.items()}

    def _bind(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        zeros = {c.name: 0 for c in table.columns if c.type == "long" and not c.nullable}
        given = [zeros | dict(row) for row in self._rows.get(table.full_name, ())]
        unknown = {name for row in given for name in row} - set(table.column_names)
        assert not unknown, (table.full_name, unknown)
        name = f"_{table.layer}_{table.name}"
        connection.register(name, pa.Table.from_pylist(given, schema=empty(table).schema))
        connection.execute(f"CREATE VIEW {table.full_name} AS SELECT * FROM {name}")
