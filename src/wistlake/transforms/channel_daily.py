"""A media's day by channel."""

from pyspark.sql import Column, DataFrame

from wistlake.contracts.channel_daily import TABLE
from wistlake.transforms.daily import by_dimension, known


def build(sessions: DataFrame, built_at: Column) -> DataFrame:
    """`daily.sessions` counted by channel."""
    return by_dimension(sessions, TABLE, known(("channel",)), built_at)
