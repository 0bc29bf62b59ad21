"""Reading a list page by page, to its true end, with proof that it did not change meanwhile.

Wistia's pages are offsets into a list that is sorted newest first and may change while it is read:
an inserted row pushes every later row down. Page 1 is read before any other page, so

- a row that was inserted at the top, or moved there, repeats a key on two pages, or is harmless;
- a row that was inserted further down repeats a key, or shifts the last page when that is read again;
- a row that was removed shifts page 1 or the last page, unless it was removed from a page in between after
  that page was read: that row stays in the listing, and its neighbour waits for the next observation.

A pass that shows any of these is repeated, until one shows nothing or adds nothing. Repeated keys alone prove
nothing: Wistia holds some sessions twice for good. Their pages are read again, at once: where the ends and these are
as they were, the keys are there twice, and the pass stands.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from wistlake.errors import SourceChanged, SourceUnavailable
from wistlake.wistia.responses import Record

Page = list[Record]
ReadPage = Callable[[int], Coroutine[Any, Any, Page]]
Key = tuple[object, ...]

MAX_PAGES = 100_000
MAX_PASSES = 5
MOST_AHEAD = 16  # pages requested ahead of a list whose length nobody knows
_TAIL = (
    16  # of a list that is longer than last time, one page in so many is requested at once beyond its old end
)
MAX_FRONT_PAGES = 20
_LOWER_CAPS = frozenset({10, 20, 25, 50})  # page sizes that a server may have fallen back to
_NEARLY_FULL = 0.9


@dataclass(slots=True)
class PageSizes:
    """The longest page of a list so far: it tells a short last page from a server that cuts the page size."""

    longest: int = 0

    def note(self, rows: int) -> None:
        """Count a page of `rows` rows."""
        self.longest = max(self.longest, rows)

    def may_be_cut(self, rows: int, per_page: int) -> bool:
        """Whether a short page may hide more: it is nearly full, or just as long as a smaller page size."""
        return rows >= _NEARLY_FULL * per_page or (rows in _LOWER_CAPS and rows >= self.longest)


@dataclass(frozen=True, slots=True)
class Pager:
    """Reads one list. `spare` returns how many requests may be made ahead without delaying others. `rows`: how long
    the list was when it was last read, 0 if nobody knows. `suffice` tells that no later page is needed."""

    read: ReadPage
    name: str  # for messages: the path
    per_page: int
    spare: Callable[[], int]
    sizes: PageSizes = field(default_factory=PageSizes)
    rows: int = 0
    suffice: Callable[[Sequence[Page]], bool] = lambda _pages: False

    async def read_all(self) -> list[Page]:
        """Every page up to and including the one that ends the list.

        As many pages as the list had last time are requested at once. Beyond them, or where nobody knows, the window
        doubles with each page: a short list costs no useless request, a long one uses the concurrency that nobody
        else needs. SourceChanged if a page repeats the one before it, or if there is no end.
        """
        pages: list[Page] = []
        ahead: deque[asyncio.Task[Page]] = deque()
        try:
            while not pages or not self._ends(pages):
                self._fill(ahead, len(pages))
                pages.append(await ahead.popleft())
                self._check_progress(pages)
        finally:
            await _cancel(ahead)
        return pages

    def _fill(self, ahead: deque["asyncio.Task[Page]"], read: int) -> None:
        expected = self.rows // self.per_page + 1 if self.rows else 0
        beyond = read - expected
        wanted = -beyond if beyond < 0 else min(max(2 ** max(0, beyond - 2), read // _TAIL), MOST_AHEAD)
        window = min(wanted, max(1, len(ahead)) + self.spare())
        while len(ahead) < max(1, window):
            ahead.append(asyncio.create_task(self.read(read + len(ahead) + 1)))

    def _ends(self, pages: Sequence[Page]) -> bool:
        page = pages[-1]
        self.sizes.note(len(page))
        if self.suffice(pages):
            return True
        return not page or (len(page) < self.per_page and not self.sizes.may_be_cut(len(page), self.per_page))

    def _check_progress(self, pages: Sequence[Page]) -> None:
        number = len(pages)
        if number > 1 and pages[-1] and pages[-1] == pages[-2]:
            raise SourceChanged(f"{self.name}: page {number} repeats page {number - 1}: the list never ends")
        if number >= MAX_PAGES:
            raise SourceChanged(f"{self.name}: no end after {number} pages")


async def _cancel(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel requests that nobody needs any more: neither their rows nor their failures matter."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _at_once(*reads: Coroutine[Any, Any, Any]) -> list[Any]:
    """All results; where one read fails, the others are given up."""
    tasks = [asyncio.create_task(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _cancel(tasks)


@dataclass(frozen=True, slots=True)
class Order:
    """What identifies a list's rows, and the field by which the list is sorted."""

    key: tuple[str, ...]
    sorted_by: str
    reorders: bool = False

    def of(self, row: Record) -> Key:
        """The row's identity."""
        return tuple(_hashable(row.get(name)) for name in self.key)

    def mark(self, row: Record) -> Key:
        """The row's identity and, in a list that reorders, its position: unchanged rows have the same mark."""
        return (*self.of(row), self.position(row)) if self.reorders else self.of(row)

    def marks(self, page: Page) -> list[Key]:
        """The marks of a page, in order."""
        return [self.mark(row) for row in page]

    def position(self, row: Record) -> str:
        """The row's position in the list: times in one format, which sort as text."""
        return str(row.get(self.sorted_by, ""))


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that a listing is complete. `repeated` counts keys that are on more than one page."""

    pages: int
    last_page_rows: int
    terminal: str
    passes: int = 1
    drifted: int = 0  # passes that saw the list change
    repeated: int = 0
    front_pages: int = 0  # of a list that reorders, read again
    verdict: str = "one page"

    def as_dict(self) -> dict[str, object]:
        """For the manifest."""
        return {
            "pages": self.pages,
            "last_page_rows": self.last_page_rows,
            "terminal": self.terminal,
            "passes": self.passes,
            "restarts": self.passes - 1,
            "drifted": self.drifted,
            "repeated_keys": self.repeated,
            "front_pages": self.front_pages,
            "verdict": self.verdict,
        }


class Ends(Enum):
    """Whether the two ends of a list had changed when they were read again."""

    UNCHANGED = auto()
    TOP_MOVED = auto()  # rows were inserted at the top, which is harmless by itself
    END_MOVED = auto()  # rows were inserted or removed elsewhere


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading from page 1 to the end, and whether the ends changed meanwhile. `held_twice`: keys are repeated
    because the source holds them twice."""

    pages: list[Page]
    repeated: int
    held_twice: bool
    front: list[Page]
    ends: Ends
    reorders: bool

    @property
    def is_clean(self) -> bool:
        """Whether no change could have hidden a row. The front that is read again completes a list that reorders."""
        moved = self.ends is Ends.END_MOVED or (self.ends is Ends.TOP_MOVED and not self.reorders)
        return not moved and (self.held_twice or not self.repeated)


