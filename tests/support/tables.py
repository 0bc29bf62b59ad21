"""Rows written as text, typed by a contract.

    given(spark, TABLE, '''
        media_id | date       | play_count
        m1       | 2026-03-02 | 7
    ''')

gives every column of the contract, NULL where the text says nothing. An empty cell is NULL, `""` is an empty
text; lists are written as JSON; times are UTC. Columns that the contract lacks are named with their type:
`line:bigint`.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from wistlake.contracts.form import Source, Table
from wistlake.derive.spark import SPARK

Types = Mapping[str, str]


def types_of(form: Table | Source | None) -> dict[str, str]:
    """Column names and Spark types of a contract; of a source, those that typed rows have."""
    if form is None:
        return {}
    if isinstance(form, Table):
        return {c.name: SPARK[c.type] for c in form.columns}
    return {f.column: SPARK[f.type] for f in form.fields}


def cells(text: str) -> Iterator[list[str]]:
    """The rows of a text table, header first."""
    for line in text.strip().splitlines():
        if line.strip():
            yield [cell.strip() for cell in line.split("|")]


def given(spark: SparkSession, form: Table | Source | None, text: str) -> DataFrame:
    """A frame of the rows in `text`."""
    header, *rows = cells(text)
    named = dict(name.split(":", 1) if ":" in name else (name, "") for name in header)
    known = types_of(form)
    types = known | {name: kind or known[name] for name, kind in named.items()}
    raw = spark.createDataFrame(
        [tuple(None if c == "" else "" if c == '""' else c for c in row) for row in rows],
        ", ".join(f"{name} string" for name in named),
    )
    return raw.select(*(_input(name, kind, name in named) for name, kind in types.items()))


def _input(name: str, kind: str, is_given: bool) -> Any:
    value = F.col(name) if is_given else F.lit(None).cast("string")
    if kind.startswith("array"):
        return (
            F.expr(f"from_json({name}, '{kind}')").alias(name) if is_given else value.cast(kind).alias(name)
        )
    return value.cast(kind).alias(name)


def found(frame: DataFrame, names: list[str], types: Types) -> list[tuple[Any, ...]]:
    """The rows of `frame`: times and days as text."""
    shown = [
        F.col(n).cast("string").alias(n) if types.get(n) in ("timestamp", "date") else F.col(n) for n in names
    ]
    return [
        tuple(list(v) if isinstance(v, list | tuple) else v for v in row)
        for row in frame.select(*shown).collect()
    ]


def expect(frame: DataFrame, form: Table | Source | None, text: str) -> None:
    """AssertionError unless `frame` has exactly the rows in `text`, in the columns that it names."""
    header, *rows = cells(text)
    named = dict(name.split(":", 1) if ":" in name else (name, "") for name in header)
    types = types_of(form) | {n: k for n, k in named.items() if k}
    wanted = [tuple(_value(cell, types[n]) for n, cell in zip(named, row, strict=True)) for row in rows]
    have = found(frame, list(named), types)
    wanted, have = sorted(wanted, key=repr), sorted(have, key=repr)
    same = len(have) == len(wanted) and all(map(_same, wanted, have))
    assert same, f"expected {wanted}\n   found {have}"


def _value(cell: str, kind: str) -> Any:
    if cell == "":
        return None
    if kind.startswith("array"):
        return json.loads(cell)
    match kind:
        case "bigint":
            return int(cell)
        case "double":
            return float(cell)
        case "boolean":
            return cell == "true"
        case "timestamp":
            return cell.replace("T", " ") + (":00" if len(cell) == len("2026-03-02T10:00") else "")
    return "" if cell == '""' else cell


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(one, other, strict=True)
    )
