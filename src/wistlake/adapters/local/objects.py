"""Objects as files below one folder, readable by their owner only: bronze holds raw pages."""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from wistlake.errors import StoreBusy, StoreDamaged, StoreError
from wistlake.machine import PRIVATE_FOLDER, create_private
from wistlake.object_keys import check_key, check_prefix
from wistlake.ports import ObjectStore

UNFINISHED = ".unfinished"  # the folder of files that are being written; no key can name it
_ABANDONED_SECONDS = 3600.0


class LocalObjects(ObjectStore):
    """ObjectStore on files below `root`, which is created by the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._swept: set[Path] = set()

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        path = self._path(key)
        with _explained(path):
            unfinished = self._write_unfinished(key, data)
            try:
                _make_folders(path.parent)
                if if_absent:
                    os.link(unfinished, path)  # fails if the key is taken: the first writer wins
                else:
                    os.replace(unfinished, path)
                _sync_folder(path.parent)
            except FileExistsError as e:
                raise StoreBusy(f"{key} is already there, and is written only once") from e
            finally:
                unfinished.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with _explained(path):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise StoreDamaged(f"there is no object {key} in {self._root}") from None

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _explained(path):
            return path.is_file()

    def list(self, prefix: str) -> Iterator[str]:
        check_prefix(prefix)
        folder, slash, _ = prefix.rpartition("/")
        return _walk(self._root / folder, folder + slash, prefix)

    def delete(self, keys: Iterable[str]) -> int:
        return sum(self._remove(key) for key in keys)

    def uri(self, key: str) -> str:
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

    def _write_unfinished(self, key: str, data: bytes) -> Path:
        """A file with `data`, flushed to the disk, on the file system of the object's path."""
        top, slash, _ = key.partition("/")  # links to other disks are supported for top folders only
        folder = (self._root / top if slash else self._root) / UNFINISHED
        _make_folders(folder)
        self._sweep(folder)
        path = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        descriptor = create_private(path)
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
        """Remove files of killed writers: they may hold raw pages, which retention does not find here."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        for file in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > _ABANDONED_SECONDS:
                    file.unlink()


def _walk(folder: Path, start: str, prefix: str) -> Iterator[str]:
    """Keys below `folder`, whose own key is `start`, in the order of keys: a folder's name sorts with its slash."""
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
    """Create `folder` and its missing parents, readable by their owner only."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut. Windows has no such call."""
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
    """Translate an OSError into a StoreError that names the path and the cure."""
    try:
        yield
    except OSError as e:
        cure = _CURES.get(e.errno or 0, f"{e.strerror or type(e).__name__}: check the disk and run again")
        raise StoreError(f"{path}: {cure}") from e
