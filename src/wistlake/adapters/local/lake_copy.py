"""Copies the files of a lake: from a folder, into an archive, or out of an archive from an untrusted source.

Only regular files with the names of a lake's files are copied, readable by their owner only.
"""

import contextlib
import gzip
import os
import re
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from wistlake.adapters.local.database import untrusted
from wistlake.adapters.local.ledger import UPGRADES
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.machine import PRIVATE_FOLDER, create_private

LAKE = "lake"  # the folder inside an archive
DATABASES = ("ledger.db", "catalog.db")
_SEGMENT = r"[A-Za-z0-9_%][A-Za-z0-9_=.,%+-]*"
_LAKE_FILE = re.compile(
    r"lake\.json|pseudonym-key\.json|warehouse\.sha256|ledger\.db|catalog\.db"
    rf"|bronze/wistia/{_SEGMENT}/{_SEGMENT}/{_SEGMENT}/{_SEGMENT}/(manifest\.json|part-\d+\.jsonl\.gz)"
    r"|bronze/confirmed/dt=[0-9-]+/run_id=[A-Za-z0-9_-]+/[0-9a-f]+\.json"
    rf"|tombstones/[0-9a-f]+\.json|receipts/{_SEGMENT}\.json"
    rf"|warehouse/(silver|gold|ops)/[a-z_]+/data/({_SEGMENT}/)*{_SEGMENT}\.parquet"
    rf"|warehouse/(silver|gold|ops)/[a-z_]+/metadata/{_SEGMENT}\.(avro|metadata\.json)"
)
# Other files in older backups: the report is written again, the rest is Hadoop's.
_SKIPPED = re.compile(rf"report\.html|tombstones\.json|warehouse/({_SEGMENT}/)*\.[^/]+\.crc")
# Raw pages and Parquet are compressed already: a higher ratio than this is an attack. Small archives may have any.
_MAX_RATIO, _ANY_RATIO_BYTES = 30, 64 << 20
_CHUNK = 1 << 20


def members(folder: Path) -> Iterator[tuple[str, Path]]:
    """The lake's files below a folder, by their names inside a lake. Links are followed at the top only, where they
    lead to other disks."""
    for top in sorted(folder.iterdir()):
        if top.is_file() and not top.is_symlink():
            yield from _lake_file(top.name, top)
        elif top.is_dir() and not top.name.startswith("."):
            yield from _below(top, top.name)


def copy(source: Path, target: Path, warehouse: Path | None = None) -> None:
    """Copy the lake's files into the new folder `target`, with consistent copies of databases. `warehouse` is the
    tables' folder, if it lies outside of the lake."""
    target.mkdir(mode=PRIVATE_FOLDER)
    outside = _below(warehouse, "warehouse") if warehouse else ()
    for name, path in (*members(source), *outside):
        if name in DATABASES:
            _copy_database(path, _place(target, name))
        else:
            with path.open("rb") as data:
                _write(_place(target, name), data, name)


def pack(folder: Path, archive: Path) -> None:
    """Write the lake in `folder` into an owner-only archive, compressed unless its name ends in .tar."""
    os.close(create_private(archive))
    with tarfile.open(archive, "w" if archive.name.endswith(".tar") else "w:gz") as tar:
        tar.add(folder, LAKE)


def unpack(archive: Path, target: Path) -> None:
    """Extract the lake in an archive into the new folder `target`. ConfigError or StoreError if `wistlake backup` did
    not make the archive."""
    target.mkdir(mode=PRIVATE_FOLDER)
    limit = max(_ANY_RATIO_BYTES, archive.stat().st_size * _MAX_RATIO)
    try:
        with _stream(archive) as raw:
            limited = cast("IO[bytes]", _Limited(raw, limit, archive))
            with tarfile.open(fileobj=limited, mode="r|") as tar:
                for member in tar:
                    _unpack_member(tar, member, archive, target)
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as e:
        raise StoreDamaged(f"{archive} is an incomplete tar: take another backup ({type(e).__name__})") from e


