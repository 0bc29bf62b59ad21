"""Read-only SQL with DuckDB over exactly the published tables. Needs no catalog service and no engine, and
reaches nothing but those tables (`sandbox`)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from wistlake.adapters import query_sandbox as sandbox
from wistlake.adapters.query_result import answer
from wistlake.adapters.query_sandbox import literal
from wistlake.adapters.table_files import Inspector
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table, Type
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.ports import Ledger, Publication, TableRef

_ARROW: Mapping[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.LONG: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.LONGS: pa.list_(pa.int64()),
    Type.STRINGS: pa.list_(pa.string()),
}

_DUCKDB: Mapping[Type, str] = {
    Type.STRING: "VARCHAR",
    Type.LONG: "BIGINT",
    Type.DOUBLE: "DOUBLE",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Type.LONGS: "BIGINT[]",
    Type.STRINGS: "VARCHAR[]",
}


_AT_ONCE = 8  # tables that are looked at: in S3 each takes a few requests, one after the other


def extensions() -> Iterable[Path]:
    """The extension files that their packages carry: nothing is downloaded."""
    import duckdb_extension_avro
    import duckdb_extension_iceberg

    for package in (duckdb_extension_avro, duckdb_extension_iceberg):
        yield next(Path(next(iter(package.__path__))).rglob("*.duckdb_extension"))


def empty(table: Table) -> pa.Table:
    """No rows, of the contract's columns."""
    return pa.schema([(c.name, _ARROW[c.type]) for c in table.columns]).empty_table()


