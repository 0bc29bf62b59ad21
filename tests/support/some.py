"""`some`: what a test looks through, after a look at whether there is anything."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def some(items: Iterable[T]) -> list[T]:
    """The items; AssertionError if there are none, for a loop over nothing proves nothing."""
    found = list(items)
    assert found, "there is nothing to look at"
    return found
