"""Every value that Wistia ever served for a day."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.media_by_date_observations import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first

VALUES = ("load_count", "play_count", "hours_watched_modelled")


def build(rows: DataFrame, seen: DataFrame) -> DataFrame:
    """`fact_media_by_date` as this build observed it, if it differs from the newest observation of the same
    day among those `seen` (this table): a row only where a value changed."""
    latest = first(seen, ["media_id", "date"], F.col("observed_at").desc()).select(
        "media_id", "date", *(F.col(v).alias(f"_{v}") for v in VALUES), F.lit(True).alias("_observed")
    )
    same = F.expr(" and ".join(f"{v} <=> _{v}" for v in VALUES))
    changed = rows.join(latest, on=["media_id", "date"], how="left").where(
        F.col("_observed").isNull() | ~same
    )
    return conform(changed, TABLE)
