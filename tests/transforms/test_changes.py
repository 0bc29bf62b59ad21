"""What a newer observation changes, and the one MERGE that applies it."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from support.compare import differences
from support.tables import expect
from support.tables import given as rows
from wistlake.contracts.form import (
    BUILT_AT,
    LANDING_ID,
    MEDIA_ID,
    OBSERVED_AT,
    Column,
    Privacy,
    Removal,
    Table,
    Type,
)
from wistlake.derive.merge import days_in, months_in
from wistlake.pipeline.tables.row_changes import commit, compare
from wistlake.transforms.changes import changes

TABLE = Table(
    layer="silver",
    name="probe",
    doc="A table of tests.",
    grain="one key",
    key=("key",),
    scope=("media_id", "date"),
    partition="months(date)",
    removal=Removal.SOFT,
    columns=(
        Column("key", Type.STRING, Privacy.NONE, "Key.", nullable=False),
        MEDIA_ID,
        Column("date", Type.DATE, Privacy.NONE, "Day.", nullable=False),
        Column("value", Type.LONG, Privacy.NONE, "Value."),
        Column("removed_at", Type.TIMESTAMP, Privacy.NONE, "Since when it is gone."),
        OBSERVED_AT,
        LANDING_ID,
        BUILT_AT,
    ),
)
SCOPED = "_in_scope:boolean | _scope_observed_at:timestamp | _scope_landing_id:string"
STAGED = """
    key   | media_id | date       | value | observed_at      | landing_id
    new   | m1       | 2026-03-02 | 1     | 2026-03-05T02:15 | l5
    same  | m1       | 2026-03-02 | 2     | 2026-03-05T02:15 | l5
    grown | m1       | 2026-03-02 | 9     | 2026-03-05T02:15 | l5
    moved | m1       | 2026-03-02 | 4     | 2026-03-05T02:15 | l5
    back  | m1       | 2026-03-02 | 5     | 2026-03-05T02:15 | l5
    stale | m1       | 2026-03-02 | 6     | 2026-03-05T02:15 | l5
"""
CURRENT = f"""
    key   | media_id | date       | value | removed_at       | observed_at      | {SCOPED}
    same  | m1       | 2026-03-02 | 2     |                  | 2026-03-04T02:15 | true | 2026-03-05T02:15 | l5
    grown | m1       | 2026-03-02 | 3     |                  | 2026-03-04T02:15 | true | 2026-03-05T02:15 | l5
    moved | m1       | 2026-03-01 | 4     |                  | 2026-03-04T02:15 | false | |
    back  | m1       | 2026-03-02 | 5     | 2026-03-04T02:15 | 2026-03-04T02:15 | true | 2026-03-05T02:15 | l5
    stale | m1       | 2026-03-02 | 7     |                  | 2026-03-06T02:15 | true | 2026-03-05T02:15 | l5
    gone  | m1       | 2026-03-02 | 8     |                  | 2026-03-04T02:15 | true | 2026-03-05T02:15 | l5
    long  | m1       | 2026-03-02 | 8     | 2026-03-03T02:15 | 2026-03-04T02:15 | true | 2026-03-05T02:15 | l5
    later | m1       | 2026-03-02 | 8     |                  | 2026-03-06T02:15 | true | 2026-03-05T02:15 | l5
