"""A lake of dictionaries: the whole of a run, with a build that needs no engine.

The model keeps what matters to a crash: sessions that move between days and vanish, gold that is computed
from silver only where something moved, commits that are one table each. It computes numbers in its own way.
"""

import copy
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from support.lake import START, Lake, Scenario
from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.pipeline.jobs.rebuild import invalidate_builds
from wistlake.pipeline.run.pending import pending
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies
from wistlake.pipeline.tables import BuildPlan, BuildResult
from wistlake.pipeline.tables.plan import Pair
from wistlake.planning import shared_keys
from wistlake.planning.calendar import local_days_of, zone
from wistlake.planning.intervals import Interval
from wistlake.planning.shared_keys import SharedDays
from wistlake.ports import ObjectStore, TableRef
from wistlake.quality.certificates import Certificate, certify
from wistlake_soak.dying import Dying

EVENTS, BY_DATE, GOLD = "silver.fact_events", "silver.fact_media_by_date", "gold.fact_media_daily"
Rows = dict[Any, Any]
_TABLES = {t.full_name: t for t in TABLES}


class MemoryTables:
    """Tables as dictionaries of rows by key, every state kept, as snapshots are."""

    def __init__(self) -> None:
        self.states: dict[str, list[Rows]] = {}

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing."""
        for table in tables:
            self.states.setdefault(table.full_name, [{}])

    def read(self, table: Table) -> Rows:
        """The current rows."""
        return self.states[table.full_name][-1]

    def merge(self, table: Table, changes: Rows, prune: str) -> None:
        """A new state with the changed rows."""
        self.states[table.full_name].append(self.read(table) | changes)

    def stage(self, name: str, rows: Rows, schema: str | None = None) -> Rows:
        """The rows as they are."""
        return rows

    def refs(self) -> Mapping[str, TableRef]:
        """The number of each table's state stands for its metadata."""
        return {name: TableRef(name, len(states) - 1) for name, states in self.states.items()}


def build(
    plan: BuildPlan, objects: ObjectStore, store: Any, intend: Any = lambda pairs, found: None
) -> BuildResult:
    """`pipeline.build.build` over MemoryTables, in the same order: silver, then gold where it is affected."""
    store.ensure(TABLES)
    tz = zone(plan.zone)
    landings = [(m, _records(m, objects)) for m in plan.landings if not m.missing]

    def settle(name: str, wanted: Rows, local_days: Any, found: Collection[SharedDays] = ()) -> set[Pair]:
        table = _TABLES[name]
        current = store.read(table)
        changes = store.stage(name, {k: row for k, row in wanted.items() if current.get(k) != row})
        moved = {p for k, row in changes.items() for was in (current.get(k), row) for p in local_days(k, was)}
        if moved or found:
            intend(moved, found)
        if changes:
            store.merge(table, changes, "")
        return moved

    days = settle(BY_DATE, _by_date(landings), lambda key, _: [key])
    sessions, found = _sessions(landings, store.read(_TABLES[EVENTS]), plan)
    days |= settle(EVENTS, sessions, lambda key, row: [(key[0], row["local"])] if row else [], found)
    read = [(m.dataset, m.media_id, m.day) for m, _ in landings if m.dataset == "events"]
    days |= {(m.media_id, d) for m, _ in landings if m.dataset == "events" for d in local_days_of(m.day, tz)}
    days |= {(m.media_id, m.day) for m, _ in landings if m.dataset == "media_by_date"}
    pairs = (days | plan.refresh) & plan.publishable
    gold = _gold(pairs, store)
    if gold:
        store.merge(_TABLES[GOLD], gold, "")
    return BuildResult(
        counts={},
        by_interval={},
        judgements=(),
        stopped={},
        published={p: _certificate(plan, p) for p in pairs},
        blocked=frozenset(),
        tables=store.refs(),
        shared=shared_keys.after_build(plan.shared, read, found, plan.read_at),
    )


def _records(manifest: Manifest, objects: ObjectStore) -> list[dict[str, Any]]:
    return [r for part in manifest.parts for _, r in bronze.decode_lines(objects.get(part.key))]


def _by_date(landings: Iterable[tuple[Manifest, list[dict[str, Any]]]]) -> Rows:
    return {
        (m.media_id, date.fromisoformat(r["date"])): r["play_count"]
        for m, records in landings
        if m.dataset == "media_by_date"
        for r in records
    }


def _sessions(
    landings: Iterable[tuple[Manifest, list[dict[str, Any]]]], current: Rows, plan: BuildPlan
) -> tuple[Rows, set[SharedDays]]:
    """The sessions of whole (media, day) scopes, and the days that turned out to share keys. A key is the newest
    listing's, then of the copy that saw most; what is no longer listed where it stands is marked."""
    events = [(m, r) for m, r in landings if m.dataset == "events"]
    scopes = {(m.media_id, m.day): m.observed_at for m, _ in events}
    copies: dict[Any, list[dict[str, Any]]] = {}
    for manifest, records in events:
        for record in records:
            copy = _copy(manifest, record)
            copies.setdefault((manifest.media_id, record["event_key"]), []).append(copy)
    found: Rows = {}
    twice: set[SharedDays] = set()
    for key in current.keys() | copies.keys():
        here = sorted(copies.get(key, ()), key=_rank)
        found[key] = _placed(key[0], current.get(key), here[-1] if here else None, scopes, plan)
        days = {c["day"] for c in here} | ({current[key]["day"]} if key in current and here else set())
        twice |= {SharedDays.of(key[0], a, b) for a, b in combinations(sorted(days), 2)}
    return found, twice


