"""The media as they were: a new version whenever something that people decide on has changed."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from wistlake.contracts.dim_media_history import TABLE
from wistlake.transforms.conform import conform

FOLLOWED = (
    "title", "type", "status", "archived", "duration_seconds", "folder", "subfolder", "tags", "original_asset",
)  # fmt: skip


def build(observed: DataFrame, current: DataFrame, built_at: Column) -> DataFrame:
    """New observations (`dim_media.described`) and the versions known so far, to all versions of the media
    that were observed. The order of arrival does not matter: versions are cut anew from all points."""
    media = observed.select("media_id").distinct()
    points = (
        current.join(media, on="media_id", how="left_semi")
        .select("media_id", F.col("valid_from").alias("_at"), *FOLLOWED)
        .unionByName(observed.select("media_id", F.col("observed_at").alias("_at"), *FOLLOWED))
        .withColumn("_state", F.sha2(F.to_json(F.struct(*FOLLOWED)), 256))
    )
    by_time = Window.partitionBy("media_id").orderBy("_at", "_state")
    cut = points.withColumn("_before", F.lag("_state").over(by_time)).where(
        F.col("_before").isNull() | (F.col("_before") != F.col("_state"))
    )
    once = Window.partitionBy("media_id", "_at").orderBy(F.col("_state").desc())
    single = cut.withColumn("_rank", F.row_number().over(once)).where("_rank = 1")
    following = F.lead("_at").over(Window.partitionBy("media_id").orderBy("_at"))
    return conform(
        single.withColumn("valid_to", following).withColumns(
            {
                "valid_from": F.col("_at"),
                "is_current": F.col("valid_to").isNull(),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
