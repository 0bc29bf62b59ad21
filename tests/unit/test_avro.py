"""Avro files against an encoder that is written here: every type, every block, and nothing of a damaged one."""

import json
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.adapters import avro
from wistlake.adapters.avro import Damaged

SYNC = b"0123456789abcdef"
INNER = {"type": "record", "name": "inner", "fields": [{"name": "n", "type": "long"}]}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "outer",
    "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "flag", "type": "boolean"},
        {"name": "int", "type": "int"},
        {"name": "long", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "float", "type": "float"},
        {"name": "double", "type": "double"},
        {"name": "bytes", "type": "bytes"},
        {"name": "text", "type": ["null", "string"]},
        {"name": "fixed", "type": {"type": "fixed", "name": "four", "size": 4}},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["a", "b", "c"]}},
        {"name": "list", "type": {"type": "array", "items": INNER}},
        {"name": "map", "type": {"type": "map", "values": "inner"}},
        {"name": "again", "type": "four"},
    ],
}


def long(value: int) -> bytes:
    zigzag, out = (value << 1) ^ (value >> 63), bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])


def data(value: bytes) -> bytes:
    return long(len(value)) + value


def sequence(items: list[bytes], *, sized: bool) -> bytes:
    """One block an item; with its size, as a negative count announces it."""
    return b"".join((long(-1) + long(len(i)) if sized else long(1)) + i for i in items) + long(0)


def encoded(r: dict[str, Any], *, sized: bool) -> bytes:
    inner = [long(i["n"]) for i in r["list"]]
    pairs = [data(k.encode()) + long(v["n"]) for k, v in r["map"].items()]
    text = long(0) if r["text"] is None else long(1) + data(r["text"].encode())
    return b"".join(
        (
            bytes([r["flag"]]), long(r["int"]), long(r["long"]), struct.pack("<f", r["float"]),
            struct.pack("<d", r["double"]), data(r["bytes"]), text, r["fixed"], long(r["kind"]),
            sequence(inner, sized=sized), sequence(pairs, sized=sized), r["again"],
        )
    )  # fmt: skip


def deflated(block: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(block) + packer.flush()


def container(blocks: Iterable[tuple[int, bytes]], codec: str = "null", schema: Any = SCHEMA) -> bytes:
    meta = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    head = b"".join(data(k.encode()) + data(v.encode()) for k, v in meta.items())
    packed = ((n, deflated(b) if codec == "deflate" else b) for n, b in blocks)
    return b"".join(
        (b"Obj\x01", long(len(meta)), head, long(0), SYNC, *(long(n) + data(b) + SYNC for n, b in packed))
    )


longs, inners = st.integers(-(2**63), 2**63 - 1), st.builds(lambda n: {"n": n}, st.integers(-99, 99))
records = st.fixed_dictionaries(
    {
        "nothing": st.none(), "flag": st.booleans(), "int": st.integers(-(2**31), 2**31 - 1), "long": longs,
        "float": st.floats(width=32, allow_nan=False), "double": st.floats(allow_nan=False),
        "bytes": st.binary(max_size=200), "text": st.none() | st.text(max_size=9),
        "fixed": st.binary(min_size=4, max_size=4), "kind": st.integers(0, 2),
        "list": st.lists(inners, max_size=3), "map": st.dictionaries(st.text(max_size=3), inners, max_size=3),
        "again": st.binary(min_size=4, max_size=4),
    }
)  # fmt: skip


@given(st.lists(records, max_size=4), st.sampled_from(["null", "deflate"]), st.booleans())
def test_what_was_written_is_read(rows: list[dict[str, Any]], codec: str, sized: bool) -> None:
    each = [(1, encoded(r, sized=sized)) for r in rows]
    whole = [(len(rows), b"".join(b for _, b in each))]
    assert avro.records(container(each, codec)) == rows
    assert avro.records(container(whole, codec)) == rows
    assert [n for n, _ in avro.blocks(container(whole, codec))] == [len(rows)]


@given(
    st.lists(records, max_size=3),
    st.sets(st.sampled_from([f["name"] for f in SCHEMA["fields"]]), min_size=1),
    st.booleans(),
)
def test_fields_that_nobody_wants_are_skipped(
    rows: list[dict[str, Any]], wanted: set[str], sized: bool
) -> None:
    raw = container([(len(rows), b"".join(encoded(r, sized=sized) for r in rows))])
    assert avro.records(raw, wanted) == [{k: v for k, v in r.items() if k in wanted} for r in rows]


def test_a_long_list_of_numbers_is_skipped_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro, "_AT_ONCE", 7)
    numbers = {"name": "n", "type": {"type": "array", "items": "long"}}
    schema = {"type": "record", "name": "r", "fields": [numbers, {"name": "last", "type": "int"}]}
    for many in (0, 1, 7, 8, 50):
        whole = (long(many) if many else b"") + b"".join(map(long, range(many))) + long(0) + long(9)
        assert avro.records(container([(1, whole)], schema=schema), ("last",)) == [{"last": 9}]
        assert avro.records(container([(1, whole)], schema=schema)) == [{"n": list(range(many)), "last": 9}]


