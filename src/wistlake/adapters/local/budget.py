"""The request budget that all processes of one machine share: GCRA over one row."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wistlake.adapters.local.ledger import Database

_SECOND = 1_000_000  # times are whole microseconds: sums of float intervals would drift below the limit
BURST = 35

_UPGRADES = (
    (
        """
        CREATE TABLE budgets (
            account TEXT NOT NULL PRIMARY KEY, booked INTEGER NOT NULL, paused INTEGER NOT NULL,
            seen INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Booking:
    """What is remembered of one account, in microseconds since 1970.

    `booked` is when all requests so far would have gone out if they were evenly spaced; `paused` is
    until when nobody may send; `seen` is the clock at the last booking.
    """

    booked: int = 0
    paused: int = 0
    seen: int = 0

    def at(self, now: int) -> "Booking":
        """The same, as of `now`. A clock that is set back takes all times with it: nobody waits an hour."""
        back = max(0, self.seen - now)
        return Booking(self.booked - back, self.paused - back, now)


@dataclass(frozen=True, slots=True)
class Pace:
    """The generic cell rate algorithm, strict: no 60 seconds ever hold more than `per_minute` requests.

    `burst` requests may go out at once. An idle budget then gives burst + 60 s / interval in its first
    minute, so the interval is chosen such that this sum is below per_minute + 1.
    """

    per_minute: int
    burst: int = BURST

    def __post_init__(self) -> None:
        if not 1 <= self.burst <= self.per_minute:
            raise ValueError(f"burst is {self.burst}: 1 to {self.per_minute}, the requests per minute")

    @property
    def interval(self) -> int:
        """Microseconds between two requests in the long run."""
        return math.ceil(60 * _SECOND / (self.per_minute - self.burst + 1)) + 1

    def book(self, booking: Booking, requests: int, now: int) -> tuple[Booking, int]:
        """The booking with `requests` more, and the microseconds until they may be sent, all at once.

        More than a burst is kept apart from what went before and from what follows.
        """
        if not 1 <= requests <= self.per_minute:
            raise ValueError(f"{requests} requests can't be reserved at once: 1 to {self.per_minute} can")
        before = booking.at(now)
        ready = max(now, before.paused)
        booked = max(before.booked, ready)
        send = max(ready, booked + (requests - self.burst) * self.interval)
        after = (booked if requests <= self.burst else send) + requests * self.interval
        return Booking(after, before.paused, now), send - now


def pause(booking: Booking, seconds: float, now: int) -> Booking:
    """The booking with nobody sending before `seconds` from `now`; a longer pause stays."""
    before = booking.at(now)
    return Booking(before.booked, max(before.paused, now + math.ceil(seconds * _SECOND)), now)


def microseconds(wall: float) -> int:
    """A wall clock's seconds as whole microseconds."""
    return round(wall * _SECOND)


class SqliteBudget:
    """Budget of `account` in the sqlite file at `path`; `wall` gives seconds since 1970."""

    def __init__(
        self,
        path: Path,
        account: str,
        per_minute: int,
        burst: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pace = Pace(per_minute, min(BURST, per_minute) if burst is None else burst)
        self._account = account
        self._wall = wall
        self._database = Database(
            path,
            _UPGRADES,
            if_damaged="remove it, it holds the last minute only",
            durable=False,  # a power cut may lose bookings that are old when the machine is back
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def reserve(self, requests: int = 1) -> float:
        """Take `requests` from the budget; the seconds to wait before sending them (0 or more)."""
        return self._change(lambda booking, now: self._pace.book(booking, requests, now)) / _SECOND

    def pause(self, seconds: float) -> None:
        """Nobody may send for `seconds` from now; those who have reserved already are not called back."""
        self._change(lambda booking, now: (pause(booking, seconds, now), 0))

    def _change(self, change: Callable[[Booking, int], tuple[Booking, int]]) -> int:
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT booked, paused, seen FROM budgets WHERE account = ?", (self._account,)
            ).fetchone()
            # The clock is read behind the lock: bookings are in the order of their times.
            now = microseconds(self._wall())
            booking, wait = change(Booking(*row) if row else Booking(), now)
            connection.execute(
                "INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?)",
                (self._account, booking.booked, booking.paused, booking.seen),
            )
        return wait
