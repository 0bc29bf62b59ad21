"""A lake of landings that a test writes itself, built on an engine by the product: seconds, and every row is chosen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support.memory import MemoryLedger
from wistlake import bronze
from wistlake.adapters.engine import sail
from wistlake.adapters.engine.tables import EngineTables, wipe
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.objects import LocalObjects
from wistlake.bronze import Manifest, Part
from wistlake.contracts import source, table
from wistlake.pipeline.tables import BuildPlan, BuildResult, Pair, build
from wistlake.planning.publishing import BY_DATE, EVENTS
from wistlake.ports import ObjectStore, TableStore

KEY = b"an open secret, for tests alone."
NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
Row = Mapping[str, Any]


def land(
    objects: ObjectStore, dataset: str, day: date, records: Sequence[Row], *, media_id: str = "m1",
    run_id: str = "run-1", at: datetime = NOW,
) -> Manifest:  # fmt: skip
    """One landing of one part."""
    landing = bronze.landing_id(dataset, media_id, day, run_id)
    data = bronze.encode_lines(landing, records)
    part = Part(bronze.part_key(landing, 1), len(records), len(data), bronze.sha256(data))
    objects.put(part.key, data)
    content, steady = bronze.hashes(source(dataset), records)
    manifest = Manifest(
        landing, dataset, media_id, day, run_id, at, True, len(records), 1, content, bronze.payload_hash([part]),
        (part,), steady_hash=steady,
    )  # fmt: skip
    objects.put(bronze.manifest_key(landing), bronze.encode_manifest(manifest))
    return manifest


def session(key: str, received_at: str, *, media_id: str = "m1", viewed: float = 0.5, **more: Any) -> Row:
    """A session as Wistia lists it; every session has a visitor of its own unless told otherwise."""
    fields = {"event_key": key, "received_at": received_at, "media_id": media_id, "percent_viewed": viewed}
    return fields | {"visitor_key": f"v-{key}"} | more


class SmallLake:
    """The lake in `folder`, open on `store`."""

    def __init__(self, folder: Path, store: TableStore) -> None:
        self.folder, self.store = folder, store
        self.objects, self.ledger = LocalObjects(folder), MemoryLedger()
        self.builds = 0

    def land(self, dataset: str, day: date, records: Sequence[Row], **more: Any) -> Manifest:
        """One landing."""
        return land(self.objects, dataset, day, records, **more)

    def build(self, *landings: Manifest, pairs: Iterable[Pair] | None = None, **more: Any) -> BuildResult:
        """A build of these landings, after which these (media, day) pairs may be in gold: by default those of the
        landings. `more` goes to the plan."""
        self.builds += 1
        days = {(m.media_id, m.day) for m in landings if m.dataset in (EVENTS, BY_DATE)}
        publishable = frozenset(days if pairs is None else pairs)
        plan = {"zone": "UTC", "started_at": NOW, "listed": publishable, "refresh": frozenset()} | more
        run_id = f"build-{self.builds}"
        with self.tables() as store:
            return build(
                BuildPlan(run_id=run_id, keys=(KEY,), landings=landings, publishable=publishable, **plan),
                self.objects,
                store,
            )

    @contextmanager
    def tables(self) -> Iterator[TableStore]:
        """The tables, as work on a lake opens them: what was staged is gone afterwards."""
        yield self.store
        wipe(self.folder / "staging")

    def rows(self, name: str, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of `layer.table` in order, NULL behind all others."""
        rows = (tuple(r) for r in self.store.read(table(name)).where(where).select(*columns).collect())
        return sorted(rows, key=lambda row: [(v is None, v) for v in row])


@contextmanager
def small_lake(folder: Path) -> Iterator[SmallLake]:
    """An empty lake on an engine of its own."""
    catalog = LocalCatalog(folder)
    with sail.session(catalog.sql, folder / "scratch") as spark:
        yield SmallLake(folder, EngineTables(spark, catalog, folder / "staging"))
