"""Restricts a query to reading the lake's tables.

DuckDB's own settings forbid other files, extensions and changes of settings. They don't forbid functions that write
from within a SELECT: only functions that compute are allowed here. Nor may a query name a file: some files of the
tables belong to no publication.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from wistlake.errors import ConfigError

# Table functions that compute, or describe the schema. Others read or write files: enable_logging() and
# enable_profiling() write from within a SELECT, into any folder. Or they read a table by a name that is computed, as
# histogram() does, and the text does not tell which.
CALLABLE = frozenset(
    (
        "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_schemas", "duckdb_tables", "duckdb_types",
        "duckdb_views", "generate_series", "icu_calendar_names", "json_each",
        "json_tree", "pg_timezone_names", "pragma_collations", "pragma_show", "pragma_table_info", "pragma_version",
        "range", "repeat", "repeat_row", "summary", "unnest",
    )
)  # fmt: skip


def literal(text: str) -> str:
    """The text as a SQL literal: paths come from databases that somebody else may have written."""
    return "'" + text.replace("'", "''") + "'"


def shut(connection: duckdb.DuckDBPyConnection, folders: Iterable[str]) -> None:
    """Restrict the connection to files below `folders`. It can't be undone."""
    allowed = ", ".join(literal(f"{folder.rstrip('/')}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET python_enable_replacements = false")  # or Python variables would be tables
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def checked(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    """The one SELECT in `text`, which names every table that it reads. ConfigError if it is something else, names a
    file, or calls a forbidden function."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("the query holds bytes that are no UTF-8: write it in UTF-8") from None
    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ConfigError("query takes one SELECT: the lake is read-only here")
    # Not as a parameter: for one, DuckDB imports pandas.
    row = connection.execute(f"SELECT json_serialize_sql({literal(text)})").fetchone()
    parsed = json.loads(row[0]) if row else {}
    if parsed.get("error", True):
        raise ConfigError("query takes one SELECT that DuckDB can write down: try it in simpler words")
    for problem in _problems(parsed):
        raise ConfigError(f"query reads the lake's tables only: {problem}")
    return statements[0]


def _problems(node: Any) -> Iterator[str]:
    """Files and forbidden functions anywhere in a parsed statement."""
    if isinstance(node, dict):
        match node.get("type"):
            case "TABLE_FUNCTION":
                name = str(node["function"]["function_name"]).lower()
                if name not in CALLABLE:
                    yield f"it calls no {name}()"
            case "BASE_TABLE":
                # DuckDB reads an unknown table name as a file's name; in a bucket, dots in it lead out of its folder.
                if "/" in str(node.get("table_name")):
                    yield f"{node['table_name']} is a file"
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _problems(part)
