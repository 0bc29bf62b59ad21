"""Read-only SQL with DuckDB over the published tables. Needs no catalog service and no engine, and reaches nothing
but those tables (`query_sandbox`)."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from threading import Timer

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow as pa

from wistlake.adapters import query_sandbox as sandbox
from wistlake.adapters.ledger_tables import INTERVALS, LEDGER_TABLES, words
from wistlake.adapters.query_result import ARROW, TOO_LONG, answer, schema
from wistlake.adapters.query_sandbox import literal
from wistlake.adapters.table_files import FilesInspector
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.ports import Ledger, Publication, Query, TableRef

Read = Callable[[duckdb.DuckDBPyConnection], pa.Table]
# What lists tables: all have to be there, whether named or not.
_LISTS = re.compile(r"information_schema|duckdb_|pragma_|pg_|sqlite_|show$|describe$")
_THREADS = 8  # that check tables: in S3 each table takes a few requests, one after the other


def extensions() -> Iterable[Path]:
    """The extension files, out of Python packages: nothing is downloaded."""
    for package in (duckdb_extension_avro, duckdb_extension_iceberg):
        yield next(Path(next(iter(package.__path__))).rglob("*.duckdb_extension"))


@cache
def are_signed() -> bool:
    """Whether DuckDB accepts the extensions' signatures; duckdb.Error otherwise. It reads 60 MB for that, on each
    connection: this process has it done once."""
    with duckdb.connect() as connection:
        _load(connection)
    return True


def _load(connection: duckdb.DuckDBPyConnection) -> None:
    for path in extensions():
        connection.execute(f"LOAD {literal(str(path))}")


def empty(table: Table) -> pa.Table:
    """The contract's columns without rows."""
    return schema(table.columns).empty_table()


def of_ledger(ledger: Ledger) -> "DuckDBQuery":
    """SQL over the tables of the ledger alone, for who asks Athena for the others: there 7 / 2 is 3."""
    nothing = Publication("", datetime.min.replace(tzinfo=UTC), {})
    return DuckDBQuery(ledger, publication=nothing, prepare=_divide_as_athena)


