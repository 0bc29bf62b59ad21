"""Gold of what Wistia counts itself, and no session tells: calls to action and forms.

It does not wait for a day to reconcile, for it is made of no session. Rebuilt of every day that a landing of the build
is about, whether or not silver changed: a run may have died after it had committed silver.
"""

from typing import TYPE_CHECKING

from wistlake.contracts.conversion_daily import BETWEEN, DAY
from wistlake.contracts.conversion_daily import TABLE as CONVERSION_DAILY
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.gold import PAIRS
from wistlake.pipeline.tables.plan import Pair
from wistlake.transforms import conversion_daily, daily, scope
from wistlake.transforms.conform import local

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from wistlake.contracts.form import Table


def conversions(context: BuildContext) -> None:
    """`conversion_daily`: of the days whose analytics were read, and of the media whose lifetime figures tell of any
    action."""
    pairs = {(m.media_id, m.day) for m in context.manifests("analytics_daily")}
    if pairs:
        rows = conversion_daily.build(_of_pairs(context, MEDIA_ANALYTICS_BY_DATE, pairs), context.built_at)
        current = _of_pairs(context, CONVERSION_DAILY, pairs).where(f"basis = '{DAY}'")
        context.write(CONVERSION_DAILY, rows, scope.whole(current))
    outcome = context.outcomes.get(MEDIA_LIFETIME.full_name)
    if outcome is not None and any(c.measured for c in outcome.by_day):
        snapshots = scope.of_media(context.store.read(MEDIA_LIFETIME), outcome.media)
        rows = conversion_daily.between_snapshots(snapshots, context.built_at)
        known = scope.of_media(context.store.read(CONVERSION_DAILY), outcome.media)
        context.write(CONVERSION_DAILY, rows, scope.whole(known.where(f"basis = '{BETWEEN}'")))


def _of_pairs(context: BuildContext, table: "Table", pairs: set[Pair]) -> "DataFrame":
    """The table's rows of some days."""
    rows = context.store.read(table).where(days_in("date", (day for _, day in pairs)))
    places = local(context.spark, sorted(pairs), PAIRS)
    return scope.of_places(rows, places, daily.KEYS).drop("_in_scope")
