"""Sessions: one row a key, with days, watch time and channel."""

import random

import pytest
from pyspark.sql import DataFrame

from support.tables import expect, given
from wistlake.contracts import dim_media_history, events, fact_events
from wistlake.transforms import fact_events as transform
from wistlake.transforms.channels import DEFAULT_RULES

TABLE = fact_events.TABLE
ZONE = "America/New_York"


def typed(spark, text: str) -> DataFrame:
    """Rows as `landing.parse` leaves them."""
    head, *rest = text.strip().splitlines()
    extra = "landing_id:string | observed_at:timestamp | line:bigint"
    more = "city:string | visitor_id:string | embed_host:string | embed_path:string | utm_source:string | utm_medium:string | utm_campaign:string"
    rows = [f"{row} | l1 | 2026-03-05T02:15 | {n} | | v | | | | |" for n, row in enumerate(rest, 1)]
    return given(spark, events.SOURCE, "\n".join([f"{head} | {extra} | {more}", *rows]))


@pytest.fixture
def history(spark) -> DataFrame:
    """A media that was cut to half its length at noon on the third."""
    return given(
        spark,
        dim_media_history.TABLE,
        """
        media_id | valid_from       | valid_to         | title      | duration_seconds | tags
        m1       | 2026-03-01T02:15 | 2026-03-03T12:00 | Lake tour  | 100              | []
        m1       | 2026-03-03T12:00 |                  | Youtube ad | 50               | []
        """,
    )


def built(spark, history: DataFrame, built_at, text: str) -> DataFrame:
    rows = typed(spark, text)
    return transform.build(rows, transform.repeated_keys(rows), history, ZONE, DEFAULT_RULES, built_at)


def test_the_copy_that_saw_most_stays_then_the_later_one(spark, history, built_at):
    frame = built(
        spark, history, built_at,
        """
        event_key | received_at         | media_id | percent_viewed
        a         | 2026-03-02T10:00:00 | m1       | 0.5
        a         | 2026-03-02T10:00:00 | m1       | 0.75
        b         | 2026-03-02T10:00:00 | m1       | 0.5
        b         | 2026-03-02T11:00:00 | m1       | 0.5
        """,
    )  # fmt: skip
    expect(
        frame, TABLE,
        """
        event_key | received_at         | percent_viewed
        a         | 2026-03-02T10:00:00 | 0.75
        b         | 2026-03-02T11:00:00 | 0.5
        """,
    )  # fmt: skip


COPIES = """
    event_key | percent_viewed | received_at         | observed_at         | landing_id:string | line:bigint
    a         | 0.9            | 2026-03-02T10:00:00 | 2026-03-03T02:15:00 | l1 | 1
    a         | 0.5            | 2026-03-02T10:00:00 | 2026-03-04T02:15:00 | l2 | 1
    a         | 0.5            | 2026-03-02T10:05:00 | 2026-03-04T02:15:00 | l2 | 2
    a         | 0.4            | 2026-03-02T10:09:00 | 2026-03-04T02:15:00 | l2 | 3
    b         | 0.1            | 2026-03-02T10:00:00 | 2026-03-03T02:15:00 | l1 | 2
"""


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_landings_and_lines_does_not_matter(spark, seed):
    head, *rows = COPIES.strip().splitlines()
    random.Random(seed).shuffle(rows)
    frame = given(spark, TABLE, "\n".join([head, *rows]))
    expect(
        transform.deduplicate(frame, transform.repeated_keys(frame)), TABLE,
        """
        event_key | percent_viewed | received_at         | landing_id
        a         | 0.5            | 2026-03-02T10:05:00 | l2
        b         | 0.1            | 2026-03-02T10:00:00 | l1
        """,
    )  # fmt: skip


def test_both_calendars_also_where_summer_time_begins(spark, history, built_at):
    frame = built(
        spark, history, built_at,
        """
        event_key | received_at         | media_id | percent_viewed
        winter    | 2026-03-08T04:59:59 | m1       | 0.5
        spring    | 2026-03-08T05:00:00 | m1       | 0.5
        summer    | 2026-03-09T03:59:59 | m1       | 0.5
        next      | 2026-03-09T04:00:00 | m1       | 0.5
        """,
    )  # fmt: skip
    expect(
        frame, TABLE,
        """
        event_key | event_date | event_date_local
        winter    | 2026-03-08 | 2026-03-07
        spring    | 2026-03-08 | 2026-03-08
        summer    | 2026-03-09 | 2026-03-08
        next      | 2026-03-09 | 2026-03-09
        """,
    )  # fmt: skip


def test_watch_time_and_channel_are_those_of_the_media_at_that_time(spark, history, built_at):
    frame = built(
        spark, history, built_at,
        """
        event_key | received_at         | media_id | percent_viewed
        early     | 2026-02-20T10:00:00 | m1       | 0.12345
        before    | 2026-03-03T11:59:59 | m1       | 0.5
        at        | 2026-03-03T12:00:00 | m1       | 0.5
        stranger  | 2026-03-03T12:00:00 | m2       | 0.5
        """,
    )  # fmt: skip
    expect(
        frame, TABLE,
        """
        event_key | duration_seconds | watch_milliseconds | channel
        early     | 100              | 12345              | unclassified
        before    | 100              | 50000              | unclassified
        at        | 50               | 25000              | youtube
        stranger  |                  |                    | unclassified
        """,
    )  # fmt: skip


def test_empty_means_unknown(spark, history, built_at):
    frame = built(
        spark, history, built_at,
        """
        event_key | received_at         | media_id | percent_viewed | country | region | conversion_type
        a         | 2026-03-02T10:00:00 | m1       | 0              | ""      | ""     | ""
        b         | 2026-03-02T10:00:00 | m1       | 1              | US      | Texas  | pre-roll-email
        """,
    )  # fmt: skip
    expect(
        frame, TABLE,
        """
        event_key | country | region | conversion_type | watch_milliseconds | removed_at
        a         |         |        |                 | 0                  |
        b         | US      | Texas  | pre-roll-email  | 100000             |
        """,
    )  # fmt: skip
