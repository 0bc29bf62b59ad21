"""Which current sessions a build of sessions compares with: who may remove them, and where their keys stand."""

from support.tables import expect, given
from wistlake.contracts.events import SOURCE
from wistlake.contracts.fact_events import TABLE
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.transforms import session_scope

INSIDE = """
    event_key | media_id | event_date | observed_at      | removed_at
    here      | m1       | 2026-03-02 | 2026-03-03T02:15 |
    gone      | m1       | 2026-03-02 | 2026-03-03T02:15 | 2026-03-04T02:15
    other     | m2       | 2026-03-02 | 2026-03-03T02:15 |
"""
ELSEWHERE = """
    event_key | media_id | event_date | observed_at      | removed_at
    moved     | m1       | 2026-03-01 | 2026-03-02T02:15 |
"""
SCOPES = """
    media_id:string | event_date:date | _scope_observed_at:timestamp | _scope_landing_id:string
    m1              | 2026-03-02      | 2026-03-05T02:15             | l5
"""
HELD = "event_key:string | media_id:string | event_date:date"


def readings(spark, is_taken):
    return given(spark, None, f"""
        media_id:string | event_date:date | _read_at:timestamp | _is_taken:boolean
        m1              | 2026-03-01      | 2026-03-04T02:15   | {is_taken}
    """)  # fmt: skip


def current(spark, *held, is_taken="true"):
    return session_scope.build(
        given(spark, TABLE, INSIDE),
        given(spark, TABLE, ELSEWHERE),
        given(spark, None, SCOPES),
        readings(spark, is_taken),
        [given(spark, None, f"{HELD}\n{row}") for row in held],
    )


def test_sessions_of_the_builds_days_are_in_scope_others_are_not(spark):
    expect(
        current(spark), TABLE,
        """
        event_key | _in_scope:boolean | _listed_at:timestamp | _scope_landing_id:string
        here      | true              | 2026-03-03T02:15     | l5
        gone      | true              |                      | l5
        other     | false             | 2026-03-03T02:15     |
        moved     | false             | 2026-03-04T02:15     |
        """,
    )  # fmt: skip


def test_a_reading_that_silver_was_not_built_from_does_not_list_a_session(spark):
    expect(
        current(spark, is_taken="false").where("event_key = 'moved'"), TABLE,
        """
        event_key | _listed_at:timestamp
        moved     | 2026-03-02T02:15
        """,
    )  # fmt: skip


def test_a_key_that_a_listing_holds_is_not_removed_and_listed_where_it_is_held(spark):
    held = ("here | m1 | 2026-03-09", "moved | m1 | 2026-03-01")
    expect(
        current(spark, *held, is_taken="false").where("event_key in ('here', 'moved')"), TABLE,
        """
        event_key | _in_scope:boolean | _listed_at:timestamp
        here      | false             | 2026-03-03T02:15
        moved     | false             | 2026-03-04T02:15
        """,
    )  # fmt: skip


def test_rejected_rows_and_those_of_stopped_landings_hold_their_keys(spark):
    parsed = given(
        spark, SOURCE,
        """
        event_key | landing_id:string | landing_media_id:string | landing_dt:date | reason:string
        good      | l1                | m1                      | 2026-03-02      |
        bad       | l1                | m1                      | 2026-03-02      | bad_percent_viewed
        stopped   | l2                | m2                      | 2026-03-03      |
        """,
    )  # fmt: skip
    expect(
        session_scope.held_by_build(parsed, ["l2"]), None,
        """
        event_key:string | media_id:string | event_date:date
        bad              | m1              | 2026-03-02
        stopped          | m2              | 2026-03-03
        """,
    )  # fmt: skip


def test_quarantine_holds_the_keys_of_days_that_the_build_does_not_read(spark):
    quarantine = given(
        spark, QUARANTINE,
        """
        dataset | media_id | dt         | payload
        events  | m1       | 2026-03-01 | {"event_key": "k1"}
        events  | m1       | 2026-03-02 | {"event_key": "k2"}
        """,
    )  # fmt: skip
    places = given(
        spark, QUARANTINE,
        """
        dataset | media_id | dt
        events  | m1       | 2026-03-02
        """,
    ).select("dataset", "media_id", "dt")  # fmt: skip
    expect(
        session_scope.held_by_quarantine(quarantine, places), None,
        """
        event_key:string | media_id:string | event_date:date
        k1               | m1              | 2026-03-01
        """,
    )  # fmt: skip


def test_only_sessions_whose_key_the_build_has_come_from_elsewhere(spark):
    typed = given(
        spark, SOURCE,
        """
        event_key
        moved
        new
        """,
    )  # fmt: skip
    kept = session_scope.elsewhere(given(spark, TABLE, INSIDE + ELSEWHERE.split("\n", 2)[2]), typed)
    assert [r["event_key"] for r in kept.collect()] == ["moved"]


def test_sessions_in_no_scope_are_never_removed(spark):
    expect(
        session_scope.unscoped(given(spark, TABLE, ELSEWHERE)), TABLE,
        """
        event_key | _in_scope:boolean | _scope_observed_at:timestamp | _listed_at:timestamp | _scope_landing_id:string
        moved     | false             |                              |                      |
        """,
    )  # fmt: skip
