"""Read-only SQL with DuckDB over the published tables. Needs no catalog service and no engine, and reaches nothing
but those tables (`query_sandbox`)."""

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
    end the whole process.
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
            self._make_views(connection, named := words(text))
            self._read_ledger(connection, named)
            try:
                return self._run(connection, text, read)
            except duckdb.CatalogException:
                # A view by a name that was not recognised; or a wrong name, for which DuckDB proposes what there is.
                self._make_views(connection, {name.lower() for name, _ in self._views})
                self._read_ledger(connection, LEDGER_TABLES)
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
        for name in self._tables_of(text):
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

    def _tables_of(self, text: str) -> Iterator[str]:
        """The tables that a query names, directly or through views."""
        named = words(text)
        yield from (t.full_name for t in TABLES if t.full_name in named)
        for name, select in self._views:
            if name.lower() in named:
                yield from self._tables_of(select)

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
        for table in TABLES:
            self._bind(connection, table)
        self._connection = connection
        return connection

    def _make_views(self, connection: duckdb.DuckDBPyConnection, names: set[str]) -> None:
        """Make the views of these names. Not all of them at once: each one has DuckDB read metadata of its tables, in
        S3 by several requests."""
        for name, select in self._views:
            if name.lower() in names and not self._damaged.keys() & set(self._tables_of(select)):
                connection.execute(f"CREATE VIEW IF NOT EXISTS {name} AS {select}")

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
        ref, none = self._ref(table.full_name), f"_empty_{table.layer}_{table.name}"
        connection.register(none, empty(table))
        rows = f"iceberg_scan({literal(ref.metadata_location)})" if ref else none
        view = f"CREATE VIEW {table.full_name} AS SELECT {', '.join(table.column_names)} FROM"
        try:
            connection.execute(f"{view} {rows}")
        except duckdb.BinderException:
            # The contract has gained columns since the table was published: they are NULL until the next run.
            connection.execute(f"{view} (SELECT * FROM {rows} UNION ALL BY NAME SELECT * FROM {none})")
        except duckdb.Error as e:
            reason = f"{table.full_name} can't be opened: {str(e).splitlines()[0]}"
            self._damaged[table.full_name] = StoreDamaged(reason)


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
