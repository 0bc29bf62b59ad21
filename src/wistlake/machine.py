"""Files for their owner alone, and the failures of a machine: files, rights, disk space, descriptors, ports, memory.

Whichever library meets one, it isn't a bug of wistlake, and has a cure that its user can apply.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from wistlake.errors import ConfigError, StoreError, WistlakeError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # modes: nobody but the owner
OTHERS = 0o077  # what a mode allows to everybody else
_TOO_FEW_FILES = (errno.EMFILE, errno.ENFILE)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_SUCH_PLACE = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)
_TAKEN = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
_DEVICE = (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE)
MORE_FILES = (
    "this process may not open as many files as it needs: allow more (`ulimit -n 1024`) and run again"
)
FILES_NEEDED = 128  # by a run that fetches with 16 connections; engines abort a process that has too few
_FILES_ASKED = 4096
_FOREIGN_BYTES = re.compile("[\udc80-\udcff]")  # how Python spells bytes of the system that are no text
# errno values, whether only with a path, the error, and its message.
_REFUSALS: tuple[tuple[tuple[int, ...], bool, Callable[[str], WistlakeError], str], ...] = (
    (_TOO_FEW_FILES, False, StoreError, MORE_FILES),
    (_NO_ROOM, False, StoreError, "{place} is full ({why}): free some space and run again"),
    (_TAKEN, False, ConfigError, "the port is in use: choose another one, or 0 for one that is free"),
    (_NOT_ALLOWED, True, StoreError, "{place}: {why}: look at its rights, or name another place"),
    (_NOT_ALLOWED, False, StoreError, "{why}: of ports, those below 1024 are for root alone"),
    (_NO_SUCH_PLACE, True, ConfigError, "{place}: {why}: correct the path"),
    (_DEVICE, False, StoreError, "{place}: {why}: look at the disk, and run again"),
)


def refusal(error: BaseException) -> WistlakeError | None:
    """The machine's failure behind `error`, with its cure; None if the machine was not the reason."""
    for cause in _chain(error):
        if isinstance(cause, MemoryError) or "can't start new thread" in str(cause):
            return StoreError(
                f"this machine ran short of memory or threads ({type(cause).__name__}): run again"
            )
        if isinstance(cause, UnicodeEncodeError) and _FOREIGN_BYTES.search(cause.object):
            return ConfigError(
                "an argument, a variable or the name of a file holds bytes that are no UTF-8: write it in UTF-8"
            )
        if isinstance(cause, OSError) and (failure := _failure(cause)):
            return failure
    return None


def lacks_files(error: BaseException) -> bool:
    """Whether no more files, or connections, could be opened."""
    return any(isinstance(e, OSError) and e.errno in _TOO_FEW_FILES for e in _chain(error))


def open_enough_files() -> None:
    """Raise this process's limit of open files to what a run needs. StoreError if the system allows too few."""
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    asked = _FILES_ASKED if hard == resource.RLIM_INFINITY else min(hard, _FILES_ASKED)
    if soft != resource.RLIM_INFINITY and soft < asked:
        resource.setrlimit(resource.RLIMIT_NOFILE, (asked, hard))
    if asked < FILES_NEEDED:
        raise StoreError(
            f"this process may open {asked} files at once, and a run needs {FILES_NEEDED}: allow more "
            "(`ulimit -n 1024`) and run again"
        )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may open, in place of the one that was there."""
    path.unlink(missing_ok=True)
    with open(create_private(path), "w", encoding="utf-8") as file:
        file.write(text)


def create_private(path: Path) -> int:
    """Create a file that only its owner may open; its descriptor. FileExistsError if there is one."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)


def make_private(folder: Path) -> None:
    """Create a folder that only its owner may open, unless it is there."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _failure(error: OSError) -> WistlakeError | None:
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    for numbers, needs_path, kind, text in _REFUSALS:
        if error.errno in numbers and (path or not needs_path):
            return kind(text.format(place=path or "the disk", why=error.strerror))
    return None
