"""What is looked at: days, media, channels; and the SQL condition that says so."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta


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
        """As many days, right before."""
        return replace(
            self, start=self.start - timedelta(days=self.length), end=self.start - timedelta(days=1)
        )

    @property
    def with_before(self) -> "Scope":
        """Both of them."""
        return replace(self, start=self.before.start)

    @property
    def days(self) -> list[date]:
        """Its days, ascending."""
        return [self.start + timedelta(days=n) for n in range(self.length)]

    def where(self, day: str = "date", media_id: str = "media_id") -> str:
        """A condition on `media_id` and `day`, in SQL that DuckDB and Athena read alike."""
        found = f"{day} BETWEEN {day_literal(self.start)} AND {day_literal(self.end)}"
        return found + (f" AND {media_id} IN {listed(self.media)}" if self.media else "")

    def where_channel(self) -> str:
        """`where`, and a condition on channel."""
        return self.where() + (f" AND channel IN {listed(self.channels)}" if self.channels else "")


def last_days(end: date, length: int, media: tuple[str, ...] = ()) -> Scope:
    """The `length` days up to and with `end`."""
    return Scope(end - timedelta(days=length - 1), end, media)


def day_literal(day: date) -> str:
    """DATE '2026-03-02'."""
    return f"DATE '{day.isoformat()}'"


def listed(values: Iterable[str]) -> str:
    """('a', 'b'), with quotes doubled: values come from people."""
    return "(" + ", ".join("'" + v.replace("'", "''") + "'" for v in values) + ")"
