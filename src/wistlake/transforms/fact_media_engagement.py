"""Who watched what on a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_engagement import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.daily import count_if


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` to one row a media, visitor and day."""
    counted = sessions.groupBy("media_id", "visitor_id", "date").agg(
        count_if("conversion_type is null").alias("play_count"),
        F.count(F.lit(1)).alias("sessions"),
        F.sum("watch_milliseconds").alias("watch_milliseconds"),
        F.sum("viewed_millionths").alias("viewed_millionths"),
        F.min("received_at").alias("first_received_at"),
        F.max("received_at").alias("last_received_at"),
    )
    return conform(
        counted.withColumns(
            {
                "watched_share": F.expr("viewed_millionths / (sessions * 1000000D)"),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
