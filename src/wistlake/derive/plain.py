"""Plain records: every value is of its own JSON type, so that engines can read them with the contract's types.

Reading text and typing it afterwards takes two thirds longer, and is needed for one thing only: to say why an odd
value was refused. Ingest, which holds every record anyway, marks the landings whose records are all plain.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from math import isfinite
from typing import Any

from wistlake.contracts.form import Source, Type
from wistlake.derive.spark import ENDLESS, LOOKS_NESTED

_Check = Callable[[Any], bool]
_DEPTH = 16  # of values that the contract does not name: readers differ in how deep they follow
_NESTED = re.compile(LOOKS_NESTED)


def mark(source: Source, records: Iterable[Mapping[str, Any]]) -> str:
    """What a manifest notes: `types_hash` if all records are plain, else ""."""
    checks = _checks(source)
    return types_hash(source) if all(_is_plain(record, checks) for record in records) else ""


@cache
def types_hash(source: Source) -> str:
    """The hash of the contract's types: records that were plain under other ones may not be so under these."""
    lines = sorted(f"{field.path} {field.type}" for field in source.fields)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _checks(source: Source) -> Mapping[str, Any]:
    """What the values under each key must be; for a nested one, what those under its keys must be."""
    checks: dict[str, Any] = {}
    for field in source.fields:
        head, _, rest = field.path.partition(".")
        if rest:
            checks.setdefault(head, {})[rest] = _BY_TYPE.get(field.type, _is_text)
        else:
            checks[head] = _BY_TYPE.get(field.type, _is_text)
    return checks


def _is_plain(record: Any, checks: Mapping[str, Any]) -> bool:
    if type(record) is not dict:
        return False
    for key, value in record.items():
        if value is None:
            continue
        check = checks.get(key, _is_readable)
        if not (_is_plain(value, check) if type(check) is dict else check(value)):
            return False
    return True


def _is_text(value: Any) -> bool:
    """Text that can't be taken for an object or a list, which stand as text in place of one elsewhere."""
    return type(value) is str and not (value[:1] in ("{", "[") and _NESTED.match(value))


def _is_whole(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_number(value: Any) -> bool:
    """A number that is the same double for every reader."""
    if type(value) is int:
        return abs(value) <= 2**53
    return type(value) is float and abs(value) < ENDLESS


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_readable(value: Any, depth: int = _DEPTH) -> bool:
    """Whether every reader of JSON takes a value that it skips."""
    kind = type(value)
    if kind in (str, bool) or value is None:
        return True
    if kind is int:
        return _is_whole(value)
    if kind is float:
        return isfinite(value)
    inner = value.values() if kind is dict else value if kind is list else None
    return inner is not None and depth > 0 and all(_is_readable(v, depth - 1) for v in inner)


_BY_TYPE: Mapping[Type, _Check] = {
    Type.LONG: _is_whole,
    Type.DOUBLE: _is_number,
    Type.BOOLEAN: _is_flag,
}
