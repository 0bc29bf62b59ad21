"""Walking a list page by page: ahead of need, to its true end, and with proof that it stood still.

Wistia's pages are offsets into a list that is sorted newest first and may move while it is walked:
a row that comes in pushes every later row down. Page 1 is read before any other page, so

- a row that came in at the top, or jumped there, repeats a key on two pages, or is harmless;
- a row that came in further down repeats a key, or shifts the last page as it is read once more;
- a row that went away shifts page 1 or the last page, unless it went from a page in between after
  that page was read: that one stays in the listing, and its neighbour waits for the next observation.

A walk that shows any of these is walked again, until one shows nothing or adds nothing. Repeated keys
alone prove nothing: Wistia holds some sessions twice for ever, and both walks then agree.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from wistlake.errors import SourceChanged, SourceUnavailable
from wistlake.wistia.responses import Record

Page = list[Record]
ReadPage = Callable[[int], Coroutine[Any, Any, Page]]
Key = tuple[object, ...]

MOST_PAGES = 100_000
MOST_PASSES = 5
MOST_FRONT_PAGES = 20
_LOWER_CAPS = frozenset({10, 20, 25, 50})  # page sizes that a server may have fallen back to
_NEARLY_FULL = 0.9


@dataclass(slots=True)
class Sizes:
    """The longest page that a client has met: what tells a short page from a page size that was cut."""

    longest: int = 0

    def note(self, rows: int) -> None:
        """A page of `rows` rows was served."""
        self.longest = max(self.longest, rows)

    def is_doubtful(self, rows: int, per_page: int) -> bool:
        """Whether a short page may hide more: it is nearly full, or just as long as a smaller page size."""
        return rows >= _NEARLY_FULL * per_page or (rows in _LOWER_CAPS and rows >= self.longest)


@dataclass(frozen=True, slots=True)
class Walker:
    """How one list is read. `idle` tells how many requests may be made ahead without delaying others."""

    read: ReadPage
    name: str  # for messages: the path
    per_page: int
    idle: Callable[[], int]
    sizes: Sizes = field(default_factory=Sizes)

    async def walk(self) -> list[Page]:
        """Every page up to and including the one that ends the list.

        The first pages are asked for one by one, later ones in a window that grows with what was read:
        a short list costs no request in vain, a long one uses the concurrency that nobody else needs.
        SourceChanged if a page repeats the one before it, or if there is no end.
        """
        pages = [await self.read(1)]
        ahead: deque[asyncio.Task[Page]] = deque()
        try:
            while not self._ends(pages[-1]):
                self._fill(ahead, len(pages))
                pages.append(await ahead.popleft())
                self._check_progress(pages)
        finally:
            await _drop(ahead)
        return pages

    def _fill(self, ahead: deque["asyncio.Task[Page]"], read: int) -> None:
        window = min(read // 2, len(ahead) + self.idle())
        while len(ahead) < max(1, window):
            ahead.append(asyncio.create_task(self.read(read + len(ahead) + 1)))

    def _ends(self, page: Page) -> bool:
        self.sizes.note(len(page))
        return not page or (
            len(page) < self.per_page and not self.sizes.is_doubtful(len(page), self.per_page)
        )

    def _check_progress(self, pages: Sequence[Page]) -> None:
        number = len(pages)
        if pages[-1] and pages[-1] == pages[-2]:
            raise SourceChanged(f"{self.name}: page {number} repeats page {number - 1}: the list never ends")
        if number >= MOST_PAGES:
            raise SourceChanged(f"{self.name}: no end after {number} pages")


async def _drop(tasks: deque["asyncio.Task[Page]"]) -> None:
    """Give up pages beyond the end: whatever they hold, or however they fail, nobody asked for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Order:
    """How a list's rows are told apart. `newest_first` is the field that the list is sorted by."""

    key: tuple[str, ...]
    newest_first: str
    jumpy: bool = False

    def of(self, row: Record) -> Key:
        """The row's identity."""
        return tuple(_hashable(row.get(name)) for name in self.key)

    def mark(self, row: Record) -> Key:
        """The row's identity and, in a jumpy list, its place: unchanged rows have the same mark."""
        return (*self.of(row), self.place(row)) if self.jumpy else self.of(row)

    def marks(self, page: Page) -> list[Key]:
        """The marks of a page, in order."""
        return [self.mark(row) for row in page]

    def place(self, row: Record) -> str:
        """Where the row stands in the list: times in one format, which sort as text."""
        return str(row.get(self.newest_first, ""))


