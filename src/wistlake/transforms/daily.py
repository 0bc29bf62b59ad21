"""What the daily tables share: sessions of the affected (media, local day) pairs, counted."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.contracts.measures import OF_SESSION, OF_SESSIONS
from wistlake.transforms.conform import conform

KEYS = ("media_id", "date")
#: What the daily tables count by, and from.
_NEEDED = (
    "visitor_id", "received_at", "percent_viewed", "watch_milliseconds", "conversion_type",
    "channel", "country", "region", "platform", "browser", "is_mobile", "embed_host",
)  # fmt: skip


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


def by_dimension(rows: DataFrame, table: Table, dimensions: dict[str, Column], built_at: Column) -> DataFrame:
    """`sessions` counted by media, day and the table's own dimensions."""
    grouped = rows.withColumns(dimensions).groupBy(*KEYS, *dimensions)
    counted = grouped.agg(*aliased(OF_SESSIONS))
    return conform(counted.withColumn("built_at", built_at), table)


def known(names: Sequence[str]) -> dict[str, Column]:
    """Text dimensions, with "" for unknown: a key may not be NULL."""
    return {name: F.coalesce(F.col(name), F.lit("")) for name in names}
