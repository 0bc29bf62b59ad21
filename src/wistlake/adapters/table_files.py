"""Which files a table in its published state is made of, and whether they are all there.

Whoever opens a table looks here first: engines meet a damaged file with errors of many kinds, and DuckDB ends
the whole process over a damaged manifest.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from wistlake.adapters import avro as avro_bytes
from wistlake.errors import StoreDamaged, StoreError
from wistlake.ports import Publication, TableRef

Digest = Callable[[str], str | None]  # the SHA-256 that a file had when it was written, if it was recorded
# Properties by which metadata could name code to load, or another place to write to.
UNSAFE_PROPERTY = re.compile(r"impl$|\.path$")
_DELETED = 2  # the status of a manifest's entry about a file that a commit has removed
_OF_FILE = ("status", "data_file.file_path", "data_file.file_size_in_bytes")


class TableDamaged(StoreDamaged):
    """A file of a table is missing, truncated or changed. `name` is the table, `location` the file."""

    def __init__(self, name: str, location: str, what: str, cure: str) -> None:
        super().__init__(f"{name} is damaged: {location} {what}; {cure}")
        self.name, self.location = name, location


class TableFiles(Protocol):
    """Reads the files of tables, wherever they are stored."""

    def read(self, location: str) -> bytes:
        """A file's bytes. FileNotFoundError if it is missing; StoreDamaged if it lies outside of the lake's tables."""

    def size(self, location: str) -> int | None:
        """The file's size in bytes; None if it is missing."""

    def require_inside(self, location: str) -> None:
        """StoreDamaged if a file of that location lies outside of the lake's tables, whether it is there or not."""

    def cure(self, name: str) -> str:
        """How to repair a damaged table."""


class TableState:
    """One table in the state `ref`. `digest` gives the recorded checksums of its files."""

    def __init__(self, name: str, ref: TableRef, files: TableFiles, digest: Digest = lambda _: None) -> None:
        self._name, self._ref, self._files, self._digest = name, ref, files, digest

    def check_readable(self) -> None:
        """TableDamaged unless an engine can read what lists the data files."""
        for manifest in self.manifests():
            # A file with its recorded checksum needs no parsing.
            if self._digest(manifest):
                self._read(manifest)
            else:
                self._records(manifest)

    def check(self, *, deep: bool = False) -> None:
        """TableDamaged, naming the first data file that is missing or has another size than the metadata says;
        `deep` also compares the contents with the recorded checksums."""
        for location, size in self.data_files():
            actual = self._files.size(location)
            if actual is None:
                raise self._damaged(location, "is gone")
            if actual != size:
                raise self._damaged(location, f"has {actual} bytes instead of {size}")
            if deep and not _is_parquet(self._read(location)):
                raise self._damaged(location, "is no Parquet file")

    def damaged_data_files(self) -> Iterator[str]:
        """The data files that are missing, truncated or changed."""
        for location, size in self.data_files():
            try:
                if self._files.size(location) == size and _is_parquet(self._read(location)):
                    continue
            except StoreError:
                pass
            yield location

    def data_files(self) -> Iterator[tuple[str, int]]:
        """(location, bytes) of every data file. TableDamaged if what lists them can't be read."""
        for manifest in self.manifests():
            for entry in self._records(manifest, _OF_FILE):
                with self._parsing(manifest, "is no manifest of Iceberg's"):
                    if entry["status"] == _DELETED:
                        continue
                    file = entry["data_file"]
                    location, size = str(file["file_path"]), int(file["file_size_in_bytes"])
                yield location, size

    def manifests(self) -> list[str]:
        """The locations of the manifests. TableDamaged if metadata or manifest list can't be read."""
        listed = self.manifest_list()
        if listed is None:
            return []
        with self._parsing(listed, "is no manifest list of Iceberg's"):
            return [str(r["manifest_path"]) for r in self._records(listed)]

    def manifest_list(self) -> str | None:
        """The location of the manifest list; None for a table without rows. TableDamaged if metadata can't be read."""
        location = self._ref.metadata_location
        raw = self._read(location)
        with self._parsing(location, "is no table metadata"):
            metadata = json.loads(raw)
            lists = {s["snapshot-id"]: str(s["manifest-list"]) for s in metadata["snapshots"] or ()}
            unsafe = [name for name in metadata["properties"] if UNSAFE_PROPERTY.search(name)]
        if unsafe:
            raise self._damaged(location, f"sets {unsafe[0][:60]!r}, which wistlake never does")
        if self._ref.snapshot_id is not None and self._ref.snapshot_id not in lists:
            raise self._damaged(location, f"lacks snapshot {self._ref.snapshot_id}")
        return lists.get(self._ref.snapshot_id) if self._ref.snapshot_id is not None else None

    def _records(self, location: str, fields: Collection[str] = ()) -> list[dict[str, Any]]:
        try:
            return avro_bytes.records(self._read(location), fields)
        except avro_bytes.Damaged as e:
            raise self._damaged(location, f"is an incomplete manifest ({e})") from e

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
    def _parsing(self, location: str, what: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._damaged(location, what) from None

    def _damaged(self, location: str, what: str) -> TableDamaged:
        return TableDamaged(self._name, location, what, self._files.cure(self._name))


def _is_parquet(data: bytes) -> bool:
    return data[:4] == data[-4:] == b"PAR1"


@dataclass(frozen=True, slots=True)
class FilesInspector:
    """Checks tables of one lake; `deep` also reads the data files, where reading them all is cheap."""

    files: TableFiles
    digest: Digest = lambda _: None
    deep: bool = False

    def check_readable(self, name: str, ref: TableRef) -> None:
        """TableDamaged if an engine can't read what lists the table's files."""
        TableState(name, ref, self.files, self.digest).check_readable()

    def check(self, name: str, ref: TableRef) -> None:
        """TableDamaged if any of the table's files is missing, truncated or changed."""
        TableState(name, ref, self.files, self.digest).check(deep=self.deep)

    def is_inside(self, ref: TableRef) -> bool:
        """Whether the table lies where the lake's tables are."""
        try:
            self.files.require_inside(ref.metadata_location)
        except StoreDamaged:
            return False
        return True

    def damaged(self, newest: Callable[[], Publication | None]) -> Iterator[StoreError]:
        """One error for each table of the newest publication that `check` refuses. The files of one that is overtaken
        meanwhile may be gone, and are no damage."""
        published = newest()
        errors = list(self._errors(published))
        while errors and (newer := newest()) != published:
            published, errors = newer, list(self._errors(newer))
        yield from errors

    def _errors(self, published: Publication | None) -> Iterator[StoreError]:
        for name, ref in published.tables.items() if published else ():
            try:
                self.check(name, ref)
            except StoreError as e:
                yield e
