"""Answers as people and programs get them: every value, in valid JSON, whatever the terminal can write."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.commands import call
from support.memory import MemoryLedger
from support.published import publish
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.contracts.dim_media import TABLE as MEDIA
from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.contracts.fact_media_engagement import TABLE as ENGAGEMENT
from wistlake.entrypoints.cli import output

TITLE = "Tour 🎬 → Ünïted, हिन्दी"
LAST = date(2026, 3, 15)
EMPTY = DuckDBQuery(MemoryLedger())  # no table has rows
ENDLESS = {
    "timestamp 'infinity'": "infinity",
    "timestamptz '-infinity'": "-infinity",
    "date 'infinity'": "infinity",
    "date '-infinity'": "-infinity",
    "date '20000-01-01'": "20000-01-01",
    "[timestamp 'infinity', timestamp '2026-03-02 10:00']": ["infinity", "2026-03-02 10:00:00"],
    "{'at': date 'infinity', 'n': 1.5}": {"at": "infinity", "n": 1.5},
}
NUMBERS = {
    "sum(i)": 6,
    "sum(i) * 100000000000000000000": 600000000000000000000,
    "sum(i::DECIMAL(10, 2))": 6,
    "sum(i)::DECIMAL(10, 2) / 4::DECIMAL(10, 2)": 1.5,
    "1.25": 1.25,
    "avg(i)": 1.5,
    "[0.5, sum(i)::DOUBLE]": [0.5, 6.0],
    "'nan'::DOUBLE": None,
    "'infinity'::FLOAT": None,
    "['-infinity'::DOUBLE, 2.0]": [None, 2.0],
    "{'n': 'nan'::DOUBLE}": {"n": None},
    "MAP {'n': 2.5}": [["n", 2.5]],
    "18446744073709551615::UBIGINT": 18446744073709551615,
    "'\\xAB'::BLOB": "ab",
    "NULL": None,
}


def shown(capsys: pytest.CaptureFixture[str], select: str, form: str) -> str:
    """What the answer looks like."""
    output.rows(EMPTY.sql(f"SELECT {select} FROM range(4) t(i)"), form)
    return capsys.readouterr().out


def strict(text: str) -> Any:
    """JSON, as parsers other than Python's take it."""

    def refused(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refused)


@pytest.mark.parametrize(("expression", "value"), [*NUMBERS.items(), *ENDLESS.items()])
def test_json_is_valid_and_its_numbers_are_numbers(
    capsys: pytest.CaptureFixture[str], expression: str, value: object
) -> None:
    (row,) = strict(shown(capsys, f"{expression} AS x, count(*) AS n", "json"))
    assert row == {"x": value, "n": 4}
    assert type(row["x"]) is type(value)


@pytest.mark.parametrize(("expression", "value"), ENDLESS.items())
def test_days_beyond_the_calendar_are_text_in_every_form(
    capsys: pytest.CaptureFixture[str], expression: str, value: object
) -> None:
    word = value if isinstance(value, str) else "infinity"
    assert word in shown(capsys, f"{expression} AS x, count(*) AS n", "table")
    assert word in shown(capsys, f"{expression} AS x, count(*) AS n", "csv")


def test_columns_of_one_name_keep_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    select = "count(*) AS n, 'x' AS n, sum(i) AS n"
    (header, row) = csv.reader(io.StringIO(shown(capsys, select, "csv")))
    assert (len(set(header)), row) == (3, ["4", "x", "6"])
    (found,) = strict(shown(capsys, select, "json"))
    assert list(found.values()) == [4, "x", 6]
    assert shown(capsys, select, "table").splitlines()[-2].split() == ["4", "x", "6"]


def test_any_commands_json_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"share": float("nan"), "days": [{"most": float("inf")}], "day": LAST})
    assert strict(capsys.readouterr().out) == {"share": None, "days": [{"most": None}], "day": "2026-03-15"}


def test_a_moment_without_a_zone_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found = shown(
        capsys,
        "timestamp '2026-03-02 10:00' AS bare, timestamptz '2026-03-02 10:00:00Z' AS utc, max(i)",
        "table",
    )
    assert "2026-03-02 10:00  2026-03-02 10:00Z" in found


@pytest.mark.parametrize(
    ("number", "text"), [("1234567.25", "1,234,567"), ("1234.5", "1,234"), ("0.12345", "0.1235")]
)
def test_a_large_number_is_written_out(capsys: pytest.CaptureFixture[str], number: str, text: str) -> None:
    assert text in shown(capsys, f"max(i) AS i, {number}::DOUBLE AS x", "table").split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two published weeks of a media whose title few terminals can write."""
    lake = tmp_path_factory.mktemp("shown") / "lake"
    days = [LAST - timedelta(days=n) for n in range(14)]
    publish(
        lake,
        {
            MEDIA: [{"media_id": "m1", "title": TITLE, "is_deleted": False, "channel": "other"}],
            DAILY: [
                {
                    "media_id": "m1",
                    "date": d,
                    "loads": 90,
                    "plays": 30 + n,
                    "sessions": 30,
                    "certificate": "settled",
                }
                for n, d in enumerate(days)
            ],
            ENGAGEMENT: [{"media_id": "m1", "date": d, "visitor_id": "v", "sessions": 1} for d in days],
        },
    )
    return lake


COMMANDS = {
    "a table": ("query", "SELECT title, 'é→🎬' AS x FROM silver.dim_media"),
    "CSV": ("query", "SELECT title FROM silver.dim_media", "--format", "csv"),
    "JSON": ("query", "SELECT title FROM silver.dim_media", "--format", "json"),
    "a column": ("query", 'SELECT 1 AS "🎬"'),
    "a digest": ("digest",),
    "a payload": ("digest", "--slack"),
    "a status": ("status",),
}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_a_stream_can_not_write_is_escaped(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], encoding: str
) -> None:
    """A Windows pipe, or a terminal of the last century."""
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding=encoding))
    monkeypatch.setenv("WISTIA_API_TOKEN", "x")
    monkeypatch.setenv("WISTLAKE_LAKE", str(folder))
    monkeypatch.setenv("MEDIA_IDS", "all")
    monkeypatch.chdir(folder)
    assert call(*command) == 0
    sys.stdout.flush()
    text = pipe.getvalue().decode(encoding)
    as_json = "--slack" in command or "json" in command
    film, arrow = ("\\ud83c\\udfac", "\\u2192") if as_json else ("\\U0001f3ac", "\\u2192")
    if "status" not in command:
        assert (film if encoding != "utf-8" or as_json else "🎬") in text
    if command[0] == "query" and not as_json and "title" in command[1]:
        assert (arrow if encoding != "utf-8" else "→") in text
        assert ("\\xdc" if encoding == "ascii" else "Ü") in text


def test_the_process_itself_survives_an_ascii_pipe(folder: Path) -> None:
    environment = {k: os.environ[k] for k in ("PATH", "PYTHONPATH", "HOME") if k in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", "query", "SELECT title FROM silver.dim_media"],
        capture_output=True, timeout=60, check=False, cwd=folder,
        env=environment | {"WISTIA_API_TOKEN": "x", "WISTLAKE_LAKE": str(folder), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Tour \\U0001f3ac" in done.stdout
