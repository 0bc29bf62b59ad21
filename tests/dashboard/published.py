"""Published tables written as text, in a DuckDB of their own: the dashboard's questions need no lake and no engine."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from support.tables import cells
from wistlake.adapters.duckdb_query import empty
from wistlake.contracts import TABLES

LEDGER = {
    "ops.intervals": "dataset VARCHAR, media_id VARCHAR, day DATE, state VARCHAR, reason VARCHAR, missing BOOLEAN, "
    "landing_id VARCHAR, observed_at TIMESTAMPTZ",
    "ops.runs": "run_id VARCHAR, \"trigger\" VARCHAR, origin VARCHAR, status VARCHAR, started_at TIMESTAMPTZ, "
    "ended_at TIMESTAMPTZ, error VARCHAR",
    "ops.media": "media_id VARCHAR, first_day DATE, added_at TIMESTAMPTZ, retired_at TIMESTAMPTZ, reason VARCHAR",
    "ops.alerts": "rule VARCHAR, subject VARCHAR, day DATE, kind VARCHAR, metric VARCHAR, last_day DATE, days BIGINT, "
    "value DOUBLE, expected DOUBLE, early BOOLEAN, told_at TIMESTAMPTZ, withdrawn_at TIMESTAMPTZ",
    "ops.account": "date DATE, loads BIGINT, plays BIGINT, observed_at TIMESTAMPTZ, follows_all BOOLEAN, "
    "reason VARCHAR",
    "ops.not_in_plan": "dataset VARCHAR, said_at TIMESTAMPTZ, asked_again_at TIMESTAMPTZ",
}  # fmt: skip
DAILY, INTERVALS, MEDIA = "gold.fact_media_daily", "ops.intervals", "ops.media"
DIM, HISTORY = "silver.dim_media", "silver.dim_media_history"
Row = Mapping[str, Any]


class Published:
    """A `Query`. Columns that a row does not name are NULL."""

    def __init__(self, tables: Mapping[str, str | Sequence[Row]]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(_tables())
        self._connection.begin()
        for name, rows in tables.items():
            self.add(name, rows)
        self._connection.commit()

    def add(self, name: str, rows: str | Sequence[Row]) -> None:
        """More rows of a table."""
        for row in _rows(rows) if isinstance(rows, str) else rows:
            marks = ", ".join("?" for _ in row)
            self._connection.execute(
                f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values())
            )

    def change(self, text: str, *values: Any) -> None:
        """Change rows that are there."""
        self._connection.execute(text, list(values))

    def sql(self, text: str) -> pa.Table:
        """The rows of one SELECT."""
        return self._connection.execute(text).to_arrow_table()


@cache
def _tables() -> str:
    """What makes every table: written down once, for frames of Arrow take their time."""
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.register("_empty", empty(table))
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
            connection.execute(f"CREATE TABLE {table.full_name} AS SELECT * FROM _empty")
        made = "".join(text for (text,) in connection.execute("SELECT sql FROM duckdb_tables()").fetchall())
    schemas = "".join(f"CREATE SCHEMA {layer};" for layer in ("silver", "gold", "ops"))
    ledger = "".join(f"CREATE TABLE {name} ({columns});" for name, columns in LEDGER.items())
    return f"SET TimeZone = 'UTC';{schemas}{made}{ledger}"


def _rows(text: str) -> list[dict[str, str | None]]:
    header, *rows = cells(text)
    return [{n: c or None for n, c in zip(header, row, strict=True)} for row in rows]


def days(media_id: str, first: date, plays: Sequence[int | None], **more: Any) -> list[dict[str, Any]]:
    """A media's days from `first` on, in `gold.fact_media_daily`; None leaves a day out. Every play is a session,
    and two loads."""
    return [
        {
            "media_id": media_id, "date": first + timedelta(days=n), "plays": p, "loads": 2 * p,
            "plays_from_events": p, "sessions": p, "timed_sessions": p, "unique_viewers": p,
            "watch_milliseconds": 60_000 * p, "certificate": "settled", **more,
        }
        for n, p in enumerate(plays)
        if p is not None
    ]  # fmt: skip
