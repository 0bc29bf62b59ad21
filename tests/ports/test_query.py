"""A query reads the published tables, reaches nothing else, and loses no value on the way."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import duckdb
import duckdb_extension_httpfs
import pyarrow as pa
import pytest

import wistlake
from support.memory import MemoryLedger
from support.published import NOW, publish
from wistlake.adapters import duckdb_query, held_query
from wistlake.adapters import query_result as answers
from wistlake.adapters import query_sandbox as sandbox
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES, dim_visitor, fact_events
from wistlake.contracts.dimension_daily import CHANNEL_DAILY as TABLE
from wistlake.errors import ConfigError, StoreBusy, StoreDamaged, StoreError
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Query
from wistlake.settings import Settings
from wistlake.wiring.lake import Published, open_lake
from wistlake.wiring.laptop import query_folder
from wistlake.wiring.runtime import Runtime

if TYPE_CHECKING:
    from wistlake.wiring.lake import Lake

SECRET = "nobody may read this"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published table, and beside it what a lake keeps for itself."""
    lake = tmp_path_factory.mktemp("query") / "lake"
    publish(lake, {TABLE: [{"media_id": "m1", "date": date(2026, 3, 2), "channel": "email", "sessions": 3}]})
    (lake / "pseudonym-key.json").write_text(json.dumps({"keys": [SECRET]}))
    (lake / "bronze").mkdir()
    (lake / "bronze" / "page.ndjson").write_text(json.dumps({"email": SECRET}))
    return lake


def lake_at(path: Path) -> "Lake":
    runtime = Runtime(lambda: datetime.now(UTC), time.monotonic)
    return open_lake(Settings(WISTIA_API_TOKEN="x", WISTLAKE_LAKE=path), runtime)


OPENED: dict[str, Callable[[Path], Any]] = {
    "settings": lambda path: lake_at(path).query(),
    "folder": query_folder,
    "dashboard": lambda path: Published(lake_at(path), held=True).open(),
    "python": wistlake.open,
}


@pytest.fixture(scope="module", params=OPENED)
def query(request: pytest.FixtureRequest, folder: Path) -> Any:
    """Each way that the product opens a lake."""
    return OPENED[request.param](folder)


REACHING_OUT = {
    "a file": "SELECT * FROM read_text('{outside}')",
    "a file as blob": "SELECT * FROM read_blob('{outside}')",
    "a file as CSV": "SELECT * FROM read_csv('{outside}')",
    "a file by its name": "SELECT * FROM '{outside}'",
    "a file here": "SELECT * FROM 'pyproject.csv'",
    "a file of a table": "SELECT * FROM '{lake}/warehouse/gold/channel_daily/data/x.parquet'",
    "the key": "SELECT * FROM '{lake}/pseudonym-key.json'",
    "the key by a detour": "SELECT * FROM '{lake}/warehouse/gold/channel_daily/../../../pseudonym-key.json'",
    "the key as a URL": "SELECT * FROM read_json('file://{lake}/pseudonym-key.json')",
    "raw pages": "SELECT * FROM '{lake}/bronze/page.ndjson'",
    "the ledger": "SELECT * FROM read_blob('{lake}/ledger.db')",
    "the names of files": "SELECT * FROM glob('{lake}/*')",
    "a hidden call": "SELECT (SELECT count(*) FROM (WITH a AS (FROM read_text('{outside}')) SELECT * FROM a))",
    "a call in a text": "SELECT * FROM query('SELECT * FROM read_text(''{outside}'')')",
    "a described call": "SUMMARIZE SELECT * FROM read_text('{outside}')",
    "a file by a call that takes a table": "FROM histogram_values('{lake}/bronze/page.ndjson', email)",
    "a table by a computed name": "FROM histogram_values('silver.fact_' || 'events', visitor_id)",
    "a table in quotes": "FROM histogram_values('silver.fact_\"events\"', visitor_id)",
    "a table by its argument's name": "FROM histogram(col_name := city, source := 'gold.dim_' || 'visitor')",
    "a table in other letters": "FROM histogram_values(e'silver.fact\\x5fevents', visitor_id)",
    "another table of the format": "SELECT * FROM iceberg_scan('{lake}/bronze')",
    "a database": "ATTACH '{lake}/ledger.db'",
    "the ledger through an extension": "SELECT * FROM sqlite_scan('{lake}/ledger.db', 'tombstones')",
    "an extension from the network": "INSTALL httpfs",
    "an extension": "LOAD httpfs",
    "the network": "SELECT * FROM 'https://127.0.0.1:9/x.json'",
    "a copy": "COPY (SELECT 1) TO '{written}'",
    "an export": "EXPORT DATABASE '{written}'",
    "a log in a file": "SELECT * FROM enable_logging(storage = 'file', storage_path = '{written}')",
    "a log by a capital letter": "SELECT * FROM \"Enable_Logging\"(storage = 'file', storage_path = '{written}')",
    "a profile in a file": "SELECT * FROM system.main.enable_profiling(save_location = '{written}.txt')",
    "a log within the tables": "FROM enable_logging(storage = 'file', storage_path = '{lake}/warehouse/gold/x')",
    "wider settings": "SET enable_external_access = true",
    "settings without a lock": "SET lock_configuration = false",
    "settings as they were": "RESET allowed_directories",
    "a table": "CREATE TABLE x AS SELECT 1",
    "a pragma": "PRAGMA enable_profiling",
    "two statements": "SELECT 1; SELECT 2",
    "no statement": "",
}  # fmt: skip