class DuckDBQuery:
    """Query over one publication, and the ledger's own tables as `ops.runs`, `ops.intervals`,
    `ops.watermarks`, `ops.media`. `views` are (name, SELECT) on top of them; `prepare` lets the connection
    reach where the tables lie; `inspector` looks at tables first: over a damaged manifest DuckDB ends the process."""

    def __init__(
        self,
        ledger: Ledger,
        views: Iterable[tuple[str, str]] = (),
        publication: Publication | None = None,
        prepare: Callable[[duckdb.DuckDBPyConnection], None] = lambda connection: None,
        inspector: Inspector | None = None,
    ) -> None:
        self._ledger = ledger
        self._views = tuple(views)
        self._prepare = prepare
        self._inspector = inspector
        self._damaged: dict[str, StoreError] = {}
        self._published = publication or ledger.publication()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def sql(self, text: str) -> pa.Table:
        """The rows of one SELECT. ConfigError with DuckDB's words if it is none, can't run, or reaches for more
        than the lake's tables; StoreError if one of them is damaged."""
        connection = self._open()
        try:
            return answer(connection.execute(sandbox.checked(connection, text)).to_arrow_table())
        except duckdb.PermissionException as e:
            reason = str(e).partition("\n")[0]
            raise ConfigError(f"query reads the lake's tables and no other file: {reason}") from e
        except duckdb.Error as e:
            self._blame_tables(text)
            raise ConfigError(f"the query can't run: {e}") from e

    def _blame_tables(self, text: str) -> None:
        """StoreError if a table that the query names is damaged. ConfigError if upkeep has let it go meanwhile."""
        for name in self._tables_of(text):
            try:
                self._require_sound(name)
            except StoreError:
                if self._published == self._ledger.publication():
                    raise
                raise ConfigError(
                    "the lake was published anew since this reader opened it, and what it reads is gone: open it again"
                ) from None

    def _require_sound(self, name: str) -> None:
        if name in self._damaged:
            raise self._damaged[name]
        ref = self._ref(name)
        if ref and self._inspector:
            self._inspector.check(name, ref)

    def _tables_of(self, text: str) -> Iterator[str]:
        """The tables that a query names, by itself or through views."""
        plain = re.sub(r"\s*\.\s*", ".", text.replace('"', "").lower())
        words = set(re.findall(r"[\w.]+", plain))
        yield from (t.full_name for t in TABLES if t.full_name in words)
        for name, select in self._views:
            if name.lower() in words:
                yield from self._tables_of(select)

    def _ref(self, name: str) -> TableRef | None:
        ref = self._published.tables.get(name) if self._published else None
        return ref if ref and ref.snapshot_id is not None else None

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is not None:
            return self._connection
        connection = duckdb.connect()
        for path in extensions():
            connection.execute(f"LOAD {literal(str(path))}")
        self._prepare(connection)
        connection.execute("SET TimeZone = 'UTC'")
        self._inspect()
        sandbox.shut(connection, self._folders())
        for layer in ("silver", "gold", "ops"):
            connection.execute(f"CREATE SCHEMA {layer}")
        for table in TABLES:
            self._bind(connection, table)
        for name, rows in _bookkeeping(self._ledger).items():
            connection.register(f"_{name}", rows)
            connection.execute(f"CREATE VIEW ops.{name} AS SELECT * FROM _{name}")
        for name, select in self._views:
            if not self._damaged.keys() & set(self._tables_of(select)):
                connection.execute(f"CREATE VIEW {name} AS {select}")
        self._connection = connection
        return connection

    def _folders(self) -> list[str]:
        """Where the published tables lie: the key, the ledger and the raw pages lie elsewhere in the lake."""
        refs = (self._ref(t.full_name) for t in TABLES if t.full_name not in self._damaged)
        return sorted({ref.metadata_location.rpartition("/metadata/")[0] for ref in refs if ref} - {""})

    def _inspect(self) -> None:
        """Look at every table before DuckDB does. What is damaged concerns those who ask for that table only."""
        names = [t.full_name for t in TABLES if self._ref(t.full_name)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(names, pool.map(self._stumbling, names), strict=True))
        self._damaged = {name: error for name, error in found.items() if error}

    def _stumbling(self, name: str) -> StoreError | None:
        ref = self._ref(name)
        try:
            if ref and self._inspector:
                self._inspector.readable(name, ref)
        except StoreError as e:
            return e
        return None

    def _bind(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        ref = self._ref(table.full_name)
        if ref is None:
            name = f"_empty_{table.layer}_{table.name}"
            connection.register(name, empty(table))
            connection.execute(f"CREATE VIEW {table.full_name} AS SELECT * FROM {name}")
            return
        if table.full_name in self._damaged:
            return
        rows = f"iceberg_scan({literal(ref.metadata_location)})"
        view = f"CREATE VIEW {table.full_name} AS SELECT"
        try:
            connection.execute(f"{view} {', '.join(table.column_names)} FROM {rows}")
        except duckdb.BinderException:  # the contract has gained columns since the table was published
            connection.execute(f"{view} {_columns(connection, table, rows)} FROM {rows}")
        except duckdb.Error as e:
            why = f"{table.full_name} can't be opened: {str(e).splitlines()[0]}"
            self._damaged[table.full_name] = StoreDamaged(why)


def _columns(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> str:
    """The contract's columns; those that the table lacks are NULL, until the next run."""
    have = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
    return ", ".join(
        c.name if c.name in have else f"CAST(NULL AS {_DUCKDB[c.type]}) AS {c.name}" for c in table.columns
    )


def _bookkeeping(ledger: Ledger) -> dict[str, pa.Table]:
    """The ledger as tables."""
    day, moment = pa.date32(), pa.timestamp("us", tz="UTC")
    intervals = pa.schema(
        [("dataset", pa.string()), ("media_id", pa.string()), ("day", day), ("state", pa.string()),
         ("reason", pa.string()), ("rows", pa.int64()), ("finished", pa.bool_()), ("missing", pa.bool_()),
         ("confirmations", pa.int64()), ("observed_at", moment), ("published_at", moment), ("run_id", pa.string()),
         ("landing_id", pa.string()), ("moved_at", moment)]
    )  # fmt: skip
    watermarks = pa.schema(
        [("dataset", pa.string()), ("media_id", pa.string()), ("last_date", day), ("updated_at", moment),
         ("override_reason", pa.string())]
    )  # fmt: skip
    runs = pa.schema(
        [("run_id", pa.string()), ("trigger", pa.string()), ("origin", pa.string()), ("status", pa.string()),
         ("started_at", moment), ("ended_at", moment), ("error", pa.string())]
    )  # fmt: skip
    media = pa.schema(
        [("media_id", pa.string()), ("first_day", day), ("added_at", moment), ("retired_at", moment),
         ("reason", pa.string())]
    )  # fmt: skip
    return {
        "intervals": _rows(ledger.intervals(), intervals),
        "watermarks": _rows(ledger.watermarks(), watermarks),
        "runs": _rows(ledger.runs(10_000), runs),
        "media": _rows(ledger.media(), media),
    }


def _rows(values: Iterable[Any], schema: pa.Schema) -> pa.Table:
    kept = list(values)
    columns = [pa.array([_plain(getattr(v, f.name)) for v in kept], f.type) for f in schema]
    return pa.table(columns, schema=schema)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
