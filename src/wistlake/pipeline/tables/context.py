"""What the steps of a build share: the engine, the landings, and what the build has done so far."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.errors import PySparkException

from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.contracts.form import Source, Table
from wistlake.derive.merge import days_in
from wistlake.derive.plain import types_hash
from wistlake.errors import StoreDamaged
from wistlake.pipeline.tables import checks
from wistlake.pipeline.tables.damage import damaged, damaged_text
from wistlake.pipeline.tables.plan import BuildPlan, Intend, Key, interval_key
from wistlake.pipeline.tables.row_changes import TableChanges, affected_pairs, commit, compare
from wistlake.planning.shared_keys import SharedDays
from wistlake.pool import in_order
from wistlake.ports import ObjectStore, TableStore
from wistlake.quality.checks import Finding, is_refused, reasons_text, refused_rows
from wistlake.transforms import landing, quarantine, scope
from wistlake.transforms.conform import moment, union

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SMALL_BUILD = 50_000  # rows of its landings
STEPS_AT_ONCE = 4
Reading = tuple[Mapping[str, str], Mapping[str, str]]  # derived columns, and rules: SQL by name
_R = TypeVar("_R")
_S = TypeVar("_S")


class BuildContext:
    """One build: its inputs, and its outcome as the steps add to it.

    `stopped` are media, and `stopped_keys` intervals, that nothing is taken of in this build, with the reason.
    `rejected` are the frames for quarantine, `reasons` count them by interval. `parsed` has, by dataset, every row
    that could be read, rejected or not.
    """

    def __init__(self, plan: BuildPlan, objects: ObjectStore, store: TableStore, intend: Intend) -> None:
        self.plan, self.objects, self.store = plan, objects, store
        self.intend, self._intending = intend, Lock()
        self.spark = store.spark
        self.built_at = moment(plan.started_at)
        self.pads = landing.pads_frame(self.spark, list(plan.keys))
        self.outcomes: dict[str, TableChanges] = {}
        self.by_interval: dict[Key, Counter[str]] = {}
        self.stopped: dict[str, str] = {}
        self.rejected: list[DataFrame] = []
        self.reasons: dict[Key, Counter[str]] = {}
        self.parsed: dict[str, DataFrame] = {}
        self.findings: list[Finding] = []
        self.shared = plan.shared
        self.stopped_keys = damaged(plan.landings, objects)

    def side_by_side(self, *steps: Callable[[], _R]) -> list[_R]:
        """The results of steps that don't need each other. Small builds do them at once, for most of their time goes
        into the planning of queries; in large ones each step fills the cores and memory by itself."""
        is_small = sum(m.rows for m in self.plan.landings) <= SMALL_BUILD
        return in_order(lambda step: step(), steps, STEPS_AT_ONCE) if is_small else [step() for step in steps]

    def both(self, one: Callable[[], _R], other: Callable[[], _S]) -> tuple[_R, _S]:
        """The results of two such steps, of a type each."""
        results: list[Any] = self.side_by_side(one, other)
        return results[0], results[1]

    # landings

    def manifests(self, dataset: str) -> list[Manifest]:
        """The landings of one dataset that nothing has stopped."""
        return [
            m
            for m in self.plan.landings
            if m.dataset == dataset
            and m.media_id not in self.stopped
            and not m.missing
            and interval_key(m) not in self.stopped_keys
        ]

    def typed(self, datasets: Mapping[str, Reading]) -> dict[str, "DataFrame | None"]:
        """By dataset, the rows of its landings that keep the contract; None without any landing.

        The others go to quarantine. A landing is left out as a whole if too many of its rows are rejected, for
        the rest would be taken for all of it, or if it has more or fewer lines than its manifest promises: an
        engine that finds no files reports no error.
        """
        landed = {name: manifests for name in datasets if (manifests := self.manifests(name))}
        frames = self.side_by_side(*(partial(self._staged, name, datasets[name]) for name in landed))
        staged = dict(zip(landed, frames, strict=True))
        counted = _rows_by_landing(staged)
        accepted = {
            name: self._accepted(name, staged[name], landed[name], counted.get(name, {})) for name in landed
        }
        return {name: accepted.get(name) for name in datasets}

    def _staged(self, dataset: str, reading: Reading) -> "DataFrame":
        """Every row of the dataset's landings, parsed."""
        manifests, contract = self.manifests(dataset), source(dataset)
        plain = [m for m in manifests if m.plain == types_hash(contract)]
        try:
            return self._stage_rows(contract, plain, [m for m in manifests if m not in plain], *reading)
        except PySparkException:
            if not plain:
                raise
            # A mark was wrong: what stops a reader with types can be refused by name as text.
            return self._stage_rows(contract, [], manifests, *reading)

    def _accepted(
        self,
        dataset: str,
        rows: "DataFrame",
        manifests: Sequence[Manifest],
        counted: Mapping[str, Counter[str]],
    ) -> "DataFrame":
        """The rows of a dataset that the build takes."""
        if incomplete := self._note_rows(counted, manifests):
            rows = landing.without(rows, incomplete)
        if rejecting := [m for m in manifests if self.reasons.get(interval_key(m))]:
            text = self.store.lines(self._uris(rejecting))
            hashes = landing.fingerprints(text, self.pads, len(self.plan.keys))
            self.rejected.append(quarantine.build(rows, hashes, source(dataset), self.built_at))
        self.parsed[dataset] = rows
        return landing.without(landing.accepted(rows), self._stop_rejected(rejecting))

    def _stage_rows(
        self,
        contract: Source,
        plain: Sequence[Manifest],
        others: Sequence[Manifest],
        derived: Mapping[str, str],
        rules: Mapping[str, str],
    ) -> "DataFrame":
        """Parse the lines: of plain landings with the contract's types, of the others as text."""
        landings = landing.landing_frame(
            self.spark,
            [(m.landing_id, m.media_id, m.day, m.observed_at, m.dataset) for m in (*plain, *others)],
        )
        lines = {}
        if plain:
            typed = landing.line_schema(contract, derived, rules, plain=True)
            lines[True] = self.store.records(self._uris(plain), typed)
        if others:
            lines[False] = self.store.lines(self._uris(others))
        parsed = (
            landing.parse(frame, contract, landings, self.pads, derived, rules, plain=is_plain)
            for is_plain, frame in lines.items()
        )
        schema = landing.parsed_schema(contract, derived)
        return self.store.stage(f"typed_{contract.name}", union(parsed), schema)

    def _uris(self, manifests: Iterable[Manifest]) -> list[str]:
        return [self.objects.uri(p.key) for m in manifests for p in m.parts if p.rows]

    def _note_rows(self, counted: Mapping[str, Counter[str]], manifests: Iterable[Manifest]) -> list[str]:
        """Note how many rows each landing has, and how many were rejected; the landings that are incomplete."""
        by_landing, incomplete = dict(counted), []
        for m in manifests:
            counts, key = by_landing.pop(m.landing_id, Counter()), interval_key(m)
            if counts.total() != m.rows:
                incomplete.append(m.landing_id)
                reason = f"landing {m.landing_id} promises {m.rows} rows and has {counts.total()}"
                self.stopped_keys[key] = damaged_text(m, reason)
                continue
            accepted = counts.pop("", 0)
            self.by_interval[key] = Counter(rows=m.rows, quarantined=m.rows - accepted)
            self.reasons[key] = counts
        if unlisted := sum(c.total() for c in by_landing.values()):
            raise StoreDamaged(f"{unlisted} bronze lines belong to no landing of this build")
        return incomplete

    def _stop_rejected(self, manifests: Iterable[Manifest]) -> list[str]:
        """Landings that lost too much to quarantine: they stop their own (media, day)."""
        stopped = []
        for m in manifests:
            reasons = self.reasons[interval_key(m)]
            if is_refused(m.rows, reasons.total()):
                stopped.append(m.landing_id)
                self.stopped_keys[interval_key(m)] = _rejected_text(m, reasons)
        return stopped

    def rejected_findings(self) -> list[Finding]:
        """How many rows of each dataset went to quarantine, of which landings, and why."""
        findings = []
        for dataset in sorted({d for d, _, _ in self.reasons}):
            of_dataset = {k: c for k, c in sorted(self.reasons.items()) if k[0] == dataset}
            rows = {k: self.by_interval[k]["rows"] for k in of_dataset}
            whole = sum(of_dataset.values(), Counter[str]())
            findings.append(refused_rows(dataset, sum(rows.values()), whole))
            findings += [refused_rows(dataset, rows[k], c, *k[1:]) for k, c in of_dataset.items() if c]
        return findings

    # tables

    def with_keys_of(
        self,
        table: Table,
        rows: "DataFrame",
        keys: list[str] | None = None,
        days: Iterable[date] | None = None,
    ) -> "DataFrame":
        """The current rows whose `keys` (default: the table's key) are in `rows`, as `changes` wants them. `days`: all
        those of the rows, so that no others are read."""
        current = self.store.read(table)
        if days is not None:
            current = current.where(days_in(table.day_column, days))
        return scope.of_keys(current, rows, keys or list(table.key))

    def compare(
        self, table: Table, rows: "DataFrame", current: "DataFrame", measure: str = ""
    ) -> TableChanges:
        """What the rows would change in the table; nothing is committed yet."""
        return compare(self.store, table, rows, current, measure, built_at=self.built_at)

    def compare_sound(
        self, table: Table, rows: "DataFrame", current: Callable[["DataFrame"], "DataFrame"], dataset: str
    ) -> tuple["DataFrame", TableChanges]:
        """`rows` of a fact, and what they would change, without the landings that break the table's contract:
        those stop their own (media, day). `current` gives the rows to compare with."""
        changes = self.compare(table, rows, current(rows))
        findings = list(checks.findings(changes))
        self.findings += findings
        places = checks.stopped(findings)
        rejecting = {m.landing_id: m for m in self.manifests(dataset) if (m.media_id, m.day) in places}
        if not rejecting:
            checks.reject_table(f for f in findings if not places)
            return rows, changes
        for m in rejecting.values():
            self.stopped_keys[interval_key(m)] = damaged_text(m, places[(m.media_id, m.day)])
        rows = landing.without(rows, list(rejecting))
        return rows, self.compare(table, rows, current(rows))

    def check(self, changes: TableChanges) -> None:
        """Note the findings of the contract's checks. ContractViolation if the rows can't be written."""
        findings = list(checks.findings(changes))
        self.findings += findings
        checks.reject_table(findings)

    def write(self, table: Table, rows: "DataFrame", current: "DataFrame", measure: str = "") -> None:
        """Compare, check and commit."""
        changes = self.compare(table, rows, current, measure)
        self.check(changes)
        self.commit(changes)

    def commit(self, changes: TableChanges) -> None:
        """Commit a table's changes, and add them to its outcome: a build may change a table more than once."""
        commit(self.store, changes)
        name = changes.table.full_name
        before = self.outcomes.get(name)
        self.outcomes[name] = (
            replace(changes, by_day=(*before.by_day, *changes.by_day)) if before else changes
        )

    def commit_input_of_gold(self, changes: TableChanges, shared: Collection[SharedDays] = ()) -> None:
        """Commit a table that gold is made from. Which days of gold that touches, and which days turned out to
        share keys, is written down before: after the commit no row would change again."""
        pairs = affected_pairs([changes])
        if pairs or shared:
            with self._intending:
                self.intend(pairs, shared)
        self.commit(changes)


def _rows_by_landing(staged: Mapping[str, "DataFrame"]) -> dict[str, dict[str, Counter[str]]]:
    """Parsed rows by dataset, landing and reason ("": accepted). One query: of small builds it is most of the cost."""
    counted: dict[str, dict[str, Counter[str]]] = {}
    if staged:
        for row in union(landing.counts(rows, name) for name, rows in staged.items()).collect():
            of_dataset = counted.setdefault(row["counted"], {})
            of_dataset.setdefault(row["landing_id"], Counter())[row["reason"] or ""] = row["count"]
    return counted


def _rejected_text(manifest: Manifest, reasons: Counter[str]) -> str:
    """Why a landing that lost too much to quarantine stops its day, and what to do about it."""
    return (
        f"{manifest.dataset} of {manifest.day}: {reasons.total()} of {manifest.rows} records were refused "
        f"({reasons_text(reasons)}); nothing of that day was taken, and readers keep what they had. Look at them "
        f"with `wistlake quarantine list --media {manifest.media_id}`: once Wistia or the contract is mended, the "
        "next run reads it again"
    )
