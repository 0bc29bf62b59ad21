"""The past of the laptop's Iceberg tables, with PyIceberg: expiry, compaction, files that nothing refers to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestFile
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import _FastAppendFiles

from wistlake.adapters.iceberg_paths import to_path
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.checksums import seal
from wistlake.adapters.local.objects import UNFINISHED
from wistlake.contracts.form import Table
from wistlake.ports import TableRef

FEW = 4  # a partition with more small files than this is rewritten
SMALL_BYTES = 32 << 20
MOST_LISTED = 64  # files that one manifest names after upkeep: engines read those only whose days they need
_EPOCH = date(1970, 1, 1)


class _Tables:
    """What purge and upkeep share: the tables of one lake folder."""

    def __init__(self, lake: Path) -> None:
        self._lake, self._catalog = lake, LocalCatalog(lake)

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""
        return self._catalog.refs(t.full_name for t in tables)

    def _expire(self, table: IcebergTable, keep: Set[int]) -> list[int]:
        """Expire every snapshot but the current one and `keep`; the expired ids."""
        current = table.current_snapshot()
        if current is None:
            return []
        needed = {current.snapshot_id, *keep}
        old = [s.snapshot_id for s in table.snapshots() if s.snapshot_id not in needed]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
        return old

    def _orphans(self, table: Table, needed: Set[Path]) -> list[Path]:
        files = self._catalog.folder(table.full_name).rglob("*")
        return [file for file in files if file not in needed and file.is_file()]


class LocalPurge(_Tables):
    """`pipeline.jobs.forget.Purge`: removes the tables' past, also for readers of an older publication. `also` are
    files that show the past, and are removed with it."""

    def __init__(self, lake: Path, also: Iterable[Path] = ()) -> None:
        super().__init__(lake)
        self._also = tuple(also)

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Expire all but each table's current snapshot; the expired ids by full name."""
        return {t.full_name: self._expire_past(t.full_name) for t in tables}

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every file below the tables that their current state does not need, and what writers that
        died have left unfinished; how many files."""
        orphans = [file for table in tables for file in self._orphans(table, self._current_files(table))]
        unfinished = (*self._lake.glob(f"{UNFINISHED}/*"), *self._lake.glob(f"*/{UNFINISHED}/*"))
        orphans += (file for file in (*unfinished, *self._also) if file.is_file())
        for file in orphans:
            file.unlink()
        seal(self._lake)
        return len(orphans)

    def _expire_past(self, name: str) -> list[int]:
        table = self._catalog.load(name)
        current = table.current_snapshot()
        if current and any(m.deleted_files_count for m in current.manifests(table.io)):
            _WithoutDeleted.commit_to(table)
            table = self._catalog.load(name)
        return self._expire(table, frozenset())

    def _current_files(self, table: Table) -> set[Path]:
        loaded = self._catalog.load(table.full_name)
        current = loaded.current_snapshot()
        return {to_path(loaded.metadata_location), *(_files_of(current, loaded.io) if current else ())}


class LocalUpkeep(_Tables):
    """`pipeline.jobs.maintain.Upkeep`."""

    def drop(self, table: Table, observed_before: datetime) -> int:
        """Delete the rows of landings that were listed before `observed_before`; how many rows."""
        loaded = self._catalog.load(table.full_name)
        old = f"observed_at < '{observed_before.isoformat()}'"
        count: int = loaded.scan(row_filter=old, selected_fields=("observed_at",)).to_arrow().num_rows
        if count:
            loaded.delete(delete_filter=old)
        return count

    def compact(self, table: Table) -> int:
        """Merge the small files of every partition that has too many; how many fewer files there are."""
        loaded = self._catalog.load(table.full_name)
        before = sum(1 for _ in _data_files(loaded))
        crowded = [p for p, count in _small_files(loaded).items() if count > FEW]
        for partition in crowded:
            loaded = self._catalog.load(table.full_name)
            rows_of_partition = _partition_filter(table, partition)
            if rows_of_partition is None:
                loaded.overwrite(loaded.scan().to_arrow())
            else:
                rows = loaded.scan(row_filter=rows_of_partition).to_arrow()
                loaded.overwrite(rows, overwrite_filter=rows_of_partition)
        self._sort_manifests(table)
        return before - sum(1 for _ in _data_files(self._catalog.load(table.full_name))) if crowded else 0

    def _sort_manifests(self, table: Table) -> None:
        """Let each manifest name files of neighbouring partitions. No row and no file changes: readers get it with the
        next publication."""
        loaded = self._catalog.load(table.full_name)
        current = loaded.current_snapshot()
        if table.partition and current and any(map(_is_long, current.manifests(loaded.io))):
            _SortedManifests.commit_to(loaded)

    def expire(self, table: Table, keep: Set[int]) -> int:
        """Expire every snapshot but the current one and `keep`; how many."""
        return len(self._expire(self._catalog.load(table.full_name), keep))

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        """Remove files below the table that nothing refers to and that were written before `before`; how many."""
        loaded = self._catalog.load(table.full_name)
        needed = {to_path(loaded.metadata_location), *map(to_path, keep)}
        needed |= {to_path(entry.metadata_file) for entry in loaded.metadata.metadata_log}
        for snapshot in loaded.snapshots():
            needed |= _files_of(snapshot, loaded.io)
        limit = before.timestamp()
        orphans = [file for file in self._orphans(table, needed) if file.stat().st_mtime < limit]
        for orphan in orphans:
            orphan.unlink()
        return len(orphans)

    def seal(self) -> None:
        """Record the checksums of the files that are left."""
        seal(self._lake)


class _NewManifests(_FastAppendFiles):
    """A snapshot of the same rows, some of whose manifests are written anew."""

    @classmethod
    def commit_to(cls, table: IcebergTable) -> None:
        """Make it the table's newest."""
        cls(Operation.APPEND, Transaction(table, autocommit=True), table.io).commit()

    def _written(self, like: ManifestFile, entries: Iterable[ManifestEntry]) -> ManifestFile:
        with self.new_manifest_writer(self.spec(like.partition_spec_id)) as writer:
            for entry in entries:
                writer.existing(entry)
        return writer.to_manifest_file()


