"""What a build counts of its staged changes before it commits them."""

from datetime import date

from support.tables import given
from wistlake.contracts.form import MEDIA_ID, Column, Privacy, Removal, Table, Type
from wistlake.derive import checks
from wistlake.transforms import change_counts

TABLE = Table(
    layer="gold", name="counted", doc="A day's plays.", grain="a media's day by channel",
    key=("media_id", "date", "channel"), scope=("media_id", "date"), partition="months(date)", removal=Removal.DELETE,
    columns=(
        MEDIA_ID,
        Column("date", Type.DATE, Privacy.NONE, "Day.", nullable=False),
        Column("channel", Type.STRING, Privacy.NONE, "Channel.", nullable=False),
        Column("plays", Type.LONG, Privacy.NONE, "Plays.", minimum=0),
    ),
)  # fmt: skip
CHANGES = """
    media_id | date:date  | channel | plays:bigint | _change:string | _was_date:date
    m1       | 2026-03-02 | email   | 2            | new     |
    m1       | 2026-03-02 | email   | 3            | new     |
    m1       | 2026-03-02 | social  | -1           | updated | 2026-03-02
    m2       | 2026-03-02 | social  | -1           | removed | 2026-03-02
"""


def test_changes_are_counted_by_kind_media_and_day(spark):
    rows = change_counts.by_day(TABLE, given(spark, TABLE, CHANGES), "plays * 10").collect()
    counted = {(r["_change"], r["media_id"]): r for r in rows}
    assert {k: r["_rows"] for k, r in counted.items()} == {
        ("new", "m1"): 2, ("updated", "m1"): 1, ("removed", "m2"): 1,
    }  # fmt: skip
    assert counted["new", "m1"]["_measured"] == 50
    assert counted["new", "m1"][f"_broken_{checks.KEYS}"] == 1
    assert counted["new", "m1"][f"_broken_{checks.RANGES}"] == 0
    assert counted["updated", "m1"][f"_broken_{checks.RANGES}"] == 1


MOVING = Table(
    layer="gold", name="moving", doc="People.", grain="one person", key=("who",), scope=("who",), partition="months(seen_at)",
    columns=(
        Column("who", Type.STRING, Privacy.NONE, "Who.", nullable=False),
        Column("seen_at", Type.TIMESTAMP, Privacy.NONE, "When.", nullable=False),
    ),
)  # fmt: skip
MOVED = """
    who | seen_at:timestamp   | _change:string | _was_seen_at:timestamp
    a   | 2026-03-31 23:59:59 | updated        | 2025-12-01 00:00:00
    a   | 2026-02-01 00:00:00 | updated        | 2026-02-01 00:00:00
    b   | 2026-04-01 00:00:00 | new            |
"""


def test_months_of_moments_are_told_and_keys_are_counted_across_them(spark):
    counted = {
        r["_change"]: r for r in change_counts.by_day(MOVING, given(spark, MOVING, MOVED), "").collect()
    }
    assert {*counted["updated"]["_months"]} == {date(2026, 3, 1), date(2026, 2, 1)}
    assert {*counted["updated"]["_was_months"]} == {date(2025, 12, 1), date(2026, 2, 1)}
    assert counted["updated"][f"_broken_{checks.KEYS}"] == 1
    assert ([*counted["new"]["_months"]], [*counted["new"]["_was_months"]]) == ([date(2026, 4, 1)], [])


def test_only_rows_to_be_written_are_counted_by_condition(spark):
    row = change_counts.by_condition(
        given(spark, TABLE, CHANGES), ["plays < 0", "channel = 'email'"]
    ).collect()[0]
    assert (row["c0"], row["c1"]) == (1, 2)


def test_only_rows_to_be_written_are_counted_by_key(spark):
    row = change_counts.by_key(given(spark, TABLE, CHANGES), "channel").collect()[0]
    assert (row["rows"], row["keys"]) == (3, 2)


def test_no_row_has_no_key(spark):
    nothing = given(spark, TABLE, CHANGES).where("plays > 100")
    row = change_counts.by_key(nothing, "channel").collect()[0]
    assert (row["rows"], row["keys"]) == (None, 0)
