"""Bronze to silver to gold: which landings, in which order, and what came of it.

Importing this loads no engine: those who plan and publish, but don't build, have none.
"""

from wistlake.contracts import TABLES
from wistlake.pipeline.tables.plan import BuildPlan, BuildResult, Intend, Pair, merged, unsaid
from wistlake.ports import ObjectStore, TableStore

__all__ = ["BuildPlan", "BuildResult", "Pair", "build", "merged"]


def build(
    plan: BuildPlan,
    objects: ObjectStore,
    store: TableStore,
    intend: Intend = unsaid,
) -> BuildResult:
    """Build the plan's landings. Everything is idempotent: a second call changes nothing.

    `intend` is told which (media, local day) pairs of gold a silver table is about to leave behind, and which
    days share keys, before it is committed: should the run die then, the next one must know of them, for no row
    will move again.
    """
    from wistlake.pipeline.tables import gold, reconcile, silver
    from wistlake.pipeline.tables.context import BuildContext, interval_key

    store.ensure(TABLES)
    bench = BuildContext(plan, objects, store, intend)
    typed = silver.events(bench)
    silver.media(bench, silver.pages(typed))
    silver.lifetime(bench)
    silver.by_date(bench)
    silver.analytics(bench)
    silver.visitors(bench)
    silver.sessions(bench, typed)
    silver.rezoned(bench)
    silver.quarantined(bench)
    judgements, certificates, blocked = gold.gold(bench, gold.affected(bench))
    gold.visitors(bench, {*certificates, *plan.withdrawn})
    gold.retention(bench)
    reconcile.refer(bench)
    judgements += reconcile.lifetimes(bench)
    findings = reconcile.record(bench, judgements)
    return BuildResult(
        counts={name: applied.counts() for name, applied in bench.outcomes.items()},
        by_interval=bench.by_interval,
        judgements=judgements,
        stopped={
            interval_key(m): bench.stopped[m.media_id]
            for m in plan.landings
            if m.dataset == "events" and m.media_id in bench.stopped
        }
        | bench.damaged,
        published=certificates,
        blocked=frozenset(blocked),
        tables=store.refs(),
        findings=findings,
        withdrawn=plan.withdrawn,
        shared=bench.shared,
    )
