"""Every byte of a lake, unpacked: what a search for one person, or for anything personal, must see."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wistlake.adapters import avro_bytes


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
    for path in sorted(p for p in lake.rglob("*") if p.is_file()):
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
    """The files that hold one of `texts`, and how many of their pieces do."""
    needles = [t.encode() for t in texts if t]
    found: dict[str, int] = {}
    for piece in pieces:
        if any(needle in piece.data for needle in needles):
            found[piece.place] = found.get(piece.place, 0) + 1
    return found


def unpacked(place: str, raw: bytes) -> Iterator[Piece]:
    """One file in every form it can be read in."""
    yield from plain(place, raw)
    if place.endswith(".parquet"):
        yield from _columns(place, raw)


def plain(place: str, raw: bytes) -> Iterator[Piece]:
    """As `unpacked`, but of a Parquet file only what is not packed: its footer, with smallest and largest
    values. Needs the standard library alone, as Glue has it."""
    if place.endswith(".parquet"):
        yield Piece(place, raw, is_text=False)
    elif raw.startswith(avro_bytes.MAGIC):
        yield Piece(place, _unpacked_avro(raw), is_text=False)
    elif place.endswith(".gz"):
        yield Piece(place, _unpacked_gzip(raw))
    else:
        yield Piece(place, raw)


def _columns(place: str, raw: bytes) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(raw)) as file:
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                yield Piece(place, "\n".join(_texts(column.to_pylist())).encode(), name)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    return (v if isinstance(v, str) else repr(v) for v in values if v is not None)


def _unpacked_gzip(raw: bytes) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        return raw


def _unpacked_avro(raw: bytes) -> bytes:
    """The header and the blocks of an Avro container, decompressed; the file itself if it is none we know."""
    try:
        _, at = avro_bytes.header(raw)
        return b"".join((raw[:at], *(block for _, block in avro_bytes.blocks(raw))))
    except (ValueError, zlib.error):
        return raw
