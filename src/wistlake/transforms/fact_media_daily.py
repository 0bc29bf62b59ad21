"""The daily answer: Wistia's counts beside those of the sessions."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_daily import TABLE
from wistlake.contracts.measures import OF_MEDIA_DAY
from wistlake.transforms.conform import conform
from wistlake.transforms.daily import KEYS, aliased


def build(
    affected: DataFrame, sessions: DataFrame, by_date: DataFrame, analytics: DataFrame, built_at: Column
) -> DataFrame:
    """The affected pairs (media_id, date, certificate), `daily.sessions`, `fact_media_by_date` and
    `media_analytics_by_date` to one row a pair: also to pairs without a session, for zero is a number."""
    counted = sessions.groupBy(*map(F.col, KEYS)).agg(*aliased(OF_MEDIA_DAY))
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


def to_be_rewritten(current: DataFrame, pairs: DataFrame) -> DataFrame:
    """Current rows (`scope`), those of the `pairs` (media_id, date) without their certificate: such a row is not
    what it should be, so that it is written again though none of its numbers has changed."""
    marked = pairs.withColumn("_rewritten", F.lit(True))
    joined = current.join(F.broadcast(marked), on=list(KEYS), how="left")
    return joined.withColumn("certificate", F.expr("case when _rewritten is null then certificate end"))
