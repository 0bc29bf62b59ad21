"""Checksums of the tables' files, in the form of `sha256sum`: a flipped bit shows nowhere else.

Files of tables never change once they are written, so that each is read once. Whoever has no wistlake at hand
checks a lake by `sha256sum -c warehouse.sha256`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wistlake.adapters.local.lake_folder import write_private
from wistlake.errors import StoreError

NAME = "warehouse.sha256"
ASIDE = ".damaged"  # ends the name of a file that a repair has put aside
_LINE = re.compile(r"([0-9a-f]{64})  (warehouse/(?!.*\.\.)[^\n]+)")


def seal(lake: Path) -> None:
    """Note the checksums of files that are new, and forget those of files that are gone."""
    known = recorded(lake)
    sums = {name: known.get(name) or digest(lake / name) for name in _files(lake)}
    if sums != known:
        _note(lake, sums)


def seal_again(lake: Path) -> None:
    """Note the checksums of files whose paths were rewritten. Data files hold none: theirs stay as they were."""
    kept = {name: value for name, value in recorded(lake).items() if name.endswith(".parquet")}
    _note(lake, kept)
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
    """The files that are not what they were when they were sealed; upkeep removes files, so that absence is none."""
    for name, expected in recorded(lake).items():
        if (lake / name).is_file() and digest(lake / name) != expected:
            yield name


def unsealed(lake: Path) -> int:
    """How many files have no checksum yet."""
    known = recorded(lake)
    return sum(name not in known for name in _files(lake))


def digest(path: Path) -> str:
    """The file's SHA-256; StoreError if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        raise StoreError(f"{path} can't be read ({e.strerror}): check the disk") from e


def _note(lake: Path, sums: Mapping[str, str]) -> None:
    write_private(lake / NAME, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def _files(lake: Path) -> Iterator[str]:
    for path in (lake / "warehouse").rglob("*"):
        if path.is_file() and not path.name.startswith(".") and path.suffix != ASIDE:
            yield path.relative_to(lake).as_posix()
