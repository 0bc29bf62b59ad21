"""Paths in Iceberg's metadata on this machine: how they are spelled, where they may lead, and moving them.

Iceberg keeps absolute paths in table metadata, manifest lists and manifests. Everybody who reads them here
(PyIceberg, DuckDB, Spark) takes them letter by letter: a percent sign is a percent sign.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wistlake.errors import StoreDamaged

# Characters that mean themselves in a URL's path, whoever parses it.
_PLAIN = re.compile(r"[A-Za-z0-9/._+,;=@:~-]+")
Rename = Callable[[str], str]


def is_plain(path: Path) -> bool:
    """Whether the path looks the same as a URL."""
    return _PLAIN.fullmatch(path.as_posix()) is not None


def spelled(path: Path) -> str:
    """How metadata names an absolute path: as a URL only where nobody can read it in two ways."""
    if os.name != "posix":
        return path.as_uri()
    return f"file://{path}" if is_plain(path) else str(path)


def path(location: str) -> Path:
    """The file or folder that a location names."""
    return Path(re.sub(r"^file:(//)?(?=/)", "", location))


def inside(location: str, folder: Path, what: str) -> Path:
    """The path that `location` names. StoreError, naming `what`, unless it lies below `folder`."""
    there = path(location)
    if ".." not in there.parts and there.is_relative_to(folder) and there != folder:
        return there
    raise StoreDamaged(
        f"{what} lies at {str(there)[:200]!r}, outside of {folder}: wistlake neither reads nor changes it there; "
        "restore the lake from a backup, or `wistlake repair --catalog`"
    )


def moved(old: str, new: str) -> Rename:
    """Changes the beginning of paths from `old` to `new`, with or without a scheme."""
    to = spelled(Path(new))

    def rename(value: str) -> str:
        for scheme in ("file://", "file:", ""):
            if value == scheme + old or value.startswith(f"{scheme}{old}/"):
                return to + value[len(scheme) + len(old) :]
        return value

    return rename


def renamed(value: Any, rename: Rename) -> Any:
    """A JSON value with every text in it renamed."""
    if isinstance(value, dict):
        return {k: renamed(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, rename) for v in value]
    return rename(value) if isinstance(value, str) else value