def test_a_type_that_is_named_again_is_whole_there() -> None:
    inner = {
        "type": "record",
        "name": "i",
        "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}],
    }
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "x", "type": inner}, {"name": "y", "type": "i"}],
    }
    raw = container([(1, long(1) + long(2) + long(3) + long(4))], schema=schema)
    assert avro.records(raw, ("x.a", "y")) == [{"x": {"a": 1}, "y": {"a": 3, "b": 4}}]


def test_a_field_of_a_record_inside_is_named_with_a_dot() -> None:
    pair = {
        "type": "record",
        "name": "pair",
        "fields": [{"name": "k", "type": "int"}, {"name": "v", "type": "bytes"}],
    }
    inside = {
        "type": "record",
        "name": "in",
        "fields": [
            {"name": "counts", "type": ["null", {"type": "array", "items": "long"}]},
            {"name": "bounds", "type": ["null", {"type": "array", "items": pair}]},
            {"name": "path", "type": "string"},
        ],
    }
    schema = {
        "type": "record",
        "name": "entry",
        "fields": [{"name": "s", "type": "int"}, {"name": "f", "type": inside}],
    }
    counts = long(1) + sequence([long(300), long(-5)], sized=True)
    bounds = long(1) + sequence([long(1) + data(b"abc")], sized=False)
    raw = container([(1, long(2) + counts + bounds + data(b"/a"))], schema=schema)
    assert avro.records(raw, ("s", "f.path")) == [{"s": 2, "f": {"path": "/a"}}]
    assert avro.records(raw, ("f",)) == [
        {"f": {"counts": [300, -5], "bounds": [{"k": 1, "v": b"abc"}], "path": "/a"}}
    ]
    with pytest.raises(Damaged):
        avro.records(container([(1, long(2) + long(1) + long(2**40))], schema=schema), ("s",))
    for cut in range(1, 12):
        short = container([(1, (long(2) + counts + bounds + data(b"/a"))[:-cut])], schema=schema)
        with pytest.raises(Damaged):
            avro.records(short, ("s",))


ROW = {
    "nothing": None, "flag": True, "int": -1, "long": 2**40, "float": 0.5, "double": -2.5, "bytes": b"x" * 130,
    "text": "j\u00f6rg", "fixed": b"four", "kind": 2, "list": [{"n": 7}], "map": {"a": {"n": 300}}, "again": b"last",
}  # fmt: skip
FILE = container([(1, encoded(ROW, sized=False))] * 2)


@pytest.mark.parametrize("size", [n for n in range(0, len(FILE), 7) if n > 4])
def test_a_file_that_ends_too_early_is_damaged(size: int) -> None:
    first = len(container([(1, encoded(ROW, sized=False))]))
    boundaries = (len(container([])), first)  # a file of fewer blocks is a whole one
    if size not in boundaries:
        with pytest.raises(Damaged):
            avro.records(FILE[:size])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PAR1" + FILE[4:],
        FILE[: len(container([]))][:-1],
        FILE.replace(SYNC, b"another sync mark"[:16], 1),
        container([(1, encoded(ROW, sized=False) + b"\0")]),  # more than its records
        container([(2, encoded(ROW, sized=False))]),
        container([(1, b"\0")], schema={"type": "unheard of", "name": "x"}),
        container([(1, b"\x04")], schema=["null", "string"]),  # a third choice of two
        container([(1, long(-3))], schema="bytes"),
        container([(1, b"\xff" * 11)], schema="long"),
        container([(1, long(2**40) + b"\0")], schema={"type": "array", "items": "null"}),
        container([(2**40, b"\0")], schema="null"),
    ],
)
def test_what_is_no_avro_file_is_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged):
        avro.records(raw)


def test_a_block_that_would_fill_the_memory_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro, "_MAX_BYTES", 1000)
    block = b"x" * 1000
    assert avro.inflated(deflated(block), b"deflate") == block
    with pytest.raises(Damaged, match="larger"):
        avro.inflated(deflated(block + b"x"), b"deflate")
