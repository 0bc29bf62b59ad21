"""A media's day by one dimension: unknown is a value of its own."""

from support.tables import expect, given
from wistlake.contracts import fact_events
from wistlake.contracts.dimension_daily import CHANNEL_DAILY, DEVICE_DAILY, EMBED_DAILY, GEO_DAILY
from wistlake.transforms import dimension_daily as transform


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
        transform.build(sessions, CHANNEL_DAILY, built_at), CHANNEL_DAILY,
        """
        media_id | date       | channel | plays_from_events | sessions | unique_viewers | watch_milliseconds | reached_95 | conversions
        m1       | 2026-03-02 | youtube | 1                 | 2        | 1              | 10                 | 1          | 1
        m1       | 2026-03-02 | email   | 1                 | 1        | 1              | 5                  | 0          | 0
        m1       | 2026-03-03 | email   | 1                 | 1        | 1              | 5                  | 0          | 0
        m1       | 2026-03-03 | tiktok  | 0                 | 1        | 1              | 7                  | 1          | 1
        """,
    )  # fmt: skip


def test_by_country_and_region(spark, built_at):
    sessions = given(
        spark, fact_events.TABLE,
        """
        media_id | date:date  | country | region | visitor_id | percent_viewed
        m1       | 2026-03-02 | US      | Texas  | v1         | 0.5
        m1       | 2026-03-02 | US      |        | v1         | 0.5
        m1       | 2026-03-02 |         |        | v2         | 0.5
        m1       | 2026-03-02 |         |        | v3         | 0.5
        """,
    )  # fmt: skip
    expect(
        transform.build(sessions, GEO_DAILY, built_at), GEO_DAILY,
        """
        media_id | date       | country | region | plays_from_events | unique_viewers | watch_milliseconds
        m1       | 2026-03-02 | US      | Texas  | 1                 | 1              |
        m1       | 2026-03-02 | US      | ""     | 1                 | 1              |
        m1       | 2026-03-02 | ""      | ""     | 2                 | 2              |
        """,
    )  # fmt: skip


def test_by_device(spark, built_at):
    sessions = given(
        spark, fact_events.TABLE,
        """
        media_id | date:date  | platform | browser | is_mobile | visitor_id | percent_viewed | conversion_type
        m1       | 2026-03-02 | iOS      | Safari  | true      | v1         | 0.5            |
        m1       | 2026-03-02 | iOS      | Safari  | true      | v2         | 1              | form
        m1       | 2026-03-02 | iOS      | Safari  |           | v3         | 0.5            |
        m1       | 2026-03-02 |          |         |           | v4         | 0.5            |
        """,
    )  # fmt: skip
    expect(
        transform.build(sessions, DEVICE_DAILY, built_at), DEVICE_DAILY,
        """
        media_id | date       | platform | browser | is_mobile | plays_from_events | sessions | unique_viewers | reached_95
        m1       | 2026-03-02 | iOS      | Safari  | true      | 1                 | 2        | 2              | 1
        m1       | 2026-03-02 | iOS      | Safari  | false     | 1                 | 1        | 1              | 0
        m1       | 2026-03-02 | ""       | ""      | false     | 1                 | 1        | 1              | 0
        """,
    )  # fmt: skip


def test_by_host(spark, built_at):
    sessions = given(
        spark, fact_events.TABLE,
        """
        media_id | date:date  | embed_host      | visitor_id | percent_viewed | watch_milliseconds
        m1       | 2026-03-02 | www.example.com | v1         | 0.5            | 10
        m1       | 2026-03-02 | www.example.com | v1         | 0.5            | 20
        m1       | 2026-03-02 |                 | v2         | 0.5            | 30
        m2       | 2026-03-02 | www.example.com | v1         | 0.5            | 40
        """,
    )  # fmt: skip
    expect(
        transform.build(sessions, EMBED_DAILY, built_at), EMBED_DAILY,
        """
        media_id | date       | embed_host      | plays_from_events | unique_viewers | watch_milliseconds
        m1       | 2026-03-02 | www.example.com | 2                 | 1              | 30
        m1       | 2026-03-02 | ""              | 1                 | 1              | 30
        m2       | 2026-03-02 | www.example.com | 1                 | 1              | 40
        """,
    )  # fmt: skip
