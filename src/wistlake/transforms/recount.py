"""A day's numbers counted a second time, from silver alone: what gold must agree with.

Shares nothing with the transforms that make gold, so that it does not share their mistakes.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Column of gold.fact_media_daily: the same figure as a sum over rows of silver.fact_events.
_SUMS = {
    "sessions": "1",
    "plays_from_events": "if(conversion_type is null, 1, 0)",
    "conversions": "if(conversion_type is null, 0, 1)",
    "watch_milliseconds": "watch_milliseconds",
    "timed_sessions": "if(watch_milliseconds is null, 0, 1)",
    "reached_25": "if(percent_viewed < 0.25, 0, 1)",
    "reached_50": "if(percent_viewed < 0.5, 0, 1)",
    "reached_75": "if(percent_viewed < 0.75, 0, 1)",
    "reached_95": "if(percent_viewed < 0.95, 0, 1)",
}
FIGURES = (*_SUMS, "unique_viewers")
_DAY = ("media_id", "date")


def build(events: DataFrame, wanted: DataFrame) -> DataFrame:
    """`fact_events` near some days, and the wanted (media_id, date) pairs, to one row a pair that has listed
    sessions: `FIGURES`, the distinct keys (`events`), and rows whose partition is not the day they were received
    on (`misplaced`). Distinct ones are counted by grouping, not by the engine's aggregate that gold uses."""
    listed = (
        events.where(F.col("removed_at").isNull())
        .withColumn("date", F.col("event_date_local"))
        .join(F.broadcast(wanted), on=list(_DAY), how="left_semi")
    )
    sums = _SUMS | {"misplaced": "if(event_date = to_date(received_at), 0, 1)"}
    figures = listed.groupBy(*map(F.col, _DAY)).agg(*(F.expr(f"sum({x})").alias(n) for n, x in sums.items()))
    for name, column in (("unique_viewers", "visitor_id"), ("events", "event_key")):
        once = listed.select(*_DAY, column).distinct()
        counted = once.groupBy(*map(F.col, _DAY)).agg(F.count(F.lit(1)).alias(name))
        figures = figures.join(counted, on=list(_DAY), how="inner")
    return figures


def by_dimension(traffic: DataFrame) -> DataFrame:
    """The plays of each dimension of a day, and how many values Wistia listed."""
    keys = ("media_id", "date", "dimension")
    return traffic.groupBy(*map(F.col, keys)).agg(
        F.sum("plays").alias("plays"), F.max("listed").alias("listed")
    )
