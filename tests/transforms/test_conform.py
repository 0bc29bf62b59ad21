"""The seam: a contract's columns, in its order, of its types, and nothing else."""

import pytest
from pyspark.errors import AnalysisException

from support.tables import types_of
from wistlake.contracts import TABLES
from wistlake.transforms import conform as transform


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_columns_order_and_types_are_the_contracts(spark, table):
    names = sorted(table.column_names, reverse=True)
    given = spark.createDataFrame([], ", ".join(f"{n} {types_of(table)[n]}" for n in names))
    frame = transform.conform(given.selectExpr("*", "'x' AS secret"), table)
    assert dict(frame.dtypes) == types_of(table)
    assert tuple(frame.columns) == table.column_names


def test_values_are_cast(spark):
    table = next(t for t in TABLES if t.full_name == "gold.geo_daily")
    texts = spark.createDataFrame([("7",)], "plays_from_events string").selectExpr(
        "*", *(f"null AS {n}" for n in table.column_names if n != "plays_from_events")
    )
    assert transform.conform(texts, table).collect()[0]["plays_from_events"] == 7


def test_a_column_that_a_transform_forgot_is_an_error(spark):
    table = TABLES[0]
    with pytest.raises(AnalysisException):
        transform.conform(spark.createDataFrame([("x",)], "media_id string"), table).collect()
