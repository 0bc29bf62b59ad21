"""Tables without a person: their rows leave silver, the gold of their days is computed again, texts are masked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import TABLES, table
from wistlake.contracts.form import Removal, Table
from wistlake.derive.merge import days_in
from wistlake.pipeline.jobs.forget.landings import COUNTED, LandingCopy
from wistlake.pipeline.jobs.forget.request import Work
from wistlake.pipeline.run.outcome import publish_build
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables.plan import BuildPlan, Pair
from wistlake.planning.calendar import zone
from wistlake.planning.compacted import datasets_of
from wistlake.planning.labels import FACTS as LABELS
from wistlake.planning.labels import Labels
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD, gold_days
from wistlake.ports import TableStore
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

UNFINISHED = "forgetting"  # the ledger's name for the days whose gold must still be computed again
VISITOR_TABLES = tuple(t for t in TABLES if t.has("visitor_id"))
WITH_TEXTS = ("dim_media", "dim_media_history", "quarantine")  # they hold texts that people wrote


def count(work: Work, ids: frozenset[str]) -> dict[str, int]:
    """Rows of the person by table."""
    with work.deps.tables() as store:
        store.ensure(TABLES)
        return {t.full_name: _count(store, t, ids) for t in VISITOR_TABLES}


def _count(store: TableStore, of_table: Table, ids: frozenset[str]) -> int:
    return int(_theirs(store, of_table, ids).count())


def _theirs(store: TableStore, of_table: Table, ids: frozenset[str]) -> "DataFrame":
    from wistlake.transforms import scope

    return scope.of_visitors(store.read(of_table), _ids_frame(store, ids))


def _ids_frame(store: TableStore, ids: frozenset[str]) -> "DataFrame":
    return store.spark.createDataFrame([(i,) for i in sorted(ids)], "visitor_id string")


def sealed_ids(work: Work, person: Person) -> frozenset[str]:
    """The ids in the tables that a tombstone names."""
    with work.deps.tables() as store:
        store.ensure(TABLES)
        columns = [store.read(t).select("visitor_id").distinct() for t in VISITOR_TABLES]
        ids = {row[0] for rows in columns for row in rows.collect() if row[0] is not None}
    return frozenset(i for i in ids if tombstones.is_sealed(person, work.keys, i))


def erase(work: Work, ids: frozenset[str], copies: Sequence[LandingCopy]) -> dict[str, int]:
    """Erase the person from silver, compute the gold of the days they were seen on again, and publish; the rows that
    were theirs, by table."""
    from wistlake.pipeline.tables import build

    ledger = work.deps.ledger
    moved = {c.old.landing_id: c.new for c in copies}
    silver = [t for t in VISITOR_TABLES if t.layer == "silver"]
    gold = [t for t in VISITOR_TABLES if t.layer == "gold"]
    with work.deps.tables() as store:
        store.ensure(TABLES)
        pairs = _affected(work, store, ids)
        # A repetition after a crash can't find these days again: the person's rows are gone by then.
        ledger.put_facts(UNFINISHED, {"pairs": sorted([m, d.isoformat()] for m, d in pairs)})
        erased = {t.full_name: _erase(store, t, ids, moved) for t in silver}
        erased["silver.quarantine"] = _erase_quarantine(store, copies, moved)
        for other in (t for t in TABLES if t not in silver):
            theirs = {old: new for old, new in moved.items() if old.partition("/")[0] in other.sources}
            if theirs or other.name in WITH_TEXTS:
                _mask(store, other, theirs)
        erased |= {t.full_name: _count(store, t, ids) for t in gold}
        plan = replace(_plan(work, pairs), landings=_counted_anew(work, copies))
        result = build(plan, work.deps.objects, store)
        for of_gold in gold:  # also of days that could not be computed again
            _erase(store, of_gold, ids, {})
        result = replace(result, tables=store.refs())
    publish_build(work.spec, ledger, ledger.media(), LedgerView.of(ledger), plan, result)
    work.facts["days_computed_anew"] = len(result.published)
    work.facts["days_left_as_they_were"] = len(result.blocked)
    return erased


def _counted_anew(work: Work, copies: Sequence[LandingCopy]) -> tuple[Manifest, ...]:
    """The new landings of datasets that tables only count: no row of theirs is the person's, but the count is of
    one more. Those that the ledger stands on, for an older one says nothing."""
    standing = {i.landing_id for i in work.deps.ledger.intervals(COUNTED)}
    names = (c.new for c in copies if c.old.dataset == COUNTED and c.new in standing)
    return tuple(bronze.decode_manifest(work.deps.objects.get(bronze.manifest_key(n))) for n in names)


def _affected(work: Work, store: TableStore, ids: frozenset[str]) -> set[Pair]:
    """Days of gold that the person was seen on, also those that an earlier attempt left unfinished."""
    unfinished = work.deps.ledger.facts(UNFINISHED).get("pairs", ())
    pairs = {(media_id, date.fromisoformat(day)) for media_id, day in unfinished}
    for name, day in (("silver.fact_events", "event_date_local"), ("gold.fact_media_engagement", "date")):
        rows = _theirs(store, table(name), ids).select("media_id", day).distinct().collect()
        pairs |= {(r[0], r[1]) for r in rows}
    ledger = work.deps.ledger
    return {(media_id, day) for media_id, day in pairs if ledger.intervals(GOLD, media_id, day, day)}


def _plan(work: Work, pairs: set[Pair]) -> BuildPlan:
    """A build of gold alone."""
    spec, ledger = work.spec, work.deps.ledger
    media = {m for m, _ in pairs}
    intervals = [i for m in sorted(media) for i in ledger.intervals(media_id=m)]
    view = LedgerView.of(ledger)
    of_media = [i for i in intervals if i.media_id in media and i.dataset in (EVENTS, BY_DATE)]
    days = gold_days(
        [m for m in ledger.media() if m.media_id in media],
        intervals,
        of_media,
        datasets=frozenset(datasets_of(view.intervals.values(), view.compacted)),
        now=spec.window.now,
        tz=zone(spec.zone_name),
        lookback_days=spec.window.lookback_days,
    )
    return BuildPlan(
        run_id=spec.run_id,
        started_at=spec.window.now,
        zone=spec.zone_name,
        keys=work.keys,
        landings=(),
        publishable=frozenset(pairs),
        refresh=frozenset(pairs),
        past_lookback=days.past_lookback & pairs,
        confirmed=days.confirmed & pairs,
        listed=days.listed & pairs,
        rules=spec.rules,
        labels=Labels(applied=ledger.facts(LABELS)),  # as they are: a build of gold alone brings no new ones
    )


def _erase(store: TableStore, of_table: Table, ids: frozenset[str], moved: Mapping[str, str]) -> int:
    """Delete the person's rows in one commit, which also puts the others on their new landings; how many
    rows were the person's."""
    from wistlake.transforms import erasure

    landings = _landings_frame(store, moved) if of_table.has("landing_id") and moved else None
    changes = erasure.of_visitors(of_table, store.read(of_table), _ids_frame(store, ids), landings)
    return _commit(store, of_table, changes)


