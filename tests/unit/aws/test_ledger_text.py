"""The ledger's rows in the text of a query: each type's literal, rows without any, days in a row, parts in brackets."""

import json
import subprocess
from datetime import UTC, date, datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import pytest

from support.aws import tools
from support.memory import MemoryLedger
from wistlake.adapters.aws.ledger_text import parts, written
from wistlake.adapters.duckdb_query import of_ledger
from wistlake.adapters.ledger_tables import LEDGER_TABLES, are_ledgers_alone, columns_named
from wistlake.contracts.form import Type
from wistlake.derive import athena
from wistlake.planning.intervals import Interval, State

DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 3, 15, 0, 1, timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "NULL"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (0.5, "CAST('0.5' AS double)"),
        (1e-20, "CAST('1e-20' AS double)"),
        (inf, "CAST('Infinity' AS double)"),
        (nan, "CAST('NaN' AS double)"),
        ("it's; -- ü", "'it''s; -- ü'"),
        (State.FAILED, "'failed'"),
        (DAY, "DATE '2026-03-01'"),
        (AT, "TIMESTAMP '2026-03-01 02:15:00.000001 UTC'"),
    ],
)
def test_a_value_as_athena_writes_it(value: Any, literal: str) -> None:
    assert athena.literal(value) == literal


def test_what_has_no_literal_is_no_text() -> None:
    with pytest.raises(TypeError, match="list"):
        athena.literal(["a"])


@pytest.mark.parametrize(
    ("columns", "rows", "text"),
    [
        (
            {"state": Type.STRING, "retired_at": Type.TIMESTAMP},
            [("a", None)],
            (
                '(SELECT CAST("state" AS varchar) AS "state", '
                'CAST("retired_at" AS timestamp(6) with time zone) AS "retired_at" '
                'FROM (VALUES (\'a\', NULL)) AS r ("state", "retired_at"))'
            ),
        ),
        (
            {"value": Type.DOUBLE, "day": Type.DATE},
            [],
            '(SELECT CAST(NULL AS double) AS "value", CAST(NULL AS date) AS "day" WHERE false)',
        ),
    ],
)
def test_rows_as_a_subquery(columns: dict[str, Type], rows: list[Any], text: str) -> None:
    assert written(columns, rows) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT f(a, (1)), ((SELECT 2))", ["(a, (1))", "(1)", "((SELECT 2))", "(SELECT 2)"]),
        ("SELECT ')(', \"(\" -- (\n, /* ) */ (1)", ["(1)"]),
        ("SELECT 'it''s (', (2)) (", ["(2)"]),
    ],
)
def test_the_parts_in_brackets(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in parts(text)] == found


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT r.status FROM ops.runs r WHERE STARTED_AT > 0", {"status", "started_at"}),
        ('SELECT "trigger", count( * ) FROM ops.runs', {"trigger"}),
        ("SELECT r.* FROM ops.runs r", set(LEDGER_TABLES["ops.runs"].columns)),
        ("SELECT 1 FROM ops.runs NATURAL JOIN x", set(LEDGER_TABLES["ops.runs"].columns)),
        ("SELECT count(*) FROM ops.runs", {"run_id"}),
    ],
)
def test_the_columns_that_a_query_can_need(text: str, columns: set[str]) -> None:
    assert columns_named("ops.runs", text).keys() == columns


def test_what_is_the_ledgers_alone() -> None:
    assert are_ledgers_alone({"ops.runs", "ops.media", "of_a_with"})
    for other in ("gold.geo_daily", "ops.reconciliation", "silver.visitors"):
        assert not are_ledgers_alone({"ops.runs", other})
    assert not are_ledgers_alone({"wistia_gold_fact_media_daily"})


def test_intervals_are_the_same_however_they_are_read() -> None:
    ledger = MemoryLedger()
    ledger.record(
        Interval("events", m, DAY, State.LANDED, "r1", AT, rows=n, observed_at=AT if n else None)
        for n, m in enumerate(("a", "b"))
    )
    columns, rows = LEDGER_TABLES["ops.intervals"].columns, LEDGER_TABLES["ops.intervals"].read(ledger)
    expected = [{name: getattr(row, name) for name in columns} for row in rows]
    assert of_ledger(ledger).sql("SELECT * FROM ops.intervals ORDER BY media_id").to_pylist() == expected


TYPED = {
    "text": Type.STRING, "n": Type.LONG, "x": Type.DOUBLE, "b": Type.BOOLEAN, "d": Type.DATE, "t": Type.TIMESTAMP,
}  # fmt: skip
NAMES = ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE"]
VALUES = ("it's", 7, 0.25, True, DAY, AT.astimezone(UTC))
DAYS = {"media_id": Type.STRING, "day": Type.DATE, "state": Type.STRING}
OF_DAYS = [
    *(("a", DAY + timedelta(days=n), "failed") for n in (0, 1, 2, 4)),
    *(("b", DAY + timedelta(days=n), None) for n in (0, 0, 1)),
]


@pytest.mark.aws
@pytest.mark.parametrize(
    ("columns", "rows", "types"),
    [
        (TYPED, [VALUES, (None,) * 6], NAMES),
        (TYPED, [(None,) * 6], NAMES),
        (TYPED, [], NAMES),
        (DAYS, OF_DAYS, ["VARCHAR", "DATE", "VARCHAR"]),
        (DAYS, [], ["VARCHAR", "DATE", "VARCHAR"]),
    ],
)
def test_it_is_in_athenas_dialect_and_says_what_it_was_made_of(
    columns: dict[str, Type], rows: list[Any], types: list[str]
) -> None:
    """As far as a parser of that dialect can tell, which then writes it for an engine that is here."""
    code = (
        "import duckdb, json, sqlglot, sys; c = duckdb.connect(); c.execute(\"SET TimeZone = 'UTC'\");"
        "q = c.execute(sqlglot.parse_one('SELECT * FROM ' + sys.argv[1], read='athena').sql('duckdb'));"
        "print(json.dumps([[d[0] for d in q.description], [str(d[1]) for d in q.description], "
        "[[str(v) for v in row] for row in q.fetchall()]]))"
    )
    done = subprocess.run(
        [tools.python("emulator"), "-c", code, written(columns, rows)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    names, found, said = json.loads(done.stdout)
    assert (names, found) == ([*columns], types)
    assert sorted(said) == sorted([str(value) for value in row] for row in rows)
