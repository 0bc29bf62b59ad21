"""Athena's answers without Arrow: what a function reads is what everybody else reads."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from support.memory import MemoryLedger
from wistlake.adapters.aws.query import AthenaQuery, AthenaRecords
from wistlake.errors import ConfigError

TYPES = ("varchar", "bigint", "integer", "double", "boolean", "date", "timestamp", "timestamp with time zone")
VALUES = (
    "Über 🌷",
    "-7",
    "3",
    "0.25",
    "true",
    "2026-03-01",
    "2026-03-01 02:15:00.000",
    "2026-03-01 02:15:00.000 UTC",
)


def answered(*pages: list[list[str | None]]) -> Any:
    """An Athena that answers any query with these rows."""
    columns = [{"Name": f"c{n}", "Type": kind} for n, kind in enumerate((*TYPES, "decimal"))]
    columns[-1]["Scale"] = 2  # type: ignore[assignment]
    sets = [
        {
            "ResultSet": {
                "ResultSetMetadata": {"ColumnInfo": columns},
                "Rows": [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows],
            }
        }
        for rows in pages
    ]
    return SimpleNamespace(
        start_query_execution=lambda **_: {"QueryExecutionId": "q"},
        get_query_execution=lambda **_: {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}},
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: sets),
    )


def test_records_are_the_rows_of_the_table() -> None:
    header = [f"c{n}" for n in range(9)]
    athena = answered([header, [*VALUES, "12.50"]], [[None] * 9])
    records, table = (
        kind(MemoryLedger(), "db", "group", athena=athena).sql("SELECT 1").to_pylist()
        for kind in (AthenaRecords, AthenaQuery)
    )
    assert records == table
    assert [type(v) for v in records[0].values()] == [type(v) for v in table[0].values()]
    assert records[0]["c6"] == records[0]["c7"] == datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
    assert len(records) == 2


def test_a_column_is_that_of_the_table() -> None:
    athena = answered([[f"c{n}" for n in range(9)], [*VALUES, "12.50"]], [[None] * 9])
    records, table = (
        kind(MemoryLedger(), "db", "group", athena=athena).sql("SELECT 1")
        for kind in (AthenaRecords, AthenaQuery)
    )
    for name in ("c0", "c5"):
        assert records[name].to_pylist() == table[name].to_pylist()
    assert records["c1"].to_pylist() == [-7, None]


def test_an_answer_without_rows_has_none() -> None:
    athena = answered([[f"c{n}" for n in range(9)]])
    assert AthenaRecords(MemoryLedger(), "db", "group", athena=athena).sql("SELECT 1").to_pylist() == []


def test_it_takes_one_select_as_well() -> None:
    with pytest.raises(ConfigError, match="takes one SELECT"):
        AthenaRecords(MemoryLedger(), "db", "group", athena=answered()).sql("DROP TABLE x")
