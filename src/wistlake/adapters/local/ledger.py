"""The laptop's ledger: one sqlite file, and lock files that die with the process that holds them."""

import contextlib
import json
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from wistlake.adapters.local import disk
from wistlake.adapters.local.locks import lock, open_private
from wistlake.errors import ConfigError, LeaseHeld, StoreBusy, StoreDamaged, StoreError
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.ports import Lease, Publication, Run, TableRef

BUSY_SECONDS = 30.0
_V = TypeVar("_V")
_LEASE_NAME = re.compile(r"[a-z0-9_-]{1,40}")

# One entry a schema version, applied in order; entries that were released are never edited.
UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE intervals (
            dataset TEXT NOT NULL, media_id TEXT NOT NULL, day TEXT NOT NULL, state TEXT NOT NULL,
            run_id TEXT NOT NULL, updated_at TEXT NOT NULL, reason TEXT NOT NULL, landing_id TEXT NOT NULL,
            observed_at TEXT, content_hash TEXT NOT NULL, rows INTEGER NOT NULL, finished INTEGER NOT NULL,
            missing INTEGER NOT NULL, confirmations INTEGER NOT NULL, built_signature TEXT NOT NULL,
            published_at TEXT,
            PRIMARY KEY (dataset, media_id, day)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX intervals_by_media ON intervals (media_id, day)",
        "CREATE INDEX intervals_by_day ON intervals (day)",
        """
        CREATE TABLE watermarks (
            dataset TEXT NOT NULL, media_id TEXT NOT NULL, last_date TEXT NOT NULL,
            updated_at TEXT NOT NULL, override_reason TEXT NOT NULL,
            PRIMARY KEY (dataset, media_id)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE media (
            media_id TEXT NOT NULL PRIMARY KEY, first_day TEXT NOT NULL, added_at TEXT NOT NULL,
            retired_at TEXT, reason TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE runs (
            run_id TEXT NOT NULL PRIMARY KEY, trigger TEXT NOT NULL, origin TEXT NOT NULL,
            status TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, error TEXT NOT NULL,
            summary TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX runs_by_start ON runs (started_at, run_id)",
        """
        CREATE TABLE publications (
            number INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, published_at TEXT NOT NULL,
            tables TEXT NOT NULL
        )
        """,
        "CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE leases (
            name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, since TEXT NOT NULL, token INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ),
    (
        "ALTER TABLE intervals ADD COLUMN steady_hash TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE intervals ADD COLUMN moved_at TEXT",
    ),
)


class Database:
    """One sqlite file, used by any number of threads and processes. Every sqlite error is a StoreError."""

    def __init__(
        self,
        path: Path,
        upgrades: Sequence[Sequence[str]],
        *,
        if_damaged: str,
        read_only: bool = False,
        durable: bool = True,
    ) -> None:
        self.path = path.absolute()
        self._if_damaged = if_damaged
        self._lock = threading.RLock()
        with self.explained():
            if not read_only:
                self._create(upgrades)
            self._connection = _connect(self.path, read_only=read_only)
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._check_version(upgrades, read_only=read_only)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, sql: str, values: Sequence[Any], convert: Callable[[tuple[Any, ...]], _V]) -> list[_V]:
        """The rows of one SELECT, of one moment, each converted; StoreError if one can't be."""
        with self._lock, self.explained():
            try:
                return list(map(convert, self._connection.execute(sql, values)))
            except (ValueError, TypeError) as e:
                raise StoreDamaged(
                    f"{self.path} holds a row that wistlake never wrote ({type(e).__name__}): "
                    "restore it from a backup"
                ) from e

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that nobody else writes beside: all of the block is kept, or none of it."""
        with self._lock, self.explained(), _transaction(self._connection) as connection:
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Sqlite's errors as StoreErrors that name the file and the cure."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a mistake of ours, not of the file
        except sqlite3.Error as e:
            raise self._failure(e) from e
        except OSError as e:
            raise StoreError(f"{self.path} cannot be opened ({e.strerror}): check the folder's rights") from e

    def _failure(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        may_be_the_disks = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        if code in may_be_the_disks and self.path.exists() and (why := disk.trouble(self.path.parent)):
            return StoreError(f"{self.path}: {why}")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreBusy(f"{self.path}: {_BUSY}")
        if code in _CURES:
            return StoreError(f"{self.path}: {_CURES[code]}")
        return StoreDamaged(f"{self.path}: it is damaged ({error}): {self._if_damaged}")

    def _create(self, upgrades: Sequence[Sequence[str]]) -> None:
        """Create the file whole, schema included, unless there is one: an empty file is always damage."""
        if self.path.exists():
            return
        if self.path.with_name(f"{self.path.name}-wal").exists():  # sqlite would replay it into a new file
            raise StoreDamaged(f"{self.path} is gone, but its -wal file is there: {self._if_damaged}")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with contextlib.closing(_connect(unfinished, read_only=False)) as connection:
                upgrade(connection, upgrades)
                # Last: what lay in a log would reach the file when it is closed, and a full disk then goes unsaid.
                connection.execute("PRAGMA journal_mode = WAL")
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(unfinished, self.path)
        finally:
            for left in ("", "-wal", "-shm", "-journal"):
                unfinished.with_name(f"{unfinished.name}{left}").unlink(missing_ok=True)

    def _check_version(self, upgrades: Sequence[Sequence[str]], *, read_only: bool) -> None:
        version, newest = _version(self._connection), len(upgrades)
        if version == 0:
            raise StoreDamaged(
                f"{self.path} is there but holds nothing, so it is damaged: {self._if_damaged}"
            )
        if version > newest:
            raise ConfigError(
                f"{self.path} has schema {version}, newer than this wistlake's {newest}: upgrade wistlake"
            )
        if version < newest and read_only:
            raise ConfigError(
                f"{self.path} has schema {version} and needs {newest}: `wistlake run` upgrades it in place"
            )
        upgrade(self._connection, upgrades)


_BUSY = f"another process has held it for {BUSY_SECONDS:.0f} seconds: see which, and run again"
_READ_ONLY = "it is read-only: give its owner the right to write (chmod u+w), folder included"
_CURES = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space and run again",
    sqlite3.SQLITE_IOERR: "the disk fails to read or write: check it, and run again",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: `wistlake run` creates it; else check the rights to it",
}


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection that begins no transaction by itself. The lock of `Database` makes sharing it safe."""
    mode = "ro" if read_only else "rw"
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def upgrade(connection: sqlite3.Connection, upgrades: Sequence[Sequence[str]]) -> None:
    """Bring the schema to the newest version, in one transaction; nothing if it is there."""
    if _version(connection) == len(upgrades):
        return
    with _transaction(connection):
        done = _version(connection)  # another process may have been faster
        for number, statements in enumerate(upgrades[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


class SqliteLedger:
    """Ledger in the sqlite file at `path`; its folder also holds the lock files of leases.

    `read_only` is for those who look on while another process writes. ConfigError if a newer wistlake
    wrote the file; StoreError if it is damaged, and never a fresh start.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._database = Database(
            path,
            UPGRADES,
            if_damaged="restore it from a backup; don't delete it, nothing else knows what is done",
            read_only=read_only,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def lease(
        self, name: str, owner: str, now: datetime, ttl_seconds: float
    ) -> AbstractContextManager[Lease]:
        """Hold the lease for the block. `ttl_seconds` is not needed: the lock dies with the process."""
        if not _LEASE_NAME.fullmatch(name):
            raise StoreError(f"{name[:40]!r} is no name of a lease: lower-case letters, digits, - and _ only")
        return self._lease(name, owner, now)

    @contextmanager
    def _lease(self, name: str, owner: str, now: datetime) -> Iterator[Lease]:
        with self._database.explained():
            file = open_private(self._database.path.with_name(f"lease.{name}.lock"))
        with file:
            with self._database.explained():
                free = lock(file)
            if not free:
                raise LeaseHeld(self._who_holds(name))
            try:
                yield self._sign(name, owner, now)
            finally:
                # The row stays, so that tokens keep growing; without an owner nobody is named wrongly.
                with contextlib.suppress(StoreError), self._database.writing() as connection:
                    connection.execute("UPDATE leases SET owner = '' WHERE name = ?", (name,))

    def _sign(self, name: str, owner: str, now: datetime) -> Lease:
        with self._database.writing() as connection:
            (token,) = connection.execute(
                "INSERT INTO leases VALUES (?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET "
                "owner = excluded.owner, since = excluded.since, token = token + 1 RETURNING token",
                (name, owner, _from_moment(now)),
            ).fetchone()
        return Lease(name, owner, token, now)

    def _who_holds(self, name: str) -> str:
        sql = "SELECT owner, since FROM leases WHERE name = ?"
        owner, since = next(iter(self._database.rows(sql, (name,), tuple)), ("", ""))
        who = f"{owner} has held it since {since}" if owner else "another process has just taken it"
        return f"the lease `{name}` of {self._database.path.parent} is taken: {who}. Wait for it, or stop it"

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        """Intervals by dataset, media and day (both ends included), ordered by their key."""
        filters = {"dataset = ?": dataset, "media_id = ?": media_id}
        if start or end:  # sqlite uses an index over days for a closed range only
            filters["day >= ?"] = (start or date.min).isoformat()
            filters["day <= ?"] = (end or date.max).isoformat()
        return self._read(_INTERVALS, "dataset, media_id, day", filters)

    def record(self, intervals: Iterable[Interval]) -> None:
        """Write the intervals, each replacing the one with its key; all of the call or none."""
        self._write(_INTERVALS, intervals)

    def watermarks(self) -> Sequence[Watermark]:
        """All watermarks, ordered by dataset and media."""
        return self._read(_WATERMARKS, "dataset, media_id")

    def advance(self, watermark: Watermark) -> bool:
        """Set the watermark if it is greater than the stored one, atomically; whether it moved."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                f"{_WATERMARKS.insert} ON CONFLICT (dataset, media_id) DO UPDATE SET "
                "last_date = excluded.last_date, updated_at = excluded.updated_at, "
                "override_reason = excluded.override_reason WHERE excluded.last_date > last_date",
                _WATERMARKS.row(watermark),
            )
            return cursor.rowcount == 1

    def override(self, watermark: Watermark) -> None:
        """Set the watermark whatever it was. ConfigError without an `override_reason`."""
        require_reason(watermark)
        self._write(_WATERMARKS, [watermark])

    def media(self) -> Sequence[MediaEntry]:
        """Every media ever followed, ordered by id."""
        return self._read(_MEDIA, "media_id")

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        """Write the entries, each replacing the one with its id."""
        self._write(_MEDIA, entries)

    def put_run(self, run: Run) -> None:
        """Write the run, replacing the one with its id."""
        self._write(_RUNS, [run])

    def runs(self, limit: int = 100) -> Sequence[Run]:
        """The newest runs first."""
        sql = f"{_RUNS.select} ORDER BY started_at DESC, run_id DESC LIMIT ?"
        return self._database.rows(sql, (limit,), _RUNS.value)

    def publish(self, publication: Publication) -> None:
        """Make `publication` the one that readers follow. Older ones stay as history."""
        tables = {name: [ref.metadata_location, ref.snapshot_id] for name, ref in publication.tables.items()}
        row = (publication.run_id, _from_moment(publication.published_at), json.dumps(tables))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO publications (run_id, published_at, tables) VALUES (?, ?, ?)", row
            )

    def publication(self) -> Publication | None:
        """The newest publication; None before the first."""
        sql = "SELECT run_id, published_at, tables FROM publications ORDER BY number DESC LIMIT 1"
        return next(iter(self._database.rows(sql, (), _publication)), None)

    def publications(self, since: datetime) -> Sequence[Publication]:
        """Every publication that readers may have followed at `since` or later, newest first."""
        sql = "SELECT run_id, published_at, tables FROM publications ORDER BY number DESC"
        found = self._database.rows(sql, (), _publication)
        # The last one before `since` was still being followed then.
        older = next((n for n, p in enumerate(found) if p.published_at <= since), len(found) - 1)
        return found[: older + 1]

    def facts(self, name: str) -> Mapping[str, Any]:
        """A small named document; empty if never written."""
        sql = "SELECT document FROM facts WHERE name = ?"
        empty: Mapping[str, Any] = {}
        return next(iter(self._database.rows(sql, (name,), lambda row: json.loads(row[0]))), empty)

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Replace the named document."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, _from_document(facts)))

    def _read(
        self, shape: "_Shape[_V]", order: str, filters: Mapping[str, str | None] | None = None
    ) -> Sequence[_V]:
        return self._database.rows(*shape.query(order, filters or {}), shape.value)

    def _write(self, shape: "_Shape[_V]", values: Iterable[_V]) -> None:
        rows = [shape.row(value) for value in values]
        with self._database.writing() as connection:
            connection.executemany(shape.replace, rows)


def require_reason(watermark: Watermark) -> None:
    """ConfigError if the watermark says no reason for being set by hand."""
    if not watermark.override_reason.strip():
        raise ConfigError(
            f"the watermark of {watermark.dataset} {watermark.media_id} is set by hand without a reason: "
            "say why with --reason"
        )


def _publication(row: Sequence[Any]) -> Publication:
    run_id, published_at, tables = row
    refs = {name: TableRef(*ref) for name, ref in json.loads(tables).items()}
    return Publication(run_id, _moment(published_at), refs)


@lru_cache(maxsize=4096)  # a run writes the same few moments into thousands of rows
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _from_moment(moment: datetime | None) -> str | None:
    # In UTC and with all digits, so that text sorts as time does.
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _from_document(document: Mapping[str, Any]) -> str:
    return json.dumps(document, default=dict)


# How a field of each type looks in sqlite, both directions; the others are stored as they are.
_CODECS: Mapping[Any, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    date: (date.isoformat, date.fromisoformat),
    datetime: (_from_moment, _moment),
    datetime | None: (_from_moment, _moment_or_none),
    bool: (int, bool),
    State: (str, State),
    Mapping[str, Any]: (_from_document, json.loads),
}


class _Shape(Generic[_V]):
    """A dataclass whose fields are the columns of a table, by the same names."""

    def __init__(self, kind: type[_V], table: str) -> None:
        types = get_type_hints(kind)
        names = ", ".join(types)
        marks = ", ".join("?" * len(types))
        self._kind = kind
        self._values_of = attrgetter(*types)
        self._codecs = [(i, *_CODECS[t]) for i, t in enumerate(types.values()) if t in _CODECS]
        self.select = f"SELECT {names} FROM {table}"
        self.insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        self.replace = self.insert.replace("INSERT", "INSERT OR REPLACE", 1)

    def query(self, order: str, filters: Mapping[str, str | None]) -> tuple[str, list[str]]:
        """The SELECT for the filters that are given: only a written-out condition can use an index."""
        given = {condition: value for condition, value in filters.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        return f"{self.select}{where} ORDER BY {order}", list(given.values())

    def value(self, row: Iterable[Any]) -> _V:
        """The value that `row` holds."""
        cells = list(row)
        for i, _, decode in self._codecs:
            cells[i] = decode(cells[i])
        return self._kind(*cells)

    def row(self, value: _V) -> list[Any]:
        """The row that holds `value`."""
        cells = list(self._values_of(value))
        for i, encode, _ in self._codecs:
            cells[i] = encode(cells[i])
        return cells


_INTERVALS = _Shape(Interval, "intervals")
_WATERMARKS = _Shape(Watermark, "watermarks")
_MEDIA = _Shape(MediaEntry, "media")
_RUNS = _Shape(Run, "runs")
