"""A media's day by the host that embedded it."""

from pyspark.sql import Column, DataFrame

from wistlake.contracts.embed_daily import TABLE
from wistlake.transforms.daily import by_dimension, known


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` counted by the host that embedded it."""
    return by_dimension(sessions, TABLE, known(("embed_host",)), built_at)
