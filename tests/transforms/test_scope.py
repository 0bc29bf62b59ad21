"""The current rows that a build compares with."""

from support.tables import given
from wistlake.contracts.fact_media_by_date import TABLE
from wistlake.transforms import scope

ROWS = """
    media_id | date:date
    m1       | 2026-03-01
    m1       | 2026-03-02
    m2       | 2026-03-02
    m3       | 2026-03-02
"""
BUILT = """
    media_id | date:date
    m1       | 2026-03-02
    m1       | 2026-03-02
    m3       | 2026-03-01
"""


def places(frame):
    return sorted((r["media_id"], r["date"].day) for r in frame.collect())


def test_all_rows_are_in_scope(spark):
    rows = scope.whole(given(spark, TABLE, ROWS)).collect()
    assert [r["_in_scope"] for r in rows] == [True] * 4


def test_rows_of_keys_come_once_however_often_the_build_has_the_key(spark):
    current = scope.of_keys(given(spark, TABLE, ROWS), given(spark, TABLE, BUILT), ["media_id", "date"])
    assert places(current) == [("m1", 2)]
    assert current.collect()[0]["_in_scope"] is True


def test_rows_of_part_of_a_key(spark):
    current = scope.of_keys(given(spark, TABLE, ROWS), given(spark, TABLE, BUILT), ["media_id"])
    assert places(current) == [("m1", 1), ("m1", 2), ("m3", 2)]


def test_rows_of_places(spark):
    wanted = given(spark, TABLE, BUILT).select("media_id", "date")
    current = scope.of_places(given(spark, TABLE, ROWS), wanted, ["media_id", "date"])
    assert places(current) == [("m1", 2)]
    assert current.collect()[0]["_in_scope"] is True


def test_rows_of_some_media_and_of_all_others(spark):
    rows = given(spark, TABLE, ROWS)
    assert places(scope.of_media(rows, {"m2", "m3"})) == [("m2", 2), ("m3", 2)]
    assert places(scope.without_media(rows, {"m2", "m3"})) == [("m1", 1), ("m1", 2)]
