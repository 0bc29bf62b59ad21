"""Every byte of a lake, decompressed: the input of a search for one person, or for anything personal."""

import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from wistlake.adapters import avro as avro_bytes
from wistlake.privacy.scan import Piece

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_WITH_GZIP_HEADER, _CHUNK, _DEEPEST = 31, 1 << 14, 3
_LONGEST_LOCAL = 256  # bytes before the @ of an address
_ADDRESS_START = re.compile(rb"[A-Za-z0-9._%+'/?=&#|!:@\x80-\xff-]*\Z")
_PATH_START = re.compile(rb"\A/|[?=&#|:@]")


def pieces(lake: Path) -> Iterator[Piece]:
    """All files below `lake`, each in all forms in which it can be read."""
    for place, raw in files(lake):
        yield from unpacked(place, raw)


def files(lake: Path) -> Iterator[tuple[str, bytes]]:
    """All files below `lake`, and their bytes. A link to another of them is none."""
    # Hidden files too, and through links: a folder may lie on another disk.
    walked = (Path(where) / name for where, _, names in os.walk(lake, followlinks=True) for name in names)
    inside = sorted(path for path in walked if path.is_file())
    themselves = {path.resolve() for path in inside if not path.is_symlink()}
    for path in inside:
        if path.is_symlink() and path.resolve() in themselves:
            continue
        try:
            yield path.relative_to(lake).as_posix(), path.read_bytes()
        except FileNotFoundError:
            # The last reader of a database has removed its log; the content is in the database now.
            database = path.with_name(path.name.removesuffix("-wal").removesuffix("-shm"))
            if database.is_file():
                yield database.relative_to(lake).as_posix(), database.read_bytes()


def search(lake: Path, texts: Iterable[str]) -> Mapping[str, int]:
    """The files below `lake` that hold one of `texts`, and how many of their pieces do."""
    return hits(pieces(lake), texts)


def hits(pieces: Iterable[Piece], texts: Iterable[str]) -> Mapping[str, int]:
    """The files that hold one of `texts`, and how many of their pieces do. An address is matched as a whole, since it
    may be the end of another one, and in the encodings of JSON and URLs."""
    matchers = [_matcher(text) for text in texts if text]
    return Counter(piece.place for piece in pieces if any(matches(piece.data) for matches in matchers))


def _matcher(text: str) -> Callable[[bytes], bool]:
    """A function that tells whether bytes hold the text."""
    if "@" not in text:
        needle = text.encode()
        return lambda data: needle in data
    cased = {text, text.lower(), text.upper()}
    spelled = {s for t in cased for s in (t, json.dumps(t)[1:-1], *_quoted(t))}
    words = b"|".join(re.escape(s.encode()) for s in sorted(spelled, key=len, reverse=True))
    # A percent-encoded separator may also precede an address.
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
    """Whether the match is the end of another address (o/brien@) rather than the end of a page's path."""
    before = _ADDRESS_START.search(data[max(0, start - _LONGEST_LOCAL) : start])
    return bool(before and before[0].endswith(b"/") and not _PATH_START.search(before[0]))


def unpacked(place: str, raw: bytes) -> Iterator[Piece]:
    """One file in all forms in which it can be read."""
    yield from plain(place, raw)
    if raw.startswith(_PARQUET):
        yield from _columns(place, raw)


def plain(place: str, raw: bytes) -> Iterator[Piece]:
    """As `unpacked`, but of a Parquet file only its uncompressed parts: the footer, with smallest and largest values.

    The first bytes tell the format: names may lack a suffix. Needs the standard library alone, for Glue."""
    if raw.startswith(_PARQUET):
        yield Piece(place, raw, is_text=False)
    elif raw.startswith(avro_bytes.MAGIC):
        yield Piece(place, _unpacked_avro(raw), is_text=False)
    else:
        for _ in range(_DEEPEST):
            raw = _unpacked_gzip(raw)
        yield Piece(place, raw)


def _columns(place: str, raw: bytes) -> Iterator[Piece]:
    import pyarrow as pa  # late: Glue uses the rest of this module, and has no pyarrow
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(raw)) as file:
            for batch in file.iter_batches():
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    values = (v for v in column.to_pylist() if v is not None)
                    lines = "\n".join(v if isinstance(v, str) else repr(v) for v in values)
                    yield Piece(place, lines.encode(), name)
    except (pa.ArrowException, OSError):
        return  # damaged, or no Parquet; its raw bytes are a piece already


def _unpacked_gzip(raw: bytes) -> bytes:
    """The part that can be decompressed, and all that follows: half a file of a killed writer holds people, too. Bytes
    that are no gzip are returned unchanged."""
    result, rest = bytearray(), raw
    while rest.startswith(_GZIP):
        decompressor, before = zlib.decompressobj(_WITH_GZIP_HEADER), len(result)
        try:
            for at in range(0, len(rest), _CHUNK):
                result += decompressor.decompress(rest[at : at + _CHUNK])
                if decompressor.eof:
                    break
        except zlib.error:
            break
        if len(result) == before and not decompressor.eof:
            break
        rest = decompressor.unused_data + rest[at + _CHUNK :]
    return bytes(result + rest)


def _unpacked_avro(raw: bytes) -> bytes:
    """The header and the decompressed blocks of an Avro file; the file itself if it can't be read."""
    try:
        _, at = avro_bytes.header(raw)
        return b"".join((raw[:at], *(block for _, block in avro_bytes.blocks(raw))))
    except (ValueError, zlib.error):
        return raw
