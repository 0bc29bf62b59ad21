"""A relation's parts and rows, read through the Query port and typed as the contract says, whatever engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from wistlake.adapters.query_result import schema
from wistlake.contracts.form import Type
from wistlake.export.relations import NONE, Relation, part_name
from wistlake.ports import Query

_PARTS = pa.schema([("part", pa.date32()), ("n", pa.int64()), ("built", pa.timestamp("us", tz="UTC"))])
_LISTS: Mapping[Type, str] = {Type.LONGS: "BIGINT[]", Type.STRINGS: "VARCHAR[]"}


@dataclass(frozen=True, slots=True)
class Part:
    """How many rows a part has, and when the newest of them was built; None of a view, or without rows."""

    rows: int
    built_at: datetime | None


def parts(query: Query, relation: Relation, *, by_day: bool) -> dict[str, Part]:
    """The relation's parts by name, in order; one without rows where there is none."""
    listed = query.sql(relation.parts_sql(by_day=by_day)).cast(_PARTS).to_pylist()
    counted = {part_name(p["part"], by_day=by_day): Part(p["n"], p["built"]) for p in listed if p["n"]}
    return counted or {NONE: Part(0, None)}


def rows(query: Query, relation: Relation, part: str) -> pa.Table:
    """The rows of a part, in the order of the key, as the contract types them."""
    if part == NONE:
        return schema(relation.columns).empty_table()
    answer = query.sql(relation.rows_sql(part))
    lists = {c.name: _LISTS[c.type] for c in relation.columns if c.type in _LISTS}
    if lists:
        answer = _with_lists(answer, lists)
    return answer.cast(schema(relation.columns))


def _with_lists(answer: pa.Table, lists: Mapping[str, str]) -> pa.Table:
    """Columns of JSON as lists: DuckDB parses whole columns."""
    listed = (
        f"CAST(CAST({name} AS JSON) AS {lists[name]}) AS {name}" if name in lists else name
        for name in answer.column_names
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("answer", answer)
        return connection.execute(f"SELECT {', '.join(listed)} FROM answer").to_arrow_table()
