"""The visitors, by pseudonym: what all their published days say."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.dim_visitor import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first

ATTRIBUTES = ("country", "region", "browser", "platform", "is_mobile")


def build(engagement: DataFrame, events: DataFrame, account: DataFrame, built_at: Column) -> DataFrame:
    """All days of the affected visitors in `fact_media_engagement`, listed sessions that include each one's
    latest, and `silver.visitors`, to one row a visitor.

    Attributes come from one latest session, never from separate maxima: two people don't mix.
    """
    counted = engagement.groupBy("visitor_id").agg(
        F.min("first_received_at").alias("first_seen_at"),
        F.max("last_received_at").alias("last_seen_at"),
        F.sum("play_count").alias("play_count"),
        F.expr("count(distinct media_id)").alias("media_count"),
        F.sum("watch_milliseconds").alias("watch_milliseconds"),
    )
    sessions = events.select(
        "visitor_id", F.col("received_at").alias("last_seen_at"), "event_key", *ATTRIBUTES
    )
    ending = sessions.join(
        counted.select("visitor_id", "last_seen_at"), on=["visitor_id", "last_seen_at"], how="inner"
    )
    last = first(ending, ["visitor_id"], F.col("event_key").desc()).select("visitor_id", *ATTRIBUTES)
    loads = account.select("visitor_id", F.col("load_count").alias("account_load_count"))
    joined = counted.join(last, on="visitor_id", how="left").join(loads, on="visitor_id", how="left")
    return conform(joined.withColumn("built_at", built_at), TABLE)
