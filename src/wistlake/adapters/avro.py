"""Reads Avro files, which Iceberg's manifests are, with the standard library alone.

Loading an Avro library takes longer than a whole query. DuckDB can't check manifests itself: a damaged one makes it
end the whole process.
"""

import json
import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

MAGIC = b"Obj\x01"
_MAX_BYTES = 1 << 28  # of a decompressed block
_SYNC = 16  # bytes between blocks, always the same within a file
_Read = Callable[[bytes, int], tuple[Any, int]]
_Skip = Callable[[bytes, int], int]
_Field = Callable[[dict[str, Any], bytes, int], int]  # fills a record; the offset behind the field
_AT_ONCE = 4096  # numbers that one pattern skips: it takes a hundred bytes for each


class Damaged(ValueError):
    """The bytes are no complete Avro file."""


_PARSE_ERRORS = (
    ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError, struct.error, zlib.error
)  # fmt: skip


def header(raw: bytes) -> tuple[Mapping[str, bytes], int]:
    """The file's metadata, and the offset of the sync marker behind it. Damaged if there is none."""
    if not raw.startswith(MAGIC):
        raise Damaged("no Avro container")
    meta, at = _map(_bytes)(raw, len(MAGIC))
    return meta, at


def blocks(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(number of records, decompressed bytes) of every block. Damaged if the file is incomplete."""
    meta, at = header(raw)
    codec, sync = meta.get("avro.codec", b"null"), _slice(raw, at, _SYNC)
    at += _SYNC
    while at < len(raw):
        count, at = _long(raw, at)
        block, at = _bytes(raw, at)
        if raw[at : at + _SYNC] != sync:
            raise Damaged("a block does not end where it says")
        at += _SYNC
        yield count, inflated(block, codec)


def records(raw: bytes, fields: Collection[str] = ()) -> list[dict[str, Any]]:
    """The records of a file: all of them, or those of their `fields` (paths with dots) alone, which is several times
    as fast. Damaged if anything is wrong with the file."""
    try:
        meta, _ = header(raw)
        read = _reader(json.loads(meta["avro.schema"]), {}, fields)
        result: list[dict[str, Any]] = []
        for count, block in blocks(raw):
            at = 0
            if count > len(block):
                raise Damaged("a block has more records than bytes")
            for _ in range(count):
                record, at = read(block, at)
                result.append(record)
            if at != len(block):
                raise Damaged("a block holds more than its records")
    except _PARSE_ERRORS as e:
        raise Damaged(str(e) if isinstance(e, Damaged) else type(e).__name__) from e
    return result


def inflated(block: bytes, codec: bytes) -> bytes:
    """The decompressed bytes of a block."""
    if codec == b"deflate":
        unpacker = zlib.decompressobj(-15)
        data = unpacker.decompress(block, _MAX_BYTES)
        if unpacker.unconsumed_tail:
            raise Damaged("a block is larger than any that wistlake writes")
        return data
    if codec == b"zstandard":
        import pyarrow as pa  # late: only some files need it, and it loads slowly

        return bytes(pa.CompressedInputStream(pa.BufferReader(block), "zstd").read())
    return block


def _reader(schema: Any, names: dict[str, _Read], projection: Collection[str] = ()) -> _Read:
    """The function that reads a value of the schema; of a record, the fields that `projection` names. `names` are the
    named types so far."""
    if isinstance(schema, list):
        return _union([_reader(s, names, projection) for s in schema])
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, dict | list):
        return _reader(kind, names, projection)
    return _PLAIN.get(kind) or names.get(kind) or _nested(kind, schema, names, projection)


def _nested(kind: str, schema: Any, names: dict[str, _Read], projection: Collection[str]) -> _Read:
    if kind == "array":
        return _array(_reader(schema["items"], names))
    if kind == "map":
        return _map(_reader(schema["values"], names))
    if kind == "fixed":
        size = int(schema["size"])
        names[schema["name"]] = lambda raw, at: (_slice(raw, at, size), at + size)
    elif kind == "enum":
        names[schema["name"]] = _long
    elif kind == "record":
        names[schema["name"]] = _record([_field(f, names, ()) for f in schema["fields"]])
        if projection:  # here; another field of this type is whole
            return _record([_field(f, names, projection) for f in schema["fields"]])
    else:
        raise Damaged(f"an unknown type {str(kind)[:40]}")
    return names[schema["name"]]


def _field(field: Mapping[str, Any], names: dict[str, _Read], projection: Collection[str]) -> _Field:
    """The function that puts a field's value into its record, or skips it where nobody wants it."""
    name, kind = field["name"], field["type"]
    inner = [path.removeprefix(f"{name}.") for path in projection if path.startswith(f"{name}.")]
    if projection and not inner and name not in projection:
        skip = _skipper(kind, names)
        return lambda _record, raw, at: skip(raw, at)
    read = _reader(kind, names, inner)

    def put(record: dict[str, Any], raw: bytes, at: int) -> int:
        record[name], at = read(raw, at)
        return at

    return put


def _record(fields: list[_Field]) -> _Read:
    def read(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
        record: dict[str, Any] = {}
        for field in fields:
            at = field(record, raw, at)
        return record, at

    return read


def _skipper(schema: Any, names: dict[str, _Read]) -> _Skip:
    """The function that finds the end of a value. In lists of whole numbers, most of a manifest, it looks at no
    single one of them."""
    if isinstance(schema, list):
        return _skip_choice([_skipper(s, names) for s in schema])
    read = _reader(schema, names)  # also where it is not used: other fields may name the type
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "array":
        width = _numbers_of(schema["items"])
        return _skip_numbers(width) if width else _skip_items(_skipper(schema["items"], names))
    if kind == "record":
        return _skip_fields([_skipper(f["type"], names) for f in schema["fields"]])
    return _skip_bytes if kind in ("bytes", "string") else lambda raw, at: read(raw, at)[1]


def _skip_choice(choices: list[_Skip]) -> _Skip:
    def skip(raw: bytes, at: int) -> int:
        number, at = _long(raw, at)
        return choices[number](raw, at)

    return skip


def _skip_fields(fields: list[_Skip]) -> _Skip:
    def skip(raw: bytes, at: int) -> int:
        for field in fields:
            at = field(raw, at)
        return at

    return skip


def _skip_items(item: _Skip) -> _Skip:
    def skip(raw: bytes, at: int) -> int:
        while (head := _items(raw, at))[0]:
            count, at = head
            for _ in range(count):
                at = item(raw, at)
        return head[1]

    return skip


def _skip_bytes(raw: bytes, at: int) -> int:
    size, at = _long(raw, at)
    if size < 0 or at + size > len(raw):
        raise Damaged("it ends too early")
    return at + size


def _numbers_of(item: Any) -> int:
    """How many whole numbers, and nothing else, an item of a list is made of; 0 if of anything else too."""
    if item in ("int", "long"):
        return 1
    fields = item["fields"] if isinstance(item, dict) and item["type"] == "record" else ()
    return len(fields) if all(f["type"] in ("int", "long") for f in fields) else 0


def _skip_numbers(width: int) -> _Skip:
    def skip(raw: bytes, at: int) -> int:
        while (head := _items(raw, at))[0]:
            left, at = head[0] * width, head[1]
            while left:
                numbers = min(left, _AT_ONCE)
                match = _numbers(numbers).match(raw, at)
                if match is None:
                    raise Damaged("it ends too early")
                left, at = left - numbers, match.end()
        return head[1]

    return skip


def _items(raw: bytes, at: int) -> tuple[int, int]:
    """How many items the next block of a list has, 0 behind the last one, and where they begin."""
    count, at = _long(raw, at)
    if count < 0:
        count, at = -count, _long(raw, at)[1]  # their bytes, which are not needed
    if count > len(raw):
        raise Damaged("a list has more items than the file has bytes")
    return count, at


@lru_cache(maxsize=64)
def _numbers(count: int) -> re.Pattern[bytes]:
    """As many encoded integers: all bytes of one but the last have the highest bit."""
    return re.compile(rb"(?:[\x80-\xff]{0,9}[\x00-\x7f]){%d}" % count)


def _union(choices: list[_Read]) -> _Read:
    def read(raw: bytes, at: int) -> tuple[Any, int]:
        number, at = _long(raw, at)
        return choices[number](raw, at)

    return read


def _array(item: _Read) -> _Read:
    def read(raw: bytes, at: int) -> tuple[list[Any], int]:
        items = []
        while (head := _items(raw, at))[0]:
            count, at = head
            for _ in range(count):
                value, at = item(raw, at)
                items.append(value)
        return items, head[1]

    return read


def _map(value: _Read) -> _Read:
    def pair(raw: bytes, at: int) -> tuple[tuple[str, Any], int]:
        name, at = _text(raw, at)
        item, at = value(raw, at)
        return (name, item), at

    def read(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
        items, at = _array(pair)(raw, at)
        return dict(items), at

    return read


def _slice(raw: bytes, at: int, size: int) -> bytes:
    if size < 0 or at + size > len(raw):
        raise Damaged("it ends too early")
    return raw[at : at + size]


def _bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    size, at = _long(raw, at)
    return _slice(raw, at, size), at + size


def _text(raw: bytes, at: int) -> tuple[str, int]:
    data, at = _bytes(raw, at)
    return data.decode(), at


def _long(raw: bytes, at: int) -> tuple[int, int]:
    """The zigzag-encoded integer at `at`, and the offset behind it."""
    value = shift = 0
    while True:
        if at >= len(raw) or shift > 63:
            raise Damaged("it ends too early")
        byte = raw[at]
        at += 1
        if byte < 0x80:
            value |= byte << shift
            return (value >> 1) ^ -(value & 1), at
        value |= (byte & 0x7F) << shift
        shift += 7


def _unpacked(form: str, size: int) -> _Read:
    return lambda raw, at: (struct.unpack_from(form, raw, at)[0], at + size)


_PLAIN: Mapping[str, _Read] = {
    "null": lambda _raw, at: (None, at),
    "boolean": lambda raw, at: (_slice(raw, at, 1) != b"\0", at + 1),
    "int": _long,
    "long": _long,
    "float": _unpacked("<f", 4),
    "double": _unpacked("<d", 8),
    "bytes": _bytes,
    "string": _text,
}
