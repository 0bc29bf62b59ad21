"""Readers of a lake on AWS see what was published, and nothing newer."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from support.aws.mirror import Mirror
from support.aws_copy import glue_catalog, workgroup
from support.emulated import Account
from support.memory import MemoryLedger
from wistlake.adapters.aws.query import AthenaQuery, open_s3
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.catalog import schema
from wistlake.contracts.fact_media_daily import TABLE
from wistlake.errors import ConfigError, StoreError
from wistlake.export.order import Request, export
from wistlake.ports import Ledger, Publication, Query, Run, TableRef
from wistlake.quality.views import views

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WELL_KNOWN = (
    "SELECT media_id, dt, plays FROM wistia_gold_fact_media_daily WHERE media_id <> 'gold.x' ORDER BY 1"
)


def rows(*media: str) -> pa.Table:
    columns = schema(TABLE).as_arrow()
    values = {"date": date(2026, 3, 1), "plays": 7, "built_at": NOW}
    plain = [{**{n: values.get(n) for n in columns.names}, "media_id": m} for m in media]
    return pa.Table.from_pylist(plain, schema=columns)


@pytest.fixture
def signed_in(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in account.environment().items():
        monkeypatch.setenv(name, value)
    return account


@pytest.fixture
def lake(signed_in: Account) -> Iterator[tuple[Ledger, str]]:
    """A ledger whose publication is one row old, and its database."""
    bucket, database = signed_in.bucket(), "published"
    catalog = glue_catalog(signed_in)
    catalog.create_namespace_if_not_exists(database)
    name = f"{database}.gold_fact_media_daily"
    table = catalog.create_table(name, schema(TABLE), location=f"s3://{bucket}/warehouse/gold/x")
    table.append(rows("published1"))
    snapshot = table.current_snapshot()
    assert snapshot
    ledger = MemoryLedger()
    ref = TableRef(table.metadata_location, snapshot.snapshot_id)
    ledger.publish(Publication("r1", NOW, {TABLE.full_name: ref}))
    table.append(rows("toonew"))
    yield ledger, database
    catalog.drop_table(name)


@pytest.mark.aws
def test_duckdb_reads_the_publication_from_s3(lake: tuple[Ledger, str]) -> None:
    query = DuckDBQuery(lake[0], views(), prepare=open_s3)
    expected = {"media_id": "published1", "dt": date(2026, 3, 1), "plays": 7}
    assert query.sql(WELL_KNOWN).to_pylist() == [expected]
    assert query.sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist() == [{"n": 0}]


@pytest.mark.aws
def test_duckdb_reads_nothing_else_of_the_account(lake: tuple[Ledger, str], signed_in: Account) -> None:
    query = DuckDBQuery(lake[0], views(), prepare=open_s3)
    published = lake[0].publication()
    assert published
    bucket = published.tables[TABLE.full_name].metadata_location.split("/")[2]
    signed_in.client("s3").put_object(Bucket=bucket, Key="bronze/page.csv", Body=b"secret")
    for text in (
        f"SELECT * FROM 's3://{bucket}/bronze/page.csv'",
        f"SELECT * FROM 's3://{bucket}/warehouse/gold/x/../../../bronze/page.csv'",
        f"SELECT * FROM read_text('s3://{bucket}/bronze/page.csv')",
        "SELECT * FROM 'http://169.254.169.254/latest/meta-data.csv'",
        "SELECT secret_string FROM duckdb_secrets()",
    ):
        with pytest.raises(ConfigError, match="query reads the lake's tables"):
            query.sql(text)


@pytest.mark.aws
@pytest.mark.parametrize("way", ["duckdb", "athena"])
def test_an_export_holds_what_was_published_whatever_answers(
    way: str, lake: tuple[Ledger, str], signed_in: Account, tmp_path: Path
) -> None:
    """A second one has nothing to do."""
    query: Query = DuckDBQuery(lake[0], views(), prepare=open_s3)
    if way == "athena":
        published = lake[0].publication()
        assert published
        bucket = published.tables[TABLE.full_name].metadata_location.split("/")[2]
        Mirror(signed_in.folder / "mirror").sync(signed_in.client("s3"), [bucket])
        workgroup(signed_in, "exports")
        query = AthenaQuery(lake[0], lake[1], "exports", views(), signed_in.client("athena"))
    for written, more in ((1, {}), (0, {"since_last": True})):
        (done,) = export(query, Request("parquet", (TABLE.full_name,), **more), tmp_path, NOW)
        assert (done.rows, done.written) == (1, written)
    (file,) = tmp_path.rglob("*.parquet")
    assert file.name == "2026-03.parquet"
    (row,) = pyarrow.parquet.read_table(file).to_pylist()
    assert {n: v for n, v in row.items() if v is not None} == {
        "media_id": "published1", "date": date(2026, 3, 1), "plays": 7, "built_at": NOW,
    }  # fmt: skip


@pytest.mark.aws
def test_athenas_refusal_is_told(lake: tuple[Ledger, str], signed_in: Account) -> None:
    workgroup(signed_in, "readers")
    query = AthenaQuery(lake[0], lake[1], "readers", views(), signed_in.client("athena"))
    with pytest.raises(ConfigError, match="the query can't run"):
        query.sql("SELECT * FROM nowhere")


class Athena:
    """Answers as the service does, in pages."""

    def __init__(self, state: str, pages: list[dict[str, Any]]) -> None:
        self.states, self.pages, self.asked = ["QUEUED", "RUNNING", state], pages, ""
        self.stopped: list[str] = []

    def start_query_execution(self, **given: Any) -> dict[str, Any]:
        self.asked = given["QueryString"]
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **given: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "line 1:8: no"}}}

    def stop_query_execution(self, **given: Any) -> None:
        self.stopped.append(given["QueryExecutionId"])

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **given: Any) -> list[dict[str, Any]]:
        self.limit = given["PaginationConfig"]
        return self.pages


def ledger_of(snapshot: int | None) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.publish(Publication("r1", NOW, {"gold.geo_daily": TableRef("s3://x", snapshot)}))
    return ledger


def test_every_table_is_asked_for_as_it_was_published() -> None:
    athena = Athena("SUCCEEDED", [])
    view = ("places", "SELECT country FROM gold.geo_daily")
    query = AthenaQuery(ledger_of(17), "db", "wg", [view], athena, lambda seconds: None)
    said = query.as_published("SELECT 'gold.geo_daily', g.country FROM gold.geo_daily g, places p")
    now = "gold_geo_daily FOR VERSION AS OF 17"
    assert said == f"SELECT 'gold.geo_daily', g.country FROM {now} g, (SELECT country FROM {now}) p"
    empty = AthenaQuery(ledger_of(None), "db", "wg", (), athena)
    assert empty.as_published("FROM gold.geo_daily") == "FROM (SELECT * FROM gold_geo_daily WHERE false)"


@pytest.mark.parametrize("ledger", [ledger_of(17), MemoryLedger()], ids=["published", "nothing yet"])
def test_a_table_that_nobody_has_published_yet_is_empty(ledger: MemoryLedger) -> None:
    said = AthenaQuery(ledger, "db", "wg", (), object()).as_published(
        "SELECT tags FROM silver.dim_media m, x.y"
    )
    assert re.fullmatch(
        r"SELECT tags FROM \(SELECT .*CAST\(NULL AS array\(varchar\)\) AS \"tags\".* WHERE false\) m, x\.y",
        said,
    )


def test_a_views_name_is_replaced_where_rows_are_read_and_nowhere_else() -> None:
    query = AthenaQuery(
        ledger_of(17), "db", "wg", [("places", "SELECT 1 AS country")], Athena("SUCCEEDED", [])
    )
    for text in ("SELECT places.country FROM gold.media places", "WITH places AS (SELECT 1) SELECT 2"):
        assert query.as_published(text) == text
    assert query.as_published("FROM x join\nplaces p") == "FROM x join\n(SELECT 1 AS country) p"


def test_pages_become_one_table_of_types() -> None:
    kinds = {"n": "bigint", "s": "varchar", "d": "date", "x": "double", "b": "boolean",
             "t": "timestamp with time zone", "m": "decimal", "w": "decimal", "views": "array", "tags": "array",
             "other": "array"}  # fmt: skip
    info = {"ColumnInfo": [{"Name": n, "Type": k, "Scale": 2 * (n == "m")} for n, k in kinds.items()]}

    def page(*found: list[str | None]) -> dict[str, Any]:
        data = [{"Data": [{} if c is None else {"VarCharValue": c} for c in row]} for row in found]
        return {"ResultSet": {"ResultSetMetadata": info, "Rows": data}}

    full = ["7", "é", "2026-03-01", "0.5", "true", "2026-03-02 00:00:00.000 UTC", "1.50", "9",
            "[3, null]", "[2026, spring sale]", "[3]"]  # fmt: skip
    pages = [page(list(kinds), full, ["[]" if kind == "array" else None for kind in kinds.values()])]
    pages.append(page([None] * len(kinds)))
    slept: list[float] = []
    found = AthenaQuery(ledger_of(1), "db", "wg", (), Athena("SUCCEEDED", pages), slept.append).sql(
        "SELECT * FROM silver.dim_media, gold.media_retention_daily"
    )
    assert found.to_pylist() == [
        {"n": 7, "s": "é", "d": date(2026, 3, 1), "x": 0.5, "b": True, "t": NOW, "m": Decimal("1.5"), "w": 9,
         "views": [3, None], "tags": ["2026", "spring sale"], "other": "[3]"},
        dict.fromkeys(kinds) | {"views": [], "tags": [], "other": "[]"},
        dict.fromkeys(kinds),
    ]  # fmt: skip
    assert len(slept) == 2


@pytest.mark.parametrize(
    "text",
    ["DROP TABLE gold_geo_daily", "UNLOAD (SELECT 1) TO 's3://x'", "-- SELECT\nINSERT INTO x SELECT 1", ""],
)
def test_athena_is_asked_nothing_but_a_select(text: str) -> None:
    athena = Athena("SUCCEEDED", [])
    with pytest.raises(ConfigError, match="one SELECT"):
        AthenaQuery(ledger_of(1), "db", "wg", (), athena, lambda seconds: None).sql(text)
    assert athena.asked == ""


def test_a_select_may_begin_with_a_remark_or_a_bracket() -> None:
    pages = [{"ResultSet": {"ResultSetMetadata": {"ColumnInfo": []}, "Rows": []}}]
    for text in ("/* why */ (select 1)", "-- why\nWITH a AS (SELECT 1) SELECT * FROM a", "\n VALUES 1"):
        athena = Athena("SUCCEEDED", pages)
        AthenaQuery(ledger_of(1), "db", "wg", (), athena, lambda seconds: None).sql(text)
        assert athena.asked == text


def test_columns_of_one_name_keep_their_values() -> None:
    info = {"ColumnInfo": [{"Name": "n", "Type": "bigint"}, {"Name": "n", "Type": "varchar"}]}
    rows = [{"Data": [{"VarCharValue": "n"}] * 2}, {"Data": [{"VarCharValue": "7"}, {"VarCharValue": "x"}]}]
    pages = [{"ResultSet": {"ResultSetMetadata": info, "Rows": rows}}]
    query = AthenaQuery(ledger_of(1), "db", "wg", (), Athena("SUCCEEDED", pages), lambda seconds: None)
    assert query.sql("SELECT 7 AS n, 'x' AS n").to_pylist() == [{"n": 7, "n_1": "x"}]


@pytest.mark.parametrize(("state", "error"), [("FAILED", ConfigError), ("RUNNING", StoreError)])
def test_what_does_not_succeed_is_told(state: str, error: type[Exception]) -> None:
    athena = Athena(state, [])
    query = AthenaQuery(ledger_of(1), "db", "wg", (), athena, lambda seconds: None)
    with pytest.raises(error, match=r"line 1:8: no|ask for less"):
        query.sql("SELECT 1")
    assert athena.stopped == (["q"] if state == "RUNNING" else [])


def test_the_first_rows_are_read_and_no_more() -> None:
    info = {"ColumnInfo": [{"Name": "n", "Type": "bigint"}]}
    rows = [{"Data": [{"VarCharValue": text}]} for text in ("n", "7", "8")]
    athena = Athena("SUCCEEDED", [{"ResultSet": {"ResultSetMetadata": info, "Rows": rows}}])
    query = AthenaQuery(ledger_of(1), "db", "wg", (), athena, lambda seconds: None)
    assert query.limited("SELECT n FROM gold.geo_daily", 2, 10).to_pylist() == [{"n": 7}, {"n": 8}]
    assert athena.limit == {"MaxItems": 3}  # the header is a row
    assert query.published == ledger_of(1).publication()


def test_the_ledgers_tables_are_answered_here() -> None:
    """Athena has none; with what names another table too it gets their rows."""
    ledger = ledger_of(1)
    ledger.put_run(Run("r7", "manual", "live", "succeeded", NOW, NOW))
    athena = Athena("FAILED", [])
    query = AthenaQuery(ledger, "db", "wg", (), athena, lambda seconds: None)
    assert query.sql("SELECT run_id FROM ops.runs").to_pylist() == [{"run_id": "r7"}]
    assert query.limited("SELECT run_id FROM ops.runs", 1, 10).num_rows == 1
    assert athena.asked == ""
    with pytest.raises(ConfigError, match="line 1:8: no"):
        query.sql("SELECT 1 FROM ops.runs, gold.geo_daily")
    assert athena.asked == (
        'SELECT 1 FROM (SELECT CAST("run_id" AS varchar) AS "run_id" FROM (VALUES (\'r7\')) AS r ("run_id")), '
        "gold_geo_daily FOR VERSION AS OF 1"
    )
