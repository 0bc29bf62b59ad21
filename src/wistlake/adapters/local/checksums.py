"""Checksums of the tables' files: nothing else notices a flipped bit.

Table files never change once they are written, so each is read once. The format is that of `sha256sum`: without
wistlake, `sha256sum -c warehouse.sha256` checks a lake.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wistlake.adapters.local.whole_files import replace_file
from wistlake.errors import StoreError

NAME = "warehouse.sha256"
ASIDE = ".damaged"  # the suffix of a damaged file that a repair has renamed
_LINE = re.compile(r"([0-9a-f]{64})  (warehouse/(?!.*\.\.)[^\n]+)")


def seal(lake: Path) -> None:
    """Record the checksums of new files, and drop those of removed files."""
    before = recorded(lake)
    sums = {name: before.get(name) or digest(lake / name) for name in _files(lake)}
    if sums != before:
        _record(lake, sums)


def seal_again(lake: Path) -> None:
    """Record new checksums of metadata, whose paths were rewritten. Data files hold no paths: theirs stay."""
    data_files = {name: value for name, value in recorded(lake).items() if name.endswith(".parquet")}
    _record(lake, data_files)
    seal(lake)


def recorded(lake: Path) -> Mapping[str, str]:
    """Checksums by file name, relative to the lake."""
    try:
        lines = (lake / NAME).read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as e:
        raise StoreError(
            f"{lake / NAME} can't be read ({type(e).__name__}): remove it, the next run writes it"
        ) from e
    return {m[2]: m[1] for m in map(_LINE.fullmatch, lines) if m}


def changed(lake: Path) -> Iterator[str]:
    """The files that differ from their recorded checksums. A missing file is no difference: upkeep removes files."""
    for name, expected in recorded(lake).items():
        try:
            if (lake / name).is_file() and digest(lake / name) != expected:
                yield name
        except StoreError:
            if (lake / name).exists():
                raise


def unsealed(lake: Path) -> int:
    """How many files have no checksum yet."""
    sums = recorded(lake)
    return sum(name not in sums for name in _files(lake))


def digest(path: Path) -> str:
    """The file's SHA-256; StoreError if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        raise StoreError(f"{path} can't be read ({e.strerror}): check the disk") from e


def _record(lake: Path, sums: Mapping[str, str]) -> None:
    replace_file(lake / NAME, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def _files(lake: Path) -> Iterator[str]:
    for path in (lake / "warehouse").rglob("*"):
        if path.is_file() and not path.name.startswith(".") and path.suffix != ASIDE:
            yield path.relative_to(lake).as_posix()
