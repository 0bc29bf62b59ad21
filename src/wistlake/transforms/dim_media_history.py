"""The media as they were: a new version whenever something that people decide on has changed."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from wistlake.contracts.dim_media_history import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.dim_media import named
from wistlake.transforms.first import first

FOLLOWED = (
    "title", "type", "status", "archived", "duration_seconds", "folder", "subfolder", "tags", "original_asset",
)  # fmt: skip


def spans(history: DataFrame, **values: Column) -> DataFrame:
    """`values` of each version with the span it holds in (`_media`, `_from`, `_to`): the
    earliest version known also covers the time before it."""
    order = Window.partitionBy("media_id").orderBy("valid_from")
    return history.select(
        F.col("media_id").alias("_media"),
        F.when(F.row_number().over(order) > 1, F.col("valid_from")).alias("_from"),
        F.col("valid_to").alias("_to"),
        *(column.alias(name) for name, column in values.items()),
    )


def nearest_duration() -> Column:
    """The duration (of `spans`) that holds for a version: its own, else the last one known before, else the
    first one known after. A media that is still being processed has none."""
    positive = F.when(F.col("duration_seconds") > 0, F.col("duration_seconds"))
    by_time = Window.partitionBy("media_id").orderBy("valid_from")
    before = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    after = by_time.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    return F.coalesce(
        F.last(positive, ignorenulls=True).over(before), F.first(positive, ignorenulls=True).over(after)
    )


def holds_at(instant: str) -> Column:
    """Whether a span is that of `media_id` at `instant`."""
    return F.expr(
        f"media_id = _media and (_from is null or {instant} >= _from) and (_to is null or {instant} < _to)"
    )


def build(observed: DataFrame, current: DataFrame, built_at: Column) -> DataFrame:
    """New observations (`dim_media.described`) and the versions known so far, to all versions of the media
    that were observed.

    Versions are cut again from all points, so that an observation that arrives late takes its place. Only an
    observation that changed nothing has left no point to cut at."""
    media = observed.select("media_id").distinct()
    points = (
        named(current)  # rows of older versions hold texts as served
        .join(media, on="media_id", how="left_semi")
        .select("media_id", F.col("valid_from").alias("_at"), *FOLLOWED)
        .unionByName(observed.select("media_id", F.col("observed_at").alias("_at"), *FOLLOWED))
        .withColumn("_state", F.sha2(F.to_json(F.struct(*FOLLOWED)), 256))
    )
    by_time = Window.partitionBy("media_id").orderBy("_at", "_state")
    cut = points.withColumn("_before", F.lag("_state").over(by_time)).where(
        F.col("_before").isNull() | (F.col("_before") != F.col("_state"))
    )
    single = first(cut, ["media_id", "_at"], F.col("_state").desc())
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
