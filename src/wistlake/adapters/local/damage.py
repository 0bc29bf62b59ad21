"""Finds damage in a lake: after something has failed, and on demand (`doctor --deep`)."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from wistlake import errors
from wistlake.adapters.iceberg_paths import to_path
from wistlake.adapters.local import checksums
from wistlake.adapters.local.database import untrusted
from wistlake.adapters.local.lake_folder import BACKUP, LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.table_files import LocalTableFiles
from wistlake.adapters.table_files import FilesInspector, TableDamaged
from wistlake.errors import StoreDamaged, StoreError


def inspector(folder: LakeFolder) -> FilesInspector:
    """Checks the files of a lake's tables against their metadata and their recorded checksums."""
    sums, root = checksums.recorded(folder.root), f"{folder.root}/"
    return FilesInspector(
        LocalTableFiles(folder.warehouse),
        lambda location: sums.get(str(to_path(location)).removeprefix(root)),
        deep=True,
    )


def explained(folder: LakeFolder) -> AbstractContextManager[None]:
    """Replace any error in the block by the StoreError for the lake's damage, if it is damaged."""
    return errors.explained(lambda: (*databases(folder), *tables(folder)))


def databases(folder: LakeFolder) -> Iterator[StoreError]:
    """One error for each damaged database."""
    cures = {
        folder.ledger: f"{BACKUP}, or `wistlake repair --ledger`",
        folder.catalog: "`wistlake repair --catalog`",
    }
    for database, cure in cures.items():
        if database.is_file() and (reason := is_unsound(database)):
            yield StoreDamaged(f"{database} is damaged ({reason}): {cure}")


def is_unsound(database: Path) -> str:
    """Sqlite's description of a database's damage; "" if it is sound."""
    try:
        with untrusted(database) as connection:
            message = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.Error as e:
        return str(e)
    return "" if message == "ok" else message[:100]


def tables(folder: LakeFolder, *, deep: bool = True) -> Iterator[StoreError]:
    """One error for each damaged table or file: missing, truncated, or (deep) changed."""
    files = FilesInspector(LocalTableFiles(folder.warehouse))
    yield from files.damaged(SqliteLedger(folder.ledger, read_only=True).publication)
    for name in checksums.changed(folder.root) if deep else ():
        table = ".".join(name.split("/")[1:3])
        what = "is not what it was when it was written"
        yield TableDamaged(table, name, what, LocalTableFiles.cure(table))
