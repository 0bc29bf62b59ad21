"""Athena: its own dialect, views that lie in the Glue catalog, Iceberg tables through PyIceberg."""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from ministack.services import athena, glue
from pyiceberg.table import StaticTable
from sqlglot import exp

from support.aws.mirror import ROOT, MirrorIO

NEEDS = ((athena, ("_run_duckdb", "_DUCKDB_TYPE_MAP")), (glue, ("_tables",)))
VIEW_BEGINS, VIEW_ENDS = "/* Presto View: ", " */"
Rows = dict[str, Any]


def install() -> None:
    """Every query goes the way that is written here."""

    async def run(query: str, database: str, catalog: str | None = None) -> Rows:
        return await asyncio.to_thread(_Session(database or "default").run, query)

    athena._run_duckdb = run


def view_text(table: dict[str, Any]) -> str:
    """The SELECT of a view as the catalog keeps it."""
    wrapped = table["ViewOriginalText"].removeprefix(VIEW_BEGINS).removesuffix(VIEW_ENDS)
    return str(json.loads(base64.b64decode(wrapped))["originalSql"])


class _Session:
    """One query at work: each table that it names is bound once."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("SET TimeZone = 'UTC'")
        self.bound: set[str] = set()

    def run(self, query: str) -> Rows:
        """The rows of a SELECT."""
        tree = sqlglot.parse_one(query, read="athena")
        if not isinstance(tree, exp.Query):
            raise ValueError(f"only SELECT is emulated, not {type(tree).__name__}")
        try:
            self.bind(tree, self.database)
            cursor = self.connection.execute(tree.sql("duckdb"))
            kinds = [str(d[1]).upper().split("(")[0].strip() for d in cursor.description]
            return {
                "columns": [d[0] for d in cursor.description],
                "column_types": [
                    "array" if k.endswith("[]") else athena._DUCKDB_TYPE_MAP.get(k, "varchar") for k in kinds
                ],
                "rows": [[_shown(value) for value in row] for row in cursor.fetchall()],
            }
        finally:
            self.connection.close()

    def bind(self, tree: Any, database: str) -> None:
        """Let every table of `tree` be one that DuckDB knows."""
        named = {c.alias_or_name for c in tree.find_all(exp.CTE)}
        for node in list(tree.find_all(exp.Table)):
            if not node.name or (node.name in named and not node.db):
                continue
            within = node.db or database
            version = node.args.get("version")
            snapshot = int(version.expression.this) if version else None
            name = f"{within}__{node.name}" + (f"__{snapshot}" if snapshot else "")
            if name not in self.bound:
                self.bound.add(name)
                self._provide(name, within, node.name, snapshot)
            alias = node.alias or node.name
            node.replace(exp.alias_(exp.to_table(name, dialect="duckdb"), alias, table=True))

    def _provide(self, name: str, database: str, table: str, snapshot: int | None) -> None:
        found = glue._tables.get(f"{database}/{table}")
        if found is None:
            raise ValueError(f"TABLE_NOT_FOUND: 'awsdatacatalog.{database}.{table}' does not exist")
        if found.get("TableType") == "VIRTUAL_VIEW":
            select = sqlglot.parse_one(view_text(found), read="athena")
            self.bind(select, database)
            self.connection.execute(f'CREATE VIEW "{name}" AS {select.sql("duckdb")}')
            return
        if (found.get("Parameters") or {}).get("table_type", "").upper() != "ICEBERG":
            raise ValueError(f"{database}.{table} is no Iceberg table")
        self.connection.register(name, _rows(found["Parameters"]["metadata_location"], snapshot))


def _shown(value: Any) -> Any:
    """A list as Athena shows it."""
    if not isinstance(value, list):
        return value
    return f"[{', '.join('null' if v is None else str(v) for v in value)}]"


def _rows(metadata: str, snapshot: int | None) -> pa.Table:
    """The table's rows in that state or the newest, from the folder that Glue jobs write through to S3."""
    mirror = {"py-io-impl": f"{MirrorIO.__module__}.{MirrorIO.__name__}", ROOT: _mirror()}
    return StaticTable.from_metadata(metadata, properties=mirror).scan(snapshot_id=snapshot).to_arrow()


def _mirror() -> str:
    return str(Path(os.environ["EMULATED_FOLDER"]) / "mirror")