@pytest.mark.parametrize("text", REACHING_OUT.values(), ids=REACHING_OUT)
def test_a_query_reaches_nothing_but_the_tables(query: Any, folder: Path, tmp_path: Path, text: str) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(f"text\n{SECRET}\n")
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConfigError) as refused:
        query.sql(text.format(lake=folder, outside=outside, written=tmp_path / "written"))
    assert SECRET not in str(refused.value)
    assert sorted(tmp_path.iterdir()) == [outside]
    assert sorted(folder.rglob("*")) == before
    # And the next one is answered as ever.
    assert query.sql("SELECT sessions FROM gold.channel_daily").to_pylist() == [{"sessions": 3}]


def test_duckdb_itself_is_shut(tmp_path: Path) -> None:
    """Whatever is overlooked in a statement: the connection has nothing to give."""
    inside, outside = tmp_path / "in" / "a.csv", tmp_path / "b.csv"
    inside.parent.mkdir()
    for file in (inside, outside):
        file.write_text("a\n1\n")
    frame = pa.table({"a": [1]})
    with duckdb.connect() as connection:
        assert connection.execute("FROM frame").fetchall() == [(frame["a"][0].as_py(),)]
        sandbox.shut(connection, [str(inside.parent)])
        assert connection.execute(f"FROM read_csv('{inside}')").fetchall() == [(1,)]
        for text in (
            f"FROM read_csv('{outside}')",
            f"FROM read_csv('{inside.parent}/../b.csv')",
            f"COPY (SELECT 1) TO '{outside}'",
            f"ATTACH '{outside}'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "FROM frame",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(text)
    assert outside.read_text() == "a\n1\n"


def test_an_extension_that_its_maker_did_not_sign_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(path: Path) -> Path:
        """A copy whose signature, the end of the file, is another one."""
        copied = tmp_path / path.name
        copied.write_bytes(path.read_bytes()[:-1] + b"x")
        return copied

    def load(connection: duckdb.DuckDBPyConnection) -> None:
        http = Path(next(iter(duckdb_extension_httpfs.__path__)))
        connection.execute(f"LOAD '{changed(next(http.rglob('*.duckdb_extension')))}'")

    DuckDBQuery(MemoryLedger()).sql("SELECT 1")
    with pytest.raises(duckdb.Error, match="signature"):
        DuckDBQuery(MemoryLedger(), prepare=load).sql("SELECT 1")
    avro, iceberg = duckdb_query.extensions()
    monkeypatch.setattr(duckdb_query, "extensions", lambda: (changed(avro), iceberg))
    duckdb_query.are_signed.cache_clear()
    with pytest.raises(duckdb.Error, match="signature"):
        DuckDBQuery(MemoryLedger()).sql("SELECT 1")


def test_a_refusal_is_one_clear_line(folder: Path) -> None:
    query = query_folder(folder)
    for text, said in {
        "SELECT * FROM read_text('/etc/passwd')": "query reads the lake's tables only: it calls no read_text()",
        "SELECT * FROM '/etc/hosts.csv'": "query reads the lake's tables only: /etc/hosts.csv is a file",
        "SELECT * FROM 'hosts.csv'": "query reads the lake's tables and no other file: Permission Error",
        "COPY (SELECT 1) TO 'x.csv'": "query takes one SELECT",
    }.items():
        with pytest.raises(ConfigError, match="query ") as refused:
            query.sql(text)
        assert str(refused.value).startswith(said)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT d.channel, t.n FROM gold.channel_daily d, range(2) t(n) ORDER BY n", 2),
        ("SELECT * FROM unnest([1, 2, 3])", 3),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) FROM n", 4),
        ("DESCRIBE gold.channel_daily", len(TABLE.columns)),
        ("SUMMARIZE gold.channel_daily", len(TABLE.columns)),
        ("FROM gold.channel_daily", 1),
        ("SELECT name FROM pragma_table_info('gold.channel_daily')", len(TABLE.columns)),
        ("SELECT * FROM gold.media_metrics", 0),
    ],
)  # fmt: skip
def test_what_only_computes_is_allowed(folder: Path, text: str, rows: int) -> None:
    assert query_folder(folder).sql(text).num_rows == rows


