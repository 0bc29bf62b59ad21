"""Who watched what on a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_engagement import TABLE
from wistlake.contracts.measures import OF_MEDIA_DAY
from wistlake.transforms.conform import conform
from wistlake.transforms.daily import aliased

_SAME = ("sessions", "watch_milliseconds", "viewed_millionths")  # as gold.fact_media_daily counts them


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` to one row a media, visitor and day."""
    counted = sessions.groupBy(*map(F.col, ("media_id", "visitor_id", "date"))).agg(
        *aliased({"play_count": OF_MEDIA_DAY["plays_from_events"]} | {n: OF_MEDIA_DAY[n] for n in _SAME}),
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
