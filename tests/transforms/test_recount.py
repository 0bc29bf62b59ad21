"""A day counted a second time: every figure that gold has, from listed sessions only."""

from support.tables import expect, given
from wistlake.contracts import fact_events, fact_media_daily
from wistlake.transforms import recount as transform

SESSIONS = """
    event_key | media_id | event_date_local | event_date | received_at      | visitor_id | percent_viewed | watch_milliseconds | conversion_type | removed_at
    a         | m1       | 2026-03-02       | 2026-03-02 | 2026-03-02T15:00 | v1         | 0.25           | 1000               |                 |
    b         | m1       | 2026-03-02       | 2026-03-03 | 2026-03-03T03:00 | v1         | 0.95           |                    |                 |
    c         | m1       | 2026-03-02       | 2026-03-02 | 2026-03-02T16:00 | v2         | 0.1            | 500                | email           |
    d         | m1       | 2026-03-02       | 2026-03-02 | 2026-03-02T17:00 | v3         | 1.0            | 9000               |                 | 2026-03-04T02:15
    e         | m1       | 2026-03-03       | 2026-03-03 | 2026-03-03T16:00 | v2         | 1.0            | 500                |                 |
    f         | m2       | 2026-03-02       | 2026-03-02 | 2026-03-02T16:00 | v2         | 1.0            | 500                |                 |
"""  # fmt: skip
WANTED = """
    media_id:string | date:date
    m1              | 2026-03-02
"""


def test_the_figures_of_a_wanted_day(spark):
    expect(
        transform.build(given(spark, fact_events.TABLE, SESSIONS), given(spark, None, WANTED)),
        fact_media_daily.TABLE,
        """
        media_id | date       | sessions | plays_from_events | conversions | unique_viewers | watch_milliseconds | timed_sessions | reached_25 | reached_50 | reached_75 | reached_95 | events:bigint | misplaced:bigint
        m1       | 2026-03-02 | 3        | 2                 | 1           | 2              | 1500               | 2              | 2          | 1          | 1          | 1          | 3             | 0
        """,
    )  # fmt: skip


def test_a_key_that_is_there_twice_and_a_row_in_a_strange_partition_show(spark):
    twice = """
        event_key | media_id | event_date_local | event_date | received_at      | visitor_id | percent_viewed
        a         | m1       | 2026-03-02       | 2026-03-02 | 2026-03-02T15:00 | v1         | 0.5
        a         | m1       | 2026-03-02       | 2026-03-01 | 2026-03-02T15:00 | v1         | 0.5
    """
    expect(
        transform.build(given(spark, fact_events.TABLE, twice), given(spark, None, WANTED)),
        fact_media_daily.TABLE,
        """
        media_id | date       | sessions | events:bigint | misplaced:bigint
        m1       | 2026-03-02 | 2        | 1             | 1
        """,
    )