def defined(query: Query) -> set[str]:
    """The tables and views that DuckDB knows."""
    assert isinstance(query, DuckDBQuery)
    query.sql("SELECT 1")
    assert query._connection is not None
    rows = query._connection.execute(
        "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal"
    )
    return {name for (name,) in rows.fetchall() if not name.startswith("main.")}


def test_what_no_query_names_is_not_opened(folder: Path) -> None:
    query = query_folder(folder)
    assert defined(query) == set()
    assert query.sql('SELECT sessions FROM Gold . "channel_daily"').to_pylist() == [{"sessions": 3}]
    assert defined(query) == {"gold.channel_daily"}
    query.sql("SELECT * FROM gold.media_metrics")  # a view, on two tables
    assert defined(query) >= {"gold.media_metrics", "gold.fact_media_daily"}
    assert "silver.fact_events" not in defined(query)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT table_name AS name FROM information_schema.tables",
        "SELECT view_name AS name FROM duckdb_views()",
        "SELECT name FROM (SHOW ALL TABLES)",
        "SELECT t.table_name AS name FROM information_schema.tables t, gold.channel_daily",
        "SELECT table_name AS name FROM system.information_schema.tables",
        "SELECT view_name AS name FROM system.main.duckdb_views()",
        "SELECT name FROM main.sqlite_master",
        "SELECT name FROM (SHOW ALL TABLES) -- not gold.channel_daily",
        "SELECT DISTINCT s.name FROM (SHOW ALL TABLES) s, gold.channel_daily",
    ],
)
def test_a_list_of_tables_has_those_that_nobody_named(folder: Path, text: str) -> None:
    names = {row["name"] for row in query_folder(folder).sql(text).to_pylist()}
    assert names >= {t.name for t in TABLES} | {"media_metrics", "intervals"}


def test_a_wrong_name_is_told_what_there_is(folder: Path) -> None:
    with pytest.raises(ConfigError, match="channel_daily"):
        query_folder(folder).sql("SELECT * FROM gold.chanel_daily")
    with pytest.raises(ConfigError, match=r"gold\.channel_daily"):
        query_folder(folder).sql("SELECT * FROM channel_daily")


def test_a_table_whose_opening_was_interrupted_is_opened_by_the_next_query(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = query_folder(folder)
    assert isinstance(query, DuckDBQuery)

    def interrupted(*_: object) -> None:
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBQuery, "_make_table", interrupted)
        with pytest.raises(StoreError, match="longer than 5"):
            query.limited("FROM gold.channel_daily", 10, 5.0)
    assert query.limited("FROM gold.channel_daily", 10, 60.0).num_rows == 1


LATELY = pytest.mark.parametrize("open_lake_at", [query_folder, partial(query_folder, held=True)])
WAYS = (
    "SELECT sum(sessions) AS n FROM gold.channel_daily",
    "SELECT count(*) AS n FROM gold.media_metrics, gold.channel_daily",
)


