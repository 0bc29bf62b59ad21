"""Lifetime snapshots: two endpoints on one row, with the media as it was on that day."""

import pytest

from support.tables import expect, given
from wistlake.contracts import dim_media_history, media_engagement, media_lifetime, media_stats
from wistlake.transforms import media_lifetime as transform

TABLE = media_lifetime.TABLE
PLACE = "landing_media_id:string | landing_dt:date | observed_at:timestamp | landing_id:string"


@pytest.fixture
def history(spark):
    return given(
        spark, dim_media_history.TABLE,
        """
        media_id | valid_from       | valid_to         | duration_seconds | original_asset
        m1       | 2026-03-02T02:15 | 2026-03-04T02:15 | 100              | first
        m1       | 2026-03-04T02:15 |                  | 50               | second
        """,
    )  # fmt: skip


def test_both_endpoints_on_one_row_each_with_the_media_of_its_day(spark, history, built_at):
    stats = given(
        spark, media_stats.SOURCE,
        f"""
        load_count | play_count | visitors | engagement | {PLACE}
        10         | 4          | 8        | 0.5        | m1 | 2026-03-03 | 2026-03-03T02:15 | s3
        20         | 6          | 9        | 0.4        | m1 | 2026-03-04 | 2026-03-04T02:15 | s4
        """,
    )  # fmt: skip
    curves = given(
        spark, media_engagement.SOURCE,
        f"""
        engagement_data | rewatch_data | {PLACE}
        [4, 2]          | [0, 0]       | m1 | 2026-03-03 | 2026-03-03T02:15 | e3
        [9]             | [1]          | m1 | 2026-03-05 | 2026-03-05T02:15 | e5
        """,
    )  # fmt: skip
    none = given(spark, TABLE, "media_id")
    expect(
        transform.build(stats, curves, history, none, built_at), TABLE,
        """
        media_id | snapshot_date | load_count | engagement_data | duration_seconds | original_asset | landing_id
        m1       | 2026-03-03    | 10         | [4, 2]          | 100              | first          | s3
        m1       | 2026-03-04    | 20         |                 | 50               | second         | s4
        m1       | 2026-03-05    |            | [9]             | 50               | second         | e5
        """,
    )  # fmt: skip


def test_an_endpoint_that_was_silent_does_not_take_back_what_is_known(spark, history, built_at):
    known = given(
        spark,
        TABLE,
        "media_id | snapshot_date | load_count | engagement_data\n m1 | 2026-03-03 | 10 | [4, 2]",
    )
    stats = given(
        spark, media_stats.SOURCE, f"load_count | {PLACE}\n 11 | m1 | 2026-03-03 | 2026-03-03T09:15 | s3b"
    )
    curves = given(spark, media_engagement.SOURCE, PLACE)
    expect(
        transform.build(stats, curves, history, known, built_at), TABLE,
        """
        media_id | snapshot_date | load_count | engagement_data
        m1       | 2026-03-03    | 11         | [4, 2]
        """,
    )  # fmt: skip
