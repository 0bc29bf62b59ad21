"""A media's day by channel."""

from support.tables import expect, given
from wistlake.contracts import channel_daily, fact_events
from wistlake.transforms import channel_daily as transform


def test_a_session_with_a_conversion_is_in_the_row_of_its_viewer(spark, built_at):
    """v3 has only converted: one session, one viewer, no play."""
    sessions = given(
        spark, fact_events.TABLE,
        """
        media_id | date:date  | channel | visitor_id | percent_viewed | watch_milliseconds | conversion_type
        m1       | 2026-03-02 | youtube | v1         | 0.95           | 10                 |
        m1       | 2026-03-02 | youtube | v1         | 0.1            |                    | form
        m1       | 2026-03-02 | email   | v2         | 0.9            | 5                  |
        m1       | 2026-03-03 | email   | v2         | 0.9            | 5                  |
        m1       | 2026-03-03 | tiktok  | v3         | 1.0            | 7                  | form
        """,
    )  # fmt: skip
    expect(
        transform.build(sessions, built_at), channel_daily.TABLE,
        """
        media_id | date       | channel | plays_from_events | sessions | unique_viewers | watch_milliseconds | reached_95 | conversions
        m1       | 2026-03-02 | youtube | 1                 | 2        | 1              | 10                 | 1          | 1
        m1       | 2026-03-02 | email   | 1                 | 1        | 1              | 5                  | 0          | 0
        m1       | 2026-03-03 | email   | 1                 | 1        | 1              | 5                  | 0          | 0
        m1       | 2026-03-03 | tiktok  | 0                 | 1        | 1              | 7                  | 1          | 1
        """,
    )  # fmt: skip