class _WithoutDeleted(_NewManifests):
    """Its manifests no longer describe deleted files: the commit that deletes a file keeps an entry about it, with its
    smallest and largest values."""

    def _existing_manifests(self) -> list[ManifestFile]:
        manifests = []
        for manifest in super()._existing_manifests():
            if not manifest.deleted_files_count:
                manifests.append(manifest)
            elif live := manifest.fetch_manifest_entry(self._io, discard_deleted=True):
                manifests.append(self._written(manifest, live))
        return manifests


class _SortedManifests(_NewManifests):
    """Its manifests are short, and name files of neighbouring partitions: a query of a few days reads one or two of
    them, however long the history."""

    def _existing_manifests(self) -> list[ManifestFile]:
        manifests = []
        for manifest in super()._existing_manifests():
            if not _is_long(manifest):
                manifests.append(manifest)
                continue
            entries = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
            entries.sort(key=lambda e: (e.data_file.partition[0] is not None, e.data_file.partition[0]))
            manifests += (
                self._written(manifest, entries[first : first + MOST_LISTED])
                for first in range(0, len(entries), MOST_LISTED)
            )
        return manifests


def _is_long(manifest: ManifestFile) -> bool:
    return (manifest.added_files_count or 0) + (manifest.existing_files_count or 0) > 2 * MOST_LISTED


def _files_of(snapshot: Snapshot, io: FileIO) -> set[Path]:
    """The snapshot's manifest list, manifests and data files."""
    files = {to_path(snapshot.manifest_list)}
    for manifest in snapshot.manifests(io):
        files.add(to_path(manifest.manifest_path))
        files |= {to_path(e.data_file.file_path) for e in manifest.fetch_manifest_entry(io)}
    return files


def _data_files(table: IcebergTable) -> Iterator[DataFile]:
    current = table.current_snapshot()
    for manifest in current.manifests(table.io) if current else ():
        yield from (e.data_file for e in manifest.fetch_manifest_entry(table.io))


def _small_files(table: IcebergTable) -> Counter[Any]:
    """Small files by partition value; None where the table has no partitions."""
    return Counter(
        (f.partition[0] if len(f.partition) else None)
        for f in _data_files(table)
        if f.file_size_in_bytes < SMALL_BYTES
    )


def _partition_filter(table: Table, partition: int | None) -> str | None:
    """The rows of one partition, by the days that it covers; None for one without."""
    if partition is None:
        return None
    if table.partition.startswith("days("):
        start, end = _EPOCH + timedelta(days=partition), _EPOCH + timedelta(days=partition + 1)
    else:
        start, end = _month(partition), _month(partition + 1)
    name, at = table.day_column or table.moment_column, "" if table.day_column else "T00:00:00+00:00"
    return f"{name} >= '{start}{at}' and {name} < '{end}{at}'"


def _month(number: int) -> date:
    return date(1970 + number // 12, number % 12 + 1, 1)
