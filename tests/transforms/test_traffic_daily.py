"""Plays by dimension and day, with shares."""

from support.tables import expect, given
from wistlake.contracts import traffic_by_date, traffic_daily
from wistlake.transforms import traffic_daily as transform


def test_gold_says_which_share_of_its_dimension_a_value_has(spark, built_at):
    rows = given(
        spark, traffic_by_date.TABLE,
        """
        media_id | date       | dimension  | value | loads | plays | engagement_rate
        m1       | 2026-03-02 | utm_source | mail  | 9     | 3     | 0.5
        m1       | 2026-03-02 | utm_source | ""    | 3     | 1     | 0.25
        m1       | 2026-03-02 | language   | en    |       | 0     |
        """,
    )  # fmt: skip
    expect(
        transform.build(rows, built_at), traffic_daily.TABLE,
        """
        media_id | date       | dimension  | value | loads | plays | engagement | share_of_plays
        m1       | 2026-03-02 | utm_source | mail  | 9     | 3     | 0.5        | 0.75
        m1       | 2026-03-02 | utm_source | ""    | 3     | 1     | 0.25       | 0.25
        m1       | 2026-03-02 | language   | en    |       | 0     |            |
        """,
    )  # fmt: skip
