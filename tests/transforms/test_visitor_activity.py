"""The account's visitors: the latest activity wins, for lists drift while they are read."""

from support.tables import expect, given
from wistlake.contracts import visitor_activity, visitors
from wistlake.transforms import visitor_activity as transform


def test_one_row_a_visitor_with_the_latest_activity(spark, built_at):
    typed = given(
        spark, visitors.SOURCE,
        """
        last_active_at   | load_count | play_count | user_agent_details_browser | user_agent_details_mobile | visitor_id:string | observed_at:timestamp | landing_id:string | line:bigint
        2026-03-03T05:00 | 4          | 2          | Chrome                     | true                      | v1 | 2026-03-04T02:15 | l1 | 1
        2026-03-03T06:00 | 5          | 3          | Safari                     | false                     | v1 | 2026-03-04T02:15 | l1 | 99
        2026-03-01T06:00 | 1          | 0          |                            |                           | v2 | 2026-03-04T02:15 | l1 | 2
        """,
    )  # fmt: skip
    expect(
        transform.build(typed, built_at), visitor_activity.TABLE,
        """
        visitor_id | load_count | play_count | browser | is_mobile
        v1         | 5          | 3          | Safari  | false
        v2         | 1          | 0          |         |
        """,
    )  # fmt: skip
