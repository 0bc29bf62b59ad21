"""A query's values as Python's, by position, and as JSON's."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# DuckDB returns an infinite date or timestamp as the largest or smallest integer of its type.
_INFINITE = {
    sign * (2**bits - 1): word for sign, word in ((1, "infinity"), (-1, "-infinity")) for bits in (31, 63)
}


def rows(table: "pa.Table") -> list[list[Any]]:
    """The rows, each a list of values in the order of the columns."""
    return [list(row) for row in zip(*map(_values, table.columns), strict=True)]


def _values(column: "pa.ChunkedArray") -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):  # a date that Python's calendar does not have
        return [_value(scalar) for scalar in column]
    return values


def _value(scalar: Any) -> Any:
    import pyarrow as pa

    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        if isinstance(scalar, pa.ListScalar):
            return [_value(item) for item in scalar.values]
        if isinstance(scalar, pa.StructScalar):
            return {field.name: _value(scalar[n]) for n, field in enumerate(scalar.type)}
        return _INFINITE.get(scalar.value) or scalar.cast(pa.string()).as_py()


def plain(value: Any) -> Any:
    """The value as JSON can hold it; NaN and infinities become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
