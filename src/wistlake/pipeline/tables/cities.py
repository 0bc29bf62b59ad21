"""Cities that are not to be kept any more: those of every session, raw pages or not."""

from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.labels import batches
from wistlake.transforms import fact_events, session_scope


def cleared(context: BuildContext) -> None:
    """`fact_events` without a city. Gold has none: its days stay as they are."""
    if not context.plan.clears_cities or context.store.refs()[FACT_EVENTS.full_name].snapshot_id is None:
        return
    with_city = context.store.read(FACT_EVENTS).where("city is not null")
    counts = [(r["event_date"], r["count"]) for r in with_city.groupBy("event_date").count().collect()]
    for days in batches(sorted(counts)):
        current = with_city.where(days_in("event_date", days))
        rows = context.store.stage(
            "sessions_without_city", fact_events.without_city(current, context.built_at)
        )
        changes = context.compare(FACT_EVENTS, rows, session_scope.unscoped(current))
        context.check(changes)
        context.commit(changes)
