"""What of a laptop's lake was lost or damaged, made whole again: marker, ledger, catalog, one table."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wistlake import bronze
from wistlake.adapters.local import damage
from wistlake.adapters.local.lake_folder import LAYOUT, LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.errors import ConfigError, StoreDamaged, StoreError, unknown
from wistlake.pipeline.jobs.rebuild import invalidate_builds, invalidate_gold
from wistlake.pipeline.run.lake import LAKE
from wistlake.ports import LEASE, LEASE_SECONDS, ObjectStore, Publication
from wistlake.settings import Settings
from wistlake.wiring import laptop

if TYPE_CHECKING:
    from wistlake.adapters.local.table_repair import Mended
    from wistlake.pipeline.jobs.rebuild_ledger import Relearned


def marker(settings: Settings, run_id: str, now: datetime) -> str:
    """Write `lake.json` again, from the ledger's copy; the zone of the lake's days. Of a lake whose ledger has
    none, the zone is the settings': whoever calls must know that it is the lake's."""
    folder = laptop.here(settings)
    _require_lost(folder.marker, folder.ledger)
    ledger = SqliteLedger(folder.ledger)
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        told = {
            "layout": LAYOUT,
            "path": str(folder.root),
            "zone": settings.account_timezone,
            "created_at": now.isoformat(),
        }
        described = {**told, **ledger.facts(LAKE)}
        folder.write_marker(described)
    return str(described["zone"])


def catalog(settings: Settings, run_id: str, now: datetime) -> list[str]:
    """Register the tables again as they were published; those that the catalog had lost."""
    from wistlake.adapters.local.catalog import LocalCatalog

    folder = laptop.here(settings)
    with _held(folder, run_id, now) as ledger:
        published = _published(ledger)
        if folder.catalog.exists() and damage.is_unsound(folder.catalog):
            folder.catalog.replace(folder.catalog.with_name("catalog.db.damaged"))
        inspector = damage.inspector(folder)
        sound, errors = {}, []
        for name, ref in published.tables.items():
            try:
                inspector.readable(name, ref)
                sound[name] = ref
            except StoreError as e:
                errors.append(str(e))
        lost = LocalCatalog(folder.root).register(
            Publication(published.run_id, published.published_at, sound)
        )
        if errors:
            raise StoreDamaged("\n".join(errors))
        return lost


def ledger(settings: Settings, run_id: str, now: datetime) -> "Relearned":
    """Make the ledger anew from raw pages, tables and the second home of tombstones."""
    from wistlake.adapters.local.catalog import LocalCatalog
    from wistlake.pipeline.jobs.rebuild_ledger import relearn

    folder = laptop.here(settings)
    _require_lost(folder.ledger, folder.marker, folder.catalog, folder.key_file)
    found = LocalCatalog(folder.root)
    found.require(None)
    publication = Publication(run_id, now, found.refs(found.locations()))
    certificates = _certificates(folder, publication)
    fresh = SqliteLedger(folder.ledger)
    with fresh.lease(LEASE, run_id, now, LEASE_SECONDS):
        zone_name = str(folder.described()["zone"])
        return relearn(fresh, laptop.objects(settings), publication, certificates, zone_name, run_id)


def table(settings: Settings, name: str, run_id: str, now: datetime) -> "Mended | None":
    """Bring one table back to a state that can be read, and make pending what it may lack; None if it is whole."""
    from wistlake.adapters.local.table_repair import TableRepair

    wanted = _known(name)
    folder = laptop.here(settings)
    with _held(folder, run_id, now) as ledger:
        published = _published(ledger)
        repair = TableRepair(folder, wanted, published.tables.get(name))
        if repair.is_sound():
            return None
        objects = laptop.objects(settings)
        mended = repair.mend(_oldest_raw(objects, now))
        invalidate_builds(ledger, objects)
        if wanted.layer == "gold":
            invalidate_gold(ledger)
        return mended


@contextmanager
def _held(folder: LakeFolder, run_id: str, now: datetime) -> Iterator[SqliteLedger]:
    """The ledger of a lake that has one, under the lease."""
    folder.readable()
    ledger = SqliteLedger(folder.ledger)
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        yield ledger


def _published(ledger: SqliteLedger) -> Publication:
    published = ledger.publication()
    if published is None:
        raise StoreError("nothing has been published yet: `wistlake run` makes the tables")
    return published


def _known(name: str) -> Table:
    tables = {t.full_name: t for t in TABLES}
    if name not in tables:
        raise unknown("table", name, tables)
    return tables[name]


def _require_lost(lost: Path, *needed: Path) -> None:
    """ConfigError unless `lost` is lost, and what it is made from is there."""
    if lost.exists():
        raise ConfigError(f"{lost} is there: if it is damaged, move it away first")
    for path in needed:
        if not path.exists():
            raise StoreDamaged(f"{path} is gone too: restore the lake from a backup")


def _certificates(folder: LakeFolder, publication: Publication) -> Mapping[tuple[str, date], str]:
    """The certificates of the days in gold."""
    from wistlake.adapters.duckdb_query import DuckDBQuery
    from wistlake.adapters.memory import MemoryLedger

    query = DuckDBQuery(MemoryLedger(), publication=publication, inspector=damage.inspector(folder))
    rows = query.sql("SELECT media_id, date, certificate FROM gold.fact_media_daily").to_pylist()
    return {(r["media_id"], r["date"]): r["certificate"] for r in rows}


def _oldest_raw(objects: ObjectStore, now: datetime) -> datetime:
    """When the oldest raw pages were listed that bronze still holds."""
    keys = (k for k in objects.list(f"{bronze.ROOT}/") if k.endswith(f"/{bronze.MANIFEST}"))
    return min((bronze.decode_manifest(objects.get(k)).observed_at for k in keys), default=now)
