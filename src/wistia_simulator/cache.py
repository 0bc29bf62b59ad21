"""A cache that is bounded by the number of rows it holds; a server thread and a test thread may share it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from threading import RLock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class BoundedCache(Generic[K, V]):
    """Least recently used values go first once the values' lengths add up to more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = RLock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of ``key``, made on the first call and after it was dropped."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            return self._keep(key, make())

    def _keep(self, key: K, value: V) -> V:
        self._values[key] = value
        self._held += 1 + len(value)
        while self._held > self._limit and len(self._values) > 1:
            self._held -= 1 + len(self._values.popitem(last=False)[1])
        return value
