"""Reading a lake on AWS: DuckDB over S3, or Athena. Both follow the last publication, and nothing newer.

Athena has none of the ledger's tables: a query that names one brings its rows (`ledger_text`).

DuckDB and Arrow are imported late: functions have neither.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import NoCredentialsError

from wistlake.adapters.aws.client import client, explained, set_up
from wistlake.adapters.aws.interval_answers import IntervalAnswers
from wistlake.adapters.aws.ledger_text import LONGEST, answer_written, empty, parts, rows_written, written
from wistlake.adapters.ledger_tables import (
    INTERVALS,
    LEDGER_TABLES,
    are_ledgers_alone,
    columns_named,
    words,
)
from wistlake.adapters.table_names import TableName, tables_named
from wistlake.contracts import TABLES
from wistlake.contracts.form import Type
from wistlake.derive.athena import table_name
from wistlake.errors import ConfigError, StoreDamaged, StoreError, WistlakeError
from wistlake.planning.intervals import State
from wistlake.ports import Ledger, Publication, Query

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from wistlake.adapters.duckdb_query import DuckDBQuery

_SELECT = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH|VALUES|TABLE)\b", re.IGNORECASE | re.DOTALL
)
# The codes with which Athena reports files that are missing, truncated or changed.
_DAMAGE = (
    "ICEBERG_BAD_DATA", "ICEBERG_CANNOT_OPEN_SPLIT", "ICEBERG_CURSOR_ERROR", "ICEBERG_FILESYSTEM_ERROR",
    "ICEBERG_INVALID_METADATA", "ICEBERG_MISSING_DATA", "ICEBERG_MISSING_METADATA",
)  # fmt: skip
_POLL_SECONDS, _LIMIT_SECONDS = 0.3, 300.0
_NEWEST_RUNS = 100
_TABLES = {t.full_name: t for t in TABLES}
_CATALOG = "awsdatacatalog."


def open_s3(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let DuckDB read s3:// with this process's credentials. ConfigError if there are none."""
    import duckdb
    import duckdb_extension_httpfs

    folder = Path(next(iter(duckdb_extension_httpfs.__path__)))
    connection.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    with set_up():
        credentials = boto3.Session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        frozen, meta = credentials.get_frozen_credentials(), client("s3").meta
    settings = {
        "KEY_ID": frozen.access_key,
        "SECRET": frozen.secret_key,
        "SESSION_TOKEN": frozen.token or "",
        "REGION": meta.region_name,
    }
    endpoint = urlsplit(meta.endpoint_url)
    if "amazonaws.com" not in endpoint.netloc:
        secure = str(endpoint.scheme == "https").lower()
        settings |= {"ENDPOINT": endpoint.netloc, "URL_STYLE": "path", "USE_SSL": secure}
    options = ", ".join(f"{name} '{value}'" for name, value in settings.items() if value)
    try:
        connection.execute(f"CREATE SECRET lake (TYPE s3, {options})")
    except duckdb.Error:  # its message quotes the credentials
        raise ConfigError("DuckDB does not take the AWS credentials: sign in again") from None


