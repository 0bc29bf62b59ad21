"""How requests are spread over time: the generic cell rate algorithm (GCRA), over integers alone.

A budget (in sqlite, DynamoDB or memory) stores one `Booking` an account, and replaces it while no other process can.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

SECOND = (
    1_000_000  # times are whole microseconds: sums of floating-point intervals would drift below the limit
)
BURST = 35  # requests that may go out at once


@dataclass(frozen=True, slots=True)
class Booking:
    """The state of one account's budget, in microseconds since 1970.

    `booked` is when all requests so far would have gone out if they were evenly spaced; nobody may send before
    `paused`; `seen` is the clock at the last change.
    """

    booked: int = 0
    paused: int = 0
    seen: int = 0

    def at(self, now: int) -> "Booking":
        """The same state at `now`. If the clock was set back, all times move back with it: nobody waits an hour."""
        back = max(0, self.seen - now)
        return Booking(self.booked - back, self.paused - back, now)


@dataclass(frozen=True, slots=True)
class Pace:
    """The algorithm in its strict form: no 60 seconds ever hold more than `per_minute` requests.

    `burst` requests may go out at once. An idle budget allows burst + 60 s / interval in its first minute, so
    the interval is just long enough to keep this sum below per_minute + 1.
    """

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        if not 1 <= self.burst <= self.per_minute:
            raise ValueError(f"burst is {self.burst}: 1 to {self.per_minute}, the requests per minute")

    @property
    def interval(self) -> int:
        """Microseconds between two requests in the long run."""
        return math.ceil(60 * SECOND / (self.per_minute - self.burst + 1)) + 1

    def book(self, booking: Booking, requests: int, now: int) -> tuple[Booking, int]:
        """The booking with `requests` more, and the microseconds until all of them may be sent at once.

        More than a burst waits until enough of the earlier requests are old, and delays what follows.
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
    return Booking(before.booked, max(before.paused, now + math.ceil(seconds * SECOND)), now)


Change = Callable[
    [Booking, int], tuple[Booking, int]
]  # (booking, now) -> (new booking, microseconds to wait)


class PacedBudget(ABC):
    """Budget over one stored booking; `wall` gives seconds since 1970. Subclasses store the booking."""

    def __init__(
        self, per_minute: int, burst: int | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self._pace = Pace(per_minute, min(BURST, per_minute) if burst is None else burst)
        self._wall = wall

    def reserve(self, requests: int = 1) -> float:
        """Take `requests` from the budget; the seconds to wait before sending them (0 or more)."""
        return self._change(lambda booking, now: self._pace.book(booking, requests, now)) / SECOND

    def pause(self, seconds: float) -> None:
        """Nobody may send for `seconds` from now; requests that were reserved before are still sent."""
        self._change(lambda booking, now: (pause(booking, seconds, now), 0))

    def _now(self) -> int:
        return round(self._wall() * SECOND)

    @abstractmethod
    def _change(self, change: Change) -> int:
        """Replace the stored booking atomically; the microseconds that `change` says to wait."""
