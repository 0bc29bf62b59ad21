"""What the daily tables share: sessions of the affected (media, local day) pairs, counted."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_events import TABLE
from wistlake.contracts.measures import OF_SESSION
from wistlake.derive.spark import columns_ddl

KEYS = ("media_id", "date")
#: What the daily tables count by, and from.
_NEEDED = (
    "visitor_id", "received_at", "percent_viewed", "watch_milliseconds", "conversion_type",
    "channel", "country", "region", "platform", "browser", "is_mobile", "embed_host",
)  # fmt: skip

#: The columns of `sessions`, as DDL: known without asking the engine.
SCHEMA = f"media_id string, date date, {columns_ddl(TABLE.column(name) for name in _NEEDED)}, " + ", ".join(
    f"{name} bigint" for name in OF_SESSION
)


def sessions(events: DataFrame, affected: DataFrame) -> DataFrame:
    """Listed sessions of the affected pairs (media_id, date), with `date` and the integers that gold adds up:
    `viewed_millionths` and `full_milliseconds`."""
    return (
        events.where("removed_at is null")
        .withColumn("date", F.col("event_date_local"))
        .join(F.broadcast(affected), on=list(KEYS), how="left_semi")
        .select(
            *KEYS,
            *_NEEDED,
            *aliased(OF_SESSION),
        )
    )


def aliased(expressions: Mapping[str, str]) -> list[Column]:
    """Columns by name, each of its SQL expression."""
    return [F.expr(sql).alias(name) for name, sql in expressions.items()]
