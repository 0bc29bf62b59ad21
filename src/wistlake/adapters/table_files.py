"""Which files a table in its published state is made of, and whether they are all there.

Whoever opens a table looks here first: engines meet a damaged file with errors of many kinds, and DuckDB ends
the whole process over a damaged manifest.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wistlake.adapters import avro as avro_bytes
from wistlake.adapters.iceberg_paths import inside
from wistlake.errors import StoreDamaged, StoreError
from wistlake.ports import TableRef

Digest = Callable[[str], str | None]  # the SHA-256 that a file had when it was written, where it is known
# Properties by which metadata could name code to load, or another place to write to.
ORDERS = re.compile(r"impl$|\.path$")
_DELETED = 2  # the status of a manifest's entry about a file that a commit has removed


class TableDamaged(StoreDamaged):
    """A file of a table is gone, cut or changed. `name` is the table, `location` the file."""

    def __init__(self, name: str, location: str, what: str, cure: str) -> None:
        super().__init__(f"{name} is damaged: {location} {what}; {cure}")
        self.name, self.location = name, location


class TableFiles(Protocol):
    """Where tables lie."""

    def read(self, location: str) -> bytes:
        """A file's bytes. OSError if there are none; StoreError if it lies where no table of the lake may."""

    def size(self, location: str) -> int | None:
        """How many bytes the file has; None if it is gone."""

    def cure(self, name: str) -> str:
        """What mends a damaged table."""


@dataclass(frozen=True, slots=True)
class LocalTableFiles:
    """Files below the warehouse of one lake; `now` is where that lies now, if a copy is looked at."""

    warehouse: Path
    now: Path | None = None

    def read(self, location: str) -> bytes:
        """A file's bytes."""
        return self._path(location).read_bytes()

    def size(self, location: str) -> int | None:
        """How many bytes the file has; None if it is gone."""
        path = self._path(location)
        return path.stat().st_size if path.is_file() else None

    @staticmethod
    def cure(name: str) -> str:
        """What mends a damaged table."""
        return f"`wistlake repair --table {name}` mends what raw pages can mend, or restore a backup"

    def _path(self, location: str) -> Path:
        there = inside(location, self.warehouse, "a file of a table")
        return self.now / there.relative_to(self.warehouse) if self.now else there


class TableState:
    """One table as `ref` says it is. `digest` is what is known of its files' checksums."""

    def __init__(
        self, name: str, ref: TableRef, files: TableFiles, digest: Digest = lambda location: None
    ) -> None:
        self._name, self._ref, self._files, self._digest = name, ref, files, digest

    def check_readable(self) -> None:
        """TableDamaged unless an engine can read what lists the data files."""
        for manifest in self.manifests():
            # What is as it was when it was written need not be taken apart.
            if self._digest(manifest):
                self._read(manifest)
            else:
                self._records(manifest)

    def check(self, *, deep: bool = False) -> None:
        """TableDamaged, which names the first file that is not what the table's metadata says; `deep`: or that
        is not what it was when it was written."""
        for location, size in self.data_files():
            there = self._files.size(location)
            if there is None:
                raise self._damaged(location, "is gone")
            if there != size:
                raise self._damaged(location, f"has {there} bytes instead of {size}")
            if deep and not self._is_parquet(self._read(location)):
                raise self._damaged(location, "is no Parquet file")

    @staticmethod
    def _is_parquet(data: bytes) -> bool:
        return data[:4] == data[-4:] == b"PAR1"

    def damaged_data_files(self) -> Iterator[str]:
        """The data files that are gone, cut or changed."""
        for location, size in self.data_files():
            try:
                if self._files.size(location) == size and self._is_parquet(self._read(location)):
                    continue
            except StoreError:
                pass
            yield location

    def data_files(self) -> Iterator[tuple[str, int]]:
        """(location, bytes) of every data file. TableDamaged if what lists them can't be read."""
        for manifest in self.manifests():
            for entry in self._records(manifest):
                with self._understood(manifest, "is no manifest of Iceberg's"):
                    if entry["status"] == _DELETED:
                        continue
                    found = (
                        str(entry["data_file"]["file_path"]),
                        int(entry["data_file"]["file_size_in_bytes"]),
                    )
                yield found

    def manifests(self) -> list[str]:
        """Where the manifests lie. TableDamaged if metadata or manifest list can't be read."""
        listed = self.manifest_list()
        if listed is None:
            return []
        with self._understood(listed, "is no manifest list of Iceberg's"):
            return [str(r["manifest_path"]) for r in self._records(listed)]

    def manifest_list(self) -> str | None:
        """Where the manifest list lies; None for a table without rows. TableDamaged if metadata can't be read."""
        where = self._ref.metadata_location
        raw = self._read(where)
        with self._understood(where, "is no table metadata"):
            metadata = json.loads(raw)
            lists = {s["snapshot-id"]: str(s["manifest-list"]) for s in metadata["snapshots"] or ()}
            orders = [name for name in metadata["properties"] if ORDERS.search(name)]
        if orders:
            raise self._damaged(where, f"sets {orders[0][:60]!r}, which wistlake never does")
        if self._ref.snapshot_id is not None and self._ref.snapshot_id not in lists:
            raise self._damaged(where, f"lacks snapshot {self._ref.snapshot_id}")
        return lists.get(self._ref.snapshot_id) if self._ref.snapshot_id is not None else None

    def _records(self, location: str) -> list[dict[str, Any]]:
        try:
            return avro_bytes.records(self._read(location))
        except avro_bytes.Damaged as e:
            raise self._damaged(location, f"is no whole manifest ({e})") from e

    def _read(self, location: str) -> bytes:
        try:
            data = self._files.read(location)
        except FileNotFoundError:
            raise self._damaged(location, "is gone") from None
        except OSError as e:
            raise self._damaged(location, f"can't be read ({e.strerror or type(e).__name__})") from e
        if (digest := self._digest(location)) and digest != hashlib.sha256(data).hexdigest():
            raise self._damaged(location, "is not what it was when it was written")
        return data

    @contextmanager
    def _understood(self, location: str, what: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._damaged(location, what) from None

    def _damaged(self, location: str, what: str) -> TableDamaged:
        return TableDamaged(self._name, location, what, self._files.cure(self._name))


class Inspector(Protocol):
    """Looks at tables before and after an engine does."""

    def readable(self, name: str, ref: TableRef) -> None:
        """TableDamaged if an engine would stumble over what lists the table's files."""

    def check(self, name: str, ref: TableRef) -> None:
        """TableDamaged if any of the table's files is gone, cut or changed."""


@dataclass(frozen=True, slots=True)
class FilesInspector:
    """Inspector over the files themselves; `deep`: their contents too, where reading them all is cheap."""

    files: TableFiles
    digest: Digest = lambda location: None
    deep: bool = False

    def readable(self, name: str, ref: TableRef) -> None:
        """TableDamaged if an engine would stumble over what lists the table's files."""
        TableState(name, ref, self.files, self.digest).check_readable()

    def check(self, name: str, ref: TableRef) -> None:
        """TableDamaged if any of the table's files is gone, cut or changed."""
        TableState(name, ref, self.files, self.digest).check(deep=self.deep)
