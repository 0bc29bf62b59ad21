"""A DuckDB file: each table under its own name, with the contract's words as comments."""

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa

from wistlake.adapters.query_sandbox import literal
from wistlake.errors import ConfigError
from wistlake.export.relations import Relation

DATABASE = "wistlake.duckdb"


class Database:
    """Writes the tables of one export into a copy of `before`, the file of the export before it, or into a new one."""

    def __init__(self, folder: Path, before: Path | None) -> None:
        self.written, self.gone = [DATABASE], list[str]()
        path = folder / DATABASE
        if before is not None:
            if before.with_name(f"{DATABASE}.wal").exists():
                raise ConfigError(
                    f"{before} is being written by another program: close it there, and export again"
                )
            shutil.copyfile(before, path)
        try:
            self._connection = duckdb.connect(str(path))
        except duckdb.Error as e:
            raise ConfigError(
                f"{before} can't be opened as a DuckDB file: delete it, or name another folder"
            ) from e
        self._connection.execute("SET TimeZone = 'UTC'")

    def by_day(self, _relation: Relation) -> bool:
        """Whether each part is a day."""
        return False

    def has(self, relation: Relation, _part: str) -> bool:
        """Whether the part's table is there."""
        layer, _, name = relation.name.rpartition(".")
        row = self._connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?", [layer or "main", name]
        ).fetchone()
        return row is not None

    def begin(self, relation: Relation, *, fresh: bool) -> None:
        """Make the table, anew if `fresh`."""
        layer, dot, _ = relation.name.partition(".")
        if dot:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
        if fresh:
            self._connection.execute(f"DROP TABLE IF EXISTS {relation.name}")

    def replace(self, relation: Relation, part: str, rows: pa.Table) -> None:
        """Let the part have these rows and no others."""
        self._connection.register("part_rows", rows)
        if not self.has(relation, part):
            self._connection.execute(f"CREATE TABLE {relation.name} AS SELECT * FROM part_rows LIMIT 0")
            self._comment(relation)
        self.remove(relation, part)
        self._connection.execute(f"INSERT INTO {relation.name} SELECT * FROM part_rows")
        self._connection.unregister("part_rows")

    def remove(self, relation: Relation, part: str) -> None:
        """Let the part have no rows."""
        if self.has(relation, part):
            condition = relation.condition(part) or "true"
            self._connection.execute(f"DELETE FROM {relation.name} WHERE {condition}")

    def close(self) -> None:
        """Write everything into the one file."""
        self._connection.execute("CHECKPOINT")
        self._connection.close()

    def _comment(self, relation: Relation) -> None:
        self._connection.execute(f"COMMENT ON TABLE {relation.name} IS {literal(relation.holds)}")
        for c in relation.columns:
            means = f"{c.doc} Unit: {c.unit}." if c.unit else c.doc
            self._connection.execute(f"COMMENT ON COLUMN {relation.name}.{c.name} IS {literal(means)}")
