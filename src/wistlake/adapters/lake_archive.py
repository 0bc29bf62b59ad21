"""A lake as a copy: into a folder or tar, and back to life elsewhere with its paths rewritten.

Iceberg keeps absolute paths in table metadata, manifest lists and manifests, and so does the catalog.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyiceberg.avro.file import AvroFile, AvroFileHeader, AvroOutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

from wistlake.adapters import disk
from wistlake.adapters.lake_folder import LAYOUT, LakeFolder
from wistlake.errors import ConfigError, StoreError

_FOLDERS = ("bronze", "receipts", "tombstones", "warehouse")
_FILES = ("lake.json", "pseudonym-key.json", "report.html")
_DATABASES = ("ledger.db", "catalog.db")
_TAR = (".tar", ".tar.gz", ".tgz")


def backup(lake: Path, target: Path) -> int:
    """Copy the lake into `target`, a new folder or a .tar / .tar.gz; its bytes. The copy holds raw pages
    and the pseudonym key, so that only the owner may read it. The caller holds the lake's lease."""
    LakeFolder(lake).described()
    if target.exists():
        raise ConfigError(f"{target} exists: name a new folder or file")
    if target.is_relative_to(lake):
        raise ConfigError(f"{target} lies inside the lake: name a place outside of {lake}")
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.name.endswith(_TAR):
            _copy(lake, target)
            return sum(p.stat().st_size for p in target.rglob("*") if p.is_file())
        with tempfile.TemporaryDirectory(dir=target.parent) as aside:
            _copy(lake, Path(aside) / "lake")
            unfinished = Path(aside) / target.name
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600))
            with tarfile.open(unfinished, "w:gz" if not target.name.endswith(".tar") else "w") as archive:
                archive.add(Path(aside) / "lake", "lake")
            unfinished.replace(target)
        return target.stat().st_size


def restore(source: Path, lake: Path) -> None:
    """Make the copy in `source` (folder, moved lake or tar) the lake at `lake`."""
    if lake.exists() and any(lake.iterdir()):
        raise ConfigError(f"{lake} is not empty: restore to a new folder (--to), or move it away")
    if not source.exists():
        raise ConfigError(f"there is no {source}: name the folder or tar that `wistlake backup` made")
    with _explained(lake):
        lake.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=lake.parent) as aside:
            fresh = _unpacked(source, Path(aside))
            described = LakeFolder(fresh).described()
            if described["layout"] > LAYOUT:
                raise ConfigError(
                    f"{source} has layout {described['layout']}, newer than this program's {LAYOUT}: "
                    "upgrade wistlake"
                )
            _move(fresh, str(described["path"]), str(lake))
            LakeFolder(fresh).write_marker({**described, "path": str(lake)})
            if lake.exists():
                lake.rmdir()
            fresh.rename(lake)


def _copy(lake: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for name in _FOLDERS:
        if (lake / name).is_dir():
            shutil.copytree(lake / name, target / name, ignore=shutil.ignore_patterns(".unfinished"))
    for name in _FILES:
        if (lake / name).is_file():
            shutil.copy2(lake / name, target / name)
    for name in _DATABASES:
        if (lake / name).is_file():
            _copy_database(lake / name, target / name)


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy, whatever lies in the write-ahead log."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _unpacked(source: Path, aside: Path) -> Path:
    fresh = aside / "lake"
    if source.is_dir():
        _copy(source, fresh)
        return fresh
    try:
        with tarfile.open(source) as archive:
            archive.extractall(aside, filter="data")
    except tarfile.TarError as e:
        raise StoreError(f"{source} is no whole tar: take another backup ({type(e).__name__})") from e
    if not fresh.is_dir():
        raise ConfigError(f"{source} holds no lake: name a tar that `wistlake backup` made")
    fresh.chmod(0o700)
    return fresh


def _move(fresh: Path, old: str, new: str) -> None:
    """Rewrite every path that begins with `old` in what lies below `fresh`."""
    warehouse = fresh / "warehouse"
    lengths: dict[str, int] = {}
    # Manifests before the lists that hold their lengths.
    avros = sorted(warehouse.rglob("*.avro"), key=lambda p: p.name.startswith("snap-"))
    for file in avros:
        _rewrite_avro(file, old, new, lengths)
        lengths[str(file).replace(str(fresh), new, 1)] = file.stat().st_size
    for file in warehouse.rglob("*.metadata.json"):
        file.write_text(json.dumps(_renamed(json.loads(file.read_text()), old, new)))
    for database, table, columns in (
        ("catalog.db", "iceberg_tables", ("metadata_location", "previous_metadata_location")),
        ("catalog.db", "iceberg_namespace_properties", ("property_value",)),
        ("ledger.db", "publications", ("tables",)),
    ):
        if (fresh / database).is_file():
            _rewrite_database(fresh / database, table, columns, old, new)


def _rewrite_avro(file: Path, old: str, new: str, lengths: Mapping[str, int]) -> None:
    io = PyArrowFileIO()
    with AvroFile[Record](io.new_input(str(file))) as source:
        header: AvroFileHeader = source.header
        schema = source.schema
        records = [_renamed_record(record, old, new) for record in source]
    names = [f.name for f in schema.fields]
    if "manifest_length" in names:
        place, length = names.index("manifest_path"), names.index("manifest_length")
        for record in records:
            where = str(record[place]).removeprefix("file://")
            record[length] = lengths.get(where, record[length])
    meta = {k: v for k, v in header.meta.items() if k not in ("avro.schema", "avro.codec")}
    name = str(json.loads(header.meta["avro.schema"]).get("name", "record"))
    with AvroOutputFile[Record](io.new_output(str(file)), schema, name, metadata=meta) as target:
        target.write_block(records)


def _renamed_record(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Record):
        for place in range(len(value)):
            value[place] = _renamed_record(value[place], old, new)
        return value
    return _renamed(value, old, new)


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {k: _renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [_renamed(v, old, new) for v in value]
    if not isinstance(value, str):
        return value
    for scheme in ("file://", "file:", ""):
        if value == scheme + old or value.startswith(f"{scheme}{old}/"):
            return scheme + new + value[len(scheme) + len(old) :]
    return value


def _rewrite_database(path: Path, table: str, columns: tuple[str, ...], old: str, new: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for column in columns:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            connection.executemany(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?",
                [(_renamed_text(text, old, new), number) for number, text in rows],
            )


def _renamed_text(text: str | None, old: str, new: str) -> str | None:
    if text is None or not text.startswith("{"):
        return None if text is None else str(_renamed(text, old, new))
    return json.dumps(_renamed(json.loads(text), old, new))


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        said = disk.trouble(path) or f"{e.strerror or type(e).__name__}: check the disk and the rights"
        raise StoreError(f"{path}: {said}") from e
