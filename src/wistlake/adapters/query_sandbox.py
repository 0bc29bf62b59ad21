"""What a query may do: read the lake's tables, and nothing else.

DuckDB itself keeps every file but the tables' own out of reach, loads nothing, and takes no other settings any
more. That leaves functions which write although they stand in a SELECT: only those that compute may be called. Nor
may a file be named: of the tables' own some belong to no publication.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from wistlake.errors import ConfigError

# Table functions that compute, or tell what there is to ask for. Of the others some read files, and some write
# them: enable_logging() and enable_profiling() do, out of a SELECT and into any folder.
CALLABLE = frozenset(
    (
        "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_schemas", "duckdb_tables", "duckdb_types",
        "duckdb_views", "generate_series", "histogram", "histogram_values", "icu_calendar_names", "json_each",
        "json_tree", "pg_timezone_names", "pragma_collations", "pragma_show", "pragma_table_info", "pragma_version",
        "range", "repeat", "repeat_row", "summary", "unnest",
    )
)  # fmt: skip


def literal(text: str) -> str:
    """The text as SQL spells it: paths come from databases that somebody else may have written."""
    return "'" + text.replace("'", "''") + "'"


def shut(connection: duckdb.DuckDBPyConnection, folders: Iterable[str]) -> None:
    """Leave the connection nothing but files below `folders`. It can't be undone."""
    allowed = ", ".join(literal(f"{folder.rstrip('/')}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET python_enable_replacements = false")  # variables of this process are no tables
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def checked(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    """The one SELECT in `text`. ConfigError if it is none, names a file, or calls what might reach out."""
    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ConfigError("query takes one SELECT: the lake is read-only here")
    row = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    parsed = json.loads(row[0]) if row else {}
    if parsed.get("error", True):
        raise ConfigError("query takes one SELECT that DuckDB can write down: try it in simpler words")
    for problem in _problems(parsed):
        raise ConfigError(f"query reads the lake's tables only: {problem}")
    return statements[0]


def _problems(node: Any) -> Iterator[str]:
    """What a parsed statement reads, wherever in it, that is no table of the lake and no mere computation."""
    if isinstance(node, dict):
        match node.get("type"):
            case "TABLE_FUNCTION":
                name = str(node["function"]["function_name"]).lower()
                if name not in CALLABLE:
                    yield f"it calls no {name}()"
            case "BASE_TABLE":
                # DuckDB takes an unknown name for a file's. One in a bucket may lead out of its folder by dots.
                if "/" in str(node.get("table_name")):
                    yield f"{node['table_name']} is a file"
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _problems(part)
