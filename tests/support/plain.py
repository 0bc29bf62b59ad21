"""Records that are as odd as plain ones may be, and what an engine makes of them, read as text and as typed."""

import gzip
import json
import math
import random
import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support.odd import DERIVED, RULES, odd_records
from wistlake.bronze import encode_lines
from wistlake.contracts.form import Field, Source, Type
from wistlake.derive import plain
from wistlake.ports import TableStore
from wistlake.transforms import landing

DAY = date(2026, 3, 2)
SEEN = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
TEXTS = (
    "", "a", "é", "😀", "\U0010ffff", "ﬀ", "\u2028", "\u2029", "\x85", "\x00", "\x01\x1f", "\x7f", "\r\n", "\t", "\\",
    "\\u0041", '"quoted"', "'", "/", "\ud800", "a\ufeffb", "\u200e", "{", "[", "[Paid] x", "{a}", " lead", "trail ",
    "null", "true", "1", "1.0", "NaN", "-0", "x" * 5000, "2026-03-02T10:00:00.000Z", "2026-03-02 10:00:00.000Z",
    "2026-03-02T10:00:00+05:30", "2026-03-02", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
    "2026-03-02T10:00:00.123456789Z", "2026-02-30T10:00:00Z", "2026-03-02T25:00:00Z",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2**53, -(2**53), 0.0, -0.0, 5e-324, 2.2250738585072014e-308, 9.99e307, 1e-7, 1e-5, 1e16, 1e21, 1e22,
    0.1 + 0.2, 123456789012345680.0, 0.9404662956406029, 7.284083168009626e-128,
)  # fmt: skip
WHOLE = (0, -1, 2**63 - 1, -(2**63), 2**53 + 1, 10**15, 10**17)
STRANGE_KEYS = (
    "extra",
    "EVENT_KEY",
    "Received_At",
    "",
    "a.b",
    "event_key ",
    "_landing",
    "_line",
    "record",
    "line",
)


def hostile(contract: Source, count: int) -> list[dict[str, Any]]:
    """Records with odd values of the right types, in any order, beside keys of no contract."""
    rng = random.Random(contract.name)
    return [_record(rng, contract) for _ in range(count)]


def _record(rng: random.Random, contract: Source) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in contract.fields:
        head, _, rest = field.path.partition(".")
        if rng.random() < 0.1:
            continue
        value = None if rng.random() < 0.1 else _value(rng, field)
        if rest:
            record.setdefault(head, {})[rest] = value
        else:
            record[head] = value
    record |= {key: _anything(rng) for key in STRANGE_KEYS if rng.random() < 0.2}
    items = list(record.items())
    rng.shuffle(items)
    return dict(items)


def _value(rng: random.Random, field: Field) -> Any:
    match field.type:
        case Type.DOUBLE:
            return rng.choice(NUMBERS) if rng.random() < 0.3 else _double(rng)
        case Type.LONG:
            return rng.choice(WHOLE) if rng.random() < 0.3 else rng.randint(-2, 1000)
        case Type.BOOLEAN:
            return rng.random() < 0.5
        case _:
            return rng.choice(TEXTS)


def _double(rng: random.Random) -> float:
    """A share, or any double at all."""
    any_bits: float = struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0]
    return any_bits if math.isfinite(any_bits) and rng.random() < 0.5 else rng.random()


def _anything(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(5 if depth else 3)
    if kind == 0:
        return rng.choice(TEXTS)
    if kind == 1:
        return rng.choice((None, True, False))
    if kind == 2:
        return rng.choice(NUMBERS + WHOLE)
    inner = [_anything(rng, depth - 1) for _ in range(3)]
    return inner if kind == 3 else dict(zip(rng.sample(TEXTS, 3), inner, strict=True))


def plain_records(contract: Source, count: int) -> list[dict[str, Any]]:
    """Those of the odd and hostile records that are plain."""
    records = [record for _, record in odd_records(contract)] + hostile(contract, count)
    return [r for r in records if plain.mark(contract, [r])]


def read_both_ways(
    store: TableStore, folder: Path, contract: Source, records: Sequence[dict[str, Any]]
) -> tuple[list[str], list[str]]:
    """The rows of records as JSON, in order: read as text, and as typed. Each record is a landing of its own."""
    lines = b"".join(gzip.decompress(encode_lines(f"L{n}", [r], n)) for n, r in enumerate(records))
    part = folder / f"{contract.name}.jsonl.gz"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(gzip.compress(lines))
    spark, of = store.spark, contract.name
    landings = landing.landing_frame(spark, [(f"L{n}", f"m{n}", DAY, SEEN, of) for n in range(len(records))])
    derived, rules = DERIVED.get(of, {}), RULES[of]
    schema = landing.line_schema(contract, derived, rules, plain=True)
    frames = {False: store.lines([str(part)]), True: store.records([str(part)], schema)}
    pads = landing.pads_frame(spark, [b"k" * 32])
    text, typed = (
        [
            json.dumps(row.asDict(), default=str)
            for row in landing.parse(frame, contract, landings, pads, derived, rules, plain=is_plain)
            .orderBy("line")
            .collect()
        ]
        for is_plain, frame in frames.items()
    )
    return text, typed
