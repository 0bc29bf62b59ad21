"""Views and named queries: they run where they can be run here, and are what Athena takes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from support.memory import MemoryLedger
from support.some import some
from wistlake.adapters.duckdb_query import _ARROW, DuckDBQuery
from wistlake.contracts import TABLES
from wistlake.contracts.form import Type
from wistlake.derive import athena
from wistlake.entrypoints.aws import athena_resources
from wistlake.quality.metrics import view_columns, views
from wistlake.quality.queries import QUERIES

NAMES = [name for name, _ in views()]


def resources() -> dict[str, Any]:
    listed = [(name, select, view_columns(name)) for name, select in views()]
    found: dict[str, Any] = athena.template(listed, QUERIES)["Resources"]
    return found


@pytest.fixture(scope="module")
def query() -> DuckDBQuery:
    return DuckDBQuery(MemoryLedger(), views())


@pytest.mark.parametrize("name", NAMES)
def test_a_view_has_the_columns_that_it_is_declared_with(query: DuckDBQuery, name: str) -> None:
    schema = query.sql(f"SELECT * FROM {name}").schema
    declared = view_columns(name)
    assert schema.names == [c for c, _ in declared]
    for column, kind in some(declared):
        found = schema.field(column).type
        # DuckDB adds whole numbers up to 128 bits, Athena to 64.
        assert found == _ARROW[kind] or (kind is Type.LONG and str(found).startswith("decimal128(38, 0")), (
            column
        )


@pytest.mark.parametrize(("name", "doc", "sql"), QUERIES, ids=[q[0] for q in QUERIES])
def test_a_named_query_runs(query: DuckDBQuery, name: str, doc: str, sql: str) -> None:
    assert doc.endswith((".", "?"))
    assert query.sql(sql).num_rows == 0


def test_every_view_and_query_is_a_resource_of_its_own() -> None:
    assert len(resources()) == len(NAMES) + len(QUERIES)


def test_athena_sees_one_database() -> None:
    said = json.dumps(resources())
    assert re.findall(r"(?:FROM|JOIN) (?:silver|gold|ops)\.", said) == []
    layered = {t.full_name.replace(".", "_") for t in TABLES} | {athena.table_name(n) for n in NAMES}
    assert set(re.findall(r"(?:FROM|JOIN) (\w+)", said)) <= layered


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_as_athena_keeps_it(name: str) -> None:
    (table,) = (
        r["Properties"]["TableInput"]
        for r in resources().values()
        if r["Type"] == "AWS::Glue::Table"
        and r["Properties"]["TableInput"]["Name"] == athena.table_name(name)
    )
    begins, encoded, ends = table["ViewOriginalText"]["Fn::Join"][1]
    text = encoded["Fn::Base64"]["Fn::Sub"].replace("${GlueDatabase}", "lake")
    assert "${" not in text
    said = json.loads(text)
    assert (begins, ends) == ("/* Presto View: ", " */")
    assert said["schema"] == "lake"
    assert [c["name"] for c in said["columns"]] == [c["Name"] for c in table["StorageDescriptor"]["Columns"]]
    assert "with time zone" not in text
    for column, kind in some(view_columns(name)):
        assert (f"CAST({column} AS timestamp(3))" in text) == (kind is Type.TIMESTAMP)


def test_the_committed_template_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    athena_resources.main()
    committed = Path(__file__).parents[3] / "infra" / "athena.json"
    assert committed.read_text() == capsys.readouterr().out
