"""What the daily tables share: which sessions count, and how."""

from support.tables import expect, given
from wistlake.contracts import fact_events
from wistlake.transforms import daily

PAIRS = "media_id:string | date:date"


def test_listed_sessions_of_the_affected_days_only(spark):
    events = given(
        spark, fact_events.TABLE,
        """
        event_key | media_id | event_date_local | removed_at       | percent_viewed | watch_milliseconds | duration_seconds
        a         | m1       | 2026-03-02       |                  | 0.1234567      | 100                | 10.0006
        gone      | m1       | 2026-03-02       | 2026-03-04T02:15 | 0.5            | 100                | 10
        other     | m1       | 2026-03-03       |                  | 0.5            | 100                | 10
        else      | m2       | 2026-03-02       |                  | 0.5            | 100                | 10
        untimed   | m1       | 2026-03-02       |                  | 1              |                    | 10
        """,
    )  # fmt: skip
    expect(
        daily.sessions(events, given(spark, None, f"{PAIRS}\n m1 | 2026-03-02")), fact_events.TABLE,
        """
        date:date  | viewed_millionths:bigint | full_milliseconds:bigint
        2026-03-02 | 123457                   | 10001
        2026-03-02 | 1000000                  |
        """,
    )  # fmt: skip
