"""Event lists: which sessions a day shows at a moment, newest first, and windows over many days."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from wistia_simulator.cache import BoundedCache
from wistia_simulator.catalog import Catalog
from wistia_simulator.clock import DAY, day_number, moment
from wistia_simulator.outlines import Outlines
from wistia_simulator.sessions import Session, Sessions


class Listed(NamedTuple):
    """One row of an event list: a session, where it stands, and whether it is its first copy (0) or not."""

    session: Session
    copy: int
    received: int


Rows = list[Listed]


def horizon(at: int) -> int:
    """The oldest UTC day whose events are kept at ``at``: two years back."""
    today: datetime = moment(at)
    leap = today.month == 2 and today.day == 29
    return day_number(today.date().replace(year=today.year - 2, day=28 if leap else today.day))


class Window:
    """The rows of some days, newest first; only the days that a slice needs are computed."""

    def __init__(self, days: range, rows: Callable[[int], Rows], size: Callable[[int], int]) -> None:
        self._days = days
        self._rows = rows
        self._size = size

    def __iter__(self) -> Iterator[Listed]:
        for day in reversed(self._days):
            yield from self._rows(day)

    def slice(self, start: int, stop: int) -> Rows:
        """Rows ``start`` (at least 0) to ``stop`` - 1, fewer at the end of the list."""
        rows: Rows = []
        passed = 0
        for day in reversed(self._days):
            size = self._size(day)
            if passed + size > start:
                rows += self._rows(day)[max(0, start - passed) : stop - passed]
            passed += size
            if passed >= stop:
                break
        return rows


class Listings:
    """Day lists of one media or of the whole account; those that can't change any more are cached."""

    def __init__(self, catalog: Catalog, outlines: Outlines, sessions: Sessions, limit: int) -> None:
        self._catalog = catalog
        self._outlines = outlines
        self._sessions = sessions
        self._cached: BoundedCache[tuple[tuple[int, ...], int, int], Rows] = BoundedCache(limit)
        self._sizes: dict[tuple[tuple[int, ...], int], int] = {}
        self._settling: dict[tuple[int, int], int] = {}

    def window(self, scope: tuple[int, ...], first: int | None, last: int | None, at: int) -> Window:
        """All rows of the medias ``scope`` on the UTC days ``first`` to ``last`` (included) as of ``at``."""
        start = max(self._outlines.began, horizon(at), self._outlines.began if first is None else first)
        end = at // DAY if last is None else min(last, at // DAY)
        days = range(start, max(start, end + 1))
        return Window(days, lambda day: self.day(scope, day, at), lambda day: self._day_size(scope, day, at))

    def day(self, scope: tuple[int, ...], day: int, at: int) -> Rows:
        """The rows whose received_at lies in the UTC day as of ``at``."""
        return self._cached.get((scope, day, self._as_of(scope, day, at)), lambda: self._make(scope, day, at))

    def _as_of(self, scope: tuple[int, ...], day: int, at: int) -> int:
        return min(at, self._settles(scope, day))

    def _settles(self, scope: tuple[int, ...], day: int) -> int:
        sources = ((index, source) for index in scope for source in (day, day + 1))
        return max((self._settled_at(index, source) for index, source in sources), default=0)

    def _settled_at(self, index: int, day: int) -> int:
        key = (index, day)
        if key not in self._settling:
            self._settling[key] = self._sessions.of(index, day).settles
        return self._settling[key]

    def _day_size(self, scope: tuple[int, ...], day: int, at: int) -> int:
        if at < self._settles(scope, day):
            return len(self.day(scope, day, at))
        if (scope, day) not in self._sizes:
            self._sizes[scope, day] = len(self.day(scope, day, at))
        return self._sizes[scope, day]

    def _make(self, scope: tuple[int, ...], day: int, at: int) -> Rows:
        rows: list[tuple[int, int, int, Session]] = []
        for index in scope:
            # A received_at that moves, or a second copy, can stand a day before the final place.
            for session in (*self._sessions.of(index, day), *self._sessions.of(index, day + 1)):
                if session.visible(at):
                    rows += [
                        (-received, session.bits, copy, session)
                        for copy, received in enumerate(session.places(at))
                        if received // DAY == day
                    ]
        rows.sort(key=lambda row: row[:3])
        return [Listed(session, copy, -received) for received, _, copy, session in rows]

    def find(self, key: str, scope: tuple[int, ...], at: int) -> Session | None:
        """The visible session with an event key; None for a stranger, a vanished or an aged-out one."""
        prefix = key[:7]
        if len(key) != 72 or not (prefix.isascii() and prefix.isdecimal()):
            return None
        first = (int(prefix) * 1_000 - 1_000) // DAY
        for session in self._around(scope, first):
            if session.visible(at) and session.key == key and session.received_at(at) // DAY >= horizon(at):
                return session
        return None

    def _around(self, scope: tuple[int, ...], first: int) -> Iterator[Session]:
        # received_at follows the page load by at most about a day, growth included.
        for day in range(first, first + 3):
            for index in scope:
                yield from self._sessions.of(index, day)
