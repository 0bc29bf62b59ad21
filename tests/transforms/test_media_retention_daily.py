"""Retention between two snapshots: a difference only where seconds can be compared."""

from support.tables import expect, given
from wistlake.contracts import media_lifetime, media_retention_daily
from wistlake.transforms import media_retention_daily as transform


def test_differences_and_why_there_is_none(spark, built_at):
    lifetime = given(
        spark, media_lifetime.TABLE,
        """
        media_id  | snapshot_date | engagement_data | rewatch_data | duration_seconds | original_asset
        same      | 2026-03-01    | [4, 2, 1]       | [0, 0, 0]    | 3                | a
        same      | 2026-03-02    |                 |              | 3                | a
        same      | 2026-03-03    | [9, 2, 2]       | [1, 0, 0]    | 3                | a
        swapped   | 2026-03-01    | [4, 2, 1]       | [0, 0, 0]    | 3                | a
        swapped   | 2026-03-02    | [5, 2, 1]       | [0, 0, 0]    | 3                | b
        longer    | 2026-03-01    | [4, 2, 1]       | [0, 0, 0]    | 3                | a
        longer    | 2026-03-02    | [5, 2, 1]       | [0, 0, 0]    | 4                | a
        scaled    | 2026-03-01    | [4, 2, 1]       | [0, 0, 0]    | 3                | a
        scaled    | 2026-03-02    | [5, 2]          | [0, 0]       | 3                | a
        restated  | 2026-03-01    | [4, 2, 1]       | [0, 0, 0]    | 3                | a
        restated  | 2026-03-02    | [5, 1, 1]       | [0, 0, 0]    | 3                | a
        unplayed  | 2026-03-01    | []              | []           | 3                | a
        unplayed  | 2026-03-02    | [1, 1, 1]       | [0, 0, 0]    | 3                | a
        """,
    )  # fmt: skip
    expect(
        transform.build(lifetime, built_at), media_retention_daily.TABLE,
        """
        media_id | date       | previous_date | verdict          | views     | rewatches
        same     | 2026-03-03 | 2026-03-01    | comparable       | [5, 0, 1] | [1, 0, 0]
        swapped  | 2026-03-02 | 2026-03-01    | media_swapped    |           |
        longer   | 2026-03-02 | 2026-03-01    | duration_changed |           |
        scaled   | 2026-03-02 | 2026-03-01    | duration_changed |           |
        restated | 2026-03-02 | 2026-03-01    | restated         |           |
        """,
    )  # fmt: skip
