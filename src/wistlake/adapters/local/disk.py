"""Why nothing can be written below a folder: a full disk looks different to every library that meets it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wistlake.errors import StoreError, WistlakeError

LEAST_FREE = 16_000_000  # bytes; what failed is often removed before anybody looks


def trouble(folder: Path) -> str:
    """What keeps `folder` from being written to, with the cure; "" if nothing does."""
    there = nearest(folder)
    if not os.access(there, os.W_OK):
        return (
            f"{there} is read-only: give its owner the right to write (chmod -R u+rwX), or set WISTLAKE_LAKE"
        )
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        return f"the disk of {folder} is full ({free / 1e6:.1f} MB are left): free some space and run again"
    return ""


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there; what may not be looked at counts as there."""
    for place in (folder, *folder.parents):
        try:
            place.stat()
        except PermissionError:
            return place
        except OSError:
            continue
        return place
    return folder


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Whatever fails in the block while `folder` can't be written to, as a StoreError that says so."""
    try:
        yield
    except WistlakeError:
        raise
    except Exception as e:
        if why := trouble(folder):
            raise StoreError(why) from e
        raise
