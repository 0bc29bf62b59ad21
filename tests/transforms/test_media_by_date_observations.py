"""Every value ever seen: a row only where one moved."""

from support.tables import expect, given
from wistlake.contracts import fact_media_by_date, media_by_date_observations
from wistlake.transforms import media_by_date_observations as transform

TABLE = media_by_date_observations.TABLE


def test_a_row_only_where_a_value_moved_since_the_newest_observation(spark):
    seen = given(
        spark, TABLE,
        """
        media_id | date       | observed_at      | load_count | play_count | hours_watched_modelled
        m1       | 2026-03-02 | 2026-03-03T02:15 | 5          | 2          | 0.5
        m1       | 2026-03-02 | 2026-03-04T02:15 | 6          | 2          | 0.5
        m1       | 2026-03-03 | 2026-03-04T02:15 | 1          | 1          | 0.1
        """,
    )  # fmt: skip
    rows = given(
        spark, fact_media_by_date.TABLE,
        """
        media_id | date       | observed_at      | load_count | play_count | hours_watched_modelled
        m1       | 2026-03-02 | 2026-03-05T02:15 | 5          | 2          | 0.5
        m1       | 2026-03-03 | 2026-03-05T02:15 | 1          | 1          | 0.1
        m1       | 2026-03-04 | 2026-03-05T02:15 | 0          | 0          | 0
        """,
    )  # fmt: skip
    expect(
        transform.build(rows, seen), TABLE,
        """
        media_id | date       | observed_at      | load_count
        m1       | 2026-03-02 | 2026-03-05T02:15 | 5
        m1       | 2026-03-04 | 2026-03-05T02:15 | 0
        """,
    )  # fmt: skip
