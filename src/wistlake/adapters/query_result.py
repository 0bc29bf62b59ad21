"""The result of a query in a form that every reader can take, from any engine."""

from collections.abc import Iterable, Mapping

import pyarrow as pa

from wistlake.contracts.form import Column, Type

TOO_LONG = "the query took longer than {seconds:.0f} s and was ended: ask for less"
ARROW: Mapping[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.LONG: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.LONGS: pa.list_(pa.int64()),
    Type.STRINGS: pa.list_(pa.string()),
}


def schema(columns: Iterable[Column]) -> pa.Schema:
    """The columns as Arrow has them."""
    return pa.schema([(c.name, ARROW[c.type]) for c in columns])


def answer(result: pa.Table) -> pa.Table:
    """The columns under distinct names: rows become mappings and JSON, which would lose a second column of the same
    name. Sums of integers are integers."""
    columns = [_whole(column) for column in result.columns]
    return pa.Table.from_arrays(columns, names=distinct(result.column_names))


def distinct(names: Iterable[str]) -> list[str]:
    """a, a, b as a, a_1, b: as DuckDB names them in a subquery."""
    result: list[str] = []
    given = list(names)
    for name in given:
        fresh, number = name, 0
        while fresh in result or (number and fresh in given):
            number += 1
            fresh = f"{name}_{number}"
        result.append(fresh)
    return result


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_decimal(column.type) or column.type.scale != 0:
        return column
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 64 bits
        return column