"""


def apply(store, table, staged, current):
    """Compare, then commit."""
    applied = compare(store, table, staged, current)
    commit(store, applied)
    return applied


def test_soft_removal(spark):
    frame = changes(TABLE, rows(spark, TABLE, STAGED), rows(spark, TABLE, CURRENT))
    expect(
        frame, TABLE,
        """
        key   | _change:string | value | removed_at       | landing_id | _was_date:date
        new   | new            | 1     |                  | l5         |
        same  | unchanged      | 2     |                  | l5         | 2026-03-02
        grown | updated        | 9     |                  | l5         | 2026-03-02
        moved | updated        | 4     |                  | l5         | 2026-03-01
        back  | updated        | 5     |                  | l5         | 2026-03-02
        stale | unchanged      | 6     |                  | l5         | 2026-03-02
        gone  | removed        | 8     | 2026-03-05T02:15 | l5         | 2026-03-02
        long  | unchanged      | 8     | 2026-03-05T02:15 | l5         | 2026-03-02
        later | unchanged      | 8     | 2026-03-05T02:15 | l5         | 2026-03-02
        """,
    )  # fmt: skip


@pytest.mark.parametrize(("removal", "outcome"), [(Removal.DELETE, "removed"), (Removal.KEEP, "unchanged")])
def test_other_removals(spark, removal, outcome):
    table = replace(TABLE, removal=removal)
    current = rows(
        spark,
        table,
        f"key | media_id | date | observed_at | {SCOPED}\n gone | m1 | 2026-03-02 | 2026-03-04T02:15 | true | |",
    )
    none = rows(spark, table, "key")
    assert [r["_change"] for r in changes(table, none, current).collect()] == [outcome]


def test_merge_applies_what_was_found_and_a_second_time_nothing(store):
    spark = store.spark
    store.ensure([TABLE])
    apply(
        store,
        TABLE,
        rows(spark, TABLE, CURRENT.replace(f"| {SCOPED}", "| _1:string | _2:string | _3:string")).select(
            *TABLE.column_names
        ),
        _all(store),
    )
    before = store.refs()[TABLE.full_name]

    def current():
        scope = F.to_timestamp(F.lit("2026-03-05 02:15:00"))
        return (
            store.read(TABLE)
            .withColumn("_in_scope", F.col("date") == F.to_date(F.lit("2026-03-02")))
            .withColumn("_scope_observed_at", scope)
            .withColumn("_scope_landing_id", F.lit("l5"))
        )

    staged = rows(spark, TABLE, STAGED)
    apply(store, TABLE, staged, current())
    expect(
        store.read(TABLE), TABLE,
        """
        key   | date       | value | removed_at
        new   | 2026-03-02 | 1     |
        same  | 2026-03-02 | 2     |
        grown | 2026-03-02 | 9     |
        moved | 2026-03-02 | 4     |
        back  | 2026-03-02 | 5     |
        stale | 2026-03-02 | 7     |
        gone  | 2026-03-02 | 8     | 2026-03-05T02:15
        long  | 2026-03-02 | 8     | 2026-03-03T02:15
        later | 2026-03-02 | 8     |
        """,
    )  # fmt: skip
    once = store.refs()[TABLE.full_name]
    assert once != before
    again = apply(store, TABLE, staged, current())
    assert again.changed == ()
    assert store.refs()[TABLE.full_name] == once


def _all(store, table=TABLE):
    return store.read(table).selectExpr(
        "*", "true _in_scope", "observed_at _scope_observed_at", "landing_id _scope_landing_id"
    )


KEYED = replace(TABLE, name="keyed", removal=Removal.DELETE)
STATES = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 3), st.integers(0, 2)), max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(STATES, min_size=1, max_size=3))
def test_whatever_the_states_the_table_becomes_the_last_one(store, states):
    """Keys come, go, change and move between the days of the scope; each MERGE is idempotent."""
    spark = store.spark
    store.ensure([KEYED])
    for state in states:
        lines = [
            f"{k} | m1 | 2026-03-0{day} | {value} | 2026-03-05T02:15 | l" for k, (day, value) in state.items()
        ]
        wanted = rows(
            spark, KEYED, "\n".join(["key | media_id | date | value | observed_at | landing_id", *lines])
        )
        for turn in range(2):
            current = store.read(KEYED).withColumn("_in_scope", F.lit(True))
            applied = apply(store, KEYED, wanted, current)
            assert turn == 0 or applied.changed == ()
        found = [r.asDict() for r in store.read(KEYED).collect()]
        assert differences(KEYED, [r.asDict() for r in wanted.collect()], found) == []


def test_days_in_ranges():
    days = [date(2026, 3, d) for d in (5, 1, 2, 3)]
    assert (
        days_in("d", days, "t")
        == "(t.d BETWEEN DATE'2026-03-01' AND DATE'2026-03-03' OR t.d BETWEEN DATE'2026-03-05' AND DATE'2026-03-05')"
    )
    assert days_in("d", []) == "1 = 0"


def test_comparing_commits_nothing(store):
    store.ensure([TABLE])
    before = store.refs()[TABLE.full_name]
    compare(
        store, TABLE, rows(store.spark, TABLE, "key | media_id | date\n z | m1 | 2026-03-02"), _all(store)
    )
    assert store.refs()[TABLE.full_name] == before


@pytest.mark.parametrize("removal", [Removal.SOFT, Removal.DELETE, Removal.KEEP])
def test_a_table_without_days_has_what_a_table_with_days_has(store, removal):
    tables = [
        replace(TABLE, name=f"probe_{removal}_{partition[:6]}", partition=partition, removal=removal)
        for partition in ("", "months(date)")
    ]
    store.ensure(tables)
    found = []
    for table in tables:
        for day in (
            "a m1 1 03-02 | b m1 1 03-02 | c m1 1 03-02",
            "a m1 2 03-03 | b m1 1 03-03 | d m1 1 03-03",
        ):
            lines = [
                f"{key} | {media} | 2026-{at} | {value} | 2026-{at}T10:00 | l{at}"
                for key, media, value, at in (line.split() for line in day.split(" | "))
            ]
            head = "key | media_id | date | value | observed_at | landing_id"
            wanted = rows(store.spark, table, "\n".join([head, *lines]))
            apply(store, table, wanted, _all(store, table))
        found.append(sorted(store.read(table).drop("date").collect(), key=str))
    assert found[0] == found[1]
    assert len(found[0]) == (3 if removal is Removal.DELETE else 4)


def test_months_in_whole_months():
    assert months_in("at", [date(2026, 12, 1), date(2026, 2, 1), date(2026, 2, 1)], "t") == (
        "((t.at >= TIMESTAMP'2026-02-01 00:00:00' AND t.at < TIMESTAMP'2026-03-01 00:00:00')"
        " OR (t.at >= TIMESTAMP'2026-12-01 00:00:00' AND t.at < TIMESTAMP'2027-01-01 00:00:00'))"
    )
