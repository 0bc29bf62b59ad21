"""Scratch folders that die with their process: one that was killed leaves a folder, and the next one to come
by removes it."""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from wistlake.adapters.local.locks import locked

SCRATCH = "wistlake-copy"  # of backups and restores: raw pages, and the pseudonym key
_YOUNG_SECONDS = 60.0  # between making a folder and locking it
_LOCK = ".alive"


@contextlib.contextmanager
def aside(parent: Path, name: str) -> Iterator[Path]:
    """A new owner-only folder `parent/.<name>.<random>` for the length of the block. What killed processes left under
    the same name goes first."""
    sweep(parent, name)
    folder = parent / f".{name}.{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    try:
        with locked(folder / _LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, name: str) -> int:
    """Remove the folders whose process is gone; how many there were."""
    gone = 0
    for folder in parent.glob(f".{_literal(name)}.*"):
        if folder.is_dir() and not folder.is_symlink() and _is_dead(folder):
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _is_dead(folder: Path) -> bool:
    """Whether the folder is ours, and nobody holds its lock."""
    if os.name == "posix" and folder.stat().st_uid != os.getuid():
        return False
    lock = folder / _LOCK
    if not lock.exists():
        return time.time() - folder.stat().st_mtime > _YOUNG_SECONDS
    with locked(lock) as free:
        return free


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
