"""Read-only SQL with DuckDB over the published tables. Needs no catalog service and no engine, and reaches nothing
but those tables (`query_sandbox`)."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from threading import Event, RLock, Thread

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow as pa

from wistlake.adapters import query_sandbox as sandbox
from wistlake.adapters.ledger_tables import INTERVALS, LEDGER_TABLES, words
from wistlake.adapters.query_result import ARROW, TOO_LONG, answer, schema
from wistlake.adapters.query_sandbox import literal
from wistlake.adapters.table_files import FilesInspector
from wistlake.adapters.table_names import code
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.errors import ConfigError, StoreBusy, StoreDamaged, StoreError
from wistlake.ports import Ledger, Publication, Query, TableRef

Read = Callable[[duckdb.DuckDBPyConnection], pa.Table]
# What lists tables: all have to be there, whether named or not. SHOW and DESCRIBE do so unless they name one.
_LISTS = re.compile(r"(?:^|\.)(?:information_schema|duckdb_|pg_|sqlite_)")
_LISTS_ALONE = {"show", "describe"}
_INTERRUPT_SECONDS = 0.1  # between two interrupts: one that meets no running query is lost
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
    by several requests. Threads may share it: they are answered one after the other.
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
        self._lock = RLock()

    @property
    def published(self) -> Publication | None:
        """The publication that it reads; None before the first."""
        return self._published

    def sql(self, text: str) -> pa.Table:
        """The rows of one SELECT. ConfigError with DuckDB's message if it is something else, can't run, or reads
        other files; StoreError if one of its tables is damaged."""
        with self._lock:
            return self._ask(text, lambda result: result.to_arrow_table())

    def limited(self, text: str, rows: int, seconds: float) -> pa.Table:
        """As `sql`; what comes after the first rows is not computed where that can be."""
        with self._lock:
            connection = self._open()
            try:
                with _interrupted_after(seconds, connection):
                    return self._ask(text, partial(_first, most=rows))
            except (duckdb.InterruptException, OSError) as e:  # OSError: of Arrow, to which it gives the rows
                if "INTERRUPT" not in str(e):
                    raise
                raise StoreError(TOO_LONG.format(seconds=seconds)) from None

    def _ask(self, text: str, read: Read) -> pa.Table:
        connection = self._open()
        try:
            self._make(connection, words(text))
            if self._is_list(text):
                self._make(connection, self._names() - LEDGER_TABLES.keys())
                self._declare_ledger(connection)
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
        """StoreError if a table of the query is damaged; StoreBusy if upkeep has removed its state meanwhile."""
        for name in self._tables_of(words(text)):
            try:
                self._require_sound(name)
            except StoreError:
                if self._newest() in (None, self._published):
                    raise
                raise StoreBusy(
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
        sandbox.shut(connection, self._folders())
        for layer in ("silver", "gold", "ops"):
            connection.execute(f"CREATE SCHEMA {layer}")
        self._connection = connection
        return connection

    def _make(self, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
        """Make what a query of these names reads, unless it is there. What can't be opened is tried again by the next
        query that names it."""
        tables = [name for name in dict.fromkeys(self._tables_of(names)) if name in self._unbound]
        if tables:
            self._inspect(tables)
        for name in tables:
            if name not in self._damaged and self._bind(connection, self._unbound[name]):
                del self._unbound[name]
        for name, select in self._views:
            if name.lower() in names and not self._damaged.keys() & set(self._tables_of(words(select))):
                connection.execute(f"CREATE VIEW IF NOT EXISTS {name} AS {select}")
        self._read_ledger(connection, names)

    def _is_list(self, text: str) -> bool:
        """Whether the query asks which tables there are."""
        spoken = words(code(text))
        alone = not spoken.isdisjoint(_LISTS_ALONE) and (
            "tables" in spoken or self._names().isdisjoint(spoken)
        )
        return alone or any(map(_LISTS.search, spoken))

    def _read_ledger(self, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
        """Make the tables of the ledger that are named: one with every interval takes long on a large lake."""
        for name in LEDGER_TABLES:
            if self._ledger and name in names and name not in self._ledger_read:
                self._show(connection, name, _ledger_table(self._ledger, name))
                self._ledger_read.add(name)

    def _declare_ledger(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let lists of tables have those of the ledger, which are not read for it. What they show is not there, so
        that a query which reads one fails, and is asked again."""
        for name in LEDGER_TABLES:
            if self._ledger and name not in self._ledger_read:
                connection.unregister(self._show(connection, name, _ledger_columns(name).empty_table()))

    @staticmethod
    def _show(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> str:
        registered = f"_{name.replace('.', '_')}"
        connection.register(registered, rows)
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {registered}")
        return registered

    def _folders(self) -> list[str]:
        """The folders of the published tables. The key, the ledger and the raw pages are in none of them."""
        refs = (self._ref(t.full_name) for t in TABLES)
        locations = [ref.metadata_location for ref in refs if ref and self._is_ours(ref)]
        return sorted({location.rpartition("/metadata/")[0] for location in locations} - {""})

    def _is_ours(self, ref: TableRef) -> bool:
        return self._inspector is None or self._inspector.is_inside(ref)

    def _inspect(self, names: Sequence[str]) -> None:
        """Check these tables right before DuckDB opens them. A damaged table fails only the queries that name it."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for name, error in zip(names, pool.map(self._damage, names), strict=True):
                self._damaged.pop(name, None)
                if error:
                    self._damaged[name] = error

    def _damage(self, name: str) -> StoreError | None:
        ref = self._ref(name)
        try:
            if ref and self._inspector:
                self._inspector.check_readable(name, ref)
        except StoreError as e:
            return e
        return None

    def _bind(self, connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
        """Whether DuckDB could open the table."""
        try:
            self._make_table(connection, table)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as e:
            reason = f"{table.full_name} can't be opened: {str(e).splitlines()[0]}"
            self._damaged[table.full_name] = self._damage(table.full_name) or StoreDamaged(reason)
            return False
        return True

    def _make_table(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        ref = self._ref(table.full_name)
        view = f"CREATE OR REPLACE VIEW {table.full_name} AS SELECT {', '.join(table.column_names)} FROM"
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


@contextmanager
def _interrupted_after(seconds: float, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt what the connection does once the time is over, until the block has ended."""
    done = Event()

    def interrupt() -> None:
        is_over = done.wait(seconds)
        while not is_over:
            connection.interrupt()
            is_over = done.wait(_INTERRUPT_SECONDS)

    timer = Thread(target=interrupt, daemon=True)
    timer.start()
    try:
        yield
    finally:
        done.set()
        timer.join()


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


def _ledger_columns(name: str) -> pa.Schema:
    return pa.schema([(column, ARROW[kind]) for column, kind in LEDGER_TABLES[name].columns.items()])


def _ledger_table(ledger: Ledger, name: str) -> pa.Table:
    """The rows of one of the ledger's tables."""
    columns = _ledger_columns(name)
    if name == INTERVALS:
        return _intervals(ledger, columns)
    rows = LEDGER_TABLES[name].read(ledger)
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
