"""Kills a run between two writes, as a crash does."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

_P = TypeVar("_P")
MUTATING = frozenset(
    (
        *("put", "delete"),  # ObjectStore
        *("record", "compact", "advance", "override", "put_media", "put_labels", "put_alerts"),  # Ledger
        *("put_run", "publish", "put_facts"),
        *("ensure", "merge", "stage"),  # TableStore
        "notify",
    )
)


class Died(BaseException):
    """The process has died. Not an Exception, so that nothing catches it, as nothing catches kill -9."""


class Dying:
    """A process that dies at its `at`-th write, counted over every port that it wraps.

        death = Dying(at=7)
        run(death.around(objects), death.around(ledger), death.around(tables))  # raises Died

    It dies before the write, or with `after` just behind it. Every later write fails as well, because a dead process
    runs no clean-up code. With `at=None` it never dies, and `calls` counts the writes.
    """

    def __init__(
        self, at: int | None = None, *, after: bool = False, methods: Iterable[str] = MUTATING
    ) -> None:
        self.calls = 0
        self._at = at
        self._after = after
        self._methods = frozenset(methods)
        self._lock = threading.Lock()

    def around(self, port: _P) -> _P:
        """`port` with its writes counted."""
        return cast(_P, _Mortal(port, self))

    def wrap(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, with its calls counted if it writes."""
        if name not in self._methods:
            return method

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self.calls += 1
                call = self.calls
            if self._at is not None and (call > self._at or (call == self._at and not self._after)):
                raise Died(f"before write {call}, {name}")
            result = method(*args, **kwargs)
            if call == self._at:
                raise Died(f"after write {call}, {name}")
            return result

        return counted


class _Mortal:
    def __init__(self, port: Any, death: Dying) -> None:
        self._port = port
        self._death = death

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        return self._death.wrap(name, value) if callable(value) else value
