"""Reads Avro files, which Iceberg's manifests are, with the standard library alone.

Loading an Avro library takes longer than a whole query. DuckDB can't check manifests itself: a damaged one makes it
end the whole process.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAGIC = b"Obj\x01"
_MAX_BYTES = 1 << 28  # of a decompressed block
_SYNC = 16  # bytes between blocks, always the same within a file
_Read = Callable[[bytes, int], tuple[Any, int]]


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


def records(raw: bytes) -> list[dict[str, Any]]:
    """The records of a file. Damaged if anything is wrong with it."""
    try:
        meta, _ = header(raw)
        read = _reader(json.loads(meta["avro.schema"]), {})
        result: list[dict[str, Any]] = []
        for count, block in blocks(raw):
            at = 0
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


def _reader(schema: Any, names: dict[str, _Read]) -> _Read:
    """The function that reads a value of the schema. `names` are the named types so far."""
    if isinstance(schema, list):
        return _union([_reader(s, names) for s in schema])
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, dict | list):
        return _reader(kind, names)
    return _PLAIN.get(kind) or names.get(kind) or _nested(kind, schema, names)


def _nested(kind: str, schema: Any, names: dict[str, _Read]) -> _Read:
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
        names[schema["name"]] = _record([(f["name"], _reader(f["type"], names)) for f in schema["fields"]])
    else:
        raise Damaged(f"an unknown type {str(kind)[:40]}")
    return names[schema["name"]]


def _record(fields: list[tuple[str, _Read]]) -> _Read:
    def read(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
        record = {}
        for name, field in fields:
            record[name], at = field(raw, at)
        return record, at

    return read


def _union(choices: list[_Read]) -> _Read:
    def read(raw: bytes, at: int) -> tuple[Any, int]:
        number, at = _long(raw, at)
        return choices[number](raw, at)

    return read


def _array(item: _Read) -> _Read:
    def read(raw: bytes, at: int) -> tuple[list[Any], int]:
        items = []
        while (count := (head := _long(raw, at))[0]) != 0:
            at = head[1] if count > 0 else _long(raw, head[1])[1]
            for _ in range(abs(count)):
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
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), at


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
