"""A query's answer in the form that every reader can take, whichever engine gave it."""

from collections.abc import Iterable

import pyarrow as pa


def answer(found: pa.Table) -> pa.Table:
    """The same columns under distinct names, sums of whole numbers as whole numbers: rows become mappings
    and JSON, where a second column of one name would be lost."""
    columns = [_whole(column) for column in found.columns]
    return pa.Table.from_arrays(columns, names=distinct(found.column_names))


def distinct(names: Iterable[str]) -> list[str]:
    """a, a, b as a, a_1, b: as DuckDB calls them in a subquery."""
    taken: list[str] = []
    wanted = list(names)
    for name in wanted:
        fresh, number = name, 0
        while fresh in taken or (number and fresh in wanted):
            number += 1
            fresh = f"{name}_{number}"
        taken.append(fresh)
    return taken


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_decimal(column.type) or column.type.scale != 0:
        return column
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 64 bits
        return column
