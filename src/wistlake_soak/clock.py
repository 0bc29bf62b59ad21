"""Time for the client under test: it passes only while everybody waits."""

import asyncio

_ROUNDS = 40  # of the event loop without anybody waking up: whoever could work has worked


class WaitingTime:
    """`sleep` and `monotonic` of one run; virtual seconds that jump to whoever wakes up first."""

    def __init__(self) -> None:
        self._now = 0.0
        self._wakes: list[float] = []

    def monotonic(self) -> float:
        """Virtual seconds so far."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return `seconds` later, without waiting for real."""
        wake = self._now + seconds
        self._wakes.append(wake)
        rounds = 0
        try:
            while self._now < wake:
                await asyncio.sleep(0)
                rounds += 1
                if rounds >= _ROUNDS:
                    self._now = max(self._now, min(self._wakes))
                    rounds = 0
        finally:  # who is cancelled would hold back everybody's time
            self._wakes.remove(wake)
