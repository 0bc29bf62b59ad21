"""The files of SQL in docs/ddl, executed: tables and the external table by the engine, views and queries by DuckDB."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

from support.published import publish
from support.some import some
from wistlake.adapters.duckdb_query import empty
from wistlake.contracts import TABLES, table
from wistlake.derive.athena import table_name
from wistlake.export.order import Request, export
from wistlake.quality.queries import QUERIES
from wistlake.quality.views import VIEWS
from wistlake.wiring.laptop import query_folder

FOLDER = Path(__file__).parents[2] / "docs" / "ddl"
DAYS = (date(2026, 3, 1), date(2026, 3, 2))
BUILT = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


def statements(name: str) -> list[str]:
    """What a file executes."""
    text = re.sub(r"^--.*$", "", (FOLDER / name).read_text(), flags=re.MULTILINE)
    return some(s.strip() for s in text.split(";\n") if s.strip())


@pytest.fixture(scope="module")
def plain() -> Iterator[SparkSession]:
    """Sail with a catalog in memory, which takes every kind of table; a lake's takes Iceberg alone."""
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    yield session
    session.stop()
    server.stop()


def test_every_table_is_made_by_its_statement(plain: SparkSession, tmp_path: Path) -> None:
    for statement in statements("tables.sql"):
        plain.sql(statement.replace("s3://SILVER_BUCKET", str(tmp_path)))
    made = {t.full_name: plain.table(table_name(t.full_name)).columns for t in TABLES}
    assert made == {t.full_name: list(t.column_names) for t in TABLES}


def test_every_view_and_query_runs_over_the_tables_by_athenas_names() -> None:
    with duckdb.connect() as connection:
        for one in TABLES:
            connection.register("rows", empty(one))
            connection.execute(f"CREATE TABLE {table_name(one.full_name)} AS SELECT * FROM rows")
        for statement in (*statements("views.sql"), *statements("queries.sql")):
            connection.execute(statement)
        for view in VIEWS:
            found = connection.execute(f"SELECT * FROM {table_name(view.name)}").description
            assert [c[0] for c in found or ()] == [c for c, _ in view.columns], view.name
    assert len(statements("queries.sql")) == len(QUERIES)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder that `export` makes of the view."""

    def day(media: str, when: date, loads: int, rate: float) -> dict[str, object]:
        of_day = {"media_id": media, "date": when, "loads": loads, "built_at": BUILT}
        return of_day | {"play_rate_estimated": rate}

    rows = [day("a", DAYS[0], 8, 0.25), day("a", DAYS[1], 4, 0.5), day("b", DAYS[1], 2, 1.0)]
    publish(tmp_path / "lake", {table("gold.fact_media_daily"): rows})
    view = "wistia_gold_fact_media_daily"
    export(query_folder(tmp_path / "lake"), Request("parquet", (view,)), tmp_path / "copies", BUILT)
    return tmp_path / "copies" / view


def test_a_copy_is_read_by_its_external_table(plain: SparkSession, copied: Path) -> None:
    """`export` writes what UNLOAD would: Parquet, a folder a day."""
    unload, create, repair = statements("copy.sql")
    asked = re.fullmatch(r"UNLOAD \((.+)\) TO '(s3://SILVER_BUCKET/copies/(\S+)/)' WITH \(.+\)", unload)
    assert asked
    assert asked[3] == copied.name
    plain.sql(create.replace(asked[2], f"{copied}/"))
    name = repair.removeprefix("MSCK REPAIR TABLE ")
    per_day = plain.sql(f"SELECT dt, count(*) AS n FROM {name} GROUP BY dt ORDER BY dt").collect()
    best = plain.sql(f"SELECT media_id, play_rate, loads FROM {name} ORDER BY play_rate DESC LIMIT 2")
    assert [tuple(r) for r in per_day] == [(DAYS[0], 1), (DAYS[1], 2)]
    assert [tuple(r) for r in best.collect()] == [("b", 1.0, 2), ("a", 0.5, 4)]


def test_the_external_tables_columns_are_those_of_an_export(copied: Path) -> None:
    """As DuckDB reads the files: names, types, and the day out of the folders' names."""
    unload, create, _ = statements("copy.sql")
    columns = re.search(r"\((.+)\) PARTITIONED BY \((.+)\) STORED AS PARQUET", create)
    assert columns
    declared = [tuple(c.split(" ")) for c in some(f"{columns[1]}, {columns[2]}".split(", "))]
    hive = {"VARCHAR": "string", "TIMESTAMP WITH TIME ZONE": "timestamp"}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = f"read_parquet('{copied}/**/*.parquet', hive_partitioning = true)"
        read = connection.execute(f"DESCRIBE FROM {files}").fetchall()
        rows = connection.execute(
            f"SELECT dt, gold_ingested_at FROM {files} ORDER BY dt, media_id"
        ).fetchall()
    assert [(name, hive.get(kind, kind.lower())) for name, kind, *_ in read] == declared
    assert unload.startswith(f"UNLOAD (SELECT {', '.join(name for name, _ in declared)} FROM")
    assert rows == [(DAYS[0], BUILT), (DAYS[1], BUILT), (DAYS[1], BUILT)]
