"""A command on a terminal of a given width, as a person would see it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_SECONDS = 120.0


def on_terminal(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    typed: Sequence[tuple[str, str]] = (),
) -> tuple[int, str]:
    """Run `wistlake` with `arguments`; its exit code, and all that appeared.

    `typed` are (what must have appeared, the line typed then), in order. AssertionError after two minutes.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", *arguments],
        cwd=folder, env={"TERM": "xterm-256color", **environment}, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen, waiting, until = "", list(typed), time.monotonic() + _SECONDS
    try:
        while (piece := _piece(ours, until)) is not None:
            seen += piece
            if waiting and waiting[0][0] in seen:
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        return process.wait(10), seen.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _piece(descriptor: int, until: float) -> str | None:
    """What appears next; None when the other end is closed."""
    ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
    assert ready, "the command does not end"
    try:
        return os.read(descriptor, 65_536).decode(errors="replace") or None
    except OSError:  # so says Linux that nobody writes any more
        return None
