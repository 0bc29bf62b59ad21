"""Lock files: the system frees a lock when its process ends, even by a crash."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from wistlake.errors import StoreBusy
from wistlake.machine import PRIVATE_FILE


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock for the block; yields whether it was free. It never waits."""
    with open_private(path) as file:
        yield lock(file)


@contextmanager
def exclusive(path: Path, doing: str) -> Iterator[None]:
    """Hold a lock file, which goes with the block. StoreBusy, which says what it is `doing`, if another process has
    it."""
    with open_private(path) as file:
        if not lock(file) or not _is_there(path, file):
            raise StoreBusy(f"another process is {doing}: run again when it has ended")
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file
                path.unlink()


def _is_there(path: Path, file: IO[bytes]) -> bool:
    """Whether the open file still has that path: whoever held it before has removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def open_private(path: Path) -> IO[bytes]:
    """The lock file, created for its owner only."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE), "r+b")


if sys.platform == "win32":
    import msvcrt

    def lock(file: IO[bytes]) -> bool:
        """Take the file's lock, which the system frees when the process ends; whether it was free."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Take the file's lock, which the system frees when the process ends; whether it was free."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
