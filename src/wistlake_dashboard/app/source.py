"""Where the app reads, and what it remembers of the answers."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from wistlake.ports import Query

T = TypeVar("T")
REMEMBERED = 512


class Source(Protocol):
    """The published tables, wherever they are: the laptop's lake, or Athena."""

    def version(self) -> str:
        """Changes with every publication and every run; cheap, for it is asked at every turn."""

    def open(self) -> "Query":
        """SQL over the newest publication, which stays the same however long it is used."""


class Reader:
    """One publication for all sessions: asked one question at a time, each answered once."""

    def __init__(self, query: "Query") -> None:
        self._query = query
        self._lock = Lock()
        self._answers = lru_cache(maxsize=REMEMBERED)(self._answer)

    def __call__(self, question: Callable[..., T], *about: Hashable) -> T:
        """`question(query, *about)`. Whoever gets the answer leaves it as it is: others get the same one."""
        with self._lock:
            found: T = self._answers(question, *about)
        return found

    def _answer(self, question: Callable[..., Any], *about: Hashable) -> Any:
        return question(self._query, *about)
