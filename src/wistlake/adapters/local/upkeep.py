"""Upkeep of the laptop's Iceberg tables with PyIceberg: compaction, expiry, orphans."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyiceberg.io import FileIO
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot

from wistlake.adapters.iceberg_paths import path
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.contracts.form import Table
from wistlake.ports import TableRef

FEW = 4  # a partition with more small files than this is written anew
SMALL_BYTES = 32 << 20
_EPOCH = date(1970, 1, 1)


class LocalUpkeep:
    """`pipeline.maintenance.Upkeep` of one lake folder."""

    def __init__(self, lake: Path) -> None:
        self._catalog = LocalCatalog(lake)

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""
        return self._catalog.refs(t.full_name for t in tables)

    def drop(self, table: Table, observed_before: datetime) -> int:
        """Delete the rows of landings that were listed before that moment; how many went."""
        found = self._catalog.load(table.full_name)
        old = f"observed_at < '{observed_before.isoformat()}'"
        count: int = found.scan(row_filter=old, selected_fields=("observed_at",)).to_arrow().num_rows
        if count:
            found.delete(delete_filter=old)
        return count

    def compact(self, table: Table) -> int:
        """Merge the small files of every crowded partition; how many files became fewer."""
        found = self._catalog.load(table.full_name)
        before = _files(found)
        crowded = [p for p, count in _small(found).items() if count > FEW]
        for partition in crowded:
            found = self._catalog.load(table.full_name)
            chosen = _filter(table, partition)
            scan = found.scan(row_filter=chosen) if chosen is not None else found.scan()
            rows = scan.to_arrow()
            if chosen is None:
                found.overwrite(rows)
            else:
                found.overwrite(rows, overwrite_filter=chosen)
        return before - _files(self._catalog.load(table.full_name)) if crowded else 0

    def expire(self, table: Table, keep: Set[int]) -> int:
        """Let go of every snapshot but the current one and `keep`; how many went."""
        found = self._catalog.load(table.full_name)
        current = found.current_snapshot()
        if current is None:
            return 0
        stay = {current.snapshot_id, *keep}
        old = [s.snapshot_id for s in found.snapshots() if s.snapshot_id not in stay]
        if old:
            found.maintenance.expire_snapshots().by_ids(old).commit()
        return len(old)

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        """Remove files below the table that nothing needs and that are older than `before`."""
        found = self._catalog.load(table.full_name)
        needed = {path(found.metadata_location), *map(path, keep)}
        needed |= {path(entry.metadata_file) for entry in found.metadata.metadata_log}
        for snapshot in found.snapshots():
            needed |= _needed(snapshot, found.io)
        limit = before.timestamp()
        orphans = [
            p
            for p in self._catalog.folder(table.full_name).rglob("*")
            if p.is_file() and p not in needed and p.stat().st_mtime < limit
        ]
        for orphan in orphans:
            orphan.unlink()
        return len(orphans)


def _needed(snapshot: Snapshot, io: FileIO) -> set[Path]:
    found = {path(snapshot.manifest_list)}
    for manifest in snapshot.manifests(io):
        found.add(path(manifest.manifest_path))
        found |= {path(e.data_file.file_path) for e in manifest.fetch_manifest_entry(io)}
    return found


def _entries(table: IcebergTable) -> Iterable[Any]:
    current = table.current_snapshot()
    for manifest in current.manifests(table.io) if current else ():
        yield from (e.data_file for e in manifest.fetch_manifest_entry(table.io))


def _files(table: IcebergTable) -> int:
    return sum(1 for _ in _entries(table))


def _small(table: IcebergTable) -> Counter[int | None]:
    """Small files by partition value; None where the table has no partitions."""
    return Counter(
        (f.partition[0] if len(f.partition) else None)
        for f in _entries(table)
        if f.file_size_in_bytes < SMALL_BYTES
    )


def _filter(table: Table, partition: int | None) -> str | None:
    """The rows of one partition, by the days that it covers."""
    if partition is None:
        return None
    column = table.day_column
    if table.partition.startswith("days("):
        start, end = _EPOCH + timedelta(days=partition), _EPOCH + timedelta(days=partition + 1)
    else:
        start, end = _month(partition), _month(partition + 1)
    return f"{column} >= '{start.isoformat()}' and {column} < '{end.isoformat()}'"


def _month(number: int) -> date:
    return date(1970 + number // 12, number % 12 + 1, 1)
