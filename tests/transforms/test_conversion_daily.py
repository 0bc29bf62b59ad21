"""Calls to action and forms: of a day as Wistia counts it, and between two snapshots of lifetime figures."""

import json
from datetime import UTC, date, datetime

from support.tables import expect, given
from wistlake.contracts import (
    conversion_daily,
    conversions_by_date,
    media_analytics_by_date,
    media_lifetime,
    media_stats,
)
from wistlake.transforms import conversion_daily as transform
from wistlake.transforms import landing
from wistlake.transforms.media_lifetime import STATS_DERIVED, STATS_RULES, _with_actions

TABLE = conversion_daily.TABLE
DAY, SEEN = date(2026, 3, 2), datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


def test_a_day_has_a_row_for_each_kind_that_was_shown_or_taken(spark, built_at):
    analytics = given(
        spark, media_analytics_by_date.TABLE,
        """
        media_id | date       | plays | cta_impressions | cta_conversions | form_conversions
        m1       | 2026-03-02 | 9     | 8               | 2               | 3
        m1       | 2026-03-03 | 9     | 8               | 0               | 0
        m1       | 2026-03-04 | 9     | 0               | 0               | 0
        m2       | 2026-03-02 |       |                 |                 |
        """,
    )  # fmt: skip
    leads = given(spark, conversions_by_date.TABLE, "media_id | date | conversions\n m2 | 2026-03-02 | 4")
    expect(
        transform.build(analytics, leads, built_at), TABLE,
        """
        media_id | date       | kind | basis | previous_date | impressions | actions | rate
        m1       | 2026-03-02 | cta  | day   |               | 8           | 2       | 0.25
        m1       | 2026-03-02 | form | day   |               |             | 3       |
        m1       | 2026-03-03 | cta  | day   |               | 8           | 0       | 0
        m2       | 2026-03-02 | lead | day   |               |             | 4       |
        """,
    )  # fmt: skip


def test_between_snapshots_counts_what_was_added_by_kind(spark, built_at):
    lifetime = given(
        spark, media_lifetime.TABLE,
        """
        media_id | snapshot_date | action_types                 | action_counts | action_impressions
        m1       | 2026-03-02    | ["post_roll", "annotation"]  | [2, 9]        | [10, 90]
        m1       | 2026-03-04    | ["post_roll", "post_roll"]   | [3, 1]        | [12, 8]
        m1       | 2026-03-05    | ["post_roll", "annotation"]  | [3, 10]       | [22, 95]
        m2       | 2026-03-02    |                              |               |
        m2       | 2026-03-03    | ["post_roll"]                | [1]           | [1]
        """,
    )  # fmt: skip
    expect(
        transform.between_snapshots(lifetime, built_at), TABLE,
        """
        media_id | date       | kind       | basis             | previous_date | impressions | actions | rate
        m1       | 2026-03-04 | post_roll  | between_snapshots | 2026-03-02    | 10          | 2       | 0.2
        m1       | 2026-03-05 | post_roll  | between_snapshots | 2026-03-04    | 2           |         |
        m1       | 2026-03-05 | annotation | between_snapshots | 2026-03-02    | 5           | 1       | 0.2
        """,
    )  # fmt: skip


def test_of_an_action_its_kind_and_counts_stay(spark):
    served = [
        [{"type": "call_to_action", "action_count": 3, "impression_count": 40.0, "rate": 0.1,
          "url": "https://www.example.com/?who=a@example.com", "text": "Book"}],
        [{"type": "a person@example.com", "action_count": -1}, {"impression_count": "7"}],
        "text", {}, None, [],
    ]  # fmt: skip
    lines = [
        (json.dumps({"_landing": f"L{n}", "_line": 1, "record": {
            "load_count": 1, "play_count": 1, "play_rate": 0.5, "hours_watched": 0.1, "engagement": 0.5,
            "visitors": 2, "actions": actions}}, separators=(",", ":")),)
        for n, actions in enumerate(served)
    ]  # fmt: skip
    landings = [(f"L{n}", "m1", DAY, SEEN, "media_stats") for n in range(len(served))]
    parsed = landing.parse(
        spark.createDataFrame(lines, "value string"),
        media_stats.SOURCE,
        landing.landing_frame(spark, landings),
        landing.pads_frame(spark, [b"k" * 32]),
        STATS_DERIVED,
        STATS_RULES,
    )
    expect(
        _with_actions(parsed), None,
        """
        landing_id:string | reason:string | action_types:array<string> | action_counts:array<bigint> | action_impressions:array<bigint>
        L0                |               | ["call_to_action"]         | [3]                         | [40]
        L1                |               | ["other", "other"]         | [null, null]                | [null, 7]
        L2                |               |                            |                             |
        L3                |               |                            |                             |
        L4                |               |                            |                             |
        L5                |               | []                         | []                          | []
        """,
    )  # fmt: skip
