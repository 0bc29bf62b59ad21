"""A media's day by country and region: unknown is a place of its own."""

from support.tables import expect, given
from wistlake.contracts import fact_events, geo_daily
from wistlake.transforms import geo_daily as transform


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
        transform.build(sessions, built_at), geo_daily.TABLE,
        """
        media_id | date       | country | region | plays_from_events | unique_viewers | watch_milliseconds
        m1       | 2026-03-02 | US      | Texas  | 1                 | 1              |
        m1       | 2026-03-02 | US      | ""     | 1                 | 1              |
        m1       | 2026-03-02 | ""      | ""     | 2                 | 2              |
        """,
    )  # fmt: skip
