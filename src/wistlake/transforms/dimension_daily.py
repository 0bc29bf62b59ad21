"""A media's day by one dimension: channel, place, device, embedding host."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table, Type
from wistlake.contracts.measures import OF_SESSIONS
from wistlake.transforms.conform import conform
from wistlake.transforms.daily import KEYS, aliased


def build(sessions: DataFrame, table: Table, built_at: Column) -> DataFrame:
    """`daily.sessions` counted by media, day and the dimensions in the key of `table`."""
    dimensions = {
        name: F.coalesce(F.col(name), F.lit(False if table.column(name).type is Type.BOOLEAN else ""))
        for name in table.key
        if name not in KEYS
    }
    grouped = sessions.withColumns(dimensions).groupBy(*map(F.col, (*KEYS, *dimensions)))
    counted = grouped.agg(*aliased(OF_SESSIONS))
    return conform(counted.withColumn("built_at", built_at), table)
