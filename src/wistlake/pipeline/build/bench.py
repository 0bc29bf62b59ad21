"""What the hops of a build share: the engine, the landings, and what has come of them so far."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.contracts.form import Table
from wistlake.derive.merge import days_in
from wistlake.errors import StoreError
from wistlake.pipeline.build.plan import BuildPlan, Pair
from wistlake.pipeline.tally import Applied, affected_pairs, commit
from wistlake.ports import ObjectStore, TableStore
from wistlake.transforms import (
    landing,
    quarantine,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


Intend = Callable[[set[Pair]], None]


class Bench:
    """One build at work."""

    def __init__(self, plan: BuildPlan, objects: ObjectStore, store: TableStore, intend: Intend) -> None:
        self.plan, self.objects, self.store = plan, objects, store
        self.intend = intend
        self.spark = store.spark
        self.built_at: Column = F.lit(plan.started_at)
        self.pads = landing.pads_frame(self.spark, list(plan.keys))
        self.outcomes: dict[str, Applied] = {}
        self.by_interval: dict[tuple[str, str, date], Counter[str]] = {}
        self.stopped: dict[str, str] = {}
        self.refused: list[DataFrame] = []
        self.damaged = {interval_key(m): why for m in plan.landings if (why := self._damage(m))}

    def manifests(self, dataset: str) -> list[Manifest]:
        """The landings of one dataset whose media have not been stopped."""
        return [
            m
            for m in self.plan.landings
            if m.dataset == dataset
            and m.media_id not in self.stopped
            and not m.missing
            and interval_key(m) not in self.damaged
        ]

    def _damage(self, manifest: Manifest) -> str:
        """Why a landing is not what its manifest promised; "" if it is. It stops its own days, not the run."""
        try:
            for part in manifest.parts:
                bronze.check_part(part, self.objects.get(part.key))
        except StoreError as e:
            why = str(e)
        else:
            whole = manifest.rows == sum(p.rows for p in manifest.parts)
            if whole and bronze.payload_hash(manifest.parts) == manifest.payload_sha256:
                return ""
            why = f"the manifest of {manifest.landing_id} does not describe its parts"
        return (
            f"{manifest.dataset} of {manifest.day}: {why}; gold was left as it was. Fetch it again: `wistlake "
            f"backfill --from {manifest.day} --to {manifest.day} --media {manifest.media_id}`"
        )

    def typed(self, dataset: str, derived: Mapping[str, str], rules: Mapping[str, str]) -> "DataFrame | None":
        """Rows of the dataset's landings that keep the contract; None without any landing.

        The others are kept for quarantine. StoreError if a line got lost on the way: an engine that
        finds no files says nothing.
        """
        manifests = self.manifests(dataset)
        if not manifests:
            return None
        contract = source(dataset)
        lines = self._lines(manifests)
        landings = landing.landing_frame(
            self.spark,
            [(m.landing_id, m.media_id, m.day, m.observed_at, m.dataset, m.missing) for m in manifests],
        )
        rows = self.store.stage(
            f"typed_{dataset}",
            landing.parse(lines, contract, landings, self.pads, len(self.plan.keys), derived, rules),
        )
        self._account_for(rows, manifests)
        if bad := [m for m in manifests if self.by_interval[interval_key(m)]["quarantined"]]:
            hashes = landing.fingerprints(self._lines(bad), self.pads, len(self.plan.keys))
            self.refused.append(quarantine.build(rows, hashes, contract, self.built_at))
        return rows.where("reason is null")

    def _lines(self, manifests: Iterable[Manifest]) -> "DataFrame":
        parts = [self.objects.uri(p.key) for m in manifests for p in m.parts if p.rows]
        return self.spark.read.text(parts) if parts else self.spark.createDataFrame([], "value string")

    def _account_for(self, rows: "DataFrame", manifests: Iterable[Manifest]) -> None:
        counted = rows.groupBy("landing_id", F.col("reason").isNull().alias("good")).count().collect()
        seen: Counter[str] = Counter()
        good: Counter[str] = Counter()
        for row in counted:
            seen[row["landing_id"]] += row["count"]
            good[row["landing_id"]] += row["count"] if row["good"] else 0
        for m in manifests:
            if seen.pop(m.landing_id, 0) != m.rows:
                raise StoreError(
                    f"landing {m.landing_id} promises {m.rows} rows and does not have them: "
                    "fetch the day again with `wistlake backfill`"
                )
            self.by_interval[interval_key(m)] = Counter(rows=m.rows, quarantined=m.rows - good[m.landing_id])
        if seen:
            raise StoreError(f"{sum(seen.values())} bronze lines belong to no landing of this build")

    def keep(self, applied: Applied) -> Applied:
        """Remember a table's outcome."""
        self.outcomes[applied.table.full_name] = applied
        return applied

    def settle(self, applied: Applied) -> Applied:
        """Commit a table that gold is made from; which days of gold that touches is said before."""
        if pairs := affected_pairs([applied]):
            self.intend(pairs)
        commit(self.store, applied)
        return self.keep(applied)

    def by_key(self, table: Table, rows: "DataFrame", keys: list[str] | None = None) -> "DataFrame":
        """The current rows whose `keys` (default: the table's key) are in `rows`, as `changes` wants them."""
        on = keys or list(table.key)
        current = self.store.read(table)
        wanted = rows.select(*on).distinct()
        day = table.day_column
        if day in on:
            chosen = [r[0] for r in rows.select(day).distinct().collect()]
            current = current.where(days_in(day, chosen))
        return current.join(wanted, on=on, how="left_semi").withColumn("_in_scope", F.lit(True))


def interval_key(manifest: Manifest) -> tuple[str, str, date]:
    return (manifest.dataset, manifest.media_id, manifest.day)
