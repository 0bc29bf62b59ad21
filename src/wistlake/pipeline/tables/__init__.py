"""Bronze to silver to gold: the order in which one build writes the tables.

The modules that need an engine are imported inside `build`: whoever plans and publishes, but does not build, has none.
"""

from functools import partial

from wistlake.contracts import TABLES
from wistlake.pipeline.tables.plan import (
    BuildPlan,
    BuildResult,
    Intend,
    Pair,
    VisitorScope,
    interval_key,
    merged,
)
from wistlake.planning.publishing import EVENTS
from wistlake.ports import ObjectStore, TableStore

__all__ = ["BuildPlan", "BuildResult", "Pair", "VisitorScope", "build", "merged"]


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
    from wistlake.pipeline.tables import cities, details, gold, labels, reconcile, silver
    from wistlake.pipeline.tables.context import BuildContext

    store.ensure(TABLES)
    context = BuildContext(plan, objects, store, intend)
    landed = silver.typed(context)
    for steps in (
        (silver.media, silver.by_date, silver.analytics, silver.breakdowns, silver.forms, silver.visitors),
        (silver.sessions, silver.lifetime),
    ):
        context.side_by_side(*(partial(step, context, landed) for step in steps))
    silver.rezoned(context)
    labels.sessions(context)
    cities.cleared(context)
    silver.quarantined(context)
    judgements, certificates, blocked = gold.days(context, gold.affected(context))
    others = (
        partial(gold.visitors, context, {*certificates, *plan.withdrawn}),
        partial(gold.retention, context),
        partial(labels.given, context),
        partial(details.conversions, context),
        partial(reconcile.check_references, context),
    )
    lifetimes, _ = context.both(partial(reconcile.lifetimes, context), partial(context.side_by_side, *others))
    judgements += lifetimes + details.traffic(context)
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
