"""Bronze to silver to gold: the order in which one build writes the tables.

The modules that need an engine are imported inside `build`: whoever plans and publishes, but does not build, has none.
"""

from wistlake.contracts import TABLES
from wistlake.pipeline.tables.plan import BuildPlan, BuildResult, Intend, Pair, interval_key, merged
from wistlake.planning.publishing import EVENTS
from wistlake.ports import ObjectStore, TableStore

__all__ = ["BuildPlan", "BuildResult", "Pair", "build", "merged"]


def build(
    plan: BuildPlan,
    objects: ObjectStore,
    store: TableStore,
    intend: Intend = lambda *_: None,
) -> BuildResult:
    """Build the plan's landings. Everything is idempotent: a second call changes nothing.

    `intend` is called before a silver table is committed, with the (media, local day) pairs of gold that it leaves
    behind and the days that share keys: if the run dies after the commit, the next one must know of them, for no
    row will change again.
    """
    from wistlake.pipeline.tables import details, gold, labels, reconcile, silver
    from wistlake.pipeline.tables.context import BuildContext
    from wistlake.transforms import fact_events

    store.ensure(TABLES)
    context = BuildContext(plan, objects, store, intend)
    typed = silver.events(context)
    silver.media(context, None if typed is None else fact_events.newest_pages(typed))
    silver.lifetime(context)
    silver.by_date(context)
    silver.analytics(context)
    silver.visitors(context)
    silver.sessions(context, typed)
    silver.rezoned(context)
    labels.sessions(context)
    silver.quarantined(context)
    judgements, certificates, blocked = gold.days(context, gold.affected(context))
    gold.visitors(context, {*certificates, *plan.withdrawn})
    gold.retention(context)
    labels.given(context)
    details.conversions(context)
    reconcile.check_references(context)
    judgements += reconcile.lifetimes(context)
    findings = reconcile.record(context, judgements)
    return BuildResult(
        counts={name: changes.counts() for name, changes in context.outcomes.items()},
        by_interval=context.by_interval,
        judgements=judgements,
        stopped={
            interval_key(m): context.stopped[m.media_id]
            for m in plan.landings
            if m.dataset == EVENTS and m.media_id in context.stopped
        }
        | context.stopped_keys,
        published=certificates,
        blocked=frozenset(blocked),
        tables=store.refs(),
        findings=findings,
        withdrawn=plan.withdrawn,
        shared=context.shared,
        labelled=plan.labels.signatures,
    )
