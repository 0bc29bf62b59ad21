"""Iceberg tables behind a Spark session, of any engine."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyspark.sql import functions as F

from wistlake.contracts.form import Column, Table, Type
from wistlake.derive.merge import merge
from wistlake.derive.spark import SPARK
from wistlake.machine import make_private
from wistlake.ports import TableRef, TableStore
from wistlake.transforms.changes import after

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession


def _column(column: Column) -> "SparkColumn":
    """The column. Lists are cast to their own type, because Sail can't combine one with a Parquet field id with one
    without."""
    if column.type in (Type.LONGS, Type.STRINGS):
        return F.col(column.name).cast(SPARK[column.type]).alias(column.name)
    return F.col(column.name)


class Catalog(Protocol):
    """Creates and finds the tables."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and add the columns that contracts have gained."""

    def refs(self, full_names: Iterable[str]) -> Mapping[str, TableRef]:
        """The current state of the named tables."""


class EngineTables(TableStore):
    """TableStore over a session with `catalog` as its catalog `lake`. `staging` is a folder, or a prefix that the
    engine can write to; `name` gives the engine's name of a table, `place` its URI of an object. `before_commit`
    raises if this process may change the tables no more."""

    def __init__(
        self,
        spark: "SparkSession",
        catalog: Catalog,
        staging: Path | str,
        name: Callable[[Table], str] = lambda table: f"lake.{table.full_name}",
        place: Callable[[str], str] = lambda uri: uri,
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._spark, self._catalog, self._staging, self._name = spark, catalog, staging, name
        self._place, self._before_commit = place, before_commit
        self._tables: dict[str, Table] = {}

    @property
    def spark(self) -> "SparkSession":
        return self._spark

    def ensure(self, tables: Iterable[Table]) -> None:
        # Nobody else changes tables while this process may: a run of many builds looks at each once.
        contracts = tuple(t for t in tables if self._tables.get(t.full_name) != t)
        if contracts:
            self._catalog.ensure(contracts)  # and not by SQL: Sail has no ALTER TABLE
            self._tables |= {t.full_name: t for t in contracts}

    def read(self, table: Table) -> "DataFrame":
        rows = self._spark.table(self._name(table))  # engines put partition columns last
        return rows.select(*(_column(c) for c in table.columns))

    def merge(self, table: Table, changes: "DataFrame", prune: str | None) -> None:
        """One snapshot, by the cheapest way: new rows only are appended, without reading the table. A table without
        days is overwritten unless a part of it is named, because engines hold the whole table in memory for a MERGE,
        and a MERGE would rewrite all of its files as well."""
        self._before_commit()
        changed = changes.where(F.col("_change") != "unchanged")
        if prune is None:
            changed.select(*table.column_names).writeTo(self._name(table)).append()
        elif not (table.day_column or prune):
            rows = after(table, self.read(table), changed)
            rows.writeTo(self._name(table)).overwrite(F.lit(True))
        else:
            view = f"changes_{table.name}"
            changed.createOrReplaceTempView(view)
            self._spark.sql(merge(table, self._name(table), view, prune))

    def lines(self, uris: Iterable[str]) -> "DataFrame":
        places = self._places(uris)
        return self._spark.read.text(places) if places else self._spark.createDataFrame([], "value string")

    def records(self, uris: Iterable[str], schema: str) -> "DataFrame":
        places = self._places(uris)
        return (
            self._spark.read.schema(schema).json(places)
            if places
            else self._spark.createDataFrame([], schema)
        )

    def _places(self, uris: Iterable[str]) -> list[str]:
        """What the engine opens to read the objects: on a disk, a folder of links to them. Sail looks at each path
        that it is given in a thread of its own, all at once, and those threads keep the memory they used."""
        places = [self._place(uri) for uri in uris]
        if len(places) < 2 or not isinstance(self._staging, Path):
            return places
        make_private(self._staging)
        folder = Path(tempfile.mkdtemp(prefix="landings-", dir=self._staging))
        try:
            for number, place in enumerate(places):
                (folder / f"{number:06}-{Path(place).name}").symlink_to(place)
        except OSError:  # a file system without links
            return places
        return [str(folder)]

    def stage(self, name: str, rows: "DataFrame", schema: str | None = None) -> "DataFrame":
        # Later steps read columns from Parquet instead of computing the rows again.
        writer = rows.write.mode("overwrite")
        if isinstance(self._staging, Path):
            make_private(self._staging)
            # Twice the size, and a twentieth less processor time.
            writer = writer.option("compression", "uncompressed")
        path = f"{self._staging}/{name}"
        # Without rows there may be no file to read the schema from.
        columns = schema or rows.schema
        writer.parquet(path)
        return self._spark.read.schema(columns).parquet(path)

    def refs(self) -> Mapping[str, TableRef]:
        return self._catalog.refs(self._tables)


def wipe(staging: Path) -> None:
    """Remove all staged rows, also those of a run that died."""
    shutil.rmtree(staging, ignore_errors=True)
