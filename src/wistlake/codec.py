"""Values as plain JSON and back, by the type hints of dataclasses: handovers, manifests and ledger items use it.

    encode(Interval, interval)  ->  {"dataset": "events", "day": "2026-02-01", ...}
    decode(Interval, document)  ->  Interval(dataset="events", day=date(2026, 2, 1), ...)

Moments are written in UTC with all digits, so that their text sorts as time does. A mapping whose keys are
not strings becomes a list of [key, value] pairs. Sets are sorted: equal values give equal bytes.

Absent fields take their default, so that a document of an older version can be read. Whatever else does not
fit the hints is a DecodeError that names the field, and never quotes its value: documents may hold personal data.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_V = TypeVar("_V")
Convert = Callable[[Any], Any]
Pair = tuple[Convert, Convert]  # from a value to JSON, and back


class DecodeError(ValueError):
    """A document is not of the expected type. The message names fields and types, never values."""


def encode(kind: Any, value: Any) -> Any:
    """`value` as JSON has it. TypeError if `kind`, a type hint, has no form."""
    return _pair(kind)[0](value)


def decode(kind: type[_V], plain: Any) -> _V:
    """The value of `kind` in `plain`. DecodeError if it is none."""
    hint: Any = kind
    value: _V = _pair(hint)[1](plain)
    return value


@cache
def _pair(kind: Any) -> Pair:
    if kind is Any:
        return _identity, _identity
    if isinstance(kind, type):
        return _class_pair(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional_pair(kind, arguments)
    if origin is tuple and arguments[-1] is not ...:
        return _record_pair(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_pair(*arguments)
    if origin in (tuple, list, frozenset, set):
        return _collection_pair(origin, arguments[0])
    raise TypeError(f"no JSON form for {kind!r}")


def _class_pair(kind: type) -> Pair:
    if is_dataclass(kind):
        return _dataclass_pair(kind)
    if issubclass(kind, tuple):
        return _named_tuple_pair(kind)
    if issubclass(kind, Enum):
        return (lambda value: value.value), kind
    if kind is datetime:
        return (lambda value: value.astimezone(UTC).isoformat(timespec="microseconds")), _moment
    if kind is date:
        return date.isoformat, date.fromisoformat
    if kind in (str, int, float, bool, type(None)):
        return _identity, _checked(kind)
    raise TypeError(f"no JSON form for {kind!r}")


def _identity(value: Any) -> Any:
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise DecodeError("a moment without a zone")
    return moment


def _checked(kind: type) -> Convert:
    allowed = (int, float) if kind is float else kind

    def read(plain: Any) -> Any:
        if type(plain) is not kind and (not isinstance(plain, allowed) or isinstance(plain, bool)):
            raise DecodeError(f"{type(plain).__name__} instead of {kind.__name__}")
        return plain

    return read


def _optional_pair(kind: Any, arguments: tuple[Any, ...]) -> Pair:
    inner = [a for a in arguments if a is not type(None)]
    if len(inner) != 1:
        raise TypeError(f"no JSON form for {kind!r}: nothing in it says which of the types it is")
    write, read = _pair(inner[0])
    return (
        lambda value: None if value is None else write(value),
        lambda plain: None if plain is None else read(plain),
    )


def _named_tuple_pair(kind: Any) -> Pair:
    write, read = _record_pair(tuple(get_type_hints(kind).values()))
    return write, (lambda plain: kind(*read(plain)))


def _record_pair(arguments: tuple[Any, ...]) -> Pair:
    """A tuple of fixed length: a list."""
    pairs = [_pair(a) for a in arguments]

    def read(plain: Any) -> Any:
        return tuple(r(item) for (_, r), item in zip(pairs, _listed(plain), strict=True))

    return (lambda value: [w(item) for (w, _), item in zip(pairs, value, strict=True)]), read


def _collection_pair(origin: Any, of: Any) -> Pair:
    write, read = _pair(of)
    ordered: Convert = sorted if origin in (frozenset, set) else list
    return (lambda value: ordered(map(write, value))), (lambda plain: origin(map(read, _listed(plain))))


def _listed(plain: Any) -> list[Any]:
    if not isinstance(plain, list | tuple):
        raise DecodeError(f"{type(plain).__name__} instead of a list")
    return list(plain)


def _mapping_pair(key: Any, of: Any) -> Pair:
    (write_key, read_key), (write, read) = _pair(key), _pair(of)
    if isinstance(key, type) and issubclass(key, str):
        return (
            lambda value: {write_key(k): write(v) for k, v in value.items()},
            lambda plain: {read_key(k): read(v) for k, v in _object(plain).items()},
        )
    return (
        lambda value: sorted([write_key(k), write(v)] for k, v in value.items()),
        lambda plain: {read_key(k): read(v) for k, v in _listed(plain)},
    )


def _object(plain: Any) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping):
        raise DecodeError(f"{type(plain).__name__} instead of an object")
    return plain


def _dataclass_pair(kind: Any) -> Pair:
    hints = get_type_hints(kind)
    members = {f.name: _pair(hints[f.name]) for f in fields(kind)}
    required = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]

    def write(value: Any) -> Any:
        return {name: encode_member(getattr(value, name)) for name, (encode_member, _) in members.items()}

    def read(plain: Any) -> Any:
        document = _object(plain)
        if surplus := sorted(document.keys() - members):
            raise DecodeError(f"{kind.__name__} has no field {surplus[0][:40]!r}")
        if missing := [name for name in required if name not in document]:
            raise DecodeError(f"{kind.__name__} lacks its {missing[0]}")
        values, name = {}, ""
        try:
            for name, value in document.items():
                values[name] = members[name][1](value)
        except DecodeError as e:
            raise DecodeError(f"{kind.__name__}.{name}: {e}") from None
        except (ValueError, TypeError):  # a library's own message might quote the value
            raise DecodeError(f"{kind.__name__}.{name}: not a value of its type") from None
        return kind(**values)

    return write, read
