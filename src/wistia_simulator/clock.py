"""The virtual clock of a world. Moments inside the simulator are whole epoch seconds, UTC."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

DAY = 86_400
YEARS = range(1970, 2200)
"""The years that figures can be computed for; far from the ends of what dates can hold."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def epoch(value: datetime) -> int:
    """Whole epoch seconds; a naive value is refused, since its zone would be a guess."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int(value.timestamp() // 1)


def moment(seconds: int) -> datetime:
    """The aware UTC datetime of ``seconds``."""
    return datetime.fromtimestamp(seconds, UTC)


def day_number(value: date) -> int:
    """Days since 1970-01-01."""
    return value.toordinal() - _EPOCH_ORDINAL


def to_date(number: int) -> date:
    """The inverse of :func:`day_number`."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


def iso_millis(seconds: int) -> str:
    """``2024-12-10T23:56:14.000Z``, the form of the stats endpoints (milliseconds are always zero)."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def iso_offset(seconds: int) -> str:
    """``2024-03-21T02:35:31+00:00``, the form of the media endpoints."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%S+00:00")


class VirtualClock:
    """A clock that changes only when it is set."""

    def __init__(self, now: datetime) -> None:
        self._now = self._aware(now)

    @staticmethod
    def _aware(value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("the virtual clock needs an aware datetime")
        return value.astimezone(UTC)

    def now(self) -> datetime:
        """The current virtual moment, aware, UTC."""
        return self._now

    def epoch(self) -> int:
        """The current virtual moment in whole epoch seconds."""
        return epoch(self.now())

    def set(self, value: datetime) -> None:
        """Jump to ``value``, forwards or backwards."""
        self._now = self._aware(value)

    def advance(self, step: timedelta) -> None:
        """Move by ``step``."""
        self.set(self.now() + step)


class TickingClock(VirtualClock):
    """A virtual clock that runs as fast as real time from the moment it was last set."""

    def __init__(self, now: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._monotonic = monotonic
        self._since = monotonic()

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._monotonic() - self._since)

    def set(self, value: datetime) -> None:
        super().set(value)
        self._since = self._monotonic()
