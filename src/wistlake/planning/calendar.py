"""Days: whose they are, when they are over, and how the account's days and UTC days overlap."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from wistlake.contracts.form import Calendar
from wistlake.zones import fixed_offset, zone

__all__ = [
    "bounds",
    "days",
    "fixed_offset",
    "is_over",
    "last_finished",
    "local_days_of",
    "today",
    "utc_days_of",
    "zone",
]


def days(start: date, end: date) -> Iterator[date]:
    """Every day from `start` to `end`, both included; none if they are reversed."""
    for n in range((end - start).days + 1):
        yield start + timedelta(days=n)


def today(calendar: Calendar, now: datetime, tz: tzinfo) -> date:
    """The day that is running at `now`."""
    return now.astimezone(tz if calendar is Calendar.LOCAL else UTC).date()


def last_finished(calendar: Calendar, now: datetime, tz: tzinfo) -> date:
    """The newest day that is over. A snapshot's day needs not be over: it is about its own moment."""
    running = today(calendar, now, tz)
    return running if calendar is Calendar.SNAPSHOT else running - timedelta(days=1)


def bounds(local_day: date, tz: tzinfo) -> tuple[datetime, datetime]:
    """First instant of the local day, and of the next one, in UTC."""
    start = datetime(local_day.year, local_day.month, local_day.day, tzinfo=tz)
    following = local_day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=tz)
    return start.astimezone(UTC), end.astimezone(UTC)


def utc_days_of(local_day: date, tz: tzinfo) -> tuple[date, ...]:
    """The UTC days that a local day touches: one or two."""
    start, end = bounds(local_day, tz)
    return tuple(days(start.date(), (end - datetime.resolution).date()))


def local_days_of(utc_day: date, tz: tzinfo) -> tuple[date, ...]:
    """The local days that a UTC day touches: one or two."""
    start = datetime(utc_day.year, utc_day.month, utc_day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    return tuple(days(start.astimezone(tz).date(), (end - datetime.resolution).astimezone(tz).date()))


def is_over(local_day: date, now: datetime, tz: tzinfo) -> bool:
    """Whether the local day and every UTC day that it touches are over at `now`."""
    return all(day < now.astimezone(UTC).date() for day in utc_days_of(local_day, tz)) and (
        bounds(local_day, tz)[1] <= now
    )
