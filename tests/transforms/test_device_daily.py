"""A media's day by platform, browser and kind of device."""

from support.tables import expect, given
from wistlake.contracts import device_daily, fact_events
from wistlake.transforms import device_daily as transform


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
        transform.build(sessions, built_at), device_daily.TABLE,
        """
        media_id | date       | platform | browser | is_mobile | plays_from_events | sessions | unique_viewers | reached_95
        m1       | 2026-03-02 | iOS      | Safari  | true      | 1                 | 2        | 2              | 1
        m1       | 2026-03-02 | iOS      | Safari  | false     | 1                 | 1        | 1              | 0
        m1       | 2026-03-02 | ""       | ""      | false     | 1                 | 1        | 1              | 0
        """,
    )  # fmt: skip
