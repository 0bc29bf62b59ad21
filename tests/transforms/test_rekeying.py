"""A new key wraps every stored pseudonym."""

from support.tables import given
from wistlake.contracts.dim_visitor import TABLE as DIM_VISITOR
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.derive.pseudonym import pseudonym
from wistlake.transforms import rekeying
from wistlake.transforms.landing import pads_frame

KEY = b"n" * 32


def test_where_it_is_no_key_the_row_is_updated(spark, built_at):
    rows = given(
        spark, FACT_EVENTS,
        """
        event_key | visitor_id
        k1        | v1
        """,
    )  # fmt: skip
    changed = rekeying.build(FACT_EVENTS, rows, pads_frame(spark, [KEY]), built_at).collect()
    assert [(r["event_key"], r["visitor_id"], r["_change"]) for r in changed] == [
        ("k1", pseudonym([KEY], "v1"), "updated")
    ]
    assert changed[0]["built_at"] is not None


def test_where_it_is_the_key_the_old_row_is_removed(spark, built_at):
    rows = given(
        spark, DIM_VISITOR,
        """
        visitor_id | sessions
        v1         | 3
        """,
    )  # fmt: skip
    changed = rekeying.build(DIM_VISITOR, rows, pads_frame(spark, [KEY]), built_at).collect()
    assert sorted((r["_change"], r["visitor_id"], r["sessions"]) for r in changed) == [
        ("new", pseudonym([KEY], "v1"), 3),
        ("removed", "v1", 3),
    ]