def require_plain_databases(folder: Path) -> None:
    """StoreError if a database has anything but wistlake's tables: triggers and views would run code."""
    for name, allowed in (("ledger.db", _ledger_tables()), ("catalog.db", _CATALOG_TABLES)):
        if (folder / name).is_file():
            with _explained(name), untrusted(folder / name) as connection:
                objects = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
                is_whole = connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            strange = [
                n
                for kind, n in objects
                if kind not in ("table", "index") or (kind == "table" and n not in allowed)
            ]
            if strange:
                raise StoreDamaged(
                    f"{name} holds {strange[0][:40]!r}, which no wistlake has made: the copy is not to be trusted"
                )
            if not is_whole:
                raise StoreDamaged(f"{name} is damaged: take another backup")


_CATALOG_TABLES = frozenset(("iceberg_tables", "iceberg_namespace_properties"))


def _ledger_tables() -> frozenset[str]:
    created = re.findall(r"CREATE TABLE (\w+)", "\n".join(text for upgrade in UPGRADES for text in upgrade))
    return frozenset((*created, "sqlite_sequence"))


def _lake_file(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    if _LAKE_FILE.fullmatch(name):
        yield name, path


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), f"{name}/{entry.name}")
        elif entry.is_file(follow_symlinks=False):
            yield from _lake_file(f"{name}/{entry.name}", Path(entry.path))


def _place(target: Path, name: str) -> Path:
    path = target / name
    for folder in reversed([p for p in path.parents if p.is_relative_to(target) and p != target]):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def _write(path: Path, data: IO[bytes], name: str) -> int:
    """Copy into a new owner-only file; its size in bytes."""
    try:
        descriptor = create_private(path)
    except FileExistsError:
        raise StoreDamaged(f"{name} is there twice: the copy is not to be trusted") from None
    with open(descriptor, "wb") as file:
        shutil.copyfileobj(data, file, _CHUNK)
        return file.tell()


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy, the write-ahead log included."""
    os.close(create_private(target))
    with (
        _explained(source.name),
        untrusted(source) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as e:
        raise StoreDamaged(f"{name} can't be read ({e}): `wistlake doctor --deep` looks closer") from e


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path, target: Path) -> None:
    name = member.name.removeprefix(f"{LAKE}/")
    if member.isdir() and (member.name == LAKE or name != member.name):
        return
    if name == member.name or not (_LAKE_FILE.fullmatch(name) or _SKIPPED.fullmatch(name)):
        raise ConfigError(
            f"{archive} holds {member.name[:80]!r}, which is no part of a lake: name a tar that `wistlake backup` made"
        )
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
        raise StoreDamaged(f"{archive}: {name} isn't a regular file: the archive is not to be trusted")
    if not _LAKE_FILE.fullmatch(name):
        return
    if member.size > (free := shutil.disk_usage(target).free):
        raise StoreError(
            f"{archive} needs more room than the {free / 1e6:,.0f} MB that the disk has left: free some"
        )
    data = tar.extractfile(member)
    if data is None or _write(_place(target, name), data, name) != member.size:
        raise StoreDamaged(f"{archive} is an incomplete tar: {name} ends too early; take another backup")


@contextlib.contextmanager
def _stream(archive: Path) -> Iterator[IO[bytes]]:
    """The archive's decompressed bytes."""
    with archive.open("rb") as file:
        is_compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if is_compressed:
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            yield file


class _Limited:
    """A stream with a limit, against archives that expand without end."""

    def __init__(self, raw: IO[bytes], limit: int, archive: Path) -> None:
        self._raw, self._left, self._archive = raw, limit, archive

    def read(self, size: int) -> bytes:
        """The next bytes; StoreError past the limit."""
        data = self._raw.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise StoreDamaged(
                f"{self._archive} unpacks to more than {_MAX_RATIO} times its size, as no lake does: it stays packed"
            )
        return data
