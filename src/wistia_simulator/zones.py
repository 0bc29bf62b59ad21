"""The account's time zone: IANA names and fixed offsets, and the bounds of its days."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from wistia_simulator.clock import day_number, epoch, moment, to_date

_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?")


def parse_zone(name: str) -> tzinfo:
    """``America/New_York``, ``UTC``, ``UTC-5``, ``-05:00`` or ``UTC+05:30``."""
    if name in ("UTC", "GMT", "Z"):
        return UTC
    fixed = _FIXED.fullmatch(name)
    if fixed is None:
        return ZoneInfo(name)
    sign, hours, minutes = fixed.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)


class LocalDays:
    """Day arithmetic in one zone. Days are numbers since 1970-01-01, moments are epoch seconds."""

    def __init__(self, zone: str) -> None:
        self._zone = parse_zone(zone)
        self.bounds = lru_cache(maxsize=None)(self._bounds)

    def _midnight(self, day: date) -> int:
        return epoch(datetime.combine(day, time.min, self._zone))

    def _bounds(self, day: int) -> tuple[int, int]:
        """First second of the local day and first second of the next one (23, 24 or 25 hours later)."""
        return self._midnight(to_date(day)), self._midnight(to_date(day + 1))

    def of(self, at: int) -> int:
        """The local day that ``at`` falls into."""
        return day_number(moment(at).astimezone(self._zone).date())