async def read_consistently(pager: Pager, order: Order) -> tuple[list[Record], Proof]:
    """Every row of a list, as if it had not changed meanwhile, and the proof.

    Rows that the source itself holds twice stay twice, unless the list reorders. SourceUnavailable if
    the list changes during every pass.
    """
    passes: list[Pass] = []
    earlier: dict[Key, Record] = {}
    for _ in range(MAX_PASSES):
        latest = await _pass(pager, order)
        passes.append(latest)
        if latest.is_clean or _confirms(passes, earlier, order):
            return _rows(latest, earlier, order), _proof(passes)
        earlier |= {order.of(row): row for page in latest.pages for row in page}
    raise SourceUnavailable(
        f"{pager.name}: the list moved during each of {MAX_PASSES} walks: run again at a calmer time"
    )


async def _pass(pager: Pager, order: Order) -> Pass:
    pages = await pager.read_all()
    front, ends = await _reread_ends(pager, order, pages)
    repeated, numbers = _repeated_keys(pages, order)
    is_calm = ends is Ends.UNCHANGED and not order.reorders
    held_twice = bool(repeated) and is_calm and await _stand(numbers, pager, order, pages)
    return Pass(pages, repeated, held_twice, front, ends, order.reorders)


def _repeated_keys(pages: Iterable[Page], order: Order) -> tuple[int, set[int]]:
    """How many keys are on more than one page, and the numbers of their pages. A key that is twice on one page is
    duplicated in the source."""
    first: dict[Key, int] = {}
    repeated: set[Key] = set()
    numbers: set[int] = set()
    for number, page in enumerate(pages, 1):
        for key in {order.of(row) for row in page}:
            if first.setdefault(key, number) != number:
                repeated.add(key)
                numbers |= {first[key], number}
    return len(repeated), numbers


