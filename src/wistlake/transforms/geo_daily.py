"""A media's day by country and region."""

from pyspark.sql import Column, DataFrame

from wistlake.contracts.geo_daily import TABLE
from wistlake.transforms.daily import by_dimension, known


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` counted by country and region."""
    return by_dimension(sessions, TABLE, known(("country", "region")), built_at)
