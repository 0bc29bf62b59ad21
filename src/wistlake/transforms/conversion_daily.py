"""Calls to action and forms by day: from Wistia's analytics of the day, and between its lifetime figures."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from wistlake.contracts.conversion_daily import BETWEEN, DAY, TABLE
from wistlake.transforms.conform import conform, union

#: SQL over a row of `media_lifetime`: the actions it knows of.
COUNTED = "case when action_types is null then 0 else size(action_types) end"
_KINDS = {"cta": ("cta_impressions", "cta_conversions"), "form": ("cast(null as bigint)", "form_conversions")}
_RATE = "case when impressions > 0 then cast(actions as double) / impressions end"


def build(analytics: DataFrame, leads: DataFrame, built_at: Column) -> DataFrame:
    """Rows of `media_analytics_by_date` and `conversions_by_date` to one a kind that was shown or taken."""
    kinds = (
        analytics.select(
            "media_id",
            "date",
            F.lit(kind).alias("kind"),
            F.expr(impressions).alias("impressions"),
            F.expr(actions).alias("actions"),
        )
        for kind, (impressions, actions) in _KINDS.items()
    )
    listed = leads.select(
        "media_id",
        "date",
        F.lit("lead").alias("kind"),
        F.lit(None).cast("bigint").alias("impressions"),
        F.col("conversions").alias("actions"),
    )
    rows = union([*kinds, listed]).where("coalesce(impressions, 0) > 0 or coalesce(actions, 0) > 0")
    return _conformed(rows.withColumns({"basis": F.lit(DAY), "previous_date": F.lit(None)}), built_at)


def between_snapshots(lifetime: DataFrame, built_at: Column) -> DataFrame:
    """`media_lifetime` of whole media to one row a kind of action and snapshot that has one before it. What Wistia has
    taken back since is no figure of a day: it is NULL."""
    numbered = lifetime.where(f"{COUNTED} > 0").select(
        "media_id",
        "snapshot_date",
        *("action_types", "action_counts", "action_impressions"),
        F.explode(F.expr("sequence(1, size(action_types))")).alias("_n"),
    )
    each = numbered.select(
        "media_id",
        "snapshot_date",
        F.expr("element_at(action_types, _n)").alias("kind"),
        F.expr("element_at(action_counts, _n)").alias("actions"),
        F.expr("element_at(action_impressions, _n)").alias("impressions"),
    )
    sums = each.groupBy(*map(F.col, ("media_id", "snapshot_date", "kind"))).agg(
        F.sum("actions").alias("actions"), F.sum("impressions").alias("impressions")
    )
    order = Window.partitionBy("media_id", "kind").orderBy("snapshot_date")
    names = ("snapshot_date", "actions", "impressions")
    pairs = sums.withColumns({f"_before_{c}": F.lag(c).over(order) for c in names})
    added = pairs.where("_before_snapshot_date is not null").select(
        "media_id",
        "kind",
        F.col("snapshot_date").alias("date"),
        F.col("_before_snapshot_date").alias("previous_date"),
        *(
            F.expr(f"case when {c} >= _before_{c} then {c} - _before_{c} end").alias(c)
            for c in ("actions", "impressions")
        ),
    )
    rows = added.where("coalesce(impressions, 0) > 0 or coalesce(actions, 0) > 0")
    return _conformed(rows.withColumn("basis", F.lit(BETWEEN)), built_at)


def _conformed(rows: DataFrame, built_at: Column) -> DataFrame:
    return conform(rows.withColumns({"rate": F.expr(_RATE), "built_at": built_at}), TABLE)
