"""How views and queries look to Athena: one database holds all layers, and a view is an entry of the Glue catalog.

Athena keeps a view as a table of type VIRTUAL_VIEW whose text is base64 of JSON, with the types of its columns.
Views can't hold `timestamp with time zone`, which Iceberg's timestamps are: they are cast, and stay UTC.

The stack makes the views over the tables as they are; each publication writes them anew over the tables as it has them.

What is no table there can be part of a query as its rows (`rows`, `of_days`).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
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
HIVE: Mapping[Type, str] = {**_TRINO, Type.STRING: "string", Type.TIMESTAMP: "timestamp"}
_TYPED = {  # as Iceberg's are
    **_TRINO,
    Type.TIMESTAMP: "timestamp(6) with time zone",
    Type.LONGS: "array(bigint)",
    Type.STRINGS: "array(varchar)",
}
_TABLE = re.compile(r"\b(silver|gold|ops)\.(\w+)\b")
Columns = Sequence[tuple[str, Type]]
Resource = Mapping[str, Any]
Snapshots = Mapping[str, int | None]  # by the table's full name
_BEGINS, _ENDS = "/* Presto View: ", " */"


def table_name(full_name: str) -> str:
    """`layer.table` as one name."""
    return full_name.replace(".", "_")


def text(sql: str, snapshots: Snapshots | None = None) -> str:
    """SQL over `layer.table`s as Athena takes it; each table that `snapshots` names in that state, None: without rows
    yet."""
    versions = snapshots or {}

    def name(match: re.Match[str]) -> str:
        full_name, called = match[0], table_name(match[0])
        if full_name not in versions:
            return called
        snapshot = versions[full_name]
        if snapshot is None:  # no rows yet, so no version
            return f"(SELECT * FROM {called} WHERE false)"
        return f"{called} FOR VERSION AS OF {snapshot}"

    return _TABLE.sub(name, sql)


def rows(columns: Columns, values: Iterable[Sequence[Any]]) -> str:
    """Rows as a subquery. Each column is cast: neither NULL alone nor no row at all has a type."""
    listed = ", ".join(_listed(row) for row in values)
    return _subquery(columns, _values(listed, [c for c, _ in columns]) if listed else "")


def of_days(columns: Columns, values: Iterable[Sequence[Any]]) -> str:
    """The same for rows of days that are written as a first and a last one, after the values of the other `columns`:
    each day of them is a row, with the column `day`."""
    names = [c for c, _ in columns if c != "day"]
    listed = ", ".join(_listed(row) for row in values)
    spans = f"{_values(listed, [*names, 'first', 'last'])} CROSS JOIN"
    each = f'{spans} UNNEST(sequence(r."first", r."last", INTERVAL \'1\' DAY)) AS d ("day")'
    return _subquery(columns, each if listed else "")


def _subquery(columns: Columns, source: str) -> str:
    if not source:
        nothing = ", ".join(f"CAST(NULL AS {_TYPED[kind]}) AS {_quoted(c)}" for c, kind in columns)
        return f"(SELECT {nothing} WHERE false)"
    typed = ", ".join(f"CAST({_quoted(c)} AS {_TYPED[kind]}) AS {_quoted(c)}" for c, kind in columns)
    return f"(SELECT {typed} FROM {source})"


def _values(listed: str, names: Iterable[str]) -> str:
    return f"(VALUES {listed}) AS r ({', '.join(map(_quoted, names))})"


def _quoted(name: str) -> str:
    """A column's name in SQL: one that nobody has chosen holds quotes itself, as in max("day")."""
    return '"' + name.replace('"', '""') + '"'


def _listed(row: Iterable[Any]) -> str:
    return f"({', '.join(map(literal, row))})"


def literal(value: Any) -> str:
    """A value as Athena's SQL writes it, a moment in UTC; TypeError for what has no literal."""
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value).lower()
        case float():
            return f"CAST('{json.dumps(value)}' AS double)"  # NaN and Infinity as Athena calls them
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"TIMESTAMP '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"
        case date():
            return f"DATE '{value.isoformat()}'"
    raise TypeError(f"{type(value).__name__} has no literal in Athena's SQL")


def view(name: str, select: str, columns: Columns) -> Resource:
    """The view as a resource of a template with the parameter GlueDatabase."""
    encoded = {"Fn::Base64": {"Fn::Sub": json.dumps(_meaning(select, columns, "${GlueDatabase}"))}}
    entry = _entry(name, columns, {"Fn::Join": ["", [_BEGINS, encoded, _ENDS]]})
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": "GlueDatabase"},
            "TableInput": entry,
        },
    }


def published_view(
    name: str, select: str, columns: Columns, database: str, snapshots: Snapshots
) -> Mapping[str, Any]:
    """The view as an entry of the Glue catalog that shows each table in the state that `snapshots` names."""
    meaning = json.dumps(_meaning(select, columns, database, snapshots))
    encoded = base64.b64encode(meaning.encode()).decode()
    return _entry(name, columns, f"{_BEGINS}{encoded}{_ENDS}")


def shown(select: str, columns: Columns, snapshots: Snapshots | None = None) -> str:
    """A view's SELECT with types that a view may have."""
    listed = ", ".join(
        f"CAST({c} AS {_TRINO[kind]}) AS {c}" if kind is Type.TIMESTAMP else c for c, kind in columns
    )
    return f"SELECT {listed} FROM ({text(select, snapshots)}) v"


def _meaning(
    select: str, columns: Columns, database: str, snapshots: Snapshots | None = None
) -> Mapping[str, Any]:
    return {
        "originalSql": shown(select, columns, snapshots),
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": c, "type": _TRINO[kind]} for c, kind in columns],
    }


def _entry(name: str, columns: Columns, original_text: Any) -> Mapping[str, Any]:
    return {
        "Name": table_name(name),
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": original_text,
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": c, "Type": HIVE[kind]} for c, kind in columns],
            "SerdeInfo": {},
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
