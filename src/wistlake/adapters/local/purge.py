"""The laptop's tables without their past: older snapshots expired, the files that only they had removed."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles

from wistlake.adapters.iceberg_paths import path
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.checksums import seal
from wistlake.adapters.local.objects import UNFINISHED
from wistlake.contracts.form import Table
from wistlake.ports import TableRef


class _WithoutDeleted(_FastAppendFiles):
    """A snapshot of the same rows whose manifests no longer describe deleted files.

    The commit that deletes a file keeps an entry about it, with its smallest and largest values.
    """

    def _existing_manifests(self) -> list[ManifestFile]:
        kept = []
        for manifest in super()._existing_manifests():
            if not manifest.deleted_files_count:
                kept.append(manifest)
            elif live := manifest.fetch_manifest_entry(self._io, discard_deleted=True):
                with self.new_manifest_writer(self.spec(manifest.partition_spec_id)) as writer:
                    for entry in live:
                        writer.existing(entry)
                kept.append(writer.to_manifest_file())
        return kept


class LocalPurge:
    """Takes the past away from the tables of one lake folder. Readers of an older publication lose it. `also`
    are files that show what was, and go with it."""

    def __init__(self, lake: Path, also: Iterable[Path] = ()) -> None:
        self._lake, self._also = lake, tuple(also)
        self._catalog = LocalCatalog(lake)

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Keep each table's current snapshot alone; the ids of those that are gone, by full name."""
        return {t.full_name: self._expire(t.full_name) for t in tables}

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""
        return self._catalog.refs(t.full_name for t in tables)

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every file below the tables that their current state does not need, and what writers that
        died have left unfinished; how many there were."""
        removed = sum(
            self._sweep(self._catalog.load(t.full_name), self._catalog.folder(t.full_name)) for t in tables
        )
        unfinished = (*self._lake.glob(f"{UNFINISHED}/*"), *self._lake.glob(f"*/{UNFINISHED}/*"))
        useless = [*unfinished, *self._also]
        for file in (p for p in useless if p.is_file()):
            file.unlink()
            removed += 1
        seal(self._lake)
        return removed

    def _expire(self, name: str) -> list[int]:
        table = self._catalog.load(name)
        current = table.current_snapshot()
        if current is None:
            return []
        if any(m.deleted_files_count for m in current.manifests(table.io)):
            _WithoutDeleted(Operation.APPEND, Transaction(table, autocommit=True), table.io).commit()
            table = self._catalog.load(name)
            current = table.current_snapshot()
        old = [s.snapshot_id for s in table.snapshots() if current and s.snapshot_id != current.snapshot_id]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
        return old

    def _sweep(self, table: IcebergTable, folder: Path) -> int:
        needed = _needed(table)
        useless = [p for p in folder.rglob("*") if p.is_file() and p not in needed]
        for file in useless:
            file.unlink()
        return len(useless)


def _needed(table: IcebergTable) -> set[Path]:
    found = {path(table.metadata_location)}
    current = table.current_snapshot()
    if current is not None:
        found.add(path(current.manifest_list))
        for manifest in current.manifests(table.io):
            found.add(path(manifest.manifest_path))
            found |= {path(e.data_file.file_path) for e in manifest.fetch_manifest_entry(table.io)}
    return found