class AthenaQuery(Query):
    """Query over one publication by Athena: each table as it was published (`FOR VERSION AS OF`).

    `views` are (name, SELECT) on top of the tables. The SQL dialect is Athena's. What is asked of the ledger's tables
    alone DuckDB answers here, a subquery as well; where they are joined with others, the columns that are named become
    part of the query, which Athena bounds.
    """

    cure = "ask for less of it in a subquery, which is answered here, or set WISTLAKE_QUERY=duckdb"

    def __init__(
        self,
        ledger: Ledger,
        database: str,
        workgroup: str,
        views: Iterable[tuple[str, str]] = (),
        athena: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger, self._published = ledger, ledger.publication()
        self._database, self._workgroup = database, workgroup
        self._views = dict(views)
        self._athena = athena or client("athena")
        self._sleep = sleep

    @property
    def published(self) -> Publication | None:
        """The publication that it reads; None before the first."""
        return self._published

    def sql(self, text: str) -> "pa.Table":
        """The rows of one SELECT. ConfigError with Athena's message if it is something else, or can't run. IAM
        decides what else in the account a SELECT may read."""
        return self._run(text, _LIMIT_SECONDS)

    def limited(self, text: str, rows: int, seconds: float) -> "pa.Table":
        """As `sql`; a query that takes longer is ended."""
        return self._run(text, min(seconds, _LIMIT_SECONDS), rows)

    def _run(self, text: str, seconds: float, most: int | None = None) -> "pa.Table":
        from wistlake.adapters.query_result import answer

        if self._is_of_ledger(text):
            return self._here.sql(text) if most is None else self._here.limited(text, most, seconds)
        return answer(_table(*self._ask(text, seconds, most)))

    def _is_of_ledger(self, text: str) -> bool:
        """Whether the ledger alone has the answer: a view is of published tables."""
        names = {table.name for table in self._tables(text)}
        return are_ledgers_alone(names) and self._views.keys().isdisjoint(names)

    def _tables(self, text: str) -> list[TableName]:
        """The tables and views that a query names, also those that it names as Athena does."""
        own = {form(name): name for name in (*_TABLES, *self._views) for form in (str, table_name)}
        database = f"{self._database.lower()}."

        def known(name: str) -> str:
            return own.get(name) or own.get(name.removeprefix(_CATALOG).removeprefix(database), name)

        return [replace(table, name=known(table.name)) for table in tables_named(text)]

    @cached_property
    def _here(self) -> "DuckDBQuery":
        from wistlake.adapters import duckdb_query

        return duckdb_query.of_ledger(self._ledger)

    def _ask(self, text: str, seconds: float, most: int | None = None) -> "_Result":
        if not _SELECT.match(text):
            raise ConfigError("query takes one SELECT: the lake is read-only here")
        published = self.as_published(text)
        with explained(f"the workgroup {self._workgroup}"):
            query = self._athena.start_query_execution(
                QueryString=published,
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._workgroup,
            )["QueryExecutionId"]
            self._wait(query, seconds)
            pages = self._athena.get_paginator("get_query_results").paginate(
                QueryExecutionId=query, PaginationConfig={} if most is None else {"MaxItems": most + 1}
            )  # the header is a row, too
            return _read((page["ResultSet"] for page in pages), _lists(words(text) | words(published)))

    def as_published(self, text: str) -> str:
        """The query with the published state in place of every table and view, and rows in place of what it asks of the
        ledger. ConfigError if Athena takes no query of that length."""
        sizes: Counter[str] = Counter()
        done, pieces = 0, []
        tables = self._tables(text)
        for start, end in parts(text) if LEDGER_TABLES.keys() & {t.name for t in tables} else ():
            part = text[start + 1 : end - 1]
            if (
                start >= done
                and _SELECT.match(part)
                and self._is_of_ledger(part)
                and (rows := self._answer(part))
            ):
                pieces += [self._as_named(text, done, start, tables, sizes), rows]
                sizes[", ".join(sorted({t.name for t in self._tables(part)}))] += len(rows)
                done = end
        whole = "".join((*pieces, self._as_named(text, done, len(text), tables, sizes)))
        if sizes and (size := len(whole.encode())) > LONGEST:
            ((largest, _),) = sizes.most_common(1)
            raise ConfigError(
                f"with the rows of {largest} the query has {size:,} bytes, and Athena takes {LONGEST:,}: {self.cure}"
            )
        return whole

    def _as_named(
        self, text: str, start: int, end: int, tables: Iterable[TableName], sizes: Counter[str]
    ) -> str:
        """A piece of the query with what stands for each table that it names."""
        done, pieces = start, []
        for table in tables:
            if start <= table.start < end:
                stands = self._named(table.name, text, sizes) or text[table.start : table.end]
                pieces += [text[done : table.start], stands]
                done = table.end
        return "".join((*pieces, text[done:end]))

    def _named(self, name: str, text: str, sizes: Counter[str]) -> str | None:
        """What stands for a table; None if it is none of ours."""
        if name in LEDGER_TABLES:
            rows = self._rows(name, columns_named(name, text))
            sizes[name] += len(rows)
            return rows
        if name in self._views:
            return f"({self.as_published(self._views[name])})"
        ref = self._published.tables.get(name) if self._published else None
        if ref is None:  # none of ours, or one that nobody has published yet
            return empty(_TABLES[name]) if name in _TABLES else None
        if ref.snapshot_id is None:  # no rows yet, so no version
            return f"(SELECT * FROM {table_name(name)} WHERE false)"
        return f"{table_name(name)} FOR VERSION AS OF {ref.snapshot_id}"

    def _answer(self, select: str) -> str | None:
        """The answer to a subquery, as rows; None if it can't be had without what is around it, or written."""
        try:
            return answer_written(self._here.sql(select))
        except ConfigError:
            return None

    def _rows(self, table: str, columns: Mapping[str, Type]) -> str:
        """The rows of a table of the ledger."""
        listed = ", ".join(f'"{name}"' for name in columns)
        rows = self._here.sql(f"SELECT {listed} FROM {table}")
        return written(columns, list(zip(*(c.to_pylist() for c in rows.columns), strict=True)))

    def _wait(self, query: str, seconds: float) -> None:
        waited = 0.0
        while waited < seconds:
            status = self._athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in ("FAILED", "CANCELLED"):
                raise _failure(str(status.get("StateChangeReason", status["State"])))
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        self._athena.stop_query_execution(QueryExecutionId=query)
        raise StoreError(f"the query took longer than {seconds:.0f} s and was ended: ask for less")


class AthenaRecords(AthenaQuery):
    """The same for a process without Arrow and DuckDB: of what `sql` returns there is `to_pylist`. Of the ledger it
    reads what is asked here: of `ops.intervals` those that are not published, which are all among the open ones, and
    the others `since` a day, if one is given; of `ops.runs` the newest 100. What is asked of intervals alone SQLite
    answers: their rows may be too many for a query's text."""

    cure = "mend what fails, which `wistlake status` names"

    def __init__(self, *given: Any, since: date | None = None, **more: Any) -> None:
        super().__init__(*given, **more)
        self._since = since or date.max

    def sql(self, text: str) -> Any:
        if self._is_of_intervals(text):
            kinds, rows = self._intervals.ask(text)
            return _Records([*kinds], [list(of) for of in zip(*rows, strict=True)] or [[] for _ in kinds])
        columns, values = self._ask(text, _LIMIT_SECONDS)
        return _Records([column["Name"] for column in columns], values)

    def _is_of_intervals(self, text: str) -> bool:
        return self._is_of_ledger(text) and INTERVALS in {t.name for t in self._tables(text)}

    def _answer(self, select: str) -> str | None:
        if not self._is_of_intervals(select):
            return None
        try:
            return rows_written(*self._intervals.ask(select))
        except ConfigError:
            return None

    @cached_property
    def _intervals(self) -> IntervalAnswers:
        return IntervalAnswers(self._read_once)

    def _rows(self, table: str, columns: Mapping[str, Type]) -> str:
        rows = self._read_once(table)
        return written(columns, [tuple(getattr(row, name) for name in columns) for row in rows])

    def _read_once(self, table: str) -> Sequence[object]:
        if table not in self._cached:
            self._cached[table] = self._read(table)
        return self._cached[table]

    @cached_property
    def _cached(self) -> dict[str, Sequence[object]]:
        return {}

    def _read(self, table: str) -> Sequence[object]:
        match table:
            case "ops.intervals":
                waiting = [i for i in self._ledger.open_intervals() if i.state is not State.PUBLISHED]
                if self._since == date.max:
                    return waiting
                return [i for i in waiting if i.day < self._since] + [
                    *self._ledger.intervals(start=self._since)
                ]
            case "ops.runs":
                return self._ledger.runs(_NEWEST_RUNS)
        return LEDGER_TABLES[table].read(self._ledger)


class _Records:
    """The rows of one answer, as an Arrow table has them; of a column there is `to_pylist` as well."""

    def __init__(self, names: list[str], values: list[list[Any]]) -> None:
        self._names = names
        self._columns = [_Column(of) for of in values]

    def __getitem__(self, name: str) -> "_Column":
        return self._columns[self._names.index(name)]

    def to_pylist(self) -> list[dict[str, Any]]:
        """A dict a row."""
        return [dict(zip(self._names, row, strict=True)) for row in zip(*self._columns, strict=True)]


class _Column(list[Any]):
    def to_pylist(self) -> list[Any]:
        """The values."""
        return self


def _failure(reason: str) -> WistlakeError:
    """The error for a query that failed: a damaged table, or a wrong query."""
    if reason.startswith(_DAMAGE):
        return StoreDamaged(
            f"a table is damaged: {reason}; the bucket keeps older versions: *A damaged table* in the runbook"
        )
    return ConfigError(f"the query can't run: {reason}")


def _moment(text: str) -> datetime:
    """Every time in the lake is UTC; Athena's views can't say so."""
    return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)


