"""Iceberg tables behind a Spark session, whichever engine answers it."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyspark.sql import functions as F

from wistlake.contracts.form import Column, Table, Type
from wistlake.derive.merge import merge
from wistlake.derive.spark import SPARK
from wistlake.ports import TableRef
from wistlake.transforms.changes import after

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

CATALOG = "lake"


def _column(column: Column) -> "SparkColumn":
    """The column; lists are cast to what they are, because Sail refuses to combine one that still carries
    its Parquet field id with one that does not."""
    if column.type in (Type.LONGS, Type.STRINGS):
        return F.col(column.name).cast(SPARK[column.type]).alias(column.name)
    return F.col(column.name)


class Catalog(Protocol):
    """Where the tables are made and looked up."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and add the columns that contracts have gained."""

    def refs(self, full_names: Iterable[str]) -> Mapping[str, TableRef]:
        """The current state of the named tables."""


def by_layer(table: Table) -> str:
    """`lake.layer.table`."""
    return f"{CATALOG}.{table.full_name}"


class EngineTables:
    """TableStore over a session whose catalog `lake` is the given one. `staging` is a folder, or a prefix
    that the engine can write to; `name` is what the engine calls a table, `place` what it calls an object."""

    def __init__(
        self,
        spark: "SparkSession",
        catalog: Catalog,
        staging: Path | str,
        name: Callable[[Table], str] = by_layer,
        place: Callable[[str], str] = lambda uri: uri,
    ) -> None:
        self._spark, self._catalog, self._staging, self._name = spark, catalog, staging, name
        self._place = place
        self._tables: dict[str, Table] = {}

    @property
    def spark(self) -> "SparkSession":
        """The engine's session."""
        return self._spark

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create or evolve through the catalog: one of the engines has no ALTER TABLE."""
        wanted = tuple(tables)
        self._catalog.ensure(wanted)
        self._tables |= {t.full_name: t for t in wanted}

    def read(self, table: Table) -> "DataFrame":
        """Current rows, columns in contract order (engines put partition columns last)."""
        rows = self._spark.table(self._name(table))
        return rows.select(*(_column(c) for c in table.columns))

    def merge(self, table: Table, changes: "DataFrame", prune: str | None) -> None:
        """One snapshot: of a MERGE, or of less where less will do. Rows that are all new are appended: nothing
        is read to be joined. A table without days is written anew, as a MERGE would write it too, but past the
        changes and not joined with them: engines hold the whole table in memory to MERGE into it."""
        changed = changes.where(F.col("_change") != "unchanged")
        if prune is None:
            changed.select(*table.column_names).writeTo(self._name(table)).append()
        elif not table.day_column:
            rows = after(table, self.read(table), changed)
            rows.writeTo(self._name(table)).overwrite(F.lit(True))
        else:
            view = f"changes_{table.name}"
            changed.createOrReplaceTempView(view)
            self._spark.sql(merge(table, self._name(table), view, prune)).collect()

    def lines(self, uris: Iterable[str]) -> "DataFrame":
        """Lines of text objects, as column `value`."""
        places = [self._place(uri) for uri in uris]
        return self._spark.read.text(places) if places else self._spark.createDataFrame([], "value string")

    def stage(self, name: str, rows: "DataFrame", schema: str | None = None) -> "DataFrame":
        """Write once, read back: what follows reads columns from Parquet and does not compute again."""
        if isinstance(self._staging, Path):
            self._staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = f"{self._staging}/{name}"
        # The schema goes along: no rows may leave no files, and nothing to read it from.
        columns = schema or rows.schema
        rows.write.mode("overwrite").parquet(path)
        return self._spark.read.schema(columns).parquet(path)

    def refs(self) -> Mapping[str, TableRef]:
        """Metadata location and snapshot of every table."""
        return self._catalog.refs(self._tables)


def wipe(staging: Path) -> None:
    """Remove what was staged, also by a run that died."""
    shutil.rmtree(staging, ignore_errors=True)
