"""Published tables whose rows a test writes itself, for readers: SQL without an engine or a run, with a lake's
folder or without."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from support.memory import MemoryLedger
from wistlake.adapters.duckdb_query import DuckDBQuery, empty
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.ports import Publication
from wistlake.quality.views import views

Row = Mapping[str, Any]
NOW = datetime(2026, 3, 16, 2, 15, tzinfo=UTC)


class Published(DuckDBQuery):
    """What readers see if these are the rows of the tables: `Published({"gold.dim_visitor": [{...}]})`. What a
    row leaves out is NULL, or zero in a count that is never NULL. The other tables are empty."""

    def __init__(self, rows: Mapping[str, Iterable[Row]]) -> None:
        super().__init__(MemoryLedger(), views())
        unknown = rows.keys() - {t.full_name for t in TABLES}
        assert not unknown, unknown
        self._rows = {name: list(of_table) for name, of_table in rows.items()}

    def _make_table(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        given = _whole(table, self._rows.get(table.full_name, ()))
        name = f"_{table.layer}_{table.name}"
        connection.register(name, pa.Table.from_pylist(given, schema=empty(table).schema))
        connection.execute(f"CREATE VIEW {table.full_name} AS SELECT * FROM {name}")


def publish(folder: Path, rows: Mapping[Table, Iterable[Row]], now: datetime = NOW) -> None:
    """A lake in `folder` that has published these tables, each with the rows and the columns given."""
    LakeFolder(folder).open("America/New_York", now)
    catalog = LocalCatalog(folder)
    catalog.ensure(rows)
    for table, of_table in rows.items():
        there = catalog.load(table.full_name)
        there.append(pa.Table.from_pylist(_whole(table, of_table, now), schema=there.schema().as_arrow()))
    refs = catalog.refs([t.full_name for t in rows])
    SqliteLedger(folder / "ledger.db").publish(Publication("r1", now, refs))


def _whole(table: Table, rows: Iterable[Row], now: datetime = NOW) -> list[dict[str, Any]]:
    """The rows with every column that may not be NULL in numbers and lineage."""
    usual: dict[str, Any] = {c.name: 0 for c in table.columns if c.type == "long" and not c.nullable}
    usual |= {c.name: now for c in table.columns if c.lineage and c.type == "timestamp"}
    given = [usual | dict(row) for row in rows]
    unknown = {name for row in given for name in row} - set(table.column_names)
    assert not unknown, (table.full_name, unknown)
    return [{name: row.get(name) for name in table.column_names} for row in given]
