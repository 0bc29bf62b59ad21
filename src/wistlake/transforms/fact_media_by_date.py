"""Wistia's own counts of a day: the newest observation."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.fact_media_by_date import TABLE
from wistlake.contracts.media_by_date import SOURCE
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first
from wistlake.transforms.landing import below_zero

RULES = {
    "negative_count": below_zero(SOURCE, "load_count", "play_count", "hours_watched"),
    "outside_window": "line.record.date <> cast(_dt as string)",
}


def build(typed: DataFrame, built_at: Column) -> DataFrame:
    """Typed by_date rows without a reason to one row a media and day."""
    order = (F.col("observed_at").desc(), F.col("landing_id").desc(), F.col("line"))
    named = typed.withColumns(
        {
            "media_id": F.col("landing_media_id"),
            "hours_watched_modelled": F.col("hours_watched"),
            "built_at": built_at,
        }
    )
    return conform(first(named, ["media_id", "date"], *order), TABLE)
