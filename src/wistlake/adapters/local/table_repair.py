"""Repairs a damaged table: it goes back to an older state that is complete, or loses its damaged files. The rows that
are missing then are built again from raw pages."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wistlake.adapters.iceberg_paths import to_location, to_path
from wistlake.adapters.local import checksums, damage
from wistlake.adapters.local.catalog import LocalCatalog, version
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.table_files import TableState
from wistlake.contracts.form import Table
from wistlake.errors import StoreError
from wistlake.machine import PRIVATE_FILE
from wistlake.ports import TableRef


@dataclass(frozen=True, slots=True)
class Repaired:
    """How a table was repaired: it went back to its state of `since`, lost the data files `lost`, or (`is_empty`)
    lost all of its rows."""

    since: datetime | None = None
    lost: tuple[str, ...] = ()
    is_empty: bool = False


class TableRepair:
    """Repairs one table of a lake folder. The caller holds the lake's lease."""

    def __init__(self, folder: LakeFolder, table: Table, published: TableRef | None) -> None:
        self._lake, self._published = folder.root, published
        self._table, self._name = table, table.full_name
        self._catalog = LocalCatalog(folder.root)
        self._inspector = damage.inspector(folder)
        self._folder = self._catalog.folder(self._name)

    def is_sound(self) -> bool:
        """Whether the catalog's state and the published one are complete."""
        location = self._catalog.locations().get(self._name)
        newest = self._state_at(to_path(location)) if location else None
        states = [newest, *([self._published] if self._published else [])]
        return all(s is not None and self._passes(self._inspector.check, s) for s in states)

    def repair(self, oldest_raw: datetime) -> Repaired:
        """Make the newest usable state the table's current one. A complete state is usable if raw pages reach back
        to it (`oldest_raw`). Changed files are renamed."""
        done = self._repair(oldest_raw)
        for name in list(checksums.changed(self._lake)):
            file = self._lake / name
            if file.is_relative_to(self._folder):
                file.rename(file.with_name(f"{file.name}{checksums.ASIDE}"))
        checksums.seal(self._lake)
        return done

    def _repair(self, oldest_raw: datetime) -> Repaired:
        states = list(self._states())
        seen = [*states, *([self._published] if self._published else [])]
        above = max((version(s.metadata_location) for s in seen), default=0) + 1
        for state in states:
            metadata = json.loads(to_path(state.metadata_location).read_bytes())
            moment = datetime.fromtimestamp(metadata["last-updated-ms"] / 1000, UTC)
            if moment >= oldest_raw and self._passes(self._inspector.check, state):
                self._return_to(state, above)
                return Repaired(since=moment)
        for state in states:
            if self._passes(self._inspector.check_readable, state):
                self._return_to(state, above)
                return Repaired(lost=tuple(self._remove_damaged_files(state)))
        self._recreate(above)
        return Repaired(is_empty=True)

    def _states(self) -> Iterator[TableRef]:
        """Every state with readable metadata, newest first."""
        files = self._folder.glob("metadata/*.metadata.json")
        for file in sorted(files, key=lambda f: version(f.name), reverse=True):
            if state := self._state_at(file):
                yield state

    def _state_at(self, file: Path) -> TableRef | None:
        try:
            metadata = json.loads(file.read_bytes())
            snapshot = metadata.get("current-snapshot-id")
            int(metadata["last-updated-ms"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        return TableRef(to_location(file), snapshot if isinstance(snapshot, int) and snapshot >= 0 else None)

    def _passes(self, check: Callable[[str, TableRef], None], state: TableRef) -> bool:
        try:
            check(self._name, state)
        except StoreError:
            return False
        return True

    def _return_to(self, state: TableRef, above: int) -> None:
        """Register a state as the newest, under a higher number than all before."""
        target = self._folder / "metadata" / f"{above:05d}-{uuid.uuid4()}.metadata.json"
        shutil.copyfile(to_path(state.metadata_location), target)
        target.chmod(PRIVATE_FILE)
        self._catalog.replace(self._name, to_location(target))

    def _remove_damaged_files(self, state: TableRef) -> list[str]:
        """Commit the table without the data files that are missing, truncated or changed; their locations."""
        files = TableState(self._name, state, self._inspector.files, self._inspector.digest)
        lost = set(files.damaged_data_files())
        table = self._catalog.load(self._name)
        current = table.current_snapshot()
        with table.transaction() as transaction, transaction.update_snapshot().overwrite() as update:
            for manifest in current.manifests(table.io) if current else ():
                for entry in manifest.fetch_manifest_entry(table.io):
                    if entry.data_file.file_path in lost:
                        update.delete_data_file(entry.data_file)
        return sorted(lost)

    def _recreate(self, above: int) -> None:
        """Replace the table by an empty one, under a higher number than all before."""
        self._catalog.forget(self._name)
        self._catalog.ensure([self._table])
        if state := self._state_at(to_path(self._catalog.locations()[self._name])):
            self._return_to(state, above)
