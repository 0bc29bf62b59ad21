"""The laptop's Iceberg catalog: PyIceberg over sqlite, inside the lake.

Tables are created and evolved here, by PyIceberg, for one of the engines cannot; engines reach it through
`rest_catalog`.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table as IcebergTable
from pyiceberg.transforms import DayTransform, MonthTransform
from pyiceberg.transforms import Transform as IcebergTransform
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

from wistlake.adapters.iceberg_paths import spelled
from wistlake.contracts.form import Column, Table, Type
from wistlake.derive.spark import TABLE_PROPERTIES
from wistlake.errors import StoreError
from wistlake.ports import TableRef

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


def _field(number: int, column: Column, total: int) -> NestedField:
    # Nullability is kept by the contract checks, not by Iceberg: a required column could not be added later.
    return NestedField(
        field_id=number,
        name=column.name,
        field_type=iceberg_type(column.type, total + number),
        required=False,
        doc=column.doc,
    )


def schema(table: Table) -> Schema:
    """The contract as an Iceberg schema."""
    total = len(table.columns)
    return Schema(*(_field(n, c, total) for n, c in enumerate(table.columns, 1)))


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


class LocalCatalog:
    """The catalog of one lake folder."""

    def __init__(self, lake: Path) -> None:
        self.warehouse = lake / "warehouse"
        self.warehouse.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sql = SqlCatalog(
            "lake",
            # Not as text: the path may hold what means something in the URL of a database.
            uri=URL.create("sqlite", database=str(lake / "catalog.db")),  # type: ignore[arg-type]
            warehouse=spelled(self.warehouse),
            pool_pre_ping="true",
        )

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and add the columns that contracts have gained."""
        known = {(".".join(i)) for ns in self.sql.list_namespaces() for i in self.sql.list_tables(ns)}
        for table in tables:
            if table.full_name in known:
                self._evolve(table)
            else:
                self.sql.create_namespace_if_not_exists(table.layer)
                self._create(table)

    def _create(self, table: Table) -> None:
        columns = schema(table)
        self.sql.create_table(
            table.full_name,
            columns,
            location=spelled(self.folder(table.full_name)),
            partition_spec=partition_spec(table, columns),
            properties=dict(TABLE_PROPERTIES),
        )

    def _evolve(self, table: Table) -> None:
        existing = self.load(table.full_name)
        have = set(existing.schema().column_names)
        added = [c for c in table.columns if c.name not in have]
        if added:
            with existing.update_schema() as update:
                for column in added:
                    update.add_column(column.name, iceberg_type(column.type, 0), doc=column.doc)

    def folder(self, full_name: str) -> Path:
        """Below which the table's files lie."""
        return self.warehouse.joinpath(*full_name.split("."))

    def load(self, full_name: str) -> IcebergTable:
        """The table; StoreError naming it if it is not there."""
        try:
            return self.sql.load_table(full_name)
        except NoSuchTableError as e:
            raise StoreError(f"the lake has no table {full_name}: run `wistlake run` first") from e

    def refs(self, full_names: Iterable[str]) -> dict[str, TableRef]:
        """The current state of the named tables."""
        found = {}
        for name in full_names:
            table = self.load(name)
            snapshot = table.current_snapshot()
            found[name] = TableRef(table.metadata_location, snapshot.snapshot_id if snapshot else None)
        return found
