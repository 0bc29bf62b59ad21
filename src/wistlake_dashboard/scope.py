"""The days, media and channels that figures are of, and the SQL condition for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

DEFAULT_DAYS = 28


@dataclass(frozen=True, slots=True)
class Scope:
    """Days from `start` to `end`, both included; no media or channel named means all of them."""

    start: date
    end: date
    media: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Days in it."""
        return (self.end - self.start).days + 1

    @property
    def before(self) -> "Scope":
        """The period before: as many days, right before."""
        return replace(
            self, start=self.start - timedelta(days=self.length), end=self.start - timedelta(days=1)
        )

    @property
    def with_before(self) -> "Scope":
        """Both periods."""
        return replace(self, start=self.before.start)

    @property
    def days(self) -> list[date]:
        """Its days, ascending."""
        return [self.start + timedelta(days=n) for n in range(self.length)]

    def where(self, day: str = "date", media_id: str = "media_id") -> str:
        """A condition on `media_id` and `day`, in SQL that DuckDB and Athena read alike."""
        days = f"{day} BETWEEN {day_literal(self.start)} AND {day_literal(self.end)}"
        return days + (f" AND {media_id} IN {listed(self.media)}" if self.media else "")

    def where_channel(self) -> str:
        """`where`, and a condition on channel."""
        return self.where() + (f" AND channel IN {listed(self.channels)}" if self.channels else "")

    def where_media(self) -> str:
        """A condition on media_id alone."""
        return f"media_id IN {listed(self.media)}" if self.media else "TRUE"


def last_days(end: date, length: int, media: tuple[str, ...] = ()) -> Scope:
    """The `length` days up to and with `end`."""
    return Scope(end - timedelta(days=length - 1), end, media)


def default_scope(first: date, last: date, media: tuple[str, ...] = ()) -> Scope:
    """The newest days of those from `first` to `last`: 28, or fewer while there would be no period before to compare
    with; whole weeks as soon as there are any, because days of the week differ."""
    half = ((last - first).days + 1) // 2
    length = max(1, min(DEFAULT_DAYS, half))
    return last_days(last, length - length % 7 if length > 7 else length, media)


def day_literal(day: date) -> str:
    """DATE '2026-03-02'."""
    return f"DATE '{day.isoformat()}'"


def listed(values: Iterable[str]) -> str:
    """('a', 'b'), with quotes doubled: values come from people."""
    return "(" + ", ".join("'" + v.replace("'", "''") + "'" for v in values) + ")"
