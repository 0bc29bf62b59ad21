"""Views and named queries: they run where they can be run here, and are what Athena takes."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.memory import MemoryLedger
from support.some import some
from wistlake.adapters.aws import views as aws_views
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.query_result import ARROW
from wistlake.contracts import TABLES
from wistlake.contracts.form import Type
from wistlake.derive import athena
from wistlake.entrypoints.aws import athena_resources
from wistlake.errors import StoreError
from wistlake.ports import Publication, TableRef
from wistlake.quality.queries import QUERIES
from wistlake.quality.views import VIEWS, View, views

NAMES = [v.name for v in VIEWS]


def resources() -> dict[str, Any]:
    listed = [(v.name, v.select, v.columns) for v in VIEWS]
    found: dict[str, Any] = athena.template(listed, QUERIES)["Resources"]
    return found


@pytest.fixture(scope="module")
def query() -> DuckDBQuery:
    return DuckDBQuery(MemoryLedger(), views())


@pytest.mark.parametrize("view", VIEWS, ids=NAMES)
def test_a_view_has_the_columns_that_it_is_declared_with(query: DuckDBQuery, view: View) -> None:
    schema = query.sql(f"SELECT * FROM {view.name}").schema
    declared = view.columns
    assert schema.names == [c for c, _ in declared]
    for column, kind in some(declared):
        found = schema.field(column).type
        # DuckDB adds whole numbers up to 128 bits, Athena to 64.
        assert found == ARROW[kind] or (kind is Type.LONG and str(found).startswith("decimal128(38, 0")), (
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


def test_a_published_view_shows_the_tables_as_they_were_published() -> None:
    """And is otherwise what the stack has made."""
    glue = Glue()
    tables = {t.full_name: TableRef(f"s3://x/{n}.json", 1_000 + n) for n, t in enumerate(TABLES)}
    shown = [(v.name, v.select, v.columns) for v in VIEWS]
    aws_views.show(Publication("r1", datetime(2026, 3, 6, tzinfo=UTC), tables), "lake", shown, glue)
    made = [r["Properties"]["TableInput"] for r in resources().values() if r["Type"] == "AWS::Glue::Table"]
    assert [asked["TableInput"]["Name"] for asked in glue.asked] == [m["Name"] for m in made]
    for asked, stacks in zip(some(glue.asked), made, strict=True):
        assert (asked["DatabaseName"], asked["SkipArchive"]) == ("lake", True)
        entry = asked["TableInput"]
        assert {**entry, "ViewOriginalText": ""} == {**stacks, "ViewOriginalText": ""}
        encoded = entry["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
        said = json.loads(base64.b64decode(encoded))
        unpinned = json.loads(stacks["ViewOriginalText"]["Fn::Join"][1][1]["Fn::Base64"]["Fn::Sub"])
        version = re.compile(r"(\w+) FOR VERSION AS OF (\d+)")
        for called, snapshot in some(version.findall(said["originalSql"])):
            assert tables[called.replace("_", ".", 1)].snapshot_id == int(snapshot)
        assert not re.search(r"(?:FROM|JOIN) \w+(?! FOR VERSION)\b(?! FOR VERSION)", said["originalSql"])
        assert version.sub(r"\1", said["originalSql"]) == unpinned["originalSql"]
        assert said == {**unpinned, "originalSql": said["originalSql"], "schema": "lake"}


def test_a_table_without_rows_has_no_version_to_name() -> None:
    said = athena.text("SELECT a FROM gold.x JOIN gold.y ON true", {"gold.x": None, "gold.y": 7})
    expected = "SELECT a FROM (SELECT * FROM gold_x WHERE false) JOIN gold_y FOR VERSION AS OF 7 ON true"
    assert said == expected


def test_a_publication_that_readers_have_is_shown_to_athena_again() -> None:
    """The first try wrote it and then died, or was not let into the catalog."""
    shown: list[Publication] = []

    class Table:
        def get_paginator(self, _: str) -> Any:
            return SimpleNamespace(paginate=lambda **_: [{"Items": self.items}])

        def put_item(self, **asked: Any) -> dict[str, Any]:
            assert not self.items, "written twice"
            self.items.append(asked["Item"])
            return {}

        items: list[Any] = []  # noqa: RUF012

    ledger = DynamoLedger("l", "w", Table(), on_publication=shown.append)
    published = Publication("r1", datetime(2026, 3, 6, tzinfo=UTC), {"gold.x": TableRef("s3://x", 7)})
    ledger.publish(published)
    ledger.publish(published)
    assert shown == [published, published]


class Glue:
    """Notes what it is asked to update; it has no view of the names in `lacks`."""

    def __init__(self, lacks: tuple[str, ...] = (), code: str = "EntityNotFoundException") -> None:
        self.asked: list[dict[str, Any]] = []
        self.lacks, self.code = lacks, code

    def update_table(self, **asked: Any) -> None:
        if asked["TableInput"]["Name"] in self.lacks:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "UpdateTable")
        self.asked.append(asked)


class TestNewView:
    """Code knows of a view before the deployment has made it: a run in between publishes all the same."""

    PUBLISHED = Publication("r1", datetime(2026, 3, 6, tzinfo=UTC), {})
    SHOWN = tuple((v.name, v.select, v.columns) for v in VIEWS[:3])
    NAMED = tuple(athena.table_name(v.name) for v in VIEWS[:3])

    def test_one_that_is_not_there_yet_waits_for_the_next_publication(self) -> None:
        glue = Glue(lacks=self.NAMED[:1])
        aws_views.show(self.PUBLISHED, "lake", self.SHOWN, glue)
        assert [asked["TableInput"]["Name"] for asked in glue.asked] == [*self.NAMED[1:]]

    def test_none_at_all_is_another_database(self) -> None:
        with pytest.raises(StoreError, match="WISTLAKE_STAGE"):
            aws_views.show(self.PUBLISHED, "lake", self.SHOWN, Glue(lacks=self.NAMED))

    def test_one_that_may_not_be_written_is_said(self) -> None:
        with pytest.raises(StoreError, match="let the role do this"):
            aws_views.show(self.PUBLISHED, "lake", self.SHOWN, Glue(self.NAMED[2:], "AccessDeniedException"))


@pytest.mark.parametrize("view", VIEWS, ids=NAMES)
def test_a_view_is_as_athena_keeps_it(view: View) -> None:
    (table,) = (
        r["Properties"]["TableInput"]
        for r in resources().values()
        if r["Type"] == "AWS::Glue::Table"
        and r["Properties"]["TableInput"]["Name"] == athena.table_name(view.name)
    )
    begins, encoded, ends = table["ViewOriginalText"]["Fn::Join"][1]
    text = encoded["Fn::Base64"]["Fn::Sub"].replace("${GlueDatabase}", "lake")
    assert "${" not in text
    said = json.loads(text)
    assert (begins, ends) == ("/* Presto View: ", " */")
    assert said["schema"] == "lake"
    assert [c["name"] for c in said["columns"]] == [c["Name"] for c in table["StorageDescriptor"]["Columns"]]
    assert "with time zone" not in text
    for column, kind in some(view.columns):
        assert (f"CAST({column} AS timestamp(3))" in text) == (kind is Type.TIMESTAMP)


def test_the_committed_template_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    athena_resources.main()
    committed = Path(__file__).parents[3] / "infra" / "athena.json"
    assert committed.read_text() == capsys.readouterr().out
