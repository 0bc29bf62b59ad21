"""How views and queries look to Athena: one database holds all layers, and a view is an entry of the Glue catalog.

Athena keeps a view as a table of type VIRTUAL_VIEW whose text is base64 of JSON, with the types of its columns.
Views can't hold `timestamp with time zone`, which Iceberg's timestamps are: they are cast, and stay UTC.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wistlake.contracts.form import Type

_TRINO: Mapping[Type, str] = {
    Type.STRING: "varchar",
    Type.LONG: "bigint",
    Type.DOUBLE: "double",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp(3)",
}
_HIVE: Mapping[Type, str] = {**_TRINO, Type.STRING: "string", Type.TIMESTAMP: "timestamp"}
_TABLE = re.compile(r"\b(silver|gold|ops)\.(\w+)\b")
Columns = Sequence[tuple[str, Type]]
Resource = Mapping[str, Any]


def table_name(full_name: str) -> str:
    """`layer.table` as one name."""
    return full_name.replace(".", "_")


def text(sql: str) -> str:
    """SQL over `layer.table`s as Athena takes it."""
    return _TABLE.sub(r"\1_\2", sql)


def view(name: str, select: str, columns: Columns) -> Resource:
    """The view as a resource of a template with the parameter GlueDatabase."""
    shown = ", ".join(
        f"CAST({c} AS {_TRINO[kind]}) AS {c}" if kind is Type.TIMESTAMP else c for c, kind in columns
    )
    parameters = {
        "originalSql": f"SELECT {shown} FROM ({text(select)}) v",
        "catalog": "awsdatacatalog",
        "schema": "${GlueDatabase}",
        "columns": [{"name": c, "type": _TRINO[kind]} for c, kind in columns],
    }
    encoded = {"Fn::Base64": {"Fn::Sub": json.dumps(parameters)}}
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": "GlueDatabase"},
            "TableInput": {
                "Name": table_name(name),
                "TableType": "VIRTUAL_VIEW",
                "Parameters": {"presto_view": "true", "comment": "Presto View"},
                "ViewOriginalText": {"Fn::Join": ["", ["/* Presto View: ", encoded, " */"]]},
                "ViewExpandedText": "/* Presto View */",
                "StorageDescriptor": {
                    "Columns": [{"Name": c, "Type": _HIVE[kind]} for c, kind in columns],
                    "SerdeInfo": {},
                },
            },
        },
    }


def template(
    views: Iterable[tuple[str, str, Columns]], queries: Iterable[tuple[str, str, str]]
) -> Mapping[str, Any]:
    """A CloudFormation template of views (name, SELECT, columns) and queries (name, meaning, SQL)."""
    resources = {f"View{_logical(name)}": view(name, select, columns) for name, select, columns in views}
    where = {"Database": {"Ref": "GlueDatabase"}, "WorkGroup": {"Ref": "Workgroup"}}
    for name, doc, sql in queries:
        properties = {"Name": name, "Description": doc, **where, "QueryString": text(sql)}
        resources[f"Query{_logical(name)}"] = {"Type": "AWS::Athena::NamedQuery", "Properties": properties}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Views and named queries of Athena, generated from contracts and metrics.",
        "Parameters": {"GlueDatabase": {"Type": "String"}, "Workgroup": {"Type": "String"}},
        "Resources": resources,
    }


def _logical(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"\W|_", name))