def _of(item: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Reads a list as Athena writes it: [1, 2, null]; of texts, one with a comma counts as several."""

    def read(text: str) -> list[Any]:
        return [None if t == "null" else item(t) for t in text[1:-1].split(", ")] if len(text) > 2 else []

    return read


# How a column of each of Athena's types is parsed, and its Arrow type; other types stay text, decimals stay exact.
_TYPES: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "tinyint": (int, "int64"),
    "smallint": (int, "int64"),
    "integer": (int, "int64"),
    "bigint": (int, "int64"),
    "float": (float, "float64"),
    "double": (float, "float64"),
    "boolean": (lambda text: text == "true", "bool_"),
    "date": (date.fromisoformat, "date32"),
    "timestamp": (_moment, "moment"),
    "timestamp with time zone": (_moment, "moment"),
    "decimal": (Decimal, "decimal"),
    Type.LONGS: (_of(int), "longs"),
    Type.STRINGS: (_of(str), "strings"),
}
_LIST = "array"  # of what, Athena does not say


def _lists(named: Collection[str]) -> Mapping[str, Type]:
    """The columns that are lists in the tables that a query names, as their contracts have them."""
    return {
        c.name: c.type
        for t in TABLES
        if not {t.full_name, table_name(t.full_name)}.isdisjoint(named)
        for c in t.columns
        if c.type in (Type.LONGS, Type.STRINGS)
    }


def _type(column: Mapping[str, Any]) -> tuple[Callable[[str], Any], str]:
    return _TYPES.get(column["Type"], (str, "string"))


_Columns = Sequence[Mapping[str, Any]]  # as Athena describes them
_Result = tuple[_Columns, list[list[Any]]]  # with the values of each


def _read(pages: Iterable[Mapping[str, Any]], lists: Mapping[str, Type]) -> _Result:
    """The result sets of one query, read as they come: the values take a seventh of the room of what Athena sends.
    `lists`: what is known of columns that are lists. ConfigError for a column that only has the name of one."""
    columns: _Columns = []
    values: list[list[Any]] = []
    for n, page in enumerate(pages):
        rows = page["Rows"]
        if n == 0:
            described, rows = page["ResultSetMetadata"]["ColumnInfo"], rows[1:]  # the header
            columns = [
                c | {"Type": lists.get(c["Name"], _LIST)} if c["Type"] == _LIST else c for c in described
            ]
            values = [[] for _ in columns]
        for at, column in enumerate(columns):
            read, _ = _type(column)
            texts = (row["Data"][at].get("VarCharValue") for row in rows)
            try:
                values[at] += [None if t is None else read(t) for t in texts]
            except ValueError:
                name = column["Name"]
                raise ConfigError(
                    f"the column {name} is not the {name} of its table: name it otherwise"
                ) from None
    return columns, values


def _table(columns: _Columns, values: list[list[Any]]) -> "pa.Table":
    """An answer as a table."""
    import pyarrow as pa

    def arrow(column: Mapping[str, Any]) -> "pa.DataType":
        match _type(column)[1]:
            case "decimal":
                return pa.decimal128(38, int(column.get("Scale", 0)))
            case "moment":
                return pa.timestamp("us", tz="UTC")
            case "longs":
                return pa.list_(pa.int64())
            case "strings":
                return pa.list_(pa.string())
            case name:
                return getattr(pa, name)()

    arrays = [pa.array(of, arrow(c)) for of, c in zip(values, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[c["Name"] for c in columns])
