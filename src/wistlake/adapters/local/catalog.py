"""The laptop's Iceberg catalog: PyIceberg over sqlite, inside the lake.

PyIceberg creates and evolves the tables, because Sail can't; engines reach the catalog through `rest_catalog`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableResponse
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.transforms import DayTransform, MonthTransform
from pyiceberg.transforms import Transform as IcebergTransform
from pyiceberg.typedef import Identifier
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IcebergType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from wistlake.adapters.iceberg_paths import inside, is_inside, to_location, to_path
from wistlake.adapters.local import disk
from wistlake.contracts.form import Table, Type
from wistlake.derive.spark import TABLE_PROPERTIES, outdated
from wistlake.errors import StoreDamaged, StoreError
from wistlake.machine import make_private
from wistlake.ports import Publication, TableRef

FILE = "catalog.db"
CURE = "`wistlake repair --catalog` registers the tables again as they were published"
_SIMPLE: Mapping[Type, IcebergType] = {
    Type.STRING: StringType(),
    Type.LONG: LongType(),
    Type.DOUBLE: DoubleType(),
    Type.BOOLEAN: BooleanType(),
    Type.DATE: DateType(),
    Type.TIMESTAMP: TimestamptzType(),
}
_TRANSFORMS: Mapping[str, "IcebergTransform[Any, Any]"] = {"days": DayTransform(), "months": MonthTransform()}
_PARTITION = re.compile(r"^(\w+)\((\w+)\)$")


def iceberg_type(kind: Type, element_id: int) -> IcebergType:
    """The Iceberg type of `kind`; `element_id` is used by lists."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    element = LongType() if kind is Type.LONGS else StringType()
    return ListType(element_id=element_id, element_type=element, element_required=False)


def schema(table: Table) -> Schema:
    """The contract as an Iceberg schema."""
    total = len(table.columns)
    # The contract checks hold nullability, not Iceberg: a required column could not be added later.
    return Schema(
        *(
            NestedField(n, c.name, iceberg_type(c.type, total + n), required=False, doc=c.doc)
            for n, c in enumerate(table.columns, 1)
        )
    )


def partition_spec(table: Table, columns: Schema) -> PartitionSpec:
    """The contract's partition transform, if any."""
    if not table.partition:
        return PartitionSpec()
    match = _PARTITION.match(table.partition)
    if match is None or match[1] not in _TRANSFORMS:
        raise StoreError(f"{table.full_name}: unknown partition {table.partition!r}")
    field = columns.find_field(match[2])
    name = f"{match[2]}_{match[1].removesuffix('s')}"
    return PartitionSpec(
        PartitionField(source_id=field.field_id, field_id=1000, transform=_TRANSFORMS[match[1]], name=name)
    )


class _Catalog(SqlCatalog):
    """PyIceberg's catalog, which never loads the code that a table's properties name, and reads each state of a table
    once: an engine asks for one many times in a build."""

    def __init__(self, name: str, **properties: str) -> None:
        super().__init__(name, **properties)
        # The newest of each table: where it is, and what it says.
        self._states: dict[Identifier, tuple[str, TableMetadata]] = {}

    def load_table(self, identifier: str | Identifier) -> IcebergTable:
        name = self.identifier_to_tuple(identifier)
        location, metadata = self._states.get(name, ("", None))
        if metadata is None or location != self._location(name):
            table = super().load_table(name)
            self._states[name] = (table.metadata_location, table.metadata)
            return table
        io = self._load_file_io()
        return IcebergTable(name, metadata=metadata, metadata_location=location, io=io, catalog=self)

    def commit_table(self, table: IcebergTable, *changes: Any) -> CommitTableResponse:
        done = super().commit_table(table, *changes)
        self._states[table.name()] = (done.metadata_location, done.metadata)
        return done

    def _location(self, name: Identifier) -> str | None:
        """Where the catalog has the table's newest state."""
        with closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT metadata_location FROM iceberg_tables"
                " WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?",
                (self.name, self.namespace_to_string(name[:-1]), name[-1]),
            )
            row = cursor.fetchone()
        return row and row[0]

    def _load_file_io(self, *_arguments: Any, **_options: Any) -> FileIO:
        return PyArrowFileIO(self.properties)


