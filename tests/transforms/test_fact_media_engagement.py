"""Who watched what on a day."""

from support.tables import expect, given
from wistlake.contracts import fact_media_engagement
from wistlake.transforms import fact_media_engagement as transform

SESSIONS = "media_id:string | date:date | visitor_id:string | watch_milliseconds:bigint | viewed_millionths:bigint | received_at:timestamp | conversion_type:string"


def test_one_row_a_visitor_and_day(spark, built_at):
    sessions = given(
        spark, None,
        f"""
        {SESSIONS}
        m1 | 2026-03-02 | v1 | 2500 | 250000  | 2026-03-02T10:00 |
        m1 | 2026-03-02 | v1 |      | 1000000 | 2026-03-02T12:00 | form
        m1 | 2026-03-03 | v1 | 100  | 0       | 2026-03-03T12:00 |
        m2 | 2026-03-02 | v1 | 100  | 500000  | 2026-03-02T11:00 | form
        """,
    )  # fmt: skip
    expect(
        transform.build(sessions, built_at), fact_media_engagement.TABLE,
        """
        media_id | visitor_id | date       | play_count | sessions | watch_milliseconds | watched_share | first_received_at | last_received_at
        m1       | v1         | 2026-03-02 | 1          | 2        | 2500               | 0.625         | 2026-03-02T10:00  | 2026-03-02T12:00
        m1       | v1         | 2026-03-03 | 1          | 1        | 100                | 0             | 2026-03-03T12:00  | 2026-03-03T12:00
        m2       | v1         | 2026-03-02 | 0          | 1        | 100                | 0.5           | 2026-03-02T11:00  | 2026-03-02T11:00
        """,
    )  # fmt: skip
