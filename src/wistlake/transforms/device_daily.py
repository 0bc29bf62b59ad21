"""A media's day by platform, browser and kind of device."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.device_daily import TABLE
from wistlake.transforms.daily import by_dimension, known


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` counted by platform, browser and kind of device."""
    return by_dimension(
        sessions,
        TABLE,
        known(("platform", "browser")) | {"is_mobile": F.coalesce(F.col("is_mobile"), F.lit(False))},
        built_at,
    )
