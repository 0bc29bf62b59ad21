"""Objects as files below one folder. Nobody but the owner may read them: bronze holds raw pages."""

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from wistlake.errors import StoreBusy, StoreDamaged, StoreError

UNFINISHED = ".unfinished"  # where writes prepare their file; no key can name it
_ABANDONED_SECONDS = 3600.0
# A segment that starts with a dot could leave the root or meet unfinished files; `\` and `:` mean
# something else on Windows.
_KEY = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*(/[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*)*")


def check_key(key: str) -> str:
    """`key`, if it can name an object; StoreError otherwise."""
    if not _KEY.fullmatch(key):
        raise StoreError(
            f"{key[:80]!r} is no object key: segments between single slashes, none empty or beginning "
            "with a dot, without backslash, colon and control characters"
        )
    return key


def check_prefix(prefix: str) -> str:
    """`prefix`, if keys can begin with it; StoreError otherwise."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


class LocalObjects:
    """ObjectStore on files below `root`, which is created by the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._swept: set[Path] = set()

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Store `data` whole or not at all; StoreError if it can't be, or if_absent and the key is taken."""
        path = self._path(key)
        with _explained(path):
            unfinished = self._write_aside(key, data)
            try:
                _make_folders(path.parent)
                if if_absent:
                    os.link(unfinished, path)  # fails if there is one: the first writer wins
                else:
                    os.replace(unfinished, path)
                _sync_folder(path.parent)
            except FileExistsError as e:
                raise StoreBusy(f"{key} is already there, and is written only once") from e
            finally:
                unfinished.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        """The object's bytes; StoreError naming the key if there is none."""
        path = self._path(key)
        with _explained(path):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise StoreDamaged(f"there is no object {key} in {self._root}") from None

    def exists(self, key: str) -> bool:
        """Whether the key is taken."""
        path = self._path(key)
        with _explained(path):
            return path.is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, ascending."""
        check_prefix(prefix)
        folder, slash, _ = prefix.rpartition("/")
        return _walk(self._root / folder, folder + slash, prefix)

    def delete(self, keys: Iterable[str]) -> int:
        """Remove the objects; absent ones are no error. How many were there."""
        return sum(self._remove(key) for key in keys)

    def uri(self, key: str) -> str:
        """The object's absolute path."""
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _remove(self, key: str) -> bool:
        path = self._path(key)
        with _explained(path):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    def _write_aside(self, key: str, data: bytes) -> Path:
        """A file with `data`, safe on the disk, on the file system where `key` will lie."""
        top, slash, _ = key.partition("/")  # whoever links a folder to another disk does it at the top
        folder = (self._root / top if slash else self._root) / UNFINISHED
        _make_folders(folder)
        self._sweep(folder)
        path = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def _sweep(self, folder: Path) -> None:
        """Remove what killed writers left behind: it may hold raw pages that retention never finds."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        for left in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    left.unlink()


def _walk(folder: Path, start: str, prefix: str) -> Iterator[str]:
    """Keys below `folder`, whose own key is `start`. A folder sorts as its name with a slash, as keys do."""
    with _explained(folder):
        try:
            entries = sorted(e.name + "/" * e.is_dir() for e in os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
    for name in entries:
        key = start + name
        if name.startswith(".") or not key.startswith(prefix):
            continue
        if name.endswith("/"):
            yield from _walk(folder / name, key, prefix)
        else:
            yield key


def _make_folders(folder: Path) -> None:
    """Create `folder` and what is missing above it, each for the owner only."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut; Windows has no such call."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_CURES = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "your quota of the disk is used up: free some space and run again",
    errno.EROFS: "the file system is read-only: mount it for writing, or set WISTLAKE_LAKE to another folder",
    errno.EACCES: "permission denied: give its owner's rights back (chmod -R u+rwX), or set WISTLAKE_LAKE",
    errno.EPERM: "not permitted there: put the lake on a file system with hard links, or set WISTLAKE_LAKE",
    errno.ENOTSUP: "the file system has no hard links: set WISTLAKE_LAKE to a folder on one that has",
    errno.EXDEV: "a folder in between lies on another disk: link the whole first folder there instead",
    errno.ENAMETOOLONG: "the name is too long for this file system: set WISTLAKE_LAKE to a shorter path",
    errno.ENOTDIR: "a file stands where a folder must be: move it away and run again",
    errno.EISDIR: "a folder stands where the object must be: move it away and run again",
}


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """An OSError as the StoreError that names the path and the cure."""
    try:
        yield
    except OSError as e:
        cure = _CURES.get(e.errno or 0, f"{e.strerror or type(e).__name__}: check the disk and run again")
        raise StoreError(f"{path}: {cure}") from e
