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
    with contextlib.ExitStack() as held:
        folder = _made(parent, name, held)
        try:
            with held:
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _made(parent: Path, name: str, held: contextlib.ExitStack) -> Path:
    """The folder, with its lock: another process may have swept it before it was locked."""
    while True:
        folder = parent / f".{name}.{secrets.token_hex(6)}"
        folder.mkdir(mode=PRIVATE_FOLDER)
        try:
            if held.enter_context(locked(folder / _LOCK)) and (folder / _LOCK).exists():
                return folder
        except OSError as e:
            shutil.rmtree(folder, ignore_errors=True)
            if not isinstance(e, FileNotFoundError):
                raise


def sweep(parent: Path, name: str) -> int:
    """Remove the folders whose process has ended; how many."""
    removed = 0
    for folder in parent.glob(f".{glob.escape(name)}.*"):
        with contextlib.suppress(FileNotFoundError):  # its process removes it just now
            removed += folder.is_dir() and not folder.is_symlink() and _remove_abandoned(folder)
    return removed


def _remove_abandoned(folder: Path) -> bool:
    """Remove the folder if it is this user's, and no process holds its lock; whether it was."""
    if os.name == "posix" and folder.stat().st_uid != os.getuid():
        return False
    lock = folder / _LOCK
    if not lock.exists():
        is_abandoned = time.time() - folder.stat().st_mtime > _YOUNG_SECONDS
    else:
        with locked(lock) as is_abandoned:
            if is_abandoned and os.name == "posix":  # under the lock: its process may be about to take it
                shutil.rmtree(folder, ignore_errors=True)
    if is_abandoned:
        shutil.rmtree(folder, ignore_errors=True)
    return is_abandoned
