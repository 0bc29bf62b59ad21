"""Wistia's newer analytics by local day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.analytics_daily import SOURCE
from wistlake.contracts.media_analytics_by_date import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first
from wistlake.transforms.landing import below_zero, no_share, share

DERIVED = {"play_rate": share(SOURCE.field("play_rate"))}
RULES = {
    "bad_play_rate": no_share(SOURCE.field("play_rate")),
    "negative_count": below_zero(
        SOURCE,
        "plays",
        "unique_plays",
        "unique_loads",
        "unique_visitors",
        "played_time",
        "engagement_rate",
        "cta_impressions",
        "cta_conversions",
        "form_conversions",
    ),
}


def build(typed: DataFrame, built_at: Column) -> DataFrame:
    """Typed rows to one a media and day. The day is the landing's: Wistia stamps its start in UTC."""
    order = (F.col("observed_at").desc(), F.col("landing_id").desc(), F.col("line"))
    named = typed.withColumns(
        {
            "media_id": F.col("landing_media_id"),
            "date": F.col("landing_dt"),
            "played_seconds": F.col("played_time"),
            "built_at": built_at,
        }
    )
    return conform(first(named, ["media_id", "date"], *order), TABLE)
