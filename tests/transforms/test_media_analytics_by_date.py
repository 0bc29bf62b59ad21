"""Wistia's analytics by local day."""

from support.tables import expect, given
from wistlake.contracts import analytics_daily, media_analytics_by_date
from wistlake.transforms import media_analytics_by_date as transform


def test_the_day_is_the_landings_and_silence_is_null(spark, built_at):
    typed = given(
        spark, analytics_daily.SOURCE,
        """
        timestamp        | plays | play_rate | played_time | landing_media_id:string | landing_dt:date | observed_at:timestamp | landing_id:string | line:bigint
        2026-03-03T05:00 | 4     | 0.25      | 120         | m1 | 2026-03-03 | 2026-03-04T02:15 | l1 | 1
        2026-03-03T05:00 | 5     | 0.5       | 130         | m1 | 2026-03-03 | 2026-03-05T02:15 | l2 | 1
        2026-03-04T05:00 |       |           |             | m1 | 2026-03-04 | 2026-03-05T02:15 | l3 | 1
        """,
    )  # fmt: skip
    expect(
        transform.build(typed, built_at), media_analytics_by_date.TABLE,
        """
        media_id | date       | plays | play_rate | played_seconds
        m1       | 2026-03-03 | 5     | 0.5       | 130
        m1       | 2026-03-04 |       |           |
        """,
    )  # fmt: skip
