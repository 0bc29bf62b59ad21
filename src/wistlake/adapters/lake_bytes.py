"""Every byte of a lake, unpacked: what a search for one person, or for anything personal, must see."""

import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wistlake.adapters import avro as avro_bytes

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_WITH_GZIP_HEADER, _CHUNK, _DEEPEST = 31, 1 << 14, 3
_LONGEST_LOCAL = 256
_RUN = re.compile(rb"[A-Za-z0-9._%+'/?=&#|!:@\x80-\xff-]*\Z")
_OF_PATHS = re.compile(rb"\A/|[?=&#|:@]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the file `place` (relative to the lake), and the column that they are the values of.

    `is_text`: what a person would read; otherwise a container as it lies on the disk, or out of its
    compression, in which random bytes may look like anything.
    """

    place: str
    data: bytes
    column: str = ""
    is_text: bool = True


def pieces(lake: Path) -> Iterator[Piece]:
    """All files below `lake`, each in every form it can be read in."""
    for place, raw in files(lake):
        yield from unpacked(place, raw)


def files(lake: Path) -> Iterator[tuple[str, bytes]]:
    """All files below `lake`, and their bytes."""
    # Whatever begins with a dot, too, and what lies behind a link: a folder may stand on another disk.
    inside = (Path(where) / name for where, _, names in os.walk(lake, followlinks=True) for name in names)
    for path in sorted(p for p in inside if p.is_file()):
        try:
            yield path.relative_to(lake).as_posix(), path.read_bytes()
        except FileNotFoundError:
            # The last reader of a database took its log away: what was in it is in the database now.
            database = path.with_name(path.name.removesuffix("-wal").removesuffix("-shm"))
            if database.is_file():
                yield database.relative_to(lake).as_posix(), database.read_bytes()


def search(lake: Path, texts: Iterable[str]) -> Mapping[str, int]:
    """The files below `lake` that hold one of `texts`, and how many of their pieces do."""
    return hits(pieces(lake), texts)


def hits(pieces: Iterable[Piece], texts: Iterable[str]) -> Mapping[str, int]:
    """The files that hold one of `texts`, and how many of their pieces do. An address is looked for as a whole,
    and in the spellings of JSON and URLs: it may be the end of another one."""
    sought = [_seeker(text) for text in texts if text]
    found: dict[str, int] = {}
    for piece in pieces:
        if any(holds(piece.data) for holds in sought):
            found[piece.place] = found.get(piece.place, 0) + 1
    return found


def _seeker(text: str) -> Callable[[bytes], bool]:
    """Tells whether some bytes hold the text."""
    if "@" not in text:
        needle = text.encode()
        return lambda data: needle in data
    cased = {text, text.lower(), text.upper()}
    spelled = {s for t in cased for s in (t, json.dumps(t)[1:-1], *_quoted(t))}
    words = b"|".join(re.escape(s.encode()) for s in sorted(spelled, key=len, reverse=True))
    # What percent-encodes a separator stands before an address, too.
    pattern = re.compile(
        rb"(?:(?<![A-Za-z0-9._%+\'\x80-\xff-])|(?<=%[23][0-9A-Fa-f]))(?:"
        + words
        + rb")(?![A-Za-z0-9-]|\.[A-Za-z0-9])",
        re.IGNORECASE,
    )
    return lambda data: any(not _is_longer(data, m.start()) for m in pattern.finditer(data))


def _quoted(text: str) -> Iterator[str]:
    for safe in ("", "@"):
        yield quote(text, safe=safe)
        yield quote(quote(text, safe=safe), safe="")


def _is_longer(data: bytes, start: int) -> bool:
    """Whether what stands before a slash makes it another address (o/brien@), and not a page's path."""
    before = _RUN.search(data[max(0, start - _LONGEST_LOCAL) : start])
    return bool(before and before[0].endswith(b"/") and not _OF_PATHS.search(before[0]))


def unpacked(place: str, raw: bytes) -> Iterator[Piece]:
    """One file in every form it can be read in."""
    yield from plain(place, raw)
    if raw.startswith(_PARQUET):
        yield from _columns(place, raw)


def plain(place: str, raw: bytes) -> Iterator[Piece]:
    """As `unpacked`, but of a Parquet file only what is not packed: its footer, with smallest and largest
    values. What a file is, its first bytes tell: names may lack an ending. Needs the standard library alone,
    as Glue has it."""
    if raw.startswith(_PARQUET):
        yield Piece(place, raw, is_text=False)
    elif raw.startswith(avro_bytes.MAGIC):
        yield Piece(place, _unpacked_avro(raw), is_text=False)
    else:
        for _ in range(_DEEPEST):
            raw = _unpacked_gzip(raw)
        yield Piece(place, raw)


def _columns(place: str, raw: bytes) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(raw)) as file:
            for batch in file.iter_batches():
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    yield Piece(place, "\n".join(_texts(column.to_pylist())).encode(), name)
    except (pa.ArrowException, OSError):
        return  # damaged, or none: its bytes have been looked at as they are


def _texts(values: Iterable[Any]) -> Iterator[str]:
    return (v if isinstance(v, str) else repr(v) for v in values if v is not None)


def _unpacked_gzip(raw: bytes) -> bytes:
    """What can be read of it, and whatever follows: a writer that was killed leaves half a file, with people in
    it. Anything but gzip comes back as it is."""
    found, rest = bytearray(), raw
    while rest.startswith(_GZIP):
        packed, before = zlib.decompressobj(_WITH_GZIP_HEADER), len(found)
        try:
            for at in range(0, len(rest), _CHUNK):
                found += packed.decompress(rest[at : at + _CHUNK])
                if packed.eof:
                    break
        except zlib.error:
            break
        if len(found) == before and not packed.eof:
            break
        rest = packed.unused_data + rest[at + _CHUNK :]
    return bytes(found + rest)


def _unpacked_avro(raw: bytes) -> bytes:
    """The header and the blocks of an Avro container, decompressed; the file itself if it is none we know."""
    try:
        _, at = avro_bytes.header(raw)
        return b"".join((raw[:at], *(block for _, block in avro_bytes.blocks(raw))))
    except (ValueError, zlib.error):
        return raw