def _rank(copy: Rows) -> tuple[Any, ...]:
    return (copy["seen"], copy["share"], copy["received"])


def _copy(manifest: Manifest, record: dict[str, Any]) -> Rows:
    received = datetime.fromisoformat(record["received_at"])
    return {
        "day": manifest.day,
        "local": received.astimezone(zone(ZONE)).date(),
        "share": record["percent_viewed"],
        "received": received,
        "removed": False,
        "seen": manifest.observed_at,
    }


def _placed(media_id: str, was: Rows | None, best: Rows | None, scopes: Any, plan: BuildPlan) -> Rows:
    """The row that a key has after a build."""
    if was is None:
        assert best is not None
        return best
    scope = scopes.get((media_id, was["day"]))
    if not was["removed"] and scope is None:
        listed_at = plan.listed_at.get((media_id, was["day"]), was["seen"])
        stays = best is None or _rank(was | {"seen": listed_at}) > _rank(best)
        return was if stays else best or was
    left = not was["removed"] and (best is None or (best["day"] != was["day"] and best["seen"] < scope))
    if left:
        return was | {"removed": True, "seen": scope} if scope >= was["seen"] else was
    if best is None or best["seen"] < was["seen"] or best | {"seen": was["seen"]} == was:
        return was
    return best


ZONE = Scenario().profile.account_timezone


def _gold(pairs: Iterable[Pair], store: Any) -> Rows:
    plays = store.read(_TABLES[BY_DATE])
    rows: Rows = {pair: (plays.get(pair), 0, 0.0) for pair in pairs}
    for (media_id, _), row in sorted(store.read(_TABLES[EVENTS]).items()):
        pair = (media_id, row["local"])
        if pair in rows and not row["removed"]:
            count, seen, watched = rows[pair]
            rows[pair] = (count, seen + 1, watched + row["share"])
    return rows


def _certificate(plan: BuildPlan, pair: Pair) -> Certificate:
    return certify(past_lookback=pair in plan.past_lookback, confirmed=pair in plan.confirmed, judgements=())


class ModelLake:
    """A lake in memory; runs go through `pipeline.daily.run`, with `build` above in place of the engine's."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        self.lake = Lake(folder, scenario)
        self.objects, self.ledger, self.tables = MemoryObjects(), MemoryLedger(), MemoryTables()
        self.notifier = RecordingNotifier()

    def copy(self) -> "ModelLake":
        """Another lake that begins as this one is."""
        other = copy.copy(self)
        for name in ("objects", "ledger", "tables", "notifier"):
            setattr(other, name, _copy_of(getattr(self, name)))
        return other

    def run(self, now: datetime, death: Dying, **asked: Any) -> RunResult:
        """One run, behind `death`; `asked` as `Lake.run_day` has it."""

        @contextmanager
        def tables() -> Iterator[Any]:
            yield death.around(self.tables)

        def around(parts: Dependencies) -> Dependencies:
            return replace(
                parts,
                objects=death.around(self.objects),
                ledger=death.around(self.ledger),
                notifier=death.around(self.notifier),
                tables=tables,
                warm=lambda: None,
            )

        return self.lake.run_day(now, around=around, **asked)

    def changed_by_rebuild(self, now: datetime) -> dict[str, Rows]:
        """The rows of each table that a rebuild would change, as they would be. It is done."""
        before = self.state()["tables"]
        invalidate_builds(self.ledger, self.objects)
        self.run(now, Dying(), build_only=True, trigger="rebuild", run_id="rebuild")
        after = self.state()["tables"]
        return {
            name: moved
            for name, rows in after.items()
            if (moved := {k: row for k, row in rows.items() if before[name].get(k) != row})
        }

    def state(self) -> dict[str, Any]:
        """All that readers and later runs can see, whoever did it."""
        published = self.ledger.publication()
        assert published is not None
        return {
            "tables": {
                name: self.tables.states[name][ref.snapshot_id or 0] for name, ref in published.tables.items()
            },
            "intervals": [_whoever(i) for i in self.ledger.intervals()],
            "pending": [i.key for i in pending(self.ledger.intervals(), self.lake.run_spec(START), 1)],
            "watermarks": self.ledger.watermarks(),
            "media": self.ledger.media(),
            "drift": self.ledger.facts("drift"),
            "last run": self.ledger.runs(1)[0].status,
        }


def _whoever(interval: Interval) -> Interval:
    """The interval without what tells which run has landed it: its signature names the landing."""
    signed = "signed" if interval.built_signature else ""
    return replace(interval, run_id="", landing_id="", built_signature=signed)


def _copy_of(port: Any) -> Any:
    fresh = type(port)()
    for name, value in vars(port).items():
        if not isinstance(value, type(threading.Lock()) | type(threading.RLock())):
            setattr(fresh, name, copy.deepcopy(value))
    return fresh
