"""Why a folder can't be written to: every library reports a full disk in another way."""

import os
import shutil
from pathlib import Path

from wistlake.errors import StoreError

LEAST_FREE = 16_000_000  # bytes; the file that failed is often removed before anybody looks


def trouble(folder: Path) -> str:
    """Why `folder` can't be written to, with the cure; "" if it can."""
    existing = nearest(folder)
    if not os.access(existing, os.W_OK):
        return f"{existing} is read-only: give its owner the right to write (chmod -R u+rwX), or set WISTLAKE_LAKE"
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        return f"the disk of {folder} is full ({free / 1e6:.1f} MB are left): free some space and run again"
    return ""


def nearest(folder: Path) -> Path:
    """The folder, or the nearest parent that exists; one without the right to look counts as existing."""
    for place in (folder, *folder.parents):
        try:
            place.stat()
        except PermissionError:
            return place
        except OSError:
            continue
        return place
    return folder


def troubles(folder: Path) -> list[StoreError]:
    """`trouble` as an error, if there is any."""
    return [StoreError(reason)] if (reason := trouble(folder)) else []
