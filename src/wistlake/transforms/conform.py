"""The seam of every transform: exactly the contract's columns, cast and in order."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive.spark import SPARK


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """`frame` with the contract's columns only; a missing one is the engine's AnalysisException."""
    return frame.select(*(F.col(c.name).cast(SPARK[c.type]).alias(c.name) for c in table.columns))
