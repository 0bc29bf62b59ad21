"""The current rows that a build compares its own with: the `current` side of `changes`."""

from collections.abc import Collection, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def whole(rows: DataFrame) -> DataFrame:
    """All of `rows` are in scope: those that the build does not have are removed."""
    return rows.withColumn("_in_scope", F.lit(True))


def of_keys(current: DataFrame, rows: DataFrame, keys: Sequence[str]) -> DataFrame:
    """The current rows that have the `keys` of one of `rows`."""
    return whole(current.join(rows.select(*keys).distinct(), on=list(keys), how="left_semi"))


def of_places(current: DataFrame, places: DataFrame, keys: Sequence[str]) -> DataFrame:
    """The current rows at one of a few `places`, named by `keys`."""
    return whole(current.join(F.broadcast(places), on=list(keys), how="left_semi"))


def of_media(rows: DataFrame, media: Collection[str]) -> DataFrame:
    """The rows of some media."""
    return rows.where(F.col("media_id").isin(sorted(media)))


def without_media(rows: DataFrame, media: Collection[str]) -> DataFrame:
    """The rows of all other media."""
    return rows.where(~F.col("media_id").isin(sorted(media)))


def of_visitors(rows: DataFrame, visitors: DataFrame) -> DataFrame:
    """The rows of some visitors."""
    return rows.join(visitors, on="visitor_id", how="left_semi")
