"""One sqlite file that threads and processes share: created whole, upgraded in place, and never silently replaced."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from wistlake.adapters.local import disk
from wistlake.adapters.local.scratch import aside
from wistlake.errors import ConfigError, StoreBusy, StoreDamaged, StoreError
from wistlake.machine import create_private, make_private

BUSY_SECONDS = 30.0
_V = TypeVar("_V")
Upgrades = Sequence[Sequence[str]]  # the statements of each schema version, in order


class Database:
    """One sqlite file, used by any number of threads and processes. Every sqlite error is a StoreError.

    `upgrades` are all versions of its schema, `if_damaged` is the cure for damage. Without `durable`, a power cut may
    lose the last writes, and a write waits for no disk.
    """

    def __init__(
        self,
        path: Path,
        upgrades: Upgrades,
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
        """Close the file."""
        self._connection.close()

    def rows(self, sql: str, values: Sequence[Any], convert: Callable[[tuple[Any, ...]], _V]) -> list[_V]:
        """The rows of one SELECT, each converted; StoreError if one can't be."""
        with self._lock, self.explained():
            try:
                return list(map(convert, self._connection.execute(sql, values)))
            except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as e:
                raise StoreDamaged(
                    f"{self.path} holds a row that wistlake never wrote ({type(e).__name__}): "
                    "restore it from a backup"
                ) from e

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, with no other writer meanwhile: all of the block is committed, or none of it."""
        with self._lock, self.explained(), transaction(self._connection) as connection:
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Translate sqlite's errors into StoreErrors that name the file and the cure."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a bug in wistlake, not damage
        except sqlite3.Error as e:
            raise self._failure(e) from e
        except OSError as e:
            reason = disk.trouble(self.path.parent)
            raise StoreError(
                reason or f"{self.path} cannot be opened ({e.strerror}): check the folder's rights"
            ) from e

    def _failure(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        disk_codes = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        if code in disk_codes and self.path.exists() and (reason := disk.trouble(self.path.parent)):
            return StoreError(f"{self.path}: {reason}")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreBusy(f"{self.path}: {_BUSY}")
        if code in _CURES:
            return StoreError(f"{self.path}: {_CURES[code]}")
        return StoreDamaged(f"{self.path}: it is damaged ({error}): {self._if_damaged}")

    def _create(self, upgrades: Upgrades) -> None:
        """Create the file under its name with its schema complete: an empty file is always damage, not a crash."""
        # The log first: another process may create and open the file between the two looks.
        has_log = self.path.with_name(f"{self.path.name}-wal").exists()
        if self.path.exists():
            return
        if has_log:  # sqlite would replay it into a new file
            raise StoreDamaged(f"{self.path} is gone, but its -wal file is there: {self._if_damaged}")
        make_private(self.path.parent)
        with aside(self.path.parent, self.path.name) as folder:
            unfinished = folder / self.path.name
            os.close(create_private(unfinished))
            with contextlib.closing(_connect(unfinished, read_only=False)) as connection:
                _upgrade(connection, upgrades)
                # Last: a write-ahead log is copied into the file on close, where a full disk raises no error.
                connection.execute("PRAGMA journal_mode = WAL")
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(unfinished, self.path)

    def _check_version(self, upgrades: Upgrades, *, read_only: bool) -> None:
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
        _upgrade(self._connection, upgrades)


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
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit the block, or roll it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection that starts no transaction by itself; the lock of `Database` makes it safe to share."""
    mode = "ro" if read_only else "rw"
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def untrusted(path: Path, *, read_only: bool = True) -> Iterator[sqlite3.Connection]:
    """A database that somebody else may have written, during the block: its schema runs no code."""
    with contextlib.closing(_connect(path, read_only=read_only)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        yield connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _upgrade(connection: sqlite3.Connection, upgrades: Upgrades) -> None:
    """Bring the schema to the newest version, in one transaction."""
    if _version(connection) == len(upgrades):
        return
    with transaction(connection):
        done = _version(connection)  # another process may have been faster
        for number, statements in enumerate(upgrades[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
