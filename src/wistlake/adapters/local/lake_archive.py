"""Backs a lake up into a folder or tar, and restores it elsewhere with its paths rewritten.

Iceberg stores absolute paths in table metadata, manifest lists and manifests, and so does the catalog.
"""

import contextlib
import errno
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wistlake import lake_marker
from wistlake.adapters import avro as avro_bytes
from wistlake.adapters.iceberg_paths import Rename, inside, moved, renamed
from wistlake.adapters.iceberg_rewrite import rewrite_avro, rewrite_json
from wistlake.adapters.local import checksums, disk, lake_copy
from wistlake.adapters.local.database import transaction, untrusted
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.scratch import SCRATCH, aside
from wistlake.adapters.local.table_files import LocalTableFiles
from wistlake.adapters.table_files import UNSAFE_PROPERTY, TableState
from wistlake.errors import ConfigError, StoreDamaged, StoreError

NEEDED = ("lake.json", "pseudonym-key.json", *lake_copy.DATABASES)
_NOT_EMPTY = "is not empty: restore to a new folder (--to), or move it away and name it with --replaces"
_TAR = (".tar", ".tar.gz", ".tgz")


def backup(lake: Path, target: Path) -> int:
    """Copy the lake into `target`, a new folder or a .tar / .tar.gz; the copy's size in bytes. Only the owner may read
    it: it holds raw pages and the pseudonym key. The caller holds the lake's lease."""
    folder = LakeFolder(lake)
    folder.require_readable()
    folder.require_complete()
    if target.exists():
        raise ConfigError(f"{target} exists: name a new folder or file")
    if target.is_relative_to(lake):
        raise ConfigError(f"{target} lies inside the lake: name a place outside of {lake}")
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with aside(target.parent, SCRATCH) as scratch:
            copy = scratch / lake_copy.LAKE
            lake_copy.copy(lake, copy)
            _require_tables(copy, lake)
            if target.name.endswith(_TAR):
                lake_copy.pack(copy, scratch / target.name)
                copy = scratch / target.name
            copy.rename(target)
        return sum(p.stat().st_size for p in (target, *target.rglob("*")) if p.is_file())


def restore(source: Path, lake: Path) -> None:
    """Make the copy in `source` (folder, moved lake or tar) the lake at `lake`. StoreError if it is incomplete, or if
    any path in it leads outside of the lake."""
    LakeFolder(lake)
    if lake.exists() and any(lake.iterdir()):
        raise ConfigError(f"{lake} {_NOT_EMPTY}")
    if not source.exists():
        raise ConfigError(f"there is no {source}: name the folder or tar that `wistlake backup` made")
    with _explained(lake):
        lake.parent.mkdir(parents=True, exist_ok=True)
        with aside(lake.parent, SCRATCH) as scratch:
            fresh = scratch / lake_copy.LAKE
            if source.is_dir():
                lake_copy.copy(source, fresh, _outside_warehouse(source))
            else:
                lake_copy.unpack(source, fresh)
            _adopt(source, fresh, lake)
            try:
                if lake.exists():
                    lake.rmdir()
                fresh.rename(lake)
            except OSError as e:  # another process has filled it since
                if e.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                raise ConfigError(f"{lake} {_NOT_EMPTY}") from e


def _adopt(source: Path, fresh: Path, lake: Path) -> None:
    if missing := [name for name in NEEDED if not (fresh / name).is_file()]:
        raise ConfigError(
            f"{source} holds an incomplete lake without {missing[0]}: name what `wistlake backup` made"
        )
    described = _described(source, fresh)
    if problems := list(lake_marker.newer_layout(described, str(source))):
        raise ConfigError(problems)
    lake_copy.require_plain_databases(fresh)
    _require_manifests(fresh)
    for name in checksums.changed(fresh):
        raise StoreDamaged(f"{source}: {name} is not what it was when it was written: take another backup")
    _move(fresh, str(described["path"]), lake)
    LakeFolder(fresh).write_marker({**described, "path": str(lake)})
    _require_tables(fresh, lake)
    _require_inside(fresh, lake)
    checksums.seal_again(fresh)


def _described(source: Path, fresh: Path) -> Mapping[str, Any]:
    """What the copy's marker says. StoreError if that, or the key without which no visitor can be joined, is
    damaged."""
    folder = LakeFolder(fresh)
    try:
        folder.key_chain(rotating=True)
        return folder.described()
    except StoreError as e:
        problem = str(e).replace(str(fresh), str(source)).rpartition(": ")[0]
        raise StoreDamaged(f"{problem}: take another backup") from e


def _require_manifests(fresh: Path) -> None:
    for file in (fresh / "warehouse").rglob("*.avro"):
        try:
            avro_bytes.records(file.read_bytes())
        except avro_bytes.Damaged as e:
            raise StoreDamaged(f"{file.relative_to(fresh)} is damaged ({e}): take another backup") from e


