"""The tables' contracts in the form of the Open Data Contract Standard, version 3, for catalogs and checkers."""

from collections.abc import Iterable, Mapping
from typing import Any

from wistlake.contracts.form import Column, Table, Type
from wistlake.derive.spark import SPARK

API_VERSION = "v3.1.0"
_LOGICAL: Mapping[Type, str] = {
    Type.STRING: "string",
    Type.LONG: "integer",
    Type.DOUBLE: "number",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp",
    Type.LONGS: "array",
    Type.STRINGS: "array",
}
_ITEMS: Mapping[Type, Type] = {Type.LONGS: Type.LONG, Type.STRINGS: Type.STRING}


def document(tables: Iterable[Table], version: str) -> dict[str, Any]:
    """The whole contract as plain values, of this version of the product."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": "wistlake",
        "name": "Wistlake",
        "version": version,
        "status": "active",
        "domain": "video analytics",
        "description": {
            "purpose": "Engagement with the videos of a Wistia account: sessions, days, media, visitors by pseudonym.",
            "usage": "Read one publication. Add up counts, divide sums for shares, and count unique visitors anew.",
            "limitations": "The newest days are provisional, which certificate says. Plays on other platforms are not "
            "there, for Wistia has none of them.",
        },
        "schema": [_object(table) for table in tables],
    }


def _object(table: Table) -> dict[str, Any]:
    shown = {
        "name": table.full_name,
        "physicalName": table.full_name,
        "logicalType": "object",
        "physicalType": "table",
        "description": table.doc,
        "dataGranularityDescription": table.grain,
        "properties": [_property(table, column) for column in table.columns],
    }
    quality = [_unique(table), *(_rule(rule) for rule in table.rules)]
    return {**shown, "quality": quality}


def _property(table: Table, column: Column) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": column.name,
        "logicalType": _LOGICAL[column.type],
        "physicalType": SPARK[column.type],
        "description": column.doc,
        "required": not column.nullable,
        "classification": str(column.privacy),
    }
    if column.type in _ITEMS:
        item = _ITEMS[column.type]
        shown["items"] = {"name": "item", "logicalType": _LOGICAL[item], "physicalType": SPARK[item]}
    if column.name in table.key:
        shown |= {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 1}
    if column.name in (table.day_column, table.moment_column):
        shown |= {"partitioned": True, "partitionKeyPosition": 1}
    limits = {"minimum": column.minimum, "maximum": column.maximum}
    if options := {name: limit for name, limit in limits.items() if limit is not None}:
        shown["logicalTypeOptions"] = options
    if column.unit:
        shown["customProperties"] = [{"property": "unit", "value": column.unit}]
    if column.allowed:
        shown["quality"] = [
            {"metric": "invalidValues", "arguments": {"validValues": list(column.allowed)}, "mustBe": 0}
        ]
    return shown


def _unique(table: Table) -> dict[str, Any]:
    key = list(table.key)
    return {
        "metric": "duplicateValues",
        "arguments": {"properties": key},
        "mustBe": 0,
        "dimension": "uniqueness",
    }


def _rule(rule: str) -> dict[str, Any]:
    query = f"SELECT count(*) FROM ${{object}} WHERE NOT ({rule})"
    return {"type": "sql", "query": query, "mustBe": 0, "dimension": "consistency"}
