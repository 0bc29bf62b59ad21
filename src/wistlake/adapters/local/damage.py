"""What of a lake is damaged: looked for when something fails, and when somebody asks for it (`doctor --deep`)."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wistlake.adapters.iceberg_paths import path
from wistlake.adapters.local import checksums
from wistlake.adapters.local.lake_folder import BACKUP, LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.table_files import FilesInspector, LocalTableFiles, TableDamaged, TableState
from wistlake.errors import StoreDamaged, StoreError, WistlakeError


def inspector(folder: LakeFolder) -> FilesInspector:
    """Looks at the files of a lake's tables."""
    sums, root = checksums.recorded(folder.root), f"{folder.root}/"
    return FilesInspector(
        LocalTableFiles(folder.warehouse),
        lambda location: sums.get(str(path(location)).removeprefix(root)),
        deep=True,
    )


@contextmanager
def explained(folder: LakeFolder) -> Iterator[None]:
    """Whatever fails in the block while the lake is damaged, as the StoreError that says so."""
    try:
        yield
    except WistlakeError:
        raise
    except Exception as e:
        for found in (*databases(folder), *tables(folder)):
            raise found from e
        raise


def databases(folder: LakeFolder) -> Iterator[StoreError]:
    """What is wrong with the databases."""
    cures = {
        folder.ledger: f"{BACKUP}, or `wistlake repair --ledger`",
        folder.catalog: "`wistlake repair --catalog`",
    }
    for database, cure in cures.items():
        if database.is_file() and (why := is_unsound(database)):
            yield StoreDamaged(f"{database} is damaged ({why}): {cure}")


def is_unsound(database: Path) -> str:
    """What sqlite says is wrong with a database; "" if nothing."""
    try:
        uri = f"{database.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as e:
        return str(e)
    return "" if said == "ok" else str(said)[:100]


def tables(folder: LakeFolder, *, deep: bool = True) -> Iterator[StoreError]:
    """What is wrong with the published tables: files that are gone, cut, or (deep) changed."""
    published = SqliteLedger(folder.ledger, read_only=True).publication()
    files = LocalTableFiles(folder.warehouse)
    for name, ref in published.tables.items() if published else ():
        try:
            TableState(name, ref, files).check()
        except StoreError as e:
            yield e
    for name in checksums.changed(folder.root) if deep else ():
        yield _changed(name)


def require_tables(folder: LakeFolder) -> None:
    """StoreError if a published table lacks a file, or has one outside of the lake."""
    for found in tables(folder, deep=False):
        raise found


def _changed(file: str) -> TableDamaged:
    table = ".".join(file.split("/")[1:3])
    return TableDamaged(table, file, "is not what it was when it was written", LocalTableFiles.cure(table))
