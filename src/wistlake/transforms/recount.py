"""A day's numbers counted a second time, from silver alone: what gold must agree with.

Shares nothing with the transforms that make gold, so that it does not share their mistakes.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Column of gold.fact_media_daily: the same figure from rows of silver.fact_events.
FIGURES = {
    "sessions": "sum(1)",
    "plays_from_events": "sum(if(conversion_type is null, 1, 0))",
    "conversions": "sum(if(conversion_type is null, 0, 1))",
    "unique_viewers": "size(collect_set(visitor_id))",
    "watch_milliseconds": "sum(if(watch_milliseconds is null, 0, watch_milliseconds))",
    "timed_sessions": "sum(if(watch_milliseconds is null, 0, 1))",
    "reached_25": "sum(if(percent_viewed < 0.25, 0, 1))",
    "reached_50": "sum(if(percent_viewed < 0.5, 0, 1))",
    "reached_75": "sum(if(percent_viewed < 0.75, 0, 1))",
    "reached_95": "sum(if(percent_viewed < 0.95, 0, 1))",
}


def build(events: DataFrame, wanted: DataFrame) -> DataFrame:
    """`fact_events` near some days, and the wanted (media_id, date) pairs, to one row a pair that has listed
    sessions: `FIGURES`, the distinct keys, and rows whose partition is not the day they were received on."""
    return (
        events.where(F.col("removed_at").isNull())
        .join(
            F.broadcast(wanted.withColumnRenamed("date", "event_date_local")),
            on=["media_id", "event_date_local"],
            how="inner",
        )
        .groupBy("media_id", F.col("event_date_local").alias("date"))
        .agg(
            *(F.expr(sql).alias(name) for name, sql in FIGURES.items()),
            F.expr("count(distinct event_key)").alias("events"),
            F.expr("sum(if(event_date = to_date(received_at), 0, 1))").alias("misplaced"),
        )
    )
