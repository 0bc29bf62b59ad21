"""Every value that Wistia ever served for a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.media_by_date_observations import TABLE
from wistlake.transforms import fact_media_by_date
from wistlake.transforms.conform import conform

VALUES = ("load_count", "play_count", "hours_watched_modelled")


def build(typed: DataFrame, latest: DataFrame, built_at: Column) -> DataFrame:
    """The newest observation of each day, if it differs from `latest` (`fact_media_by_date` before this
    build): a row only where a value moved."""
    rows = fact_media_by_date.build(typed, built_at)
    known = latest.select(
        "media_id",
        "date",
        *(F.col(v).alias(f"_{v}") for v in VALUES),
        F.col("observed_at").alias("_observed_at"),
    )
    same = F.expr(" and ".join(f"{v} <=> _{v}" for v in VALUES))
    moved = rows.join(known, on=["media_id", "date"], how="left").where(
        F.col("_observed_at").isNull() | ~same
    )
    return conform(moved, TABLE)
