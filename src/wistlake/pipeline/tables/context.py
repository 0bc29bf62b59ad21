"""What the hops of a build share: the engine, the landings, and what has come of them so far."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.contracts.form import Table
from wistlake.derive.merge import days_in
from wistlake.errors import StoreDamaged, StoreError
from wistlake.pipeline.tables import checks as checking
from wistlake.pipeline.tables.plan import BuildPlan, Intend
from wistlake.pipeline.tables.row_changes import TableChanges, affected_pairs, commit, compare
from wistlake.planning.shared import Shared
from wistlake.ports import ObjectStore, TableStore
from wistlake.quality.checks import Finding, is_refused, reasons_text, refused_rows
from wistlake.transforms import (
    landing,
    quarantine,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class BuildContext:
    """One build at work."""

    def __init__(self, plan: BuildPlan, objects: ObjectStore, store: TableStore, intend: Intend) -> None:
        self.plan, self.objects, self.store = plan, objects, store
        self.intend = intend
        self.spark = store.spark
        self.built_at: Column = F.lit(plan.started_at)
        self.pads = landing.pads_frame(self.spark, list(plan.keys))
        self.outcomes: dict[str, TableChanges] = {}
        self.by_interval: dict[tuple[str, str, date], Counter[str]] = {}
        self.stopped: dict[str, str] = {}
        self.refused: list[DataFrame] = []
        self.reasons: dict[tuple[str, str, date], Counter[str]] = {}
        self.listed: dict[str, DataFrame] = {}
        self.findings: list[Finding] = []
        self.shared = plan.shared
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
        return _told(manifest, why)

    def typed(self, dataset: str, derived: Mapping[str, str], rules: Mapping[str, str]) -> "DataFrame | None":
        """Rows of the dataset's landings that keep the contract; None without any landing.

        The others are kept for quarantine, and a landing that has too many of them is left out: what is left
        of it would be taken for all. So is a landing of which a line got lost on the way, or that has more than
        it promised: an engine that finds no files says nothing. `listed` has every row that could be read.
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
        if lost := self._account_for(rows, manifests):
            rows = without_landings(rows, lost)
        if bad := [m for m in manifests if self.reasons.get(interval_key(m))]:
            hashes = landing.fingerprints(self._lines(bad), self.pads, len(self.plan.keys))
            self.refused.append(quarantine.build(rows, hashes, contract, self.built_at))
        self.listed[dataset] = rows
        return without_landings(rows.where("reason is null"), self._stop_refused(bad))

    def _lines(self, manifests: Iterable[Manifest]) -> "DataFrame":
        parts = [self.objects.uri(p.key) for m in manifests for p in m.parts if p.rows]
        return self.store.lines(parts)

    def _account_for(self, rows: "DataFrame", manifests: Iterable[Manifest]) -> list[str]:
        """Count what each landing gave, and what of it was refused; the landings that did not give what they
        promised."""
        seen: dict[str, Counter[str]] = {}
        for row in rows.groupBy("landing_id", "reason").count().collect():
            seen.setdefault(row["landing_id"], Counter())[row["reason"] or ""] = row["count"]
        lost = []
        for m in manifests:
            counts = seen.pop(m.landing_id, Counter())
            if (there := counts.total()) != m.rows:
                lost.append(m.landing_id)
                self.damaged[interval_key(m)] = _told(
                    m, f"landing {m.landing_id} promises {m.rows} rows and has {there}"
                )
                continue
            good = counts.pop("", 0)
            self.by_interval[interval_key(m)] = Counter(rows=m.rows, quarantined=m.rows - good)
            self.reasons[interval_key(m)] = counts
        if strays := sum(c.total() for c in seen.values()):
            raise StoreDamaged(f"{strays} bronze lines belong to no landing of this build")
        return lost

    def _stop_refused(self, manifests: Iterable[Manifest]) -> list[str]:
        """Landings that lost too much to quarantine: they stop their own (media, day)."""
        stopped = []
        for m in manifests:
            reasons = self.reasons[interval_key(m)]
            if is_refused(m.rows, reasons.total()):
                stopped.append(m.landing_id)
                self.damaged[interval_key(m)] = _refused(m, reasons)
        return stopped

    def put(
        self, table: Table, rows: "DataFrame", current: "DataFrame", *, for_gold: bool = False
    ) -> TableChanges:
        """Compare, check, commit and remember. With `for_gold`, which days of gold the table leaves behind is
        said before it is committed."""
        applied = self.compare(table, rows, current)
        self.check(applied)
        return self.settle(applied) if for_gold else self.keep_committed(applied)

    def sound(
        self, table: Table, rows: "DataFrame", standing: Callable[["DataFrame"], "DataFrame"], dataset: str
    ) -> tuple["DataFrame", TableChanges]:
        """`rows` of a fact, and what they would change, without the landings that break the contract: those
        stop their own (media, day). `standing` gives the current rows to compare with."""
        applied = self.compare(table, rows, standing(rows))
        found = list(checking.findings(applied))
        places = checking.stopped(found)
        bad = {m.landing_id: m for m in self.manifests(dataset) if (m.media_id, m.day) in places}
        self.findings += found
        if not bad:
            checking.refuse_whole(f for f in found if not places)
            return rows, applied
        for m in bad.values():
            self.damaged[interval_key(m)] = _told(m, places[(m.media_id, m.day)])
        rows = without_landings(rows, list(bad))
        return rows, self.compare(table, rows, standing(rows))

    def compare(self, table: Table, rows: "DataFrame", current: "DataFrame") -> TableChanges:
        """What the rows would change in the table; nothing is committed yet."""
        return compare(self.store, table, rows, current, built_at=self.built_at)

    def check(self, applied: TableChanges) -> None:
        """Note what the contract's checks say of the rows. ContractViolation if they can't be written."""
        found = list(checking.findings(applied))
        self.findings += found
        checking.refuse_whole(found)

    def quarantined(self) -> list[Finding]:
        """How many rows of each dataset were put aside, where, and why."""
        found = []
        for dataset in sorted({d for d, _, _ in self.reasons}):
            of_dataset = {k: c for k, c in sorted(self.reasons.items()) if k[0] == dataset}
            rows = {k: self.by_interval[k]["rows"] for k in of_dataset}
            whole = sum(of_dataset.values(), Counter[str]())
            found.append(refused_rows(dataset, sum(rows.values()), whole))
            found += [refused_rows(dataset, rows[k], c, *k[1:]) for k, c in of_dataset.items() if c]
        return found

    def keep_committed(self, applied: TableChanges) -> TableChanges:
        """Commit, and remember."""
        commit(self.store, applied)
        return self.keep(applied)

    def keep(self, applied: TableChanges) -> TableChanges:
        """Remember a table's outcome, beside what was done to it before."""
        before = self.outcomes.get(applied.table.full_name)
        whole = replace(applied, tally=(*before.tally, *applied.tally)) if before else applied
        self.outcomes[applied.table.full_name] = whole
        return applied

    def settle(self, applied: TableChanges, shared: Collection[Shared] = ()) -> TableChanges:
        """Commit a table that gold is made from; which days of gold that touches, and which days turned out to
        share keys, is said before."""
        pairs = affected_pairs([applied])
        if pairs or shared:
            self.intend(pairs, shared)
        return self.keep_committed(applied)

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


def without_landings(rows: "DataFrame", landings: list[str]) -> "DataFrame":
    """`rows` that came from other landings."""
    return rows.where(~F.col("landing_id").isin(landings)) if landings else rows


def _refused(manifest: Manifest, reasons: Counter[str]) -> str:
    """Why a landing that lost too much to quarantine stops its day, and what to do about it."""
    return (
        f"{manifest.dataset} of {manifest.day}: {reasons.total()} of {manifest.rows} records were refused "
        f"({reasons_text(reasons)}); nothing of that day was taken, and readers keep what they had. Look at them "
        f"with `wistlake quarantine list --media {manifest.media_id}`: once Wistia or the contract is mended, the "
        "next run reads it again"
    )


def _told(manifest: Manifest, why: str) -> str:
    """Why a landing stops its day, and what to do about it."""
    return (
        f"{manifest.dataset} of {manifest.day}: {why}; gold was left as it was. Fetch it again: `wistlake "
        f"backfill --from {manifest.day} --to {manifest.day} --media {manifest.media_id}`"
    )


def interval_key(manifest: Manifest) -> tuple[str, str, date]:
    return (manifest.dataset, manifest.media_id, manifest.day)
