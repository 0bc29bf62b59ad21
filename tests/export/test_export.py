"""What is exported and read back with other tools equals the lake; nothing is left half."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from support.commands import call
from support.published import Row, publish
from support.some import some
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES
from wistlake.contracts import table as contract
from wistlake.contracts.form import Table, Type
from wistlake.errors import ConfigError, StoreBusy
from wistlake.export import manifest, order, relations
from wistlake.export.order import FORMS, Request, export
from wistlake.export.workbook import MOST_ROWS, require_room, sheet_name
from wistlake.ports import Publication, Query
from wistlake.quality.metrics import METRICS
from wistlake.quality.views import VIEWS
from wistlake.wiring.laptop import query_folder

EARLIER = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
FIRST, SECOND = datetime(2026, 3, 16, 2, 15, tzinfo=UTC), datetime(2026, 3, 17, 2, 15, tzinfo=UTC)
MEDIA, EVENTS, DAILY = (
    contract(n) for n in ("silver.dim_media", "silver.fact_events", "gold.fact_media_daily")
)
LIFETIME, VISITOR = contract("silver.media_lifetime"), contract("gold.dim_visitor")
FILLED = (MEDIA, LIFETIME, EVENTS, DAILY, VISITOR)
NAMES = tuple(t.full_name for t in FILLED)
TITLES = (
    "=cmd|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "\uff1d1", "\tx", "a\rb\nc", "bell\x07 and \x1b[31m", "'quoted", "",
    'say "hi", then; go', "Grüße, 世界 \U0001f600", "https://127.0.0.1/a", "_x0041_",
)  # fmt: skip


def media(n: int, title: str | None, built: datetime = FIRST) -> Row:
    tags = ["a", 'b "c"'] if n % 2 else None
    given = {"media_id": f"media{n:05}", "title": title, "tags": tags, "channel": "email", "built_at": built}
    return given | {"numeric_id": 2**53 + 1 if n == 1 else n, "is_deleted": False}


def day(n: int, plays: int, built: datetime = FIRST) -> Row:
    when = date(2026, 1, 30) + timedelta(days=n)
    built = EARLIER if built == FIRST and when.month == 2 else built
    of_day = {"media_id": "media00001", "date": when, "plays": plays}
    return of_day | {
        "loads": 7,
        "play_rate_estimated": plays / 7,
        "certificate": "settled",
        "built_at": built,
    }


def session(n: int, built: datetime = FIRST) -> Row:
    at = datetime(2026, 2, 27, 23, 59, 59, 123_000, tzinfo=UTC) + timedelta(hours=12 * n)
    built = EARLIER if built == FIRST and at.month == 2 else built
    given = {"event_key": f"e{n:04}", "received_at": at, "event_date": at.date(), "visitor_id": f"v{n % 3}"}
    return given | {
        "event_date_local": at.date(),
        "media_id": "media00001",
        "built_at": built,
        "channel": "x",
    }


def visitor(n: int, seen: datetime, built: datetime = FIRST) -> Row:
    return {
        "visitor_id": f"v{n}",
        "first_seen_at": seen,
        "last_seen_at": seen,
        "sessions": 1,
        "built_at": built,
    }


def lifetime(n: int) -> Row:
    views = {"engagement_data": [n, 2, 3], "rewatch_data": []}
    return {"media_id": "media00001", "snapshot_date": date(2026, 3, n), "action_types": ["form"], **views}


def contents() -> dict[Table, list[Row]]:
    """Several months; one table without months; lists; hostile titles."""
    return {
        MEDIA: [media(n, title) for n, title in enumerate((*TITLES, None))],
        LIFETIME: [lifetime(n) for n in (1, 2)],
        EVENTS: [session(n) for n in range(8)],
        DAILY: [day(n, n) for n in range(40)],
        VISITOR: [visitor(n, datetime(2026, 2, n + 1, tzinfo=UTC)) for n in range(3)],
    }


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    publish(folder, contents(), FIRST)
    return folder


def change(lake: Path, rows: Mapping[Table, Iterable[Row]], run_id: str = "r2") -> None:
    """Publish these tables with these rows in place of theirs."""
    catalog = LocalCatalog(lake)
    for table, of_table in rows.items():
        there = catalog.load(table.full_name)
        usual = {c.name: 0 for c in table.columns if c.type == "long" and not c.nullable}
        usual |= {c.name: FIRST for c in table.columns if c.lineage and c.type == "timestamp"}
        whole = [{c: (usual | dict(row)).get(c) for c in table.column_names} for row in of_table]
        there.overwrite(pa.Table.from_pylist(whole, schema=there.schema().as_arrow()))
    ledger = SqliteLedger(lake / "ledger.db")
    ledger.publish(Publication(run_id, SECOND, catalog.refs(NAMES)))
    ledger.close()


def changed() -> dict[Table, list[Row]]:
    """A day restated and one that is gone; a session of an old month gone, which only their number tells; a new
    session; somebody forgotten; a visitor in a month later; a new title."""
    sessions = [session(n) for n in range(1, 8)] + [session(8, SECOND)]
    return {
        MEDIA: [media(0, "New", SECOND), *contents()[MEDIA][1:]],
        EVENTS: sessions,
        DAILY: [day(0, 99, SECOND), *(day(n, n) for n in range(1, 39))],
        VISITOR: [
            visitor(1, datetime(2026, 3, 9, tzinfo=UTC), SECOND),
            visitor(2, datetime(2026, 2, 3, tzinfo=UTC)),
        ],
    }


def exported(lake: Path, folder: Path, form: str, *tables: str, **more: Any) -> list[order.Done]:
    return export(query_folder(lake), Request(form, tables or NAMES, **more), folder, SECOND)


def truth(lake: Path, table: Table) -> list[dict[str, Any]]:
    rows = query_folder(lake).sql(f"SELECT * FROM {table.full_name}").to_pylist()
    return ordered(table, rows)


def ordered(table: Table, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted((dict(r) for r in rows), key=lambda r: str([r[k] for k in table.key]))


def with_duckdb(folder: Path, table: Table) -> list[dict[str, Any]]:
    with duckdb.connect(str(folder / "wistlake.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"FROM {table.full_name}").to_arrow_table().to_pylist()


def parquet_with_duckdb(folder: Path, table: Table) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = f"{folder}/{table.full_name}/*.parquet"
        return connection.execute(f"FROM read_parquet('{files}')").to_arrow_table().to_pylist()


def parquet_with_pandas(folder: Path, table: Table) -> list[dict[str, Any]]:
    files = some(sorted((folder / table.full_name).glob("*.parquet")))
    frames = [pd.read_parquet(f, dtype_backend="pyarrow") for f in files]
    return pa.Table.from_pandas(pd.concat(frames, ignore_index=True), preserve_index=False).to_pylist()


def csv_with_pandas(folder: Path, table: Table) -> list[dict[str, Any]]:
    """Read as the manifest types the columns."""
    listed = {t["table"]: t for t in json.loads((folder / manifest.NAME).read_text())["tables"]}
    kinds = {c["name"]: c["type"] for c in listed[table.full_name]["columns"]}
    arrow = {
        "string": "string[pyarrow]",
        "long": "int64[pyarrow]",
        "boolean": "bool[pyarrow]",
    }
    files = some(sorted((folder / table.full_name).glob("*.csv")))
    rows: list[dict[str, Any]] = []
    for file in files:
        dtype: Any = {n: arrow.get(k, "string[pyarrow]") for n, k in kinds.items()}
        frame = pd.read_csv(file, dtype=dtype, keep_default_na=False, na_values=[""])
        rows += pa.Table.from_pandas(frame, preserve_index=False).to_pylist()
    parse: dict[str, Callable[[str], Any]] = {
        "date": date.fromisoformat, "timestamp": datetime.fromisoformat, "double": float,
        "array<long>": json.loads, "array<string>": json.loads,
    }  # fmt: skip
    return [{n: v if v is None else parse.get(kinds[n], lambda x: x)(v) for n, v in r.items()} for r in rows]


def with_openpyxl(folder: Path, table: Table) -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(folder / "wistlake.xlsx")[table.full_name]
    header, *rows = sheet.iter_rows(values_only=True)
    assert header == table.column_names
    return [{c.name: from_excel(c.type, v) for c, v in zip(table.columns, r, strict=True)} for r in rows]


def from_excel(kind: Type, value: Any) -> Any:
    match kind:
        case _ if value is None:
            return None
        case Type.TIMESTAMP:
            return value.replace(tzinfo=UTC)
        case Type.DATE:
            return value.date()
        case Type.LONGS | Type.STRINGS:
            return json.loads(value)
        case Type.DOUBLE:
            return pytest.approx(value, rel=1e-15)
    return int(value) if kind is Type.LONG else value


def in_csv(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What CSV makes of text: one line, an apostrophe before a formula; pandas can't tell "" from nothing."""
    shown = {
        "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "+1": "'+1", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)",
        "\uff1d1": "'\uff1d1", "\tx": "' x", "a\rb\nc": "a b c", "bell\x07 and \x1b[31m": "bell\ufffd and \ufffd[31m",
        "": None,
    }  # fmt: skip
    return [{n: shown.get(v, v) if isinstance(v, str) else v for n, v in r.items()} for r in rows]


