"""Starts workers as processes of their own, and never leaves one behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).parents[2] / "src"
_WORKERS = Path(__file__).with_name("workers.py")


@contextmanager
def worker(job: str, path: Path, argument: str) -> Iterator[subprocess.Popen[str]]:
    """The running process; killed when the block ends."""
    process = subprocess.Popen(
        [sys.executable, str(_WORKERS), job, str(path), argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_SOURCE)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _all(job: str, path: Path, arguments: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    if not arguments:
        yield []
        return
    with worker(job, path, arguments[0]) as first, _all(job, path, arguments[1:]) as rest:
        yield [first, *rest]


def race(job: str, path: Path, arguments: list[str]) -> list[list[str]]:
    """Let the workers start, send them off together, and return the lines that each printed."""
    with _all(job, path, arguments) as processes:
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = [process.communicate(timeout=60)[0].split() for process in processes]
        assert all(process.returncode == 0 for process in processes)
        return printed
