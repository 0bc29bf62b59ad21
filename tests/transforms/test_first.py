"""The first row of a key, in a stated order, whichever way it is found."""

import random

import pytest
from pyspark.sql import functions as F

from support.tables import expect, given
from wistlake.transforms import first as transform

ROWS = """
    key:string | at:bigint | line:bigint
    a          | 1         | 1
    a          | 3         | 3
    a          | 3         | 2
    b          | 2         | 1
"""
WANTED = """
    key:string | at:bigint | line:bigint
    a          | 3         | 2
    b          | 2         | 1
"""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", ["first", "first_of_repeated"])
def test_one_row_a_key_whatever_the_order_of_arrival(spark, way, seed):
    head, *rows = ROWS.strip().splitlines()
    random.Random(seed).shuffle(rows)
    frame = given(spark, None, "\n".join([head, *rows]))
    order = (F.col("at").desc(), F.col("line"))
    chosen = (
        transform.first(frame, ["key"], *order)
        if way == "first"
        else transform.first_of_repeated(frame, transform.repeated(frame, "key"), "key", *order)
    )
    expect(chosen, None, WANTED)
    assert chosen.columns == ["key", "at", "line"]


def test_no_rows_are_no_keys(spark):
    none = given(spark, None, "key:string | at:bigint")
    assert transform.first(none, ["key"], F.col("at")).collect() == []
    assert transform.first_of_repeated(none, none.select("key"), "key", F.col("at")).collect() == []