async def _stand(numbers: Collection[int], pager: Pager, order: Order, pages: Sequence[Page]) -> bool:
    """Whether these pages, at one moment, are what they were. Both ends of a list were just read again at once."""
    if len(pages) == len(numbers) == 2:
        return True
    again = await _at_once(*(pager.read(number) for number in sorted(numbers)))
    return all(
        order.marks(page) == order.marks(pages[number - 1])
        for number, page in zip(sorted(numbers), again, strict=True)
    )


async def _reread_ends(pager: Pager, order: Order, pages: Sequence[Page]) -> tuple[list[Page], Ends]:
    """Read the ends of the list again; in a list that reorders, from the front to a page without news.

    Page 1 comes first: a list whose top is unchanged must have an unchanged end as well. The end is the last
    filled page and, if there was one, the empty page behind it. No fewer are proof: a row that goes and comes back
    shows only at the end. A single page is read in one moment and needs no second reading.
    """
    if len(pages) == 1:
        return [], Ends.UNCHANGED
    if order.reorders:
        front = [await pager.read(1)]
        if order.marks(front[0]) != order.marks(pages[0]):
            await _extend(front, pager, order, pages)
            return front, Ends.TOP_MOVED
        return front, await _end(pager, order, pages)
    # Both at once: a round trip less.
    top, end = await _at_once(pager.read(1), _end(pager, order, pages))
    return [top], end if order.marks(top) == order.marks(pages[0]) else Ends.TOP_MOVED


async def _end(pager: Pager, order: Order, pages: Sequence[Page]) -> Ends:
    """Whether the end of the list is as it was."""
    filled = sum(bool(page) for page in pages)
    for number in sorted({filled, len(pages)} - {1}):
        if order.marks(await pager.read(number)) != order.marks(pages[number - 1]):
            return Ends.END_MOVED
    return Ends.UNCHANGED


async def _extend(front: list[Page], pager: Pager, order: Order, pages: Iterable[Page]) -> None:
    marks = {order.mark(row) for page in pages for row in page}
    while not marks.issuperset(order.marks(front[-1])):
        if len(front) == MAX_FRONT_PAGES:
            raise SourceUnavailable(
                f"{pager.name}: its front moves faster than it can be read: run again at a calmer time"
            )
        front.append(await pager.read(len(front) + 1))


def _confirms(passes: Sequence[Pass], earlier: Mapping[Key, Record], order: Order) -> bool:
    """Whether the last pass shows no row that earlier ones missed. A row that is newer than the first pass was not
    missed."""
    first, last = passes[0], passes[-1]
    if last is first or last.ends is Ends.END_MOVED:
        return False
    started = order.position(first.pages[0][0]) if first.pages[0] else ""
    return all(
        order.of(row) in earlier or order.position(row) > started for page in last.pages for row in page
    )


def _rows(latest: Pass, earlier: Mapping[Key, Record], order: Order) -> list[Record]:
    """The last pass, then rows that only earlier passes saw; of a list that reorders, each key's newest row."""
    served = [row for page in latest.pages for row in page]
    have = {order.of(row) for row in served}
    rows = served + [row for key, row in earlier.items() if key not in have]
    if not order.reorders:
        return rows
    newest: dict[Key, Record] = {}
    for row in (*(row for page in latest.front for row in page), *rows):
        held = newest.get(order.of(row))
        if held is None or order.position(row) > order.position(held):
            newest[order.of(row)] = row
    return list(newest.values())


def _proof(passes: Sequence[Pass]) -> Proof:
    last = passes[-1]
    return Proof(
        pages=len(last.pages),
        last_page_rows=len(last.pages[-1]),
        terminal="short page" if last.pages[-1] else "empty page",
        passes=len(passes),
        drifted=sum(p.ends is not Ends.UNCHANGED or p.repeated != last.repeated for p in passes),
        repeated=last.repeated,
        front_pages=len(last.front) if last.reorders else 0,
        verdict="one page" if len(last.pages) == 1 else "stood still" if last.is_clean else "walks agree",
    )


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
