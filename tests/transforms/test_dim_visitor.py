"""The visitors: attributes of one latest session, never of several."""

import hashlib
import sqlite3
from contextlib import closing

import pytest

from support.tables import expect, given
from wistlake.contracts import dim_visitor, fact_events, fact_media_engagement, visitor_activity
from wistlake.transforms import dim_visitor as transform


def test_attributes_come_from_one_session(spark, built_at):
    """m2's row is of a day that was built before `sessions` was a column: it counted them in play_count."""
    engagement = given(
        spark, fact_media_engagement.TABLE,
        """
        media_id | visitor_id | date       | play_count | sessions | watch_milliseconds | first_received_at | last_received_at
        m1       | v1         | 2026-03-02 | 2          | 3        | 300                | 2026-03-02T10:00  | 2026-03-02T12:00
        m2       | v1         | 2026-03-03 | 1          |          | 50                 | 2026-03-03T10:00  | 2026-03-03T10:00
        m1       | v2         | 2026-03-02 | 0          | 1        | 0                  | 2026-03-02T10:00  | 2026-03-02T10:00
        """,
    )  # fmt: skip
    events = given(
        spark, fact_events.TABLE,
        """
        event_key | visitor_id | received_at      | country | region | browser | platform | is_mobile
        a         | v1         | 2026-03-02T12:00 | US      | Texas  | Chrome  | Windows  | false
        b         | v1         | 2026-03-03T10:00 | US      | Ohio   |         | iOS      | true
        c         | v1         | 2026-03-03T10:00 | GB      |        | Safari  |          |
        d         | v2         | 2026-03-02T10:00 | FR      |        |         |          |
        """,
    )  # fmt: skip
    account = given(spark, visitor_activity.TABLE, "visitor_id | load_count\n v1 | 7\n v9 | 1")
    described = transform.described(transform.totals(engagement), events)
    expect(
        transform.build(described, account, built_at), dim_visitor.TABLE,
        """
        visitor_id | country | region | browser | platform | is_mobile | first_seen_at    | last_seen_at     | play_count | sessions | media_count | watch_milliseconds | account_load_count
        v1         | GB      |        | Safari  |          |           | 2026-03-02T10:00 | 2026-03-03T10:00 | 3          | 4        | 2           | 350                | 7
        v2         | FR      |        |         |          |           | 2026-03-02T10:00 | 2026-03-02T10:00 | 0          | 1        | 1           | 0                  |
        """,
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 3, 16, 256, 5_000])
def test_each_visitor_is_in_one_share_of_about_the_same_size(count):
    ids = ["", *(hashlib.sha256(b"%d" % n).hexdigest()[:32] for n in range(20_000)), "not one of ours"]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("create table visitors (visitor_id text)")
        db.executemany("insert into visitors values (?)", [(i,) for i in ids])
        counting = "select count(*) from visitors where "
        sizes = [db.execute(counting + condition).fetchone()[0] for condition in transform.shares(count)]
    assert len(sizes) == min(count, 256)
    assert sum(sizes) == len(ids)
    assert max(sizes) < 2 * len(ids) / len(sizes)
