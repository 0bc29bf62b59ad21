"""Sail and Apache Spark, told the same story, leave the same rows in every table: those that are true."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from parity.spark_defaults import for_small_data
from parity.stories import (
    EARLY,
    FORMS,
    LATE,
    MASKED_OTHERWISE,
    NEW_COLUMN,
    PLAIN,
    SCENARIO,
    STAMPS,
    TAGS,
    tell,
)
from support import spark
from support.compare import differences
from support.evolution import gained
from support.lake import Lake, Row
from support.some import some
from wistlake.contracts import SOURCES, TABLES, fact_events, table
from wistlake.contracts.form import Source, Table

pytestmark = [pytest.mark.engine, pytest.mark.spark, pytest.mark.timeout(1500)]
MOMENTS = {"02:15": EARLY, "09:15": LATE}
ENGINES = ("sail", "spark")
# What the account's visitors add, and campaigns that hold a canary and are masked: the model of the truth has neither.
UNTOLD = {"account_load_count", "utm_campaign"}
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Told:
    """What each engine left, and what it had published at each moment; what was true then; what became of plain
    records, as text and as typed; which pages and names Spark masks otherwise than Python."""

    left: dict[str, Tables]
    published: dict[tuple[str, datetime], Tables]
    true: dict[datetime, Tables]
    forms: dict[str, dict[str, list[Any]]]
    plain: dict[str, dict[str, tuple[list[str], list[str]]]]
    masked_otherwise: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Both engines' tables after the same story."""
    folder = tmp_path_factory.mktemp("parity")
    with for_small_data(folder / "conf"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")  # as any Sail session of this process has left it
        spark.module("parity.stories", folder / "spark", seconds=1200)
    tell(folder / "sail", SCENARIO)
    lakes = {engine: _lake(folder / engine) for engine in ENGINES}
    early = {(engine, EARLY): lake.tables(EARLY) for engine, lake in lakes.items()}
    true = {at: lakes["sail"].truth(at).tables() for at in MOMENTS.values()}
    with gained(fact_events.TABLE, NEW_COLUMN):
        left = {engine: lake.tables() for engine, lake in lakes.items()}
        forms = {engine: json.loads((folder / engine / FORMS).read_text()) for engine in ENGINES}
        plain = {engine: json.loads((folder / engine / PLAIN).read_text()) for engine in ENGINES}
        published = early | {(engine, LATE): tables for engine, tables in left.items()}
        otherwise = (folder / "spark" / MASKED_OTHERWISE).read_text(encoding="utf-8")
        yield Told(left, published, true, forms, plain, otherwise)


def _lake(folder: Path) -> Lake:
    return Lake(folder, SCENARIO)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_every_row_is_the_same(told: Told, table: Table) -> None:
    assert differences(table, told.left["sail"][table.full_name], told.left["spark"][table.full_name]) == []


def test_no_table_agrees_for_being_empty(told: Told) -> None:
    empty = {name for name, rows in told.left["spark"].items() if not rows}
    assert empty == {"silver.quarantine"}


@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_table_equals_the_truth(told: Told, engine: str, at: str) -> None:
    published = told.published[engine, MOMENTS[at]]
    for name, rows in some(told.true[MOMENTS[at]].items()):
        assert rows, name
        wanted, left = (list(filter(_is_told, of)) for of in (rows, published[name]))
        told_of = [{n: v for n, v in row.items() if n not in UNTOLD} for row in wanted]
        assert differences(table(name), told_of, left) == [], name


def _is_told(row: Row) -> bool:
    """Whether the model of the truth knows of it: breakdowns by campaigns, masked alike, are added up."""
    return row.get("dimension") not in UNTOLD


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_column_reaches_old_tables(told: Told, engine: str) -> None:
    rows = told.left[engine]["silver.fact_events"]
    named = [r for r in rows if r[NEW_COLUMN.name] is not None]
    assert named, "rows that the last run built have it"
    assert len(named) < len(rows), "older rows keep their place, without it"


@pytest.mark.parametrize("engine", ENGINES)
def test_timestamps_with_a_blank_or_a_t_and_tags_as_objects_or_texts_are_read_alike(
    told: Told, engine: str
) -> None:
    assert told.forms[engine] == {
        "stamps": ["2026-03-03 05:00:00"] * len(STAMPS),
        "tags": [["paid", "vsl"]] * len(TAGS),
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
def test_plain_records_are_the_same_rows_as_text_and_as_typed(told: Told, source: Source) -> None:
    """On each engine, and on both."""
    (text, typed), (spark_text, spark_typed) = (told.plain[engine][source.name] for engine in ENGINES)
    assert len(text) >= 150
    assert (typed, spark_text, spark_typed) == (text, text, text)


def test_spark_masks_as_sail_and_python_do(told: Told) -> None:
    """Its expression engine is Java's."""
    assert told.masked_otherwise == ""
