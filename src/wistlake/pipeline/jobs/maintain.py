"""Upkeep, in order: drop old rejected records, compact, publish, expire snapshots, remove orphans, drop raw pages."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from wistlake import bronze
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.pipeline import tombstone_copies
from wistlake.pipeline.run.raw_pages import note_removed
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, ObjectStore, Publication, TableRef

GRACE = timedelta(hours=24)  # the longest that a reader may take over one publication


class Upkeep(Protocol):
    """What maintenance needs of the tables' catalog."""

    def compact(self, table: Table) -> int:
        """Merge small files, one partition at a time; how many files became fewer."""

    def drop(self, table: Table, observed_before: datetime) -> int:
        """Delete the rows of landings that were listed before that moment; how many."""

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""

    def expire(self, table: Table, keep: Set[int]) -> int:
        """Drop every snapshot but the current one and `keep`; how many."""

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        """Remove files that no snapshot needs and that are older than `before`; `keep` are metadata
        locations that readers follow. How many."""

    def seal(self) -> None:
        """Record the checksums of the files that are left, if the lake keeps them itself."""


@dataclass(slots=True)
class MaintenanceResult:
    """What one run of upkeep did."""

    files_merged: int = 0
    snapshots_expired: int = 0
    orphans_removed: int = 0
    landings_removed: int = 0
    refused_removed: int = 0


def maintain(
    ledger: Ledger,
    objects: ObjectStore,
    upkeep: Upkeep,
    *,
    run_id: str,
    now: datetime,
    retention_days: int,
) -> MaintenanceResult:
    """Upkeep of the whole lake under its lease. Whatever a reader may have opened in the last 24 hours
    stays: the snapshots, metadata and files of every publication that was current since then.

    Rejected records are kept as long as the raw pages that they point to."""
    result = MaintenanceResult()
    limit = now - timedelta(days=retention_days)
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        tombstone_copies.mirror(objects, ledger)
        published = ledger.publication()
        if published is not None:
            built = [t for t in TABLES if t.full_name in published.tables]
            result.refused_removed = sum(upkeep.drop(t, limit) for t in built if t is QUARANTINE)
            result.files_merged = sum(upkeep.compact(t) for t in built)
            if result.files_merged or result.refused_removed:
                ledger.publish(Publication(run_id, now, upkeep.refs(built)))
            followed = ledger.publications(now - GRACE)
            for table in built:
                refs = [p.tables[table.full_name] for p in followed if table.full_name in p.tables]
                snapshots = {r.snapshot_id for r in refs if r.snapshot_id is not None}
                result.snapshots_expired += upkeep.expire(table, snapshots)
                locations = {r.metadata_location for r in refs}
                result.orphans_removed += upkeep.remove_orphans(table, locations, now - GRACE)
        result.landings_removed = drop_raw_pages(objects, limit)
        note_removed(ledger, limit)
        if published is not None:
            upkeep.seal()  # under the lease: another run's files may be half-written
    return result


def drop_raw_pages(objects: ObjectStore, limit: datetime) -> int:
    """Delete landings that were listed before `limit`, manifests first; how many. So do readings that only confirmed
    one."""
    keys = [key for _, of_landing in expired(objects, limit) for key in of_landing]
    manifests = [key for key in keys if key.endswith(f"/{bronze.MANIFEST}")]
    objects.delete(manifests)
    objects.delete(key for key in keys if not key.endswith(f"/{bronze.MANIFEST}"))
    confirmed = objects.list(f"{bronze.CONFIRMED}/")
    objects.delete([k for k in confirmed if k.partition("/dt=")[2][:10] < limit.date().isoformat()])
    return len(manifests)


def expired(objects: ObjectStore, limit: datetime) -> Iterator[tuple[str, list[str]]]:
    """(folder, keys) of what upkeep deletes of bronze: from the list of keys, and one manifest a run.

    A landing is as old as its run: all listings of one run count as equally new. Nothing is listed before its day
    begins, so that landings about days after `limit` stay unasked. Parts that no manifest commits go with their run's
    folder once the day they are about is out of the retention.
    """
    folders: dict[str, list[str]] = {}
    for key in objects.list(f"{bronze.ROOT}/"):
        folders.setdefault(key.rpartition("/")[0], []).append(key)
    last, begun = limit.date().isoformat(), dict[str, datetime]()  # when each run began
    for folder, keys in folders.items():
        day, run_id = folder.partition("/dt=")[2][:10], folder.rpartition("/run_id=")[2]
        manifest = f"{folder}/{bronze.MANIFEST}"
        if manifest not in keys:
            is_old = day < last
        elif is_old := day <= last:
            if run_id not in begun:
                begun[run_id] = bronze.decode_manifest(objects.get(manifest)).observed_at
            is_old = begun[run_id] < limit
        if is_old:
            yield folder, keys


def expiring(objects: ObjectStore, limit: datetime) -> Mapping[str, tuple[int, str, str]]:
    """How many landings of each dataset upkeep would delete, and the first and last day that they are about."""
    days: dict[str, list[str]] = {}
    for folder, keys in expired(objects, limit):
        dataset, _, rest = folder.removeprefix(f"{bronze.ROOT}/").partition("/dt=")
        if f"{folder}/{bronze.MANIFEST}" in keys:
            days.setdefault(dataset, []).append(rest[:10])
    return {dataset: (len(of), min(of), max(of)) for dataset, of in sorted(days.items())}
