"""The labels of media as they are: a row each."""

from pyspark.sql import Column, DataFrame

from wistlake.contracts.dim_media_label import TABLE
from wistlake.transforms.conform import conform

GIVEN = "media_id string, label string, value string, labelled_at timestamp"


def build(given: DataFrame, built_at: Column) -> DataFrame:
    """The labels that media have now (`GIVEN`) to rows."""
    return conform(given.withColumn("built_at", built_at), TABLE)
