"""A small lake whose tables PyIceberg has written: no engine, a second at most."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from wistlake import bronze
from wistlake.adapters import avro as avro_bytes
from wistlake.adapters.iceberg_paths import to_path
from wistlake.adapters.local import checksums
from wistlake.adapters.local.catalog import LocalCatalog, schema
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import TABLES
from wistlake.contracts import table as contract
from wistlake.ports import Publication, TableRef

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
ZONE = "America/New_York"
EVENTS, DAILY = "silver.fact_events", "gold.fact_media_daily"
FILLED = (EVENTS, DAILY)


@dataclass(frozen=True)
class HandMade:
    """A lake in a folder, published once."""

    folder: Path

    @property
    def ledger(self) -> SqliteLedger:
        """The ledger, read-only."""
        return SqliteLedger(self.folder / "ledger.db", read_only=True)

    def ref(self, name: str) -> TableRef:
        """A table as it is published."""
        published = self.ledger.publication()
        assert published is not None
        return published.tables[name]

    def metadata(self, name: str) -> Path:
        """The published metadata file of a table."""
        return to_path(self.ref(name).metadata_location)

    def manifest_list(self, name: str) -> Path:
        """The published manifest list of a table."""
        import json

        snapshots = json.loads(self.metadata(name).read_text())["snapshots"]
        return next(
            to_path(s["manifest-list"]) for s in snapshots if s["snapshot-id"] == self.ref(name).snapshot_id
        )

    def manifest(self, name: str) -> Path:
        """A manifest of the published table."""
        return to_path(avro_bytes.records(self.manifest_list(name).read_bytes())[0]["manifest_path"])

    def data_file(self, name: str) -> Path:
        """A data file of the published table."""
        return to_path(avro_bytes.records(self.manifest(name).read_bytes())[0]["data_file"]["file_path"])


def make(folder: Path) -> HandMade:
    """A lake of one media and two days: raw pages, all tables (two with rows), key, ledger, checksums."""
    lake = LakeFolder(folder)
    lake.open(ZONE, NOW)
    lake.key_chain()
    ledger = SqliteLedger(lake.ledger)
    _land(LocalObjects(folder))
    catalog = LocalCatalog(folder)
    catalog.ensure(TABLES)
    for name in FILLED:
        catalog.load(name).append(rows(name, "abcdef1234", 2))
    ledger.publish(Publication("run-1", NOW, catalog.refs(t.full_name for t in TABLES)))
    ledger.close()
    checksums.seal(folder)
    return HandMade(folder)


def rows(name: str, media_id: str, count: int) -> pa.Table:
    """Rows of a table, one a day; what is not needed is NULL."""
    columns = schema(contract(name)).as_arrow()
    values = [
        {"media_id": media_id, "date": date(2026, 3, n), "certificate": "provisional", "plays": n}
        | {"event_key": f"{media_id}-{n}", "event_date": date(2026, 3, n), "observed_at": NOW}
        for n in range(1, count + 1)
    ]
    return pa.Table.from_pylist([{c: v.get(c) for c in columns.names} for v in values], schema=columns)


def _land(objects: LocalObjects) -> None:
    landing = bronze.landing_id("events", "abcdef1234", date(2026, 3, 1), "run-1")
    data = bronze.encode_lines(landing, [{"event_key": "e1"}])
    part = bronze.Part(bronze.part_key(landing, 1), 1, len(data), bronze.sha256(data))
    objects.put(part.key, data)
    manifest = bronze.Manifest(
        landing, "events", "abcdef1234", date(2026, 3, 1), "run-1", NOW, True, 1, 1,
        "content", bronze.payload_hash([part]), (part,),
    )  # fmt: skip
    objects.put(bronze.manifest_key(landing), bronze.encode_manifest(manifest))