def _landings_frame(store: TableStore, moved: Mapping[str, str]) -> "DataFrame":
    return store.spark.createDataFrame(sorted(moved.items()), "landing_id string, _new string")


def _mask(store: TableStore, of_table: Table, moved: Mapping[str, str]) -> None:
    """Mask the addresses in texts about media, which rows of older versions hold as served, and put rows on
    their new landings."""
    from wistlake.transforms import erasure

    landings = _landings_frame(store, moved) if of_table.has("landing_id") else None
    _commit(store, of_table, erasure.masked(of_table, store.read(of_table), landings))


def _erase_quarantine(store: TableStore, copies: Sequence[LandingCopy], moved: Mapping[str, str]) -> int:
    """Rejected records of the person go; the others follow their landing. How many were the person's."""
    from wistlake.transforms import erasure

    quarantine = table("silver.quarantine")
    if not copies or store.refs()[quarantine.full_name].snapshot_id is None:
        return 0
    rows, landings = store.read(quarantine), _landings_frame(store, moved)
    lines = [(c.old.landing_id, n) for c in copies for n in sorted(c.lines)]
    theirs = store.spark.createDataFrame(lines, "landing_id string, line bigint")
    count = erasure.of_lines(rows, theirs).count()
    _commit(store, quarantine, erasure.of_landings(quarantine, rows, theirs, landings))
    return int(count)


def _commit(store: TableStore, of_table: Table, changes: "DataFrame") -> int:
    """One MERGE that may delete, whatever the contract says of removal: this is erasure. How many rows it deleted."""
    from wistlake.transforms import erasure

    staged = store.stage(f"erased_{of_table.layer}_{of_table.name}", changes)
    counted = erasure.counts(of_table, staged).collect()
    if not counted:
        return 0
    day = of_table.day_column
    prune = days_in(day, {r["_day"] for r in counted}, "t") if day else ""
    store.merge(replace(of_table, removal=Removal.DELETE), staged, prune)
    return sum(int(r["count"]) for r in counted if r["_change"] == erasure.REMOVED)
