"""Paths in Iceberg's metadata on this machine: their spelling, where they may lead, and how to move them.

Iceberg stores absolute paths in table metadata, manifest lists and manifests. All readers here (PyIceberg, DuckDB,
Spark) take them literally: a percent sign is a percent sign.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wistlake.errors import StoreDamaged

# Characters without a special meaning in a URL's path, for every parser.
_PLAIN = re.compile(r"[A-Za-z0-9/._+,;=@:~-]+")
Rename = Callable[[str], str]


def is_plain(path: Path) -> bool:
    """Whether the path looks the same as a URL."""
    return _PLAIN.fullmatch(path.as_posix()) is not None


def to_location(path: Path) -> str:
    """An absolute path as metadata spells it: as a URL only if every parser reads that in the same way."""
    if os.name != "posix":
        return path.as_uri()
    return f"file://{path}" if is_plain(path) else str(path)


def to_path(location: str) -> Path:
    """The file or folder that a location names."""
    return Path(re.sub(r"^file:(//)?(?=/)", "", location))


def inside(location: str, folder: Path, what: str) -> Path:
    """The path that `location` names. StoreDamaged, naming `what`, unless it lies below `folder`."""
    if _is_below(target := to_path(location), folder):
        return target
    raise StoreDamaged(
        f"{what} lies at {str(target)[:200]!r}, outside of {folder}: wistlake neither reads nor changes it "
        "there; restore the lake from a backup, or `wistlake repair --catalog`"
    )


def is_inside(location: str, folder: Path) -> bool:
    """Whether `location` names a path below `folder`."""
    return _is_below(to_path(location), folder)


def _is_below(target: Path, folder: Path) -> bool:
    return ".." not in target.parts and target != folder and target.is_relative_to(folder)


def moved(old: str, new: str) -> Rename:
    """A function that replaces the start of paths, `old`, by `new`, with or without a scheme."""
    target = to_location(Path(new))

    def rename(value: str) -> str:
        for scheme in ("file://", "file:", ""):
            if value == scheme + old or value.startswith(f"{scheme}{old}/"):
                return target + value[len(scheme) + len(old) :]
        return value

    return rename


def renamed(value: Any, rename: Rename) -> Any:
    """A JSON value with every text in it renamed."""
    if isinstance(value, dict):
        return {k: renamed(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, rename) for v in value]
    return rename(value) if isinstance(value, str) else value
