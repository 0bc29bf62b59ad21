"""Values of ours as DynamoDB items, both directions: text, whole numbers, booleans, and documents as gzipped
JSON, since an item holds 400 KB and the summary of a run over many media is more than that."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar, get_type_hints

from wistlake.errors import StoreError
from wistlake.planning.intervals import State

Item = dict[str, dict[str, Any]]
_V = TypeVar("_V")
_Document = Mapping[str, Any]


def text(value: str) -> dict[str, Any]:
    """A string."""
    return {"S": value}


def number(value: int) -> dict[str, Any]:
    """A whole number."""
    return {"N": str(value)}


def moment(value: datetime) -> str:
    """In UTC and with all digits, so that text sorts as time does."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def document(value: _Document) -> dict[str, Any]:
    """JSON, packed."""
    return {"B": gzip.compress(json.dumps(value, default=dict).encode(), mtime=0)}


def read_document(cell: Mapping[str, Any]) -> Any:
    """What `document` has packed."""
    return json.loads(gzip.decompress(bytes(cell["B"])))


def to_item(value: Any) -> Item:
    """The fields of a dataclass by their names; None has no attribute."""
    cells = ((name, _encode(kind, getattr(value, name))) for name, kind, _ in _shape(type(value)))
    return {name: cell for name, cell in cells if cell is not None}


def from_item(kind: type[_V], item: Mapping[str, Mapping[str, Any]]) -> _V:
    """The value of `kind` in `item`; StoreError if it is none. Absent attributes are at their default."""
    try:
        return kind(
            **{
                name: _decode(of, item[name])
                for name, of, required in _shape(kind)
                if required or name in item
            }
        )
    except (KeyError, ValueError, TypeError) as e:
        raise StoreError(
            f"the ledger holds a {kind.__name__} that wistlake never wrote ({type(e).__name__}): "
            "restore the table to an earlier moment"
        ) from e


def _fields_of(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it must be there, of each field."""
    types = get_type_hints(kind)
    return tuple(
        (f.name, types[f.name], f.default is MISSING and f.default_factory is MISSING) for f in fields(kind)
    )


_shape: Callable[[Any], tuple[tuple[str, Any, bool], ...]] = cache(_fields_of)


def _encode(kind: Any, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if kind is bool:
        return {"BOOL": value}
    if kind is int:
        return number(value)
    if kind == _Document:
        return document(value)
    if isinstance(value, datetime):
        return text(moment(value))
    return text(value.isoformat() if isinstance(value, date) else str(value))


def _decode(kind: Any, cell: Mapping[str, Any]) -> Any:
    if kind is bool:
        return bool(cell["BOOL"])
    if kind is int:
        return int(cell["N"])
    if kind == _Document:
        return read_document(cell)
    found = str(cell["S"])
    if kind in (datetime, datetime | None):
        return datetime.fromisoformat(found)
    if kind is date:
        return date.fromisoformat(found)
    return State(found) if kind is State else found
