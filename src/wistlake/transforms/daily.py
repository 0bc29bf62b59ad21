"""What the daily tables share: sessions of the affected (media, local day) pairs, counted."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.transforms.conform import conform

KEYS = ("media_id", "date")
#: What the daily tables count by, and from.
_NEEDED = (
    "visitor_id", "received_at", "percent_viewed", "watch_milliseconds", "conversion_type",
    "channel", "country", "region", "platform", "browser", "is_mobile", "embed_host",
)  # fmt: skip
_FULL = (
    "case when watch_milliseconds is not null then cast(floor(duration_seconds * 1000 + 0.5) as bigint) end"
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
            F.expr("cast(floor(percent_viewed * 1e6 + 0.5) as bigint)").alias("viewed_millionths"),
            F.expr(_FULL).alias("full_milliseconds"),
        )
    )


def count_if(condition: str) -> Column:
    """Rows for which `condition` holds; 0, not NULL, if none."""
    return F.expr(f"coalesce(sum(case when {condition} then 1 else 0 end), 0)")


def measures() -> dict[str, Column]:
    """Aggregates that every daily table has."""
    return {
        "plays_from_events": count_if("conversion_type is null"),
        "sessions": F.count(F.lit(1)),
        "unique_viewers": F.expr("count(distinct visitor_id)"),
        "watch_milliseconds": F.sum("watch_milliseconds"),  # NULL, not 0, if no duration is known
        "reached_95": count_if("percent_viewed >= 0.95"),
        "conversions": count_if("conversion_type is not null"),
    }


def by_dimension(rows: DataFrame, table: Table, dimensions: dict[str, Column], built_at: Column) -> DataFrame:
    """`sessions` counted by media, day and the table's own dimensions."""
    grouped = rows.withColumns(dimensions).groupBy(*KEYS, *dimensions)
    counted = grouped.agg(*(c.alias(name) for name, c in measures().items()))
    return conform(counted.withColumn("built_at", built_at), table)


def known(names: Sequence[str]) -> dict[str, Column]:
    """Text dimensions, with "" for unknown: a key may not be NULL."""
    return {name: F.coalesce(F.col(name), F.lit("")) for name in names}
