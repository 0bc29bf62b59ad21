"""Pages of bare arrays: 1-based, silently clamped, with faults that shift a list between two pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wistia_simulator.faults import Fault

MAX_PER_PAGE = 100
_DEFAULT_PER_PAGE = {
    "medias": 100,
    "folders": 100,
    "traffic": 100,
    "languages": 100,
    "conversions": 25,
    "embed_timeseries": 5,
}
_MAX_DIGITS = 18  # a page number beyond that is past the end of any list

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """A page: ``number`` from 1, ``size`` 1..100, ``shift`` rows by which the list has shifted."""

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
    return int(digits.lstrip("0")[:_MAX_DIGITS] or 0) or None


def page_request(route: str, query: Mapping[str, str]) -> PageRequest:
    """The page that a query asks for; illegible values count as absent, more than 100 rows as 100."""
    size = _positive(query.get("per_page")) or _DEFAULT_PER_PAGE.get(route, 10)
    return PageRequest(_positive(query.get("page")) or 1, min(size, MAX_PER_PAGE))


class PageDrift:
    """Lists that shift, or repeat a page, while a client reads them; one entry per list (query)."""

    def __init__(self) -> None:
        self._shifts: dict[str, int] = {}
        self._stuck: dict[str, tuple[int, int | None]] = {}

    def begin(self, listing: str, page: PageRequest, fault: Fault) -> None:
        """``fault`` hits the request for ``page`` of the list ``walk``."""
        if fault.kind == "repeated_page":
            self._stuck[listing] = (page.number - 1, fault.lasts)
        elif fault.kind in ("drift_insert", "drift_delete"):
            step = -1 if fault.kind == "drift_insert" else 1
            self._shifts[listing] = self._shifts.get(listing, 0) + step

    def adjust(self, listing: str, page: PageRequest) -> PageRequest:
        """The page that is really served. Reading from page 1 again ends the shift."""
        if page.number == 1:
            self._shifts.pop(listing, None)
        stuck = self._stuck.get(listing)
        if stuck is not None and page.number > stuck[0]:
            self._count_down(listing, *stuck)
            return PageRequest(stuck[0], page.size)
        return PageRequest(page.number, page.size, self._shifts.get(listing, 0))

    def _count_down(self, listing: str, number: int, rest: int | None) -> None:
        if rest is not None and rest <= 1:
            del self._stuck[listing]
        elif rest is not None:
            self._stuck[listing] = (number, rest - 1)
