"""A contract that gains a column, for the length of a block, wherever the product holds it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from wistlake.contracts.form import Column, Table


@contextmanager
def gained(old: Table, column: Column) -> Iterator[Table]:
    """`old` with `column` at its end, in every module that names the table or lists all tables."""
    new = replace(old, columns=(*old.columns, column))
    undo: list[tuple[Any, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if not name.startswith("wistlake"):
            continue
        for attribute, value in list(vars(module).items()):
            if value is old:
                changed: Any = new
            elif isinstance(value, tuple) and any(v is old for v in value):
                changed = tuple(new if v is old else v for v in value)
            else:
                continue
            undo.append((module, attribute, value))
            setattr(module, attribute, changed)
    assert undo, f"nothing holds {old.full_name}"
    try:
        yield new
    finally:
        for module, attribute, value in undo:
            setattr(module, attribute, value)
