"""The account's rate limit. Which window Wistia uses is not known, hence the choice."""

import math
from collections import deque

from wistia_simulator.http.options import Monotonic

_MINUTE = 60.0


class RateLimiter:
    """At most ``limit`` requests in a sliding window or in fixed minutes; refused ones don't count."""

    def __init__(self, limit: int | None, monotonic: Monotonic, *, fixed: bool = False) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._fixed = fixed
        self._passed: deque[float] = deque()

    def admit(self) -> int | None:
        """None if the request passes, else the whole seconds after which the next one will."""
        if self._limit is None:
            return None
        now = self._monotonic()
        window_start = now // _MINUTE * _MINUTE if self._fixed else now - _MINUTE
        while self._passed and (self._passed[0] < window_start or self._passed[0] <= now - _MINUTE):
            self._passed.popleft()
        if len(self._passed) < self._limit:
            self._passed.append(now)
            return None
        next_free = (
            window_start + _MINUTE if self._fixed else (self._passed[0] if self._passed else now) + _MINUTE
        )
        return max(1, math.ceil(next_free - now))
