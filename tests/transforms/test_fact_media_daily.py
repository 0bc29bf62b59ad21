"""The daily answer: also for days without a session."""

import pytest

from support.tables import expect, given
from wistlake.contracts import fact_events, fact_media_by_date, fact_media_daily, media_analytics_by_date
from wistlake.transforms import daily
from wistlake.transforms import fact_media_daily as transform

TABLE = fact_media_daily.TABLE
PAIRS = """
    media_id:string | date:date  | certificate:string
    m1              | 2026-03-02 | settled
    m1              | 2026-03-03 | provisional
    m2              | 2026-03-02 | provisional
"""


@pytest.fixture
def row(spark, built_at):
    events = given(
        spark, fact_events.TABLE,
        """
        event_key | media_id | event_date_local | visitor_id | percent_viewed | watch_milliseconds | duration_seconds | conversion_type
        a         | m1       | 2026-03-02       | v1         | 0.25           | 2500               | 10               |
        b         | m1       | 2026-03-02       | v1         | 0.95           | 9500               | 10               |
        c         | m1       | 2026-03-02       | v2         | 0.2499         |                    |                  | pre-roll-email
        """,
    )  # fmt: skip
    counts = given(
        spark, fact_media_by_date.TABLE,
        """
        media_id | date       | load_count | play_count | hours_watched_modelled
        m1       | 2026-03-02 | 8          | 3          | 0.5
        m1       | 2026-03-03 | 0          | 0          | 0
        """,
    )  # fmt: skip
    rates = given(
        spark, media_analytics_by_date.TABLE, "media_id | date | play_rate\n m1 | 2026-03-02 | 0.125"
    )
    pairs = given(spark, None, PAIRS)
    sessions = daily.sessions(events, pairs.select("media_id", "date"))
    return transform.build(pairs, sessions, counts, rates, built_at)


def test_counts(row):
    expect(
        row, TABLE,
        """
        media_id | date       | sessions | plays_from_events | conversions | unique_viewers | reached_25 | reached_50 | reached_75 | reached_95
        m1       | 2026-03-02 | 3        | 2                 | 1           | 2              | 2          | 1          | 1          | 1
        m1       | 2026-03-03 | 0        | 0                 | 0           | 0              | 0          | 0          | 0          | 0
        m2       | 2026-03-02 | 0        | 0                 | 0           | 0              | 0          | 0          | 0          | 0
        """,
    )  # fmt: skip


def test_watch_time_counts_only_what_is_known(row):
    expect(
        row.where("sessions > 0"), TABLE,
        """
        watch_milliseconds | timed_sessions | full_milliseconds | viewed_millionths
        12000              | 2              | 20000             | 1449900
        """,
    )  # fmt: skip


def test_zero_is_zero_and_unknown_is_null(row):
    expect(
        row, TABLE,
        """
        media_id | date       | loads | plays | play_rate_analytics | play_rate_estimated | hours_watched_modelled | certificate
        m1       | 2026-03-02 | 8     | 3     | 0.125               | 0.25                | 0.5                    | settled
        m1       | 2026-03-03 | 0     | 0     |                     |                     | 0                      | provisional
        m2       | 2026-03-02 |       |       |                     |                     |                        | provisional
        """,
    )  # fmt: skip
