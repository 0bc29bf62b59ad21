"""Scratch folders: removed at the end, or by the next process if theirs was killed."""

import contextlib
import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from wistlake.adapters.local.locks import locked
from wistlake.machine import PRIVATE_FOLDER

SCRATCH = "wistlake-copy"  # of backups and restores: raw pages, and the pseudonym key
_YOUNG_SECONDS = 60.0  # between making a folder and locking it
_LOCK = ".alive"


@contextlib.contextmanager
def aside(parent: Path, name: str) -> Iterator[Path]:
    """A new owner-only folder `parent/.<name>.<random>` during the block. Folders of killed processes under the same
    name are removed first."""
    sweep(parent, name)
    folder = parent / f".{name}.{secrets.token_hex(6)}"
    folder.mkdir(mode=PRIVATE_FOLDER)
    try:
        with locked(folder / _LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, name: str) -> int:
    """Remove the folders whose process has ended; how many."""
    removed = 0
    for folder in parent.glob(f".{glob.escape(name)}.*"):
        with contextlib.suppress(FileNotFoundError):  # its process removes it just now
            if folder.is_dir() and not folder.is_symlink() and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _is_abandoned(folder: Path) -> bool:
    """Whether the folder is this user's, and no process holds its lock."""
    if os.name == "posix" and folder.stat().st_uid != os.getuid():
        return False
    lock = folder / _LOCK
    if not lock.exists():
        return time.time() - folder.stat().st_mtime > _YOUNG_SECONDS
    with locked(lock) as free:
        return free
