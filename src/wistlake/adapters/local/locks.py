"""Lock files: the system frees a lock when its process ends, even by a crash."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wistlake.machine import PRIVATE_FILE


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock for the block; yields whether it was free. It never waits."""
    with open_private(path) as file:
        yield lock(file)


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