@LATELY
@pytest.mark.parametrize("suffix", ["metadata.json", ".avro"])
def test_a_file_that_goes_after_the_lake_was_opened_is_named_and_may_come_back(
    open_lake_at: Callable[[Path], Query], suffix: str, tmp_path: Path
) -> None:
    """A manifest that was gone ended the whole process; an error of the first naming stayed for good."""
    lake = tmp_path / "lake"
    publish(lake, {TABLE: [{"media_id": "m1", "date": date(2026, 3, 2), "channel": "email", "sessions": 3}]})
    query = open_lake_at(lake)
    query.sql("SELECT 1")
    metadata = lake / "warehouse" / "gold" / "channel_daily" / "metadata"
    files = [file for file in metadata.iterdir() if file.name.endswith(suffix)]
    for file in files:
        file.rename(tmp_path / file.name)
    for way in WAYS:
        with pytest.raises(
            StoreDamaged, match=r"gold\.channel_daily is damaged: .* repairs what raw pages allow"
        ):
            query.sql(way)
    assert query.sql("SELECT count(*) AS n FROM gold.geo_daily").to_pylist() == [{"n": 0}]
    for text in ("FROM nowhere.x", "SELECT 1 -- gold.channel_daily", "FROM information_schema.tables"):
        with contextlib.suppress(ConfigError):
            query.sql(text)
    for file in files:
        (tmp_path / file.name).rename(file)
    assert query.sql(WAYS[0]).to_pylist() == [{"n": 3}]