class LocalCatalog:
    """The catalog of one lake folder."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self.warehouse = lake / "warehouse"
        make_private(self.warehouse)
        with self._explained():
            self.sql = _Catalog(
                "lake",
                # Not as text: the path may hold characters with a meaning in a database's URL.
                uri=URL.create("sqlite", database=str(lake / FILE)),  # type: ignore[arg-type]
                warehouse=to_location(self.warehouse),
                pool_pre_ping="true",
            )

    def close(self) -> None:
        """Close the database."""
        self.sql.close()

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and give the others what contracts have gained: columns, partitions, properties."""
        existing = self.locations()
        for table in tables:
            if table.full_name in existing:
                self._evolve(table)
            else:
                self.sql.create_namespace_if_not_exists(table.layer)
                self._create(table)

    def _create(self, table: Table) -> None:
        columns = schema(table)
        self.sql.create_table(
            table.full_name,
            columns,
            location=to_location(self.folder(table.full_name)),
            partition_spec=partition_spec(table, columns),
            properties=dict(TABLE_PROPERTIES),
        )

    def _evolve(self, table: Table) -> None:
        loaded = self.load(table.full_name)
        existing = set(loaded.schema().column_names)
        added = [c for c in table.columns if c.name not in existing]
        if added:
            with loaded.update_schema() as update:
                for column in added:
                    update.add_column(column.name, iceberg_type(column.type, 0), doc=column.doc)
        if properties := outdated(loaded.properties):
            with loaded.transaction() as transaction:
                transaction.set_properties(properties)
        if table.partition and loaded.spec().is_unpartitioned():
            self._partition(table)

    def _partition(self, table: Table) -> None:
        """Partition a table of an older version: its rows are written again, in one commit, for engines can't write
        to one that has files of both kinds."""
        loaded = self.load(table.full_name)
        (field,) = partition_spec(table, loaded.schema()).fields
        rows = loaded.scan().to_arrow()
        with loaded.transaction() as transaction:
            with transaction.update_spec() as update:
                update.add_field(
                    loaded.schema().find_field(field.source_id).name, field.transform, field.name
                )
            if rows.num_rows:
                transaction.overwrite(rows)

    def folder(self, full_name: str) -> Path:
        """The folder of the table's files."""
        return self.warehouse.joinpath(*full_name.split("."))

    def load(self, full_name: str) -> IcebergTable:
        """The table. StoreError naming it if it does not exist, or lies outside of its folder."""
        with self._explained():
            try:
                if location := self.locations().get(full_name):
                    inside(location, self.warehouse, full_name)
                table = self.sql.load_table(full_name)
            except NoSuchTableError as e:
                raise StoreError(f"the lake has no table {full_name}: run `wistlake run` first") from e
        if to_path(table.location()) != self.folder(full_name):
            raise StoreDamaged(
                f"{full_name} says that it lies at {table.location()[:200]!r}, not below the lake: "
                f"`wistlake repair --table {full_name}`"
            )
        return table

    def refs(self, full_names: Iterable[str]) -> dict[str, TableRef]:
        """The current state of the named tables."""
        refs = {}
        for name in full_names:
            table = self.load(name)
            snapshot = table.current_snapshot()
            refs[name] = TableRef(table.metadata_location, snapshot.snapshot_id if snapshot else None)
        return refs

    def locations(self) -> dict[str, str]:
        """The location of every table's newest metadata."""
        with self._explained(), closing(self.sql.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT table_namespace, table_name, metadata_location FROM iceberg_tables")
            return {f"{layer}.{name}": str(location) for layer, name, location in cursor.fetchall()}

    def require(self, published: Publication | None) -> None:
        """StoreError, with the cure, unless the catalog has every published table inside the lake, in its
        published state or a newer one."""
        locations = self.locations()
        for name, location in locations.items():
            inside(location, self.warehouse, name)
        for name, ref in (published.tables if published else {}).items():
            if name not in locations:
                raise StoreDamaged(f"{self._lake / FILE} has lost {name}, which is published: {CURE}")
            if version(locations[name]) < version(ref.metadata_location):
                raise StoreDamaged(f"{self._lake / FILE} is older than what is published of {name}: {CURE}")

    def register(self, published: Publication) -> list[str]:
        """Register the published state of each table that the catalog has lost; their names."""
        locations = self.locations()
        lost = []
        for name, ref in published.tables.items():
            inside(ref.metadata_location, self.warehouse, name)
            location = locations.get(name, "")
            if not is_inside(location, self.warehouse) or version(location) < version(ref.metadata_location):
                self.replace(name, ref.metadata_location)
                lost.append(name)
        return lost

    def replace(self, full_name: str, metadata_location: str) -> None:
        """Make the state at `metadata_location` the table's newest."""
        self.forget(full_name)
        self.sql.create_namespace_if_not_exists(full_name.partition(".")[0])
        self.sql.register_table(full_name, metadata_location)

    def forget(self, full_name: str) -> None:
        """Remove the table from the catalog; its files stay."""
        with suppress(NoSuchTableError):
            self.sql.drop_table(full_name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate errors of the database into a StoreError with the cure."""
        try:
            yield
        except SQLAlchemyError as e:
            if reason := disk.trouble(self._lake):
                raise StoreError(f"{self._lake / FILE}: {reason}") from e
            raise StoreDamaged(f"{self._lake / FILE}: it is damaged ({type(e).__name__}): {CURE}") from e


def version(location: str) -> int:
    """The number at the start of a metadata file's name: how many states the table had before."""
    match = re.match(r"v?(\d+)", location.rpartition("/")[2])
    return int(match[1]) if match else 0
