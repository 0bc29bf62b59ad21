"""What a lake in a folder has lost or damaged, made whole again: marker, catalog, ledger, one table."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wistlake import lake_marker
from wistlake.adapters.local import damage
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES
from wistlake.errors import ConfigError, StoreDamaged, unknown
from wistlake.pipeline.jobs import repair
from wistlake.pipeline.jobs.rebuild_ledger import RebuiltLedger, rebuild_ledger
from wistlake.planning.labels import LabelChange, MediaLabels
from wistlake.ports import Publication, Query
from wistlake.wiring.laptop import LaptopLake

if TYPE_CHECKING:
    from wistlake.adapters.local.table_repair import Repaired


def marker(lake: LaptopLake, run_id: str, now: datetime) -> str:
    """Write `lake.json` again, from the ledger's copy; the zone of the lake's days. Where the ledger has no
    copy, the zone is the settings': the caller must know that it is the lake's."""
    folder = lake.folder
    _require_lost(folder.marker, folder.ledger)
    described = lake_marker.new(lake.settings.account_timezone, now, path=str(folder.root))
    return repair.marker(SqliteLedger(folder.ledger), described, folder.write_marker, run_id, now)


def catalog(lake: LaptopLake, run_id: str, now: datetime) -> list[str]:
    """Register the tables again as they were published; those that the catalog had lost."""
    from wistlake.adapters.local.catalog import LocalCatalog

    folder = lake.folder

    def register(publication: Publication) -> list[str]:
        if folder.catalog.exists() and damage.is_unsound(folder.catalog):
            folder.catalog.replace(folder.catalog.with_name("catalog.db.damaged"))
        return LocalCatalog(folder.root).register(publication)

    return repair.catalog(_readable_ledger(folder), lake.inspector().check_readable, register, run_id, now)


def ledger(lake: LaptopLake, run_id: str, now: datetime) -> RebuiltLedger:
    """Make a new ledger from raw pages, tables and the copies of tombstones."""
    from wistlake.adapters.duckdb_query import DuckDBQuery
    from wistlake.adapters.local.catalog import LocalCatalog

    folder = lake.folder
    _require_lost(folder.ledger, folder.marker, folder.catalog, folder.key_file)
    tables = LocalCatalog(folder.root)
    tables.require(None)
    publication = Publication(run_id, now, tables.refs(tables.locations()))
    query = DuckDBQuery(None, publication=publication, inspector=lake.inspector())
    certificates, labels, zone_name = _certificates(query), _labels(query), lake.zone()
    return rebuild_ledger(
        SqliteLedger(folder.ledger), lake.objects(), publication, certificates, zone_name, run_id, labels
    )


def table(lake: LaptopLake, name: str, run_id: str, now: datetime) -> "Repaired | None":
    """Bring one table back to a state that can be read, and make pending what it may lack; None if it is whole."""
    from wistlake.adapters.local.table_repair import TableRepair

    tables = {t.full_name: t for t in TABLES}
    if name not in tables:
        raise unknown("table", name, tables)
    return repair.table(
        _readable_ledger(lake.folder),
        lake.objects(),
        tables[name],
        lambda published: TableRepair(lake.folder, tables[name], published),
        run_id,
        now,
    )


def _readable_ledger(folder: LakeFolder) -> SqliteLedger:
    """The ledger of a lake that has one, whatever else is lost."""
    folder.require_readable()
    return SqliteLedger(folder.ledger)


def _require_lost(lost: Path, *needed: Path) -> None:
    """ConfigError unless `lost` is lost, and what it is made from is there."""
    if lost.exists():
        raise ConfigError(f"{lost} is there: if it is damaged, move it away first")
    for path in needed:
        if not path.exists():
            raise StoreDamaged(f"{path} is gone too: restore the lake from a backup")


def _certificates(query: Query) -> Mapping[tuple[str, date], str]:
    """The certificates of the days in gold."""
    rows = query.sql("SELECT media_id, date, certificate FROM gold.fact_media_daily").to_pylist()
    return {(r["media_id"], r["date"]): r["certificate"] for r in rows}


def _labels(query: Query) -> list[MediaLabels]:
    """The labels that gold has, without their history: who gave them is lost."""
    labels: dict[str, list[LabelChange]] = {}
    for r in query.sql("SELECT * FROM gold.dim_media_label ORDER BY media_id, label").to_pylist():
        labels.setdefault(r["media_id"], []).append(LabelChange(r["label"], r["value"], r["labelled_at"]))
    return [MediaLabels(media_id, tuple(changes)) for media_id, changes in labels.items()]
