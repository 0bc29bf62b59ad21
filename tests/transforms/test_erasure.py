"""A person leaves a table; what others are is kept, on the landings that took the place of theirs."""

from support.tables import expect, given
from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.fact_events import TABLE
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.transforms import erasure

EVENTS = """
    event_key | visitor_id | landing_id | event_date
    k1        | v1         | l1         | 2026-03-02
    k2        | v2         | l1         | 2026-03-02
    k3        | v2         | l2         | 2026-03-03
"""
LANDINGS = """
    landing_id:string | _new:string
    l1                | l1-f1
"""


def ids(spark, *names):
    return given(spark, None, "\n".join(["visitor_id:string", *names]))


def test_only_their_rows_are_removed_others_follow_their_landing(spark):
    changes = erasure.of_visitors(
        TABLE, given(spark, TABLE, EVENTS), ids(spark, "v1"), given(spark, None, LANDINGS)
    )
    expect(
        changes, TABLE,
        """
        event_key | visitor_id | landing_id | _change:string
        k1        | v1         | l1         | removed
        k2        | v2         | l1-f1      | updated
        """,
    )  # fmt: skip


def test_without_new_landings_nothing_else_changes(spark):
    changes = erasure.of_visitors(TABLE, given(spark, TABLE, EVENTS), ids(spark, "v2"), None)
    assert sorted(r["event_key"] for r in changes.collect()) == ["k2", "k3"]


def test_changes_are_counted_by_kind_and_day(spark):
    changes = erasure.of_visitors(
        TABLE, given(spark, TABLE, EVENTS), ids(spark, "v2"), given(spark, None, LANDINGS)
    )
    counted = {(r["_change"], r["_day"].day): r["count"] for r in erasure.counts(TABLE, changes).collect()}
    assert counted == {("removed", 2): 1, ("removed", 3): 1, ("updated", 2): 1}


def test_a_table_without_days_is_counted_whole(spark):
    media = given(
        spark, DIM_MEDIA,
        """
        media_id | _change:string
        m1       | updated
        m2       | updated
        """,
    )  # fmt: skip
    rows = erasure.counts(DIM_MEDIA, media).collect()
    assert [(r["_change"], r["_day"], r["count"]) for r in rows] == [("updated", None, 2)]


def test_texts_with_an_address_are_masked_and_others_left_alone(spark):
    media = given(
        spark, DIM_MEDIA,
        """
        media_id | title                     | landing_id | tags
        m1       | Demo for jane@x.example   | l2         | []
        m2       | Tour                      | l2         | []
        m3       | Tour                      | l1         | []
        """,
    )  # fmt: skip
    rows = erasure.masked(DIM_MEDIA, media, given(spark, None, LANDINGS)).collect()
    changed = {r["media_id"]: (r["title"], r["landing_id"], r["_change"]) for r in rows}
    assert changed.keys() == {"m1", "m3"}
    assert "jane@x.example" not in changed["m1"][0]
    assert changed["m1"][1:] == ("l2", "updated")
    assert changed["m3"] == ("Tour", "l1-f1", "updated")


REJECTED = """
    landing_id | line | dt
    l1         | 1    | 2026-03-02
    l1         | 2    | 2026-03-02
    l2         | 1    | 2026-03-03
"""
LINES = """
    landing_id:string | line:bigint
    l1                | 2
"""


def test_rejected_records_of_a_person_go_the_others_of_the_landing_move(spark):
    rows, lines = given(spark, QUARANTINE, REJECTED), given(spark, None, LINES)
    assert erasure.of_lines(rows, lines).count() == 1
    expect(
        erasure.of_landings(QUARANTINE, rows, lines, given(spark, None, LANDINGS)), QUARANTINE,
        """
        landing_id | line | _change:string
        l1         | 1    | removed
        l1         | 2    | removed
        l1-f1      | 1    | new
        """,
    )  # fmt: skip
