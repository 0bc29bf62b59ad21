"""The seams of transforms: rows of Python's as a frame, and exactly the contract's columns, cast and in order."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from wistlake.contracts.form import Table
from wistlake.derive.spark import SPARK


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """`frame` with the contract's columns only; a missing one is the engine's AnalysisException."""
    return frame.select(*(F.col(c.name).cast(SPARK[c.type]).alias(c.name) for c in table.columns))


_TYPES = {
    "string": T.StringType(),
    "bigint": T.LongType(),
    "double": T.DoubleType(),
    "boolean": T.BooleanType(),
    "date": T.DateType(),
    "timestamp": T.TimestampType(),
}


def local(spark: SparkSession, rows: Iterable[tuple[Any, ...]], columns: str) -> DataFrame:
    """`rows` as a frame. `columns` are DDL, which is read here: asking the engine for it costs a request."""
    named = [column.split() for column in columns.split(",")]
    return spark.createDataFrame(list(rows), T.StructType([T.StructField(n, _TYPES[t]) for n, t in named]))


def union(frames: Iterable[DataFrame]) -> DataFrame:
    """All rows of one or more frames that have the same columns."""
    return reduce(lambda a, b: a.unionByName(b), frames)


def moment(at: datetime) -> Column:
    """One moment, the same for every row."""
    return F.lit(at)