def test_a_reader_that_was_overtaken_is_told_to_come_again(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    publish(lake, {TABLE: []})
    query = query_folder(lake)
    before = query.published
    assert before is not None
    SqliteLedger(lake / "ledger.db").publish(replace(before, run_id="next"))
    for file in (lake / "warehouse").rglob("*.metadata.json"):
        file.unlink()
    with pytest.raises(StoreBusy, match="published anew since this reader opened it"):
        query.sql("FROM gold.channel_daily")


def test_a_table_outside_of_the_lake_is_not_opened(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder / "warehouse" / "gold" / "channel_daily", elsewhere)
    publication = query_folder(folder).published
    assert publication is not None
    (metadata,) = (elsewhere / "metadata").glob("00001*.metadata.json")
    moved = publication.tables[TABLE.full_name]._replace(metadata_location=str(metadata))
    ledger = MemoryLedger()
    ledger.publish(replace(publication, tables={TABLE.full_name: moved}))
    query = DuckDBQuery(ledger, inspector=lake_at(folder).inspector())
    with pytest.raises(StoreDamaged, match="neither reads nor changes it there"):
        query.sql("FROM gold.channel_daily")
    with pytest.raises(ConfigError):
        query.sql(f"FROM '{next(elsewhere.rglob('*.parquet'))}'")


class Reading(MemoryLedger):
    """A ledger whose intervals can't be read at first, and that counts who tries."""

    fails, tries = 1, 0

    def interval_columns(self, names: Sequence[str]) -> Iterator[Mapping[str, list[Any]]]:
        self.tries += 1
        if self.tries <= self.fails:
            raise StoreBusy("another process has it")
        yield from super().interval_columns(names)


def test_a_ledger_that_was_busy_is_asked_again() -> None:
    """The second try was told that there is no such table."""
    query = DuckDBQuery(Reading())
    with pytest.raises(StoreBusy):
        query.sql("FROM ops.intervals")
    assert query.sql("FROM ops.intervals").num_rows == 0


@pytest.mark.parametrize(
    "text",
    [
        "DESCRIBE gold.channel_daily",
        "SHOW ALL TABLES",
        "SELECT name FROM pragma_table_info('gold.channel_daily')",
        "SELECT channel FROM gold.channel_daily WHERE channel = 'show' -- describe",
        "SELECT sessions AS show FROM gold.channel_daily",
    ],
)
def test_what_is_only_described_is_not_read_of_the_ledger(text: str) -> None:
    ledger = Reading()
    DuckDBQuery(ledger).sql(text)
    assert ledger.tries == 0


@pytest.mark.parametrize(
    "text", ["FROM ops.intervals", "FROM ops/**/.intervals", "FROM memory.ops.intervals"]
)
def test_a_list_leaves_the_tables_of_the_ledger_readable(text: str) -> None:
    ledger = MemoryLedger()
    ledger.record([INTERVAL])
    query = DuckDBQuery(ledger)
    query.sql("SHOW ALL TABLES")
    assert query.sql(f"SELECT rows {text} WHERE dataset = 'events'").to_pylist() == [{"rows": 3}]


def test_a_list_beside_a_table_of_the_ledger_has_its_rows() -> None:
    ledger = MemoryLedger()
    ledger.record([INTERVAL])
    text = "SELECT rows FROM memory.ops.intervals WHERE rows > 0 AND EXISTS (FROM duckdb_views())"
    assert DuckDBQuery(ledger).sql(text).to_pylist() == [{"rows": 3}]


def test_time_is_over_even_if_it_falls_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt that met no running query was lost, and the query had no end."""
    query, make, interrupted = DuckDBQuery(MemoryLedger()), DuckDBQuery._make, Event()
    query.sql("SELECT 1")
    assert query._connection is not None

    class Connection:
        def interrupt(self) -> None:
            connection.interrupt()
            interrupted.set()

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

    def slow(self: DuckDBQuery, *given: Any) -> None:
        assert interrupted.wait(60)
        make(self, *given)

    connection, query._connection = query._connection, Connection()  # type: ignore[assignment]
    monkeypatch.setattr(DuckDBQuery, "_make", slow)
    with pytest.raises(StoreError, match="longer than"):
        query.limited("SELECT count(*) FROM range(1000000000000)", 1, 0.01)


def test_time_is_over_while_rows_are_handed_over() -> None:
    text = (
        "SELECT range, md5(range::VARCHAR) AS m, repeat(md5(range::VARCHAR), 50) AS r FROM range(100000000)"
    )
    with pytest.raises(StoreError, match="longer than"):
        DuckDBQuery(MemoryLedger()).limited(text, 3_000_000, 0.5)


def test_threads_get_their_own_answers(folder: Path) -> None:
    query = query_folder(folder)

    def ask(n: int) -> list[Any]:
        table = TABLES[n % len(TABLES)].full_name
        return query.sql(f"SELECT {n} AS n, count(*) AS rows FROM {table}").to_pylist()

    with ThreadPoolExecutor(4) as pool:
        answered = [rows[0]["n"] for rows in pool.map(ask, range(60))]
    assert answered == list(range(60))


def test_a_figure_that_names_a_table_twice_is_answered_from_a_copy(folder: Path) -> None:
    query = query_folder(folder, held=True)
    text = (
        "SELECT count(*) AS n FROM gold.fact_media_daily JOIN gold.media_daily_metrics USING (media_id, date)"
    )
    assert query.sql(text).to_pylist() == [{"n": 0}]


def test_copies_that_are_given_up_half_way_are_given_up_by_the_next_query(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = query_folder(folder, held=True)
    assert isinstance(query, held_query.HeldQuery)
    text = "SELECT sessions FROM gold.channel_daily"
    assert query.sql(text).to_pylist() == [{"sessions": 3}]
    connection = query._connection
    assert connection is not None

    class Dying:
        def execute(self, text: str) -> Any:
            if text.startswith("DROP TABLE"):
                raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
            return connection.execute(text)

    with pytest.raises(duckdb.InterruptException):
        query._release(Dying())  # type: ignore[arg-type]
    assert query.sql(text).to_pylist() == [{"sessions": 3}]
    with pytest.raises(ConfigError):
        query.sql("SELECT no_such_column FROM gold.channel_daily")
    assert query.sql(text).to_pylist() == [{"sessions": 3}]
    assert "_held" not in str(connection.execute("SELECT table_name FROM duckdb_tables()").fetchall())


def test_a_query_of_one_table_loads_no_pandas(folder: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom wistlake.wiring.laptop import query_folder\n"
        "print(query_folder(Path(sys.argv[1])).sql('FROM gold.channel_daily').num_rows, 'pandas' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    assert process.stdout.split() == ["1", "False"], process.stderr


def test_a_zero_byte_ends_no_query_early(folder: Path) -> None:
    with pytest.raises(ConfigError):
        query_folder(folder).sql("SELECT 1\0; FROM read_text('/etc/passwd')")


def test_a_table_published_before_it_had_a_column_is_read(tmp_path: Path) -> None:
    """Between an upgrade and the next run the lake still has the old columns."""
    old = replace(
        dim_visitor.TABLE, columns=tuple(c for c in dim_visitor.TABLE.columns if c.name != "sessions")
    )
    publish(
        tmp_path / "lake",
        {old: [{"visitor_id": "v1", "play_count": 2, "first_seen_at": NOW, "last_seen_at": NOW}]},
    )
    found = query_folder(tmp_path / "lake").sql("SELECT * FROM gold.dim_visitor")
    assert found.column_names == list(dim_visitor.TABLE.column_names)
    assert found.to_pylist()[0]["play_count"] == 2
    assert found.to_pylist()[0]["sessions"] is None


INTERVAL = Interval(
    "events", "m1", date(2026, 3, 2), State.PUBLISHED, "r1", NOW, "why", "l1", NOW, "c0", 3, finished=True,
    confirmations=2,
)  # fmt: skip


def test_the_intervals_are_a_table(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    select = "SELECT * FROM ops.intervals ORDER BY day"
    assert DuckDBQuery(ledger).sql(select).to_pylist() == []
    later = replace(INTERVAL, day=date(2026, 3, 3), state=State.FAILED, observed_at=None, finished=False)
    ledger.record([INTERVAL, later, replace(INTERVAL, dataset="gold", day=date(2026, 3, 1))])
    found = DuckDBQuery(ledger).sql(select).to_pylist()
    names = found[0].keys()
    assert found[1:] == [{name: getattr(i, name) for name in names} for i in (INTERVAL, later)]
    assert type(found[1]["finished"]) is bool
    with ledger._database.writing() as connection:
        connection.execute("UPDATE intervals SET day = 'yesterday' WHERE dataset = 'gold'")
    with pytest.raises(StoreDamaged, match="never wrote: restore"):
        DuckDBQuery(ledger).sql(select)


def test_columns_of_one_name_keep_their_values() -> None:
    found = DuckDBQuery(MemoryLedger()).sql("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS b, 5 AS a")
    assert found.to_pylist() == [{"a": 1, "a_2": 2, "a_1": 3, "b": 4, "a_3": 5}]


def test_sums_of_whole_numbers_are_whole_numbers() -> None:
    query = DuckDBQuery(MemoryLedger())
    found = query.sql("SELECT sum(i) AS s, sum(i) * 100000000000000000000 AS huge FROM range(4) t(i)")
    assert found.schema.field("s").type == pa.int64()
    assert found.to_pylist() == [{"s": 6, "huge": 600000000000000000000}]
    assert query.sql("SELECT sum(i) AS s FROM range(0) t(i)").to_pylist() == [{"s": None}]


def test_names_are_told_apart_as_duckdb_does() -> None:
    assert answers.distinct(["a", "b", "a", "a"]) == ["a", "b", "a_1", "a_2"]
    assert answers.distinct(["a", "a", "a_1"]) == ["a", "a_2", "a_1"]
    assert answers.distinct([]) == []


def test_a_reader_of_many_figures_reads_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = [{"media_id": f"m{n}", "date": date(2026, 3, 2), "channel": "email"} for n in range(3)]
    session = {
        "event_key": "e", "received_at": NOW, "event_date": NOW.date(), "event_date_local": NOW.date(),
        "media_id": "m1", "visitor_id": "v", "percent_viewed": 0.5, "channel": "email", "landing_id": "l",
    }  # fmt: skip
    publish(tmp_path, {TABLE: channels, fact_events.TABLE: [session]})
    media = "SELECT media_id FROM gold.channel_daily ORDER BY 1"
    held, other = query_folder(tmp_path, held=True), query_folder(tmp_path)
    monkeypatch.setattr(held_query, "MOST_HELD", 2)
    large = query_folder(tmp_path, held=True)
    assert large.sql(media) == other.sql(media)
    monkeypatch.undo()
    figures = f"SELECT {', '.join(held_query._held(fact_events.TABLE))} FROM silver.fact_events"
    before = [other.sql(text).to_pylist() for text in (media, figures)]
    assert [held.sql(text).to_pylist() for text in (media, figures)] == before
    for file in tmp_path.rglob("*.parquet"):
        file.unlink()
    assert [held.sql(text).to_pylist() for text in (media, figures)] == before
    for not_held in (large, other):
        with pytest.raises(StoreDamaged):
            not_held.sql(media)


@pytest.mark.parametrize(
    "text",
    ["SELECT landing_id AS found FROM silver.fact_events", "SELECT event_key AS found FROM fact_events"],
)
def test_what_no_copy_has_is_read_from_the_files(tmp_path: Path, text: str) -> None:
    session = {"event_key": "x", "received_at": NOW, "media_id": "m1", "visitor_id": "v", "landing_id": "x"}
    days = {
        "event_date": NOW.date(),
        "event_date_local": NOW.date(),
        "percent_viewed": 0.5,
        "channel": "email",
    }
    publish(tmp_path, {fact_events.TABLE: [session | days]})
    held = query_folder(tmp_path, held=True)
    assert held.sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist() == [{"n": 1}]
    assert held.sql(text).to_pylist() == [{"found": "x"}]
    with pytest.raises(ConfigError, match="nonsense does not exist"):
        held.sql("SELECT 1 FROM silver.fact_events, gold.nonsense")
    assert held.sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist() == [{"n": 1}]