def in_excel(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Controls are written as escapes, which openpyxl shows."""
    shown = {
        "a\rb\nc": "a_x000D_b\nc",
        "_x0041_": "_x005F_x0041_",
        "bell\x07 and \x1b[31m": "bell_x0007_ and _x001B_[31m",
    }
    return [{n: shown.get(v, v) if isinstance(v, str) else v for n, v in r.items()} for r in rows]


def same(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(r) for r in rows]


READERS = {
    "duckdb": ("duckdb", with_duckdb, same),
    "parquet, DuckDB": ("parquet", parquet_with_duckdb, same),
    "parquet, pandas": ("parquet", parquet_with_pandas, same),
    "csv, pandas": ("csv", csv_with_pandas, in_csv),
    "xlsx, openpyxl": ("xlsx", with_openpyxl, in_excel),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_back_equals_the_lake(reader: str, lake: Path, tmp_path: Path) -> None:
    form, read, shown = READERS[reader]
    done = exported(lake, tmp_path / "out", form)
    assert {d.table: d.rows for d in done} == {t.full_name: len(rows) for t, rows in contents().items()}
    for table in FILLED:
        assert ordered(table, read(tmp_path / "out", table)) == shown(truth(lake, table)), table.full_name


INCREMENTAL = [r for r, (form, _, _) in READERS.items() if form != "xlsx"]


@pytest.mark.parametrize(
    ("reader", "since"),
    [
        *((reader, {"since_last": True}) for reader in INCREMENTAL),
        *((INCREMENTAL[1], {"since": SECOND + timedelta(days=n)}) for n in (0, 9)),
    ],
)
def test_what_has_changed_since_leaves_the_same_as_a_whole_export(
    reader: str, since: dict[str, Any], lake: Path, tmp_path: Path
) -> None:
    """Also rows that are no more, of which the lake keeps no trace; and a moment after what the folder has."""
    form, read, shown = READERS[reader]
    exported(lake, tmp_path / "out", form)
    change(lake, changed())
    done = {d.table: d for d in exported(lake, tmp_path / "out", form, **since)}
    for table in FILLED:
        assert ordered(table, read(tmp_path / "out", table)) == shown(truth(lake, table)), table.full_name
    assert (done["gold.fact_media_daily"].written, done["gold.fact_media_daily"].parts) == (2, 3)
    assert done["silver.media_lifetime"].written == 0
    exported(lake, tmp_path / "whole", form)
    assert tree(tmp_path / "out").keys() == tree(tmp_path / "whole").keys()


@pytest.mark.parametrize("reader", INCREMENTAL)
def test_a_second_time_adds_nothing(reader: str, lake: Path, tmp_path: Path) -> None:
    form, _, _ = READERS[reader]
    exported(lake, tmp_path / "out", form)
    change(lake, changed())
    exported(lake, tmp_path / "out", form, since_last=True)
    before = tree(tmp_path / "out")
    for since in ({"since_last": True}, {"since": FIRST}):
        again = exported(lake, tmp_path / "out", form, **since)
        assert {(d.written, d.removed) for d in again} == {(0, 0)}
    if form != "duckdb":  # whose file is copied, block by block
        assert tree(tmp_path / "out") == before
    for table in FILLED:
        assert len(READERS[reader][1](tmp_path / "out", table)) == len(truth(lake, table))


def test_a_month_that_is_gone_goes_and_one_that_somebody_removed_comes_back(
    lake: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    exported(lake, out, "parquet")
    (out / DAILY.full_name / "2026-02.parquet").unlink()
    change(lake, {DAILY: [day(n, n) for n in range(2, 30)]})
    exported(lake, out, "parquet", since_last=True)
    assert sorted(p.name for p in (out / DAILY.full_name).iterdir()) == ["2026-02.parquet"]
    assert ordered(DAILY, parquet_with_pandas(out, DAILY)) == truth(lake, DAILY)


def test_a_moment_leaves_out_what_a_new_folder_does_not_ask_for(lake: Path, tmp_path: Path) -> None:
    change(lake, changed())
    out = tmp_path / "out"
    exported(lake, out, "parquet", since=SECOND)
    assert sorted(p.name for p in (out / DAILY.full_name).iterdir()) == ["2026-01.parquet"]
    exported(lake, out, "parquet", since_last=True)
    assert ordered(DAILY, parquet_with_pandas(out, DAILY)) == truth(lake, DAILY)


def test_files_of_an_older_contract_are_written_anew(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(lake, out, "parquet")
    document = json.loads((out / manifest.NAME).read_text())
    document["state"]["entries"][DAILY.full_name]["columns"].pop()
    (out / manifest.NAME).write_text(json.dumps(document))
    done = {d.table: d.written for d in exported(lake, out, "parquet", since_last=True)}
    assert done == {n: 3 if n == DAILY.full_name else 0 for n in NAMES}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but the manifest, which says when."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name != manifest.NAME
    }


class Dying(Query):
    """A query whose answers end."""

    def __init__(self, query: Query, answers: int) -> None:
        self.query, self.left = query, answers

    @property
    def published(self) -> Publication | None:
        return self.query.published

    def sql(self, text: str) -> pa.Table:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.query.sql(text)


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupted_export_changes_nothing(form: str, lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(lake, out, form)
    before = tree(out) | {manifest.NAME: (out / manifest.NAME).read_bytes()}
    change(lake, changed())
    for answers in (2, len(NAMES) + 2):
        with pytest.raises(KeyboardInterrupt):
            export(Dying(query_folder(lake), answers), Request(form, NAMES), out, SECOND)
        assert tree(out) | {manifest.NAME: (out / manifest.NAME).read_bytes()} == before


def test_in_a_workbook_text_is_text(lake: Path, tmp_path: Path) -> None:
    exported(lake, tmp_path / "out", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "out" / "wistlake.xlsx")
    titles = [cell for cell in book["silver.dim_media"]["C"][1:] if cell.value is not None]
    assert len(titles) == len(TITLES)
    assert {cell.data_type for cell in some(titles)} == {"s"}
    assert [cell.hyperlink for cell in titles if cell.hyperlink] == []
    meaning = {
        (t, c): (unit, means) for t, c, unit, means in book["definitions"].iter_rows(2, values_only=True)
    }
    watched = DAILY.column("watch_milliseconds")
    assert meaning[DAILY.full_name, watched.name] == (watched.unit, watched.doc)


def test_the_manifest_says_what_everything_means_and_of_which_publication(lake: Path, tmp_path: Path) -> None:
    exported(lake, tmp_path / "out", "parquet")
    said = json.loads((tmp_path / "out" / manifest.NAME).read_text())
    published = query_folder(lake).published
    assert published
    assert said["exported_at"] == SECOND.isoformat()
    assert [t["table"] for t in said["tables"]] == list(NAMES)
    for of_table in said["tables"]:
        table = contract(of_table["table"])
        assert of_table["publication"], of_table["snapshot_id"] == (
            "r1",
            published.tables[table.full_name].snapshot_id,
        )
        assert of_table["rows"] == len(truth(lake, table))
        assert {c["name"]: (c["means"], c["unit"]) for c in of_table["columns"]} == {
            c.name: (c.doc, c.unit) for c in table.columns
        }
    assert [m["metric"] for m in said["metrics"]] == [m.name for m in METRICS]


def test_comments_in_the_database_say_it_too(lake: Path, tmp_path: Path) -> None:
    exported(lake, tmp_path / "out", "duckdb")
    with duckdb.connect(str(tmp_path / "out" / "wistlake.duckdb"), read_only=True) as connection:
        told = dict(
            connection.execute(
                "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'fact_media_daily'"
            ).fetchall()
        )
    assert told["watch_milliseconds"] == f"{DAILY.column('watch_milliseconds').doc} Unit: ms."


def test_other_tables_of_a_folder_stay(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(lake, out, "duckdb")
    change(lake, changed())
    exported(lake, out, "duckdb", DAILY.full_name)
    assert ordered(DAILY, with_duckdb(out, DAILY)) == truth(lake, DAILY)
    assert len(with_duckdb(out, EVENTS)) == 8
    said = {t["table"]: t["publication"] for t in json.loads((out / manifest.NAME).read_text())["tables"]}
    assert (said[DAILY.full_name], said[EVENTS.full_name]) == ("r2", "r1")


@pytest.mark.parametrize("form", FORMS)
def test_tables_without_rows_and_views_are_exported_too(form: str, lake: Path, tmp_path: Path) -> None:
    """All that there is, by its own name."""
    everything = relations.names()
    done = exported(lake, tmp_path / "out", form, *everything)
    assert [d.table for d in done] == everything
    if form == "duckdb":
        with duckdb.connect(str(tmp_path / "out" / "wistlake.duckdb"), read_only=True) as connection:
            made = {
                f"{s}.{t}".removeprefix("main.")
                for s, t in connection.execute(
                    "SELECT schema_name, table_name FROM duckdb_tables()"
                ).fetchall()
            }
        assert made == set(everything)
    if form == "parquet":
        assert {p.name for p in (tmp_path / "out").iterdir() if p.is_dir()} == set(everything)


def test_parts_are_never_of_a_day_that_may_be_unknown_and_sheets_have_names_of_their_own() -> None:
    for table in some(t for t in TABLES if t.day_column or t.moment_column):
        assert not table.column(table.day_column or table.moment_column).nullable, table.full_name
    sheets = [sheet_name(r).lower() for r in relations.chosen(relations.names(), ())]
    assert len(set(sheets)) == len(sheets) == len(TABLES) + len(VIEWS)
    assert max(map(len, sheets)) <= 31


def test_what_a_workbook_cannot_hold_is_told_with_the_cure(lake: Path, tmp_path: Path) -> None:
    require_room({"a": MOST_ROWS})
    with pytest.raises(ConfigError, match=r"^b has 1,048,576 rows.+--tables.+\nc has"):
        require_room({"a": 1, "b": MOST_ROWS + 1, "c": 2_000_000})
    change(lake, {MEDIA: [media(1, "x" * 40_000)]})
    with pytest.raises(ConfigError, match="40,000 characters"):
        exported(lake, tmp_path / "out", "xlsx")
    assert list((tmp_path / "out").iterdir()) == []


def test_folders_that_are_refused(lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder, why in (
        (lake, "inside the lake"),
        (lake / "x" / "y", "inside the lake"),
        (file, "is a file"),
    ):
        with pytest.raises(ConfigError, match=why):
            order.require_place(folder, lake)
    (tmp_path / "link").symlink_to(lake)
    with pytest.raises(ConfigError, match="inside the lake"):
        order.require_place(tmp_path / "link" / "out", lake)
    order.require_place(tmp_path / "out", lake)
    exported(lake, tmp_path / "out", "csv")
    with pytest.raises(ConfigError, match="holds an export to csv"):
        exported(lake, tmp_path / "out", "parquet")
    with pytest.raises(ConfigError, match="always written whole"):
        exported(lake, tmp_path / "new", "xlsx", since_last=True)
    with pytest.raises(
        ConfigError, match=r"no such table: gold\.fact_media_dayly, did you mean gold\.fact_media_daily"
    ):
        exported(lake, tmp_path / "new", "csv", "gold.fact_media_dayly")


@pytest.mark.parametrize(
    "text",
    ["{}", "no JSON", '{"state": {"form": "csv", "exported_at": "x"}}', "[]", '{"state": {"format": 2}}'],
)
def test_a_manifest_of_something_else_is_left_alone(text: str, lake: Path, tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text(text)
    with pytest.raises(ConfigError, match="no manifest that this"):
        exported(lake, tmp_path, "csv")
    assert (tmp_path / manifest.NAME).read_text() == text


def test_no_manifest_makes_an_export_remove_what_is_elsewhere(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(lake, out, "csv")
    written = json.loads((out / manifest.NAME).read_text())
    entries = written["state"]["entries"]
    for name, part in ((DAILY.full_name, "../../lake/lake"), ("../lake", "2026-01")):
        entries = entries | {
            name: {**written["state"]["entries"][DAILY.full_name], "parts": {part: {"rows": 1}}}
        }
        (out / manifest.NAME).write_text(
            json.dumps({**written, "state": {**written["state"], "entries": entries}})
        )
        with pytest.raises(ConfigError, match="no manifest that this"):
            exported(lake, out, "csv")


def test_nothing_published_is_told(tmp_path: Path) -> None:
    publish(tmp_path / "lake", {})
    ledger = SqliteLedger(tmp_path / "lake" / "ledger.db")
    ledger.close()
    query = Unpublished()
    with pytest.raises(ConfigError, match="nothing is published yet"):
        export(query, Request("csv"), tmp_path / "out", SECOND)
    assert not (tmp_path / "out").exists()


class Unpublished(Query):
    """A lake before its first run."""

    @property
    def published(self) -> Publication | None:
        return None

    def sql(self, text: str) -> pa.Table:
        raise AssertionError


def test_a_database_that_another_program_writes_to_is_left_alone(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(lake, out, "duckdb")
    (out / "wistlake.duckdb.wal").touch()
    with pytest.raises(ConfigError, match="written by another program"):
        exported(lake, out, "duckdb", since_last=True)
    (out / "wistlake.duckdb.wal").unlink()
    (out / "wistlake.duckdb").write_bytes(b"not a database")
    with pytest.raises(ConfigError, match="can't be opened as a DuckDB file"):
        exported(lake, out, "duckdb", since_last=True)


@pytest.fixture
def told(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
    monkeypatch.setenv("WISTLAKE_LAKE", str(lake))
    return tmp_path


def test_the_command(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "--to", "csv", "--tables", DAILY.full_name, "out", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["tables"] == [{"table": DAILY.full_name, "rows": 40, "parts": 3, "written": 3, "removed": 0}]
    assert call("export", "--to", "csv", "--since", "last", "out", "--json") == 0
    assert {t["table"]: t["written"] for t in json.loads(capsys.readouterr().out)["tables"]}[
        DAILY.full_name
    ] == 0
    assert (
        call("export", "--to", "csv", "--since", "2026-03-16T02:15Z", "--tables", DAILY.full_name, "out") == 0
    )
    assert DAILY.full_name in capsys.readouterr().out
    for wrong in (("--to", "exe"), ("--to", "csv", "--since", "soon"), ("--to", "csv", "--tables", ",")):
        assert call("export", *wrong, "out") == 2
    assert call("export", "--to", "csv", "lake/out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith("error: ")] == []
    assert len(lines) == 4
    assert not (told / "lake" / "out").exists()


@pytest.mark.parametrize(("form", "name"), [("duckdb", "wistlake.duckdb"), ("xlsx", "wistlake.xlsx")])
def test_a_file_that_no_export_left_is_left_alone(
    form: str, name: str, told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told / "out"
    out.mkdir()
    (out / name).write_bytes(b"somebody's own")
    asked = ("export", "--to", form, "--tables", DAILY.full_name, "out")
    assert call(*asked) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {out / name} is there, and no manifest")
    assert line.endswith("move it away, or name another folder")
    assert [(p.name, p.read_bytes()) for p in out.iterdir()] == [(name, b"somebody's own")]
    (out / name).unlink()
    assert [call(*asked), call(*asked)] == [0, 0], "its own is replaced"


def test_the_usual_tables(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, usual in (
        ("csv", [t.full_name for t in TABLES]),
        ("xlsx", [t.full_name for t in TABLES if t.layer == "gold" or t is MEDIA]),
    ):
        assert call("export", "--to", form, form, "--json") == 0
        assert [t["table"] for t in json.loads(capsys.readouterr().out)["tables"]] == usual


@pytest.mark.parametrize("form", FORMS)
def test_of_two_exports_into_one_folder_one_waits(form: str, lake: Path, tmp_path: Path) -> None:
    """Both ended well, and the files of one were nobody's."""
    query, out, refused = query_folder(lake), tmp_path / "out", list[StoreBusy]()

    class Overtaken:
        published = query.published

        def sql(self, text: str) -> pa.Table:
            if not refused:
                with pytest.raises(
                    StoreBusy, match=f"exporting to {re.escape(str(out))}: run again"
                ) as error:
                    export(query, Request(form, (VISITOR.full_name,)), out, SECOND)
                refused.append(error.value)
            return query.sql(text)

    export(Overtaken(), Request(form, (DAILY.full_name,)), out, SECOND)  # type: ignore[arg-type]
    assert len(refused) == 1
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    export(query, Request(form, (VISITOR.full_name,)), out, SECOND)
    assert {*manifest.read(out).entries} == (
        {VISITOR.full_name} if form == "xlsx" else {DAILY.full_name, VISITOR.full_name}
    )
