"""A media's day by the host that embedded it."""

from support.tables import expect, given
from wistlake.contracts import embed_daily, fact_events
from wistlake.transforms import embed_daily as transform


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
        transform.build(sessions, built_at), embed_daily.TABLE,
        """
        media_id | date       | embed_host      | plays_from_events | unique_viewers | watch_milliseconds
        m1       | 2026-03-02 | www.example.com | 2                 | 1              | 30
        m1       | 2026-03-02 | ""              | 1                 | 1              | 30
        m2       | 2026-03-02 | www.example.com | 1                 | 1              | 40
        """,
    )  # fmt: skip