def _divide_as_athena(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET integer_division = true")


class DuckDBQuery(Query):
    """Query over one publication, and over the ledger as `ops.runs`, `ops.intervals`, `ops.watermarks`, `ops.media`,
    `ops.alerts`, `ops.account`, `ops.not_in_plan`.

    Without a ledger there is only `publication`. `views` are (name, SELECT) on top of the tables. `prepare` gives the
    connection access to the tables' storage. `inspector` checks each table first: a damaged manifest makes DuckDB
    end the whole process. Tables and views are made as they are named first: of each one DuckDB reads metadata, in S3
    by several requests.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        views: Iterable[tuple[str, str]] = (),
        publication: Publication | None = None,
        prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
        inspector: FilesInspector | None = None,
    ) -> None:
        self._ledger = ledger
        self._views = tuple(views)
        self._unbound = {t.full_name: t for t in TABLES}
        self._prepare = prepare
        self._inspector = inspector
        self._damaged: dict[str, StoreError] = {}
        self._published = publication or self._newest()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._ledger_read: set[str] = set()

    @property
    def published(self) -> Publication | None:
        """The publication that it reads; None before the first."""
        return self._published

    def sql(self, text: str) -> pa.Table:
        """The rows of one SELECT. ConfigError with DuckDB's message if it is something else, can't run, or reads
        other files; StoreError if one of its tables is damaged."""
        return self._ask(text, lambda result: result.to_arrow_table())

    def limited(self, text: str, rows: int, seconds: float) -> pa.Table:
        """As `sql`; what comes after the first rows is not computed where that can be."""
        timer = Timer(seconds, self._open().interrupt)
        timer.start()
        try:
            return self._ask(text, partial(_first, most=rows))
        except duckdb.InterruptException:
            raise StoreError(TOO_LONG.format(seconds=seconds)) from None
        finally:
            timer.cancel()

    def _ask(self, text: str, read: Read) -> pa.Table:
        connection = self._open()
        try:
            named = words(text)
            self._make(connection, self._names() if any(map(_LISTS.match, named)) else named)
            try:
                return self._run(connection, text, read)
            except duckdb.CatalogException:
                # A name that was not recognised; or a wrong one, for which DuckDB proposes what there is.
                self._make(connection, self._names())
                return self._run(connection, text, read)
        except duckdb.InterruptException:
            raise
        except duckdb.PermissionException as e:
            reason = str(e).partition("\n")[0]
            raise ConfigError(f"query reads the lake's tables and no other file: {reason}") from e
        except duckdb.Error as e:
            self._check_tables(text)
            raise ConfigError(f"the query can't run: {e}") from e

    def _run(self, connection: duckdb.DuckDBPyConnection, text: str, read: Read) -> pa.Table:
        return answer(read(connection.execute(sandbox.checked(connection, text))))

    def _check_tables(self, text: str) -> None:
        """StoreError if a table of the query is damaged; ConfigError if upkeep has removed its state meanwhile."""
        for name in self._tables_of(words(text)):
            try:
                self._require_sound(name)
            except StoreError:
                if self._newest() in (None, self._published):
                    raise
                raise ConfigError(
                    "the lake was published anew since this reader opened it, and what it reads is gone: open it again"
                ) from None

    def _newest(self) -> Publication | None:
        return self._ledger.publication() if self._ledger else None

    def _require_sound(self, name: str) -> None:
        if name in self._damaged:
            raise self._damaged[name]
        ref = self._ref(name)
        if ref and self._inspector:
            self._inspector.check(name, ref)

    def _tables_of(self, named: Collection[str]) -> Iterator[str]:
        """The tables that a query of these words names, directly or through views."""
        yield from (t.full_name for t in TABLES if t.full_name in named)
        for name, select in self._views:
            if name.lower() in named:
                yield from self._tables_of(words(select))

    def _names(self) -> set[str]:
        """Every name that a query can read from."""
        return (
            {t.full_name for t in TABLES} | {name.lower() for name, _ in self._views} | LEDGER_TABLES.keys()
        )

    def _ref(self, name: str) -> TableRef | None:
        ref = self._published.tables.get(name) if self._published else None
        return ref if ref and ref.snapshot_id is not None else None

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is not None:
            return self._connection
        # What prepares a connection may load an extension of its own, which nobody has looked at.
        allow_unsigned = self._prepare is None and are_signed()
        connection = duckdb.connect(config={"allow_unsigned_extensions": allow_unsigned})
        _load(connection)
        if self._prepare:
            self._prepare(connection)
        connection.execute("SET TimeZone = 'UTC'")
        self._inspect()
        sandbox.shut(connection, self._folders())
        for layer in ("silver", "gold", "ops"):
            connection.execute(f"CREATE SCHEMA {layer}")
        self._connection = connection
        return connection

    def _make(self, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
        """Make what a query of these names reads, unless it is there."""
        for table in self._tables_of(names):
            if table in self._unbound:
                self._bind(connection, self._unbound[table])
                del self._unbound[table]
        for name, select in self._views:
            if name.lower() in names and not self._damaged.keys() & set(self._tables_of(words(select))):
                connection.execute(f"CREATE VIEW IF NOT EXISTS {name} AS {select}")
        self._read_ledger(connection, names)

    def _read_ledger(self, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
        """Make the tables of the ledger that are named: one with every interval takes long on a large lake."""
        for name in LEDGER_TABLES:
            if self._ledger and name in names and name not in self._ledger_read:
                self._ledger_read.add(name)
                rows = f"_{name.replace('.', '_')}"
                connection.register(rows, _ledger_table(self._ledger, name))
                connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {rows}")

    def _folders(self) -> list[str]:
        """The folders of the published tables. The key, the ledger and the raw pages are in none of them."""
        refs = (self._ref(t.full_name) for t in TABLES if t.full_name not in self._damaged)
        return sorted({ref.metadata_location.rpartition("/metadata/")[0] for ref in refs if ref} - {""})

    def _inspect(self) -> None:
        """Check every table before DuckDB opens it. A damaged table fails only the queries that name it."""
        names = [t.full_name for t in TABLES if self._ref(t.full_name)]
        with ThreadPoolExecutor(_THREADS) as pool:
            errors = zip(names, pool.map(self._damage, names), strict=True)
            self._damaged = {name: error for name, error in errors if error}

    def _damage(self, name: str) -> StoreError | None:
        ref = self._ref(name)
        try:
            if ref and self._inspector:
                self._inspector.check_readable(name, ref)
        except StoreError as e:
            return e
        return None

    def _bind(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        if table.full_name in self._damaged:
            return
        try:
            self._make_table(connection, table)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as e:
            reason = f"{table.full_name} can't be opened: {str(e).splitlines()[0]}"
            self._damaged[table.full_name] = StoreDamaged(reason)

    def _make_table(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        ref = self._ref(table.full_name)
        view = f"CREATE VIEW {table.full_name} AS SELECT {', '.join(table.column_names)} FROM"
        if ref is None:
            connection.execute(f"{view} {_registered(connection, table)}")
            return
        rows = f"iceberg_scan({literal(ref.metadata_location)})"
        try:
            connection.execute(f"{view} {rows}")
        except duckdb.BinderException:
            # The contract has gained columns since the table was published: they are NULL until the next run.
            none = _registered(connection, table)
            connection.execute(f"{view} (SELECT * FROM {rows} UNION ALL BY NAME SELECT * FROM {none})")


def _registered(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """The name of a table with the contract's columns and no rows. Not made before it is needed: for what is
    registered, DuckDB imports pandas."""
    name = f"_empty_{table.layer}_{table.name}"
    connection.register(name, empty(table))
    return name


def _first(result: duckdb.DuckDBPyConnection, most: int) -> pa.Table:
    """The first rows of a result, which is computed as it is read."""
    reader = result.to_arrow_reader(most)
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        if rows >= most:
            break
    return pa.Table.from_batches(batches, reader.schema).slice(0, most)


def _ledger_table(ledger: Ledger, name: str) -> pa.Table:
    """The rows of one of the ledger's tables."""
    table = LEDGER_TABLES[name]
    columns = pa.schema([(column, ARROW[kind]) for column, kind in table.columns.items()])
    if name == INTERVALS:
        return _intervals(ledger, columns)
    rows = table.read(ledger)
    arrays = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in columns]
    return pa.table(arrays, schema=columns)


def _intervals(ledger: Ledger, columns: pa.Schema) -> pa.Table:
    """Every interval: a media has thousands, so Arrow parses whole columns of text."""
    try:
        parts = [
            pa.table([pa.array(part[field.name]).cast(field.type) for field in columns], schema=columns)
            for part in ledger.interval_columns(columns.names)
        ]
    except pa.ArrowException as e:
        raise StoreDamaged(
            "the ledger holds intervals that wistlake never wrote: restore it to an earlier state"
        ) from e
    return pa.concat_tables(parts) if parts else columns.empty_table()
