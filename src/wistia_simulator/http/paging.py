"""Pages of bare arrays: 1-based, silently clamped, and what drifts while somebody walks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wistia_simulator.faults import Fault

__all__ = ["MOST_PER_PAGE", "PageDrift", "PageRequest", "page_request"]

MOST_PER_PAGE = 100
_DEFAULT_PER_PAGE = {"medias": 100, "folders": 100}
_MOST_DIGITS = 18  # a page number beyond that is past the end of any list

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """A page: ``number`` from 1, ``size`` 1..100, ``shift`` rows by which the list moved meanwhile."""

    number: int
    size: int
    shift: int = 0

    def cut(self, rows: Callable[[int, int], list[T]]) -> list[T]:
        """The page of a list that is given by its slices."""
        start = max(0, (self.number - 1) * self.size + self.shift)
        return rows(start, start + self.size)


def _positive(text: str | None) -> int | None:
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdecimal()):
        return None
    return int(digits.lstrip("0")[:_MOST_DIGITS] or 0) or None


def page_request(route: str, query: Mapping[str, str]) -> PageRequest:
    """What a query asks for; what can't be read counts as absent, more than 100 rows as 100."""
    size = _positive(query.get("per_page")) or _DEFAULT_PER_PAGE.get(route, 10)
    return PageRequest(_positive(query.get("page")) or 1, min(size, MOST_PER_PAGE))


class PageDrift:
    """Lists that moved, or got stuck on a page, while they were walked; one entry per list (query)."""

    def __init__(self) -> None:
        self._shifts: dict[str, int] = {}
        self._stuck: dict[str, tuple[int, int | None]] = {}

    def begin(self, walk: str, page: PageRequest, fault: Fault) -> None:
        """``fault`` hits the request for ``page`` of the list ``walk``."""
        if fault.kind == "repeated_page":
            self._stuck[walk] = (page.number - 1, fault.lasts)
        elif fault.kind in ("drift_insert", "drift_delete"):
            step = -1 if fault.kind == "drift_insert" else 1
            self._shifts[walk] = self._shifts.get(walk, 0) + step

    def adjust(self, walk: str, page: PageRequest) -> PageRequest:
        """The page that is really served. Whoever starts again at page 1 sees a list that stands still."""
        if page.number == 1:
            self._shifts.pop(walk, None)
        stuck = self._stuck.get(walk)
        if stuck is not None and page.number > stuck[0]:
            self._count_down(walk, *stuck)
            return PageRequest(stuck[0], page.size)
        return PageRequest(page.number, page.size, self._shifts.get(walk, 0))

    def _count_down(self, walk: str, number: int, rest: int | None) -> None:
        if rest is not None and rest <= 1:
            del self._stuck[walk]
        elif rest is not None:
            self._stuck[walk] = (number, rest - 1)
