"""Owner-only files that nobody sees half-written, even if several processes write and read them at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wistlake.adapters.local.scratch import aside
from wistlake.errors import StoreError
from wistlake.machine import create_private


def replace_file(path: Path, text: str) -> None:
    """Write `text` in place of what the file holds. StoreError if that fails."""
    with _written(path, text) as fresh:
        fresh.replace(path)


def create_file(path: Path, text: str) -> None:
    """Write `text` into a new file. If another process was faster, its file stays. StoreError if that fails."""
    with _written(path, text) as fresh, suppress(FileExistsError):
        os.link(fresh, path)


@contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    """A file with `text`, flushed to the disk, beside `path`."""
    try:
        with aside(path.parent, path.name) as folder:
            fresh = folder / path.name
            with os.fdopen(create_private(fresh), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            yield fresh
    except OSError as e:
        raise StoreError(f"cannot write {path}: {e.strerror}") from e
