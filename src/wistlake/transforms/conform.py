"""The seam of every transform: exactly the contract's columns, cast and in order."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive.spark import SPARK


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """`frame` with the contract's columns only; a missing one is the engine's AnalysisException."""
    return frame.select(*(F.col(c.name).cast(SPARK[c.type]).alias(c.name) for c in table.columns))


def union(frames: Iterable[DataFrame]) -> DataFrame:
    """All rows of one or more frames that have the same columns."""
    return reduce(lambda a, b: a.unionByName(b), frames)


def moment(at: datetime) -> Column:
    """One moment, the same for every row."""
    return F.lit(at)
