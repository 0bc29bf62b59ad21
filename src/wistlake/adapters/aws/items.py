"""Dataclasses as DynamoDB items: the codec's JSON, a field an attribute.

Lists and mappings are stored as gzipped JSON: an item holds 400 KB, and the summary of a run over many media is
larger than that.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from wistlake.codec import DecodeError, decode, encode
from wistlake.errors import StoreDamaged

Attribute = Mapping[str, Any]
Item = dict[str, Attribute]
_V = TypeVar("_V")


def text(value: str) -> Attribute:
    """A string attribute."""
    return {"S": value}


def moment(value: datetime) -> str:
    """As the codec writes it: texts in the order of time."""
    return str(encode(datetime, value))


def number(value: int) -> Attribute:
    """An attribute of a whole number."""
    return {"N": str(value)}


def document(value: Any) -> Attribute:
    """An attribute of gzipped JSON."""
    return {"B": gzip.compress(json.dumps(value, default=dict).encode(), mtime=0)}


def to_item(value: Any) -> Item:
    """The fields of a dataclass by their names; None has no attribute."""
    plain: Mapping[str, Any] = encode(type(value), value)
    return {name: _attribute(field) for name, field in plain.items() if field is not None}


def from_item(kind: type[_V], item: Item) -> _V:
    """The value of `kind` in `item`, other attributes ignored; StoreDamaged if there is none."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    try:
        return decode(kind, {name: plain(item[name]) for name in names if name in item})
    except (ValueError, TypeError, OSError) as e:
        reason = e if isinstance(e, DecodeError) else type(e).__name__  # others might quote the value
        raise StoreDamaged(
            f"the ledger holds a {kind.__name__} that wistlake never wrote ({reason}): "
            "restore the table to an earlier moment"
        ) from e


def plain(attribute: Attribute) -> Any:
    """The JSON value of an attribute."""
    ((tag, value),) = attribute.items()
    if tag == "N":
        return int(value)
    if tag == "B":
        return json.loads(gzip.decompress(bytes(value)))
    return value


def _attribute(value: Any) -> Attribute:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return number(value)
    return text(value) if isinstance(value, str) else document(value)
