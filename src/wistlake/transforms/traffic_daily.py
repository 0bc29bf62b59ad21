"""Plays by dimension and day, with each value's share of the dimension."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.traffic_daily import TABLE
from wistlake.transforms.conform import conform


def build(traffic: DataFrame, built_at: Column) -> DataFrame:
    """Rows of `traffic_by_date` of whole days to one a value."""
    keys = ("media_id", "date", "dimension")
    whole = traffic.groupBy(*map(F.col, keys)).agg(F.sum("plays").alias("_plays"))
    rows = traffic.join(whole, on=list(keys), how="inner")
    share = "case when _plays > 0 then cast(plays as double) / _plays end"
    return conform(
        rows.withColumns(
            {"engagement": F.col("engagement_rate"), "share_of_plays": F.expr(share), "built_at": built_at}
        ),
        TABLE,
    )
