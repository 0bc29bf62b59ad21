"""Gold of what Wistia counts itself, and no session tells: calls to action, forms, and where plays came from.

It does not wait for a day to reconcile, for it is made of no session. Rebuilt of every day that a landing of the build
is about, whether or not silver changed: a run may have died after it had committed silver.
"""

from typing import TYPE_CHECKING

from wistlake.contracts.breakdowns import SOURCES as BREAKDOWNS
from wistlake.contracts.conversion_daily import BETWEEN, DAY
from wistlake.contracts.conversion_daily import TABLE as CONVERSION_DAILY
from wistlake.contracts.conversions_by_date import TABLE as CONVERSIONS_BY_DATE
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.traffic_by_date import TABLE as TRAFFIC_BY_DATE
from wistlake.contracts.traffic_daily import TABLE as TRAFFIC_DAILY
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.gold import PAIRS
from wistlake.pipeline.tables.plan import Pair
from wistlake.quality.reconciliation import MOST_LISTED, Judgement, traffic_and_plays
from wistlake.transforms import conversion_daily, daily, recount, scope, traffic_daily
from wistlake.transforms.conform import local

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from wistlake.contracts.form import Table


def conversions(context: BuildContext) -> None:
    """`conversion_daily`: of the days whose analytics or forms were read, and of the media whose lifetime figures tell
    of any action."""
    pairs = {
        (m.media_id, m.day) for name in ("analytics_daily", "conversions") for m in context.manifests(name)
    }
    if pairs:
        analytics = _of_pairs(context, MEDIA_ANALYTICS_BY_DATE, pairs)
        leads = _of_pairs(context, CONVERSIONS_BY_DATE, pairs)
        rows = conversion_daily.build(analytics, leads, context.built_at)
        current = _of_pairs(context, CONVERSION_DAILY, pairs).where(f"basis = '{DAY}'")
        context.write(CONVERSION_DAILY, rows, scope.whole(current))
    outcome = context.outcomes.get(MEDIA_LIFETIME.full_name)
    if outcome is not None and any(c.measured for c in outcome.by_day):
        snapshots = scope.of_media(context.store.read(MEDIA_LIFETIME), outcome.media)
        rows = conversion_daily.between_snapshots(snapshots, context.built_at)
        stored = scope.of_media(context.store.read(CONVERSION_DAILY), outcome.media)
        context.write(CONVERSION_DAILY, rows, scope.whole(stored.where(f"basis = '{BETWEEN}'")))


def traffic(context: BuildContext) -> tuple[Judgement, ...]:
    """`traffic_daily` of the days whose breakdowns were read, and each breakdown against Wistia's plays of the day."""
    pairs = {(m.media_id, m.day) for s in BREAKDOWNS for m in context.manifests(s.name)}
    if not pairs:
        return ()
    silver = _of_pairs(context, TRAFFIC_BY_DATE, pairs)
    rows = traffic_daily.build(silver, context.built_at)
    context.write(TRAFFIC_DAILY, rows, scope.whole(_of_pairs(context, TRAFFIC_DAILY, pairs)))
    counted = _of_pairs(context, FACT_MEDIA_BY_DATE, pairs).select("media_id", "date", "play_count").collect()
    plays = {(r["media_id"], r["date"]): r["play_count"] for r in counted}
    listed: dict[Pair, list[tuple[int, bool]]] = {pair: [] for pair in pairs}
    for r in recount.by_dimension(silver).collect():
        listed[(r["media_id"], r["date"])].append((int(r["plays"]), r["listed"] >= MOST_LISTED))
    return tuple(traffic_and_plays(pair, of_day, plays.get(pair)) for pair, of_day in sorted(listed.items()))


def _of_pairs(context: BuildContext, table: "Table", pairs: set[Pair]) -> "DataFrame":
    """The table's rows of some days."""
    rows = context.store.read(table).where(days_in("date", (day for _, day in pairs)))
    places = local(context.spark, sorted(pairs), PAIRS)
    return scope.of_places(rows, places, daily.KEYS).drop("_in_scope")
