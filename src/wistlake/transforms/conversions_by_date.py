"""Forms that viewers sent, counted by day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.conversions import SOURCE
from wistlake.contracts.conversions_by_date import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.landing import value

# Nobody knows in which zone Wistia's own window is: only what is days away was never asked for.
RULES = {
    "outside_window": f"abs(datediff(to_date({value(SOURCE.field('converted_at'))}), _dt)) > 2",
}


def build(typed: DataFrame, built_at: Column) -> DataFrame:
    """Typed rows to one a media and day, of its newest landing. The day is the landing's."""
    by_landing = typed.groupBy(
        F.col("landing_media_id").alias("media_id"),
        F.col("landing_dt").alias("date"),
        F.col("landing_id"),
    ).agg(F.count(F.lit(1)).alias("conversions"), F.max("observed_at").alias("observed_at"))
    newest = by_landing.groupBy(*map(F.col, ("media_id", "date"))).agg(
        F.max("landing_id").alias("landing_id")
    )
    rows = by_landing.join(F.broadcast(newest), on=["media_id", "date", "landing_id"], how="left_semi")
    return conform(rows.withColumn("built_at", built_at), TABLE)