@dataclass(frozen=True, slots=True)
class Proof:
    """What a walk showed. `repeated` counts keys that stand on more than one page."""

    pages: int
    last_page_rows: int
    terminal: str
    passes: int = 1
    drifted: int = 0  # passes that showed a moving list
    repeated: int = 0
    front_pages: int = 0  # of a jumpy list, read once more
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
    """How the two ends of a list looked when they were read once more."""

    STILL = auto()
    TOP_MOVED = auto()  # rows came in at the top, which harms nothing by itself
    END_MOVED = auto()  # rows came or went somewhere else


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk from page 1 to the end, and what became of the ends meanwhile."""

    pages: list[Page]
    repeated: int
    front: list[Page]
    ends: Ends
    jumpy: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing moved that could have hidden a row. In a jumpy list the front heals its top."""
        moved = self.ends is Ends.END_MOVED or (self.ends is Ends.TOP_MOVED and not self.jumpy)
        return not moved and not self.repeated


async def steady_walk(walker: Walker, order: Order) -> tuple[list[Record], Proof]:
    """Every row of a list, as if it had stood still, and the proof.

    Rows that the source itself holds twice stay twice, unless the list is jumpy. SourceUnavailable if
    the list never calms down.
    """
    passes: list[Pass] = []
    known: dict[Key, Record] = {}
    for _ in range(MOST_PASSES):
        found = await _pass(walker, order)
        passes.append(found)
        if found.is_clean or _agrees(passes, known, order):
            return _rows(found, known, order), _proof(passes)
        known |= {order.of(row): row for page in found.pages for row in page}
    raise SourceUnavailable(
        f"{walker.name}: the list moved during each of {MOST_PASSES} walks: run again at a calmer time"
    )


async def _pass(walker: Walker, order: Order) -> Pass:
    pages = await walker.walk()
    front, ends = await _look_again(walker, order, pages)
    return Pass(pages, _repeated(pages, order), front, ends, order.jumpy)


def _repeated(pages: Iterable[Page], order: Order) -> int:
    """How many keys stand on more than one page. Twice on one page is the source's own doing."""
    seen: set[Key] = set()
    repeated: set[Key] = set()
    for page in pages:
        keys = {order.of(row) for row in page}
        repeated |= keys & seen
        seen |= keys
    return len(repeated)


async def _look_again(walker: Walker, order: Order, pages: Sequence[Page]) -> tuple[list[Page], Ends]:
    """Read the ends of the list once more; in a jumpy list, from the front to a page that is wholly known.

    Page 1 comes first: a list whose top is unchanged must have an unchanged end as well, which is its last
    filled page and, where one was needed to tell, the empty page behind it: a row that goes away may leave
    that one empty. One page alone is read in one moment and needs no second look.
    """
    if len(pages) == 1:
        return [], Ends.STILL
    front = [await walker.read(1)]
    if order.marks(front[0]) == order.marks(pages[0]):
        filled = sum(bool(page) for page in pages)
        for number in sorted({filled, len(pages)} - {1}):
            if order.marks(await walker.read(number)) != order.marks(pages[number - 1]):
                return front, Ends.END_MOVED
        return front, Ends.STILL
    if order.jumpy:
        await _extend(front, walker, order, pages)
    return front, Ends.TOP_MOVED


async def _extend(front: list[Page], walker: Walker, order: Order, pages: Iterable[Page]) -> None:
    known = {order.mark(row) for page in pages for row in page}
    while not known.issuperset(order.marks(front[-1])):
        if len(front) == MOST_FRONT_PAGES:
            raise SourceUnavailable(
                f"{walker.name}: its front moves faster than it can be read: run again at a calmer time"
            )
        front.append(await walker.read(len(front) + 1))


def _agrees(passes: Sequence[Pass], known: Mapping[Key, Record], order: Order) -> bool:
    """Whether the last pass found no row that earlier ones missed. What came in since the first pass began
    is news, not a miss."""
    first, last = passes[0], passes[-1]
    if last is first or last.ends is Ends.END_MOVED:
        return False
    began = order.place(first.pages[0][0]) if first.pages[0] else ""
    return all(order.of(row) in known or order.place(row) > began for page in last.pages for row in page)


def _rows(found: Pass, known: Mapping[Key, Record], order: Order) -> list[Record]:
    """The last pass as served, then what only earlier passes saw; of a jumpy list, each key's newest row."""
    served = [row for page in found.pages for row in page]
    have = {order.of(row) for row in served}
    rows = served + [row for key, row in known.items() if key not in have]
    if not order.jumpy:
        return rows
    newest: dict[Key, Record] = {}
    for row in (*(row for page in found.front for row in page), *rows):
        held = newest.get(order.of(row))
        if held is None or order.place(row) > order.place(held):
            newest[order.of(row)] = row
    return list(newest.values())


def _proof(passes: Sequence[Pass]) -> Proof:
    last = passes[-1]
    return Proof(
        pages=len(last.pages),
        last_page_rows=len(last.pages[-1]),
        terminal="short page" if last.pages[-1] else "empty page",
        passes=len(passes),
        drifted=sum(p.ends is not Ends.STILL or p.repeated != last.repeated for p in passes),
        repeated=last.repeated,
        front_pages=len(last.front) if last.jumpy else 0,
        verdict="one page" if len(last.pages) == 1 else "stood still" if last.is_clean else "walks agree",
    )


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
