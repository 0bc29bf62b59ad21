"""A piece of work in a process of its own, with a time-out: Spark beside Sail, and runs that are killed."""

import multiprocessing
import resource
from collections.abc import Callable
from typing import Any

_SECONDS = 240.0


def work_of_children() -> float:
    """Seconds of processor time that this process's ended children took: a busy machine changes little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_process(work: Callable[..., None], *arguments: Any, seconds: float = _SECONDS) -> int:
    """Call `work` (a module's function) in a fresh process; its exit code, -9 if it was killed.

    AssertionError if it takes longer than `seconds`: it is stopped then.
    """
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    try:
        process.join(seconds)
        assert process.exitcode is not None, f"{work.__name__} took more than {seconds} s"
        return process.exitcode
    finally:
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
