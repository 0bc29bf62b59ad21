"""Several calls at a time, where each of them waits for a store."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

WORKERS = 16  # threads: what they hold at a time has to fit into memory beside an engine
_T = TypeVar("_T")
_R = TypeVar("_R")


def in_order(call: Callable[[_T], _R], items: Iterable[_T], workers: int = WORKERS) -> list[_R]:
    """The result of `call` for each item, in the items' order; at most `workers` are under way at once. The first
    error is raised, and what has not begun by then never does."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(call, items))
