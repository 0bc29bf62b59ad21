"""One row a key: the first of several, in a stated order."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def first(rows: DataFrame, keys: Sequence[str], *order: Column) -> DataFrame:
    """The first row of each key in `order`."""
    by = Window.partitionBy(*keys).orderBy(*order)
    return rows.withColumn("_rank", F.row_number().over(by)).where("_rank = 1").drop("_rank")


def repeated(rows: DataFrame, key: str) -> DataFrame:
    """The keys that occur more than once."""
    return rows.groupBy(F.col(key)).agg(F.count(F.lit(1)).alias("_n")).where("_n > 1").select(key)


def first_of_repeated(rows: DataFrame, repeated: DataFrame, key: str, *order: Column) -> DataFrame:
    """The same where few keys are `repeated`: only those are sorted. `key` is never NULL.

    Reads both several times: for frames that lie in files (staged, or a table), not for ones that must be computed. An
    engine that finds few keys in a file holds them in memory, and sends the rows past them.
    """
    once = rows.join(F.broadcast(repeated), on=key, how="left_anti")
    again = rows.join(F.broadcast(repeated), on=key, how="left_semi")
    return once.unionByName(first(again, [key], *order))
