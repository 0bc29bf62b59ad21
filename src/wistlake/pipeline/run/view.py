"""What the ledger knows, as far as a step asks: its open intervals, and of the compacted ones those it names."""

from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from datetime import date, datetime

from wistlake.planning.compacted import NONE, Compacted, CompactedMedia, to_moment
from wistlake.planning.intervals import Interval
from wistlake.planning.publishing import EVENTS
from wistlake.ports import Ledger

Key = tuple[str, str, date]
Pair = tuple[str, date]


class LedgerView:
    """The ledger at one moment. `intervals` are the open ones, by key, and those that were loaded; `compacted` is what
    is known of the others. `as_read` is done to what is loaded."""

    def __init__(
        self,
        intervals: Iterable[Interval] = (),
        compacted: CompactedMedia = NONE,
        ledger: Ledger | None = None,
        as_read: Callable[[Interval], Interval] = lambda i: i,
    ) -> None:
        self.intervals = {i.key: i for i in intervals}
        self.compacted = compacted
        self._ledger, self._as_read = ledger, as_read

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        media_ids: Collection[str] | None = None,
        as_read: Callable[[Interval], Interval] = lambda i: i,
    ) -> "LedgerView":
        """Those of the media, or of all."""
        open_ = ledger.open_intervals(
            media_ids
        )  # first: what is compacted meanwhile is seen twice, not missed
        return cls(open_, ledger.compacted(media_ids), ledger, as_read)

    def all(self) -> list[Interval]:
        """The intervals that are here, in order."""
        return [self.intervals[key] for key in sorted(self.intervals)]

    def is_compacted(self, key: Key) -> bool:
        """Whether the interval is a compacted one that is not here."""
        of_media = self.compacted.get(key[1])
        return of_media is not None and key not in self.intervals and of_media.has(key[0], key[2])

    def compacted_days(self, dataset: str, media_id: str) -> Iterator[date]:
        """The compacted days of one (dataset, media)."""
        return self.compacted.get(media_id, Compacted(media_id)).days_of(dataset)

    def load(self, keys: Iterable[Key]) -> None:
        """Read the intervals of these keys, if they are compacted and not here."""
        wanted: dict[str, set[Key]] = {}
        for key in keys:
            if self.is_compacted(key):
                wanted.setdefault(key[1], set()).add(key)
        for media_id, of_media in sorted(wanted.items()):
            for first, last in _months([day for _, _, day in of_media]):
                for i in self._ledger.intervals(None, media_id, first, last) if self._ledger else ():
                    if i.key in of_media:
                        self.intervals.setdefault(i.key, self._as_read(i))


def _months(days: Collection[date]) -> Iterator[tuple[date, date]]:
    """First and last day of the stretches of months that the days are in."""
    months = sorted({(day.year, day.month) for day in days})
    stretch: list[tuple[int, int]] = []
    for year, month in months:
        if stretch and (year * 12 + month) - (stretch[-1][0] * 12 + stretch[-1][1]) > 1:
            yield _bounds(stretch)
            stretch = []
        stretch.append((year, month))
    if stretch:
        yield _bounds(stretch)


def _bounds(stretch: list[tuple[int, int]]) -> tuple[date, date]:
    (first_year, first_month), (year, month) = stretch[0], stretch[-1]
    return date(first_year, first_month, 1), date(year, month, monthrange(year, month)[1])


class Readings(Mapping[Pair, datetime]):
    """When the sessions of each (media, UTC day) were last read, but for those in `without`."""

    def __init__(self, view: LedgerView, without: Set[Pair] = frozenset()) -> None:
        self._here = {
            (m, day): i.observed_at for (name, m, day), i in view.intervals.items() if name == EVENTS
        }
        self._compacted, self._without = view.compacted, without

    def __getitem__(self, pair: Pair) -> datetime:
        at = None if pair in self._without else self._at(pair)
        if at is None:
            raise KeyError(pair)
        return at

    def _at(self, pair: Pair) -> datetime | None:
        if pair in self._here:
            return self._here[pair]
        of_media = self._compacted.get(pair[0])
        place = of_media.place(EVENTS, pair[1]) if of_media else None
        return None if of_media is None or place is None else to_moment(of_media.read_at[place])

    def __iter__(self) -> Iterator[Pair]:
        yield from (p for p, at in self._here.items() if at is not None and p not in self._without)
        for media_id, of_media in self._compacted.items():
            for day, _, at in of_media.listed(EVENTS):
                pair = (media_id, day)
                if at and pair not in self._here and pair not in self._without:
                    yield pair

    def __len__(self) -> int:
        return sum(1 for _ in self)
