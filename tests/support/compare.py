"""Rows as values that can be compared: by key, lineage left out, doubles to a relative 1e-9."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from wistlake.contracts.form import Table

Row = Mapping[str, Any]
TOLERANCE = 1e-9


def differences(table: Table, expected: Iterable[Row], found: Iterable[Row], limit: int = 5) -> list[str]:
    """What is wrong with `found`, in words; nothing if both are the same rows. A key that is there twice
    is wrong."""
    wanted, have = _by_key(table, expected), _by_key(table, found)
    said = [
        f"{table.full_name}: {len(rows)} rows have the key {key}"
        for key, rows in have.items()
        if len(rows) > 1
    ]
    said += [f"{table.full_name}: missing {key}" for key in wanted.keys() - have.keys()]
    said += [f"{table.full_name}: superfluous {key}" for key in have.keys() - wanted.keys()]
    for key in wanted.keys() & have.keys():
        said += [
            f"{table.full_name} {key}: {name} should be {wanted[key][0][name]!r}, is {have[key][0][name]!r}"
            for name in table.compared
            if name in wanted[key][0]
            if not same(wanted[key][0][name], have[key][0][name])
        ]
    return sorted(said)[:limit] + ([f"... {len(said)} in all"] if len(said) > limit else [])


def _by_key(table: Table, rows: Iterable[Row]) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[k] for k in table.key), []).append(row)
    return found


def same(a: Any, b: Any) -> bool:
    """Equal; doubles relatively, lists item by item."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(a == b)