def _require_tables(copy: Path, lake: Path) -> None:
    """StoreError unless every published table lies below `lake`, and is complete in the copy."""
    with contextlib.closing(SqliteLedger(copy / "ledger.db")) as ledger:
        published = ledger.publication()
    if published is None or not published.tables:
        raise StoreError(
            f"nothing has been published in {lake}: a copy would hold no tables. `wistlake run` first"
        )
    files = LocalTableFiles(lake / "warehouse", copy / "warehouse")
    for name, ref in published.tables.items():
        TableState(name, ref, files).check()


def _require_inside(fresh: Path, lake: Path) -> None:
    """StoreError if any stored path leads out of the lake, or metadata names code to load."""
    warehouse = lake / "warehouse"
    for place, value in _locations(fresh):
        inside(value, warehouse, place)
    for file in (fresh / "warehouse").rglob("*.metadata.json"):
        metadata = json.loads(file.read_text())
        for value in _named_files(metadata):
            inside(value, warehouse, f"what {file.name} names")
        for name in filter(UNSAFE_PROPERTY.search, metadata.get("properties") or {}):
            raise StoreDamaged(
                f"{file.name} sets {name[:60]!r}, which wistlake never does: the copy is not to be trusted"
            )


def _named_files(metadata: Any) -> Iterator[str]:
    """Every location in a table's metadata."""
    yield str(metadata.get("location"))
    for snapshot in metadata.get("snapshots") or ():
        yield str(snapshot.get("manifest-list"))
    for entry in metadata.get("metadata-log") or ():
        yield str(entry.get("metadata-file"))
    for entry in (*(metadata.get("statistics") or ()), *(metadata.get("partition-statistics") or ())):
        yield str(entry.get("statistics-path"))


def _locations(fresh: Path) -> Iterator[tuple[str, str]]:
    """Every location in the databases, with its description."""
    with untrusted(fresh / "catalog.db") as catalog:
        sql = "SELECT table_name, metadata_location, previous_metadata_location FROM iceberg_tables"
        for name, *values in catalog.execute(sql).fetchall():
            yield from ((f"{name} of the catalog", str(v)) for v in values if v is not None)
    with untrusted(fresh / "ledger.db") as ledger:
        for number, tables in ledger.execute("SELECT number, tables FROM publications").fetchall():
            yield from (
                (f"publication {number}: {n[:60]}", str(ref[0])) for n, ref in json.loads(tables).items()
            )


def _outside_warehouse(source: Path) -> Path | None:
    """The tables' folder of a lake with special characters in its path, as an older wistlake wrote it: below the
    percent-encoded path, outside of the lake."""
    if any((source / "warehouse").rglob("*.parquet")):
        return None
    made_at = Path(str(LakeFolder(source).described()["path"]))
    homes = (_encoded(p) / "warehouse" for p in (source, made_at) if _encoded(p) != p)
    return next((home for home in homes if home.is_dir()), None)


def _encoded(path: Path) -> Path:
    return Path(urlsplit(path.as_uri()).path) if path.is_absolute() else path


def _move(fresh: Path, old: str, lake: Path) -> None:
    """Rewrite every path below `old` in the files of `fresh` to one below `lake`."""
    names = {old, str(_encoded(Path(old)))}
    renames = [moved(name, str(lake)) for name in sorted(names) if name.startswith("/")]
    in_fresh = moved(str(lake), str(fresh))

    def rename(value: str) -> str:
        return next((new for r in renames if (new := r(value)) != value), value)

    warehouse = fresh / "warehouse"
    # Manifests before manifest lists, which hold their lengths.
    for file in sorted(warehouse.rglob("*.avro"), key=lambda p: p.name.startswith("snap-")):
        rewrite_avro(file, file, rename, in_fresh)
    for file in warehouse.rglob("*.metadata.json"):
        rewrite_json(file, rename)
    for database, table, columns in (
        ("catalog.db", "iceberg_tables", ("metadata_location", "previous_metadata_location")),
        ("catalog.db", "iceberg_namespace_properties", ("property_value",)),
        ("ledger.db", "publications", ("tables",)),
    ):
        if (fresh / database).is_file():
            _rewrite_database(fresh / database, table, columns, rename)


def _rewrite_database(path: Path, table: str, columns: tuple[str, ...], rename: Rename) -> None:
    with untrusted(path, read_only=False) as connection, transaction(connection):
        for column in columns:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            connection.executemany(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?",
                [(_renamed_text(text, rename), number) for number, text in rows],
            )


def _renamed_text(text: str | None, rename: Rename) -> str | None:
    if text is None or not text.startswith("{"):
        return None if text is None else rename(text)
    return json.dumps(renamed(json.loads(text), rename))


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Translate errors of the disk, or of damaged files, into a StoreError."""
    try:
        yield
    except OSError as e:
        reason = disk.trouble(path) or f"{e.strerror or type(e).__name__}: check the disk and the rights"
        raise StoreError(f"{path}: {reason}") from e
    except (sqlite3.Error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        raise StoreDamaged(f"{path}: the copy is damaged ({type(e).__name__}): take another backup") from e
