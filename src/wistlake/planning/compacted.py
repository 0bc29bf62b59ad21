"""What is still known at a glance of intervals that were compacted: of one media, in a few hundred bytes.

A day of a media ends as something that nobody asks about any more. The ledger then puts its intervals together by
month, and keeps of them which days they are, and the few figures that a plan or a build needs of every day. An interval
that is recorded anew is open again, and counts instead of what stands here.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from wistlake.date_ranges import DateRange
from wistlake.planning.calendar import days
from wistlake.planning.intervals import Interval

Key = tuple[str, str, date]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Compacted:
    """The compacted intervals of one media.

    `days`: which, by dataset. `built`: what besides its content each dataset was last built from. `months`: those that
    have intervals, as yyyy-mm, and when one of them was last read. `certificates`: days of gold by certificate.
    `moved`: days whose readings differed after they were over, and when; `changed_at`: when the last reading brought
    anything that somebody did. `rows` and `read_at` (microseconds, 0 for never) are those of the sessions' days, in
    their order; -1 rows: nothing was listed.
    """

    media_id: str
    days: Mapping[str, tuple[DateRange, ...]] = field(default_factory=dict)
    built: Mapping[str, str] = field(default_factory=dict)
    months: Mapping[str, datetime | None] = field(default_factory=dict)
    certificates: Mapping[str, tuple[DateRange, ...]] = field(default_factory=dict)
    moved: tuple[tuple[date, datetime], ...] = ()
    changed_at: datetime | None = None
    rows: tuple[int, ...] = ()
    read_at: tuple[int, ...] = ()

    def has(self, dataset: str, day: date) -> bool:
        """Whether the day of the dataset is compacted."""
        return is_within(self.days.get(dataset, ()), day)

    def days_of(self, dataset: str) -> Iterator[date]:
        """The days of a dataset, ascending."""
        return each_day(self.days.get(dataset, ()))

    def listed(self, dataset: str) -> Iterator[tuple[date, int, int]]:
        """The days of sessions, ascending, with their rows and when they were last read. `dataset` is theirs."""
        return zip(self.days_of(dataset), self.rows, self.read_at, strict=True)

    def place(self, dataset: str, day: date) -> int | None:
        """The number of a day among those of its dataset; None if it is not compacted."""
        before = 0
        for first, last in self.days.get(dataset, ()):
            if first <= day <= last:
                return before + (day - first).days
            before += (last - first).days + 1
        return None

    def others(self, dataset: str, first: date, last: date) -> Iterator[date]:
        """The days from `first` to `last` that are not among those of a dataset, ascending."""
        for begin, end in self.days.get(dataset, ()):
            yield from days(first, min(begin - timedelta(days=1), last))
            first = max(first, end + timedelta(days=1))
        yield from days(first, last)

    def last(self, dataset: str) -> date | None:
        """The newest day of a dataset."""
        ranges = self.days.get(dataset, ())
        return ranges[-1][1] if ranges else None


CompactedMedia = Mapping[str, Compacted]  # by id


def is_within(ranges: Sequence[DateRange], day: date) -> bool:
    """Whether one of the ranges, which are ascending, has the day."""
    at = bisect_right(ranges, (day, date.max)) - 1
    return at >= 0 and day <= ranges[at][1]


def each_day(ranges: Iterable[DateRange]) -> Iterator[date]:
    """Every day of the ranges."""
    return (day for first, last in ranges for day in days(first, last))


def month_of(day: date) -> str:
    """The month that a day belongs to, as yyyy-mm."""
    return day.isoformat()[:7]


def to_number(moment: datetime | None) -> int:
    """A moment as a number; 0 for none."""
    return 0 if moment is None else (moment - _EPOCH) // _MICROSECOND


def to_moment(number: int) -> datetime | None:
    """The moment of a number."""
    return _EPOCH + number * _MICROSECOND if number else None


def datasets_of(intervals: Iterable[Interval], compacted: CompactedMedia) -> set[str]:
    """The datasets that a ledger has anything of."""
    return {i.dataset for i in intervals} | {name for c in compacted.values() for name in c.days}


NONE: CompactedMedia = {}
