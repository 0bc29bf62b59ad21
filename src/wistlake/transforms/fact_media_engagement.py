"""Who watched what on a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_engagement import TABLE
from wistlake.transforms.conform import conform


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` to one row a media, visitor and day."""
    counted = sessions.groupBy("media_id", "visitor_id", "date").agg(
        F.count(F.lit(1)).alias("play_count"),
        F.sum("watch_milliseconds").alias("watch_milliseconds"),
        F.sum("viewed_millionths").alias("viewed_millionths"),
        F.min("received_at").alias("first_received_at"),
        F.max("received_at").alias("last_received_at"),
    )
    return conform(
        counted.withColumns(
            {
                "watched_share": F.expr("viewed_millionths / (play_count * 1000000D)"),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
