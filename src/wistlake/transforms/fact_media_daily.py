"""The daily answer: Wistia's counts beside what the sessions say."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_daily import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.daily import KEYS, count_if, measures


def build(
    affected: DataFrame, sessions: DataFrame, by_date: DataFrame, analytics: DataFrame, built_at: Column
) -> DataFrame:
    """The affected pairs (media_id, date, certificate), `daily.sessions`, `fact_media_by_date` and
    `media_analytics_by_date` to one row a pair: also to pairs without a session, for zero is a number."""
    known = "watch_milliseconds is not null"
    counted = sessions.groupBy(*KEYS).agg(
        *(c.alias(name) for name, c in measures().items()),
        count_if(known).alias("timed_sessions"),
        F.expr("coalesce(sum(full_milliseconds), 0)").alias("full_milliseconds"),
        F.sum("viewed_millionths").alias("viewed_millionths"),
        *(count_if(f"percent_viewed >= 0.{mark}").alias(f"reached_{mark}") for mark in (25, 50, 75)),
    )
    counts = by_date.select(
        *KEYS,
        F.col("load_count").alias("loads"),
        F.col("play_count").alias("plays"),
        "hours_watched_modelled",
    )
    rates = analytics.select(*KEYS, F.col("play_rate").alias("play_rate_analytics"))
    joined = affected
    for frame in (counted, counts, rates):
        joined = joined.join(frame, on=list(KEYS), how="left")
    integers = [c.name for c in TABLE.columns if not c.nullable and c.type == "long"]
    return conform(
        joined.withColumns({name: F.coalesce(F.col(name), F.lit(0)) for name in integers}).withColumns(
            {
                "play_rate_estimated": F.expr("case when loads > 0 then unique_viewers / loads end"),
                "watch_milliseconds": F.expr("case when sessions = 0 then 0 else watch_milliseconds end"),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
