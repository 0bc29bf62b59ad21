"""The statement that creates a table: its columns, how it is cut, and where it lies."""

import re

import pytest

from support.some import some
from wistlake.contracts import TABLES, table
from wistlake.derive.merge import merge
from wistlake.derive.spark import columns_ddl, create_table

EVENTS = table("silver.fact_events")


def test_a_table_is_created_once_as_iceberg_of_format_two() -> None:
    text = create_table(EVENTS, "lake.silver.fact_events")
    assert text.startswith("CREATE TABLE IF NOT EXISTS lake.silver.fact_events (")
    assert " USING iceberg" in text
    assert "'format-version'='2'" in text
    assert "'write.merge.mode'='copy-on-write'" in text


@pytest.mark.parametrize("location", ["", "s3://bucket/warehouse/silver/fact_events"])
def test_a_table_lies_where_it_is_told_or_where_the_catalog_says(location: str) -> None:
    found = re.findall(r" LOCATION '([^']*)'", create_table(EVENTS, "x", location))
    assert found == ([location] if location else [])


def test_a_table_is_cut_as_its_contract_says_or_not_at_all() -> None:
    for each in some(TABLES):
        found = re.findall(r" PARTITIONED BY \((\w+\(\w+\)|\w+)\)", create_table(each, "x"))
        assert found == ([each.partition] if each.partition else []), each.full_name
    assert {bool(t.partition) for t in TABLES} == {True, False}


def test_columns_come_in_the_order_of_the_contract_with_their_types() -> None:
    names = [part.split(" ")[0] for part in columns_ddl(EVENTS.columns).split(", ")]
    assert names == list(EVENTS.column_names)
    types = dict(part.split(" ") for part in columns_ddl(EVENTS.columns).split(", "))
    assert (types["event_key"], types["event_date"], types["received_at"]) == ("string", "date", "timestamp")
    assert types["percent_viewed"] == "double"


def test_a_row_of_an_older_observation_changes_nothing() -> None:
    """Tables without observations have no older ones."""
    for each in some(TABLES):
        guarded = "WHEN MATCHED AND s.observed_at >= t.observed_at THEN UPDATE" in merge(
            each, "x", "changes", ""
        )
        assert guarded == ("observed_at" in each.column_names), each.full_name
    assert {"observed_at" in t.column_names for t in TABLES} == {True, False}


def test_rows_are_matched_by_the_whole_key_within_the_days_that_changed() -> None:
    text = merge(table("gold.fact_media_engagement"), "lake.x", "changes", "t.date = DATE '2026-03-01'")
    keys = " AND ".join(f"t.{k} = s.{k}" for k in table("gold.fact_media_engagement").key)
    assert text.startswith(
        f"MERGE INTO lake.x t USING changes s ON {keys} AND t.date = DATE '2026-03-01' WHEN "
    )
    assert " AND  " not in merge(EVENTS, "x", "changes", "")
