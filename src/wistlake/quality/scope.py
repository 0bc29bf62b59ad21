"""The days, media and channels that figures are of, and the SQL condition for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

DEFAULT_DAYS = 28
YEAR = 364  # whole weeks: days of the week differ


class Against(StrEnum):
    """What a period is compared with."""

    PERIOD = "previous period"
    YEAR = "previous year"


class Grain(StrEnum):
    """What a point of a chart over time is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Scope:
    """Days from `start` to `end`, both included; no media or channel named means all of them. `also`: a second range
    of days. `split`: the day that the reader wants to look at the days before and after of."""

    start: date
    end: date
    media: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    against: Against = Against.PERIOD
    grain: Grain = Grain.DAY
    also: tuple[date, date] | None = None
    split: date | None = None

    @property
    def length(self) -> int:
        """Days in it."""
        return (self.end - self.start).days + 1

    @property
    def before(self) -> "Scope":
        """What it is compared with: as many days, right before or a year before."""
        back = timedelta(days=max(YEAR, self.length) if self.against is Against.YEAR else self.length)
        return replace(self, start=self.start - back, end=self.end - back)

    @property
    def before_in_words(self) -> str:
        """The week before, the 28 days before, the same days a year before."""
        if self.against is Against.YEAR:
            return "the same days a year before"
        return {1: "the day before", 7: "the week before"}.get(
            self.length, f"the {self.length:,} days before"
        )

    @property
    def with_before(self) -> "Scope":
        """Both periods."""
        return replace(self, also=(self.before.start, self.before.end))

    @property
    def ranges(self) -> list[tuple[date, date]]:
        """Its first and last day, and those of the second range before it."""
        return [*([self.also] if self.also else []), (self.start, self.end)]

    @property
    def days(self) -> list[date]:
        """Its days, ascending."""
        return [a + timedelta(days=n) for a, b in self.ranges for n in range((b - a).days + 1)]

    def wider(self, days: int) -> "Scope":
        """So many more days at both ends of each range."""
        more = timedelta(days=days)
        also = (self.also[0] - more, self.also[1] + more) if self.also else None
        return replace(self, start=self.start - more, end=self.end + more, also=also)

    def offsets(self, days: Iterable[date]) -> list[int]:
        """The days, each counted from the first of its period."""
        start, before = self.start, self.before.start
        return [(day - (start if day >= start else before)).days for day in days]

    def where_day(self, day: str = "date") -> str:
        """A condition on `day`, in SQL that DuckDB and Athena read alike."""
        between = [f"{day} BETWEEN {day_literal(a)} AND {day_literal(b)}" for a, b in self.ranges]
        return between[0] if len(between) == 1 else f"({' OR '.join(between)})"

    def where(self, day: str = "date", media_id: str = "media_id") -> str:
        """A condition on `media_id` and `day`."""
        return self.where_day(day) + (f" AND {media_id} IN {listed(self.media)}" if self.media else "")

    def where_channel(self) -> str:
        """`where`, and a condition on channel."""
        return self.where() + (f" AND channel IN {listed(self.channels)}" if self.channels else "")

    def where_media(self) -> str:
        """A condition on media_id alone."""
        return f"media_id IN {listed(self.media)}" if self.media else "TRUE"


def last_days(end: date, length: int, media: tuple[str, ...] = ()) -> Scope:
    """The `length` days up to and with `end`."""
    return Scope(end - timedelta(days=length - 1), end, media)


def default_scope(first: date, last: date, media: tuple[str, ...] = (), most: int = DEFAULT_DAYS) -> Scope:
    """The newest days of those from `first` to `last`: `most`, or fewer while there would be no period before to
    compare with; whole weeks as soon as there are any, because days of the week differ."""
    half = ((last - first).days + 1) // 2
    length = max(1, min(most, half))
    return last_days(last, length - length % 7 if length > 7 else length, media)


def day_literal(day: date) -> str:
    """DATE '2026-03-02'."""
    return f"DATE '{day.isoformat()}'"


def listed(values: Iterable[str]) -> str:
    """('a', 'b'), with quotes doubled: values come from people."""
    return "(" + ", ".join("'" + v.replace("'", "''") + "'" for v in values) + ")"
