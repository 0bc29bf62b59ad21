"""One request, until it is answered: its turn in the budget, its retries, its words for the log."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx2
import stamina
import structlog
from stamina.instrumentation import set_on_retry_hooks

from wistlake.errors import SourceUnavailable, StoreError
from wistlake.machine import MORE_FILES, lacks_files
from wistlake.wistia.connection import Connection
from wistlake.wistia.endpoints import Params
from wistlake.wistia.environment import hint, http_client
from wistlake.wistia.failures import Transient, ask_text, broken, failure
from wistlake.wistia.responses import Answer, parse, read_bounded

if TYPE_CHECKING:
    from wistlake.ports import Budget

Sleep = Callable[[float], Awaitable[None]]
Monotonic = Callable[[], float]
Wall = Callable[[], datetime]

ATTEMPTS = 10
PATIENCE_SECONDS = 300.0  # from the first attempt to the last; the rate limit's window is a minute
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0

# Stamina's own log lines would tell of waits of zero seconds, since the waiting is done here, and
# httpx2's tell whole URLs, in which a search by hand may hold an e-mail address.
set_on_retry_hooks(())
logging.getLogger("httpx2").setLevel(logging.WARNING)


def utc_now() -> datetime:
    """The wall clock, for Retry-After headers that hold a date."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Stats:
    """What asking has cost. `requests` counts every attempt, `throttled` those that Wistia turned away."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    seconds_slept: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Where one listing's requests go, and what is said about them. `stats` counts this listing's alone.
    `apart`: an outage there is no word about how much was asked, and stops nobody else."""

    path: str
    params: Params
    log: Any
    by_hand: bool = False
    apart: bool = False
    attempts: int = ATTEMPTS
    stats: Stats = field(default_factory=Stats)


@dataclass(slots=True)
class _Patience:
    """When to try again, and when to stop. Stamina counts attempts and grows the backoff; the wait itself
    is ours, because stamina can only sleep on the real clock."""

    monotonic: Monotonic
    began: float
    backoff: float = 0.0  # stamina's, for the attempt that is running
    wait: float = 0.0  # before the next attempt

    def again(self, error: Exception) -> bool | float:
        """Stamina's hook: False ends it, 0.0 has the next attempt follow at once (after our wait)."""
        if not isinstance(error, Transient):
            return False
        self.wait = self._delay(error)
        return 0.0 if self.monotonic() + self.wait - self.began <= PATIENCE_SECONDS else False

    def _delay(self, error: Transient) -> float:
        jitter = random.uniform(0, min(1.0, self.backoff / 2))  # noqa: S311 - spreads load, hides nothing
        if not error.throttled:
            return max(self.backoff, error.retry_after or 0.0) + jitter
        return error.pause + jitter


class Sender:
    """Sends requests for everybody who asks Wistia in this process: at most `max_concurrency` at once,
    each after its turn in the account's budget."""

    def __init__(
        self,
        connection: Connection,
        budget: "Budget",
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        monotonic: Monotonic = time.monotonic,
        wall: Wall = utc_now,
    ) -> None:
        self.stats = Stats()
        self._connection = connection
        self._budget = budget
        self._sleep = sleep
        self._monotonic = monotonic
        self._wall = wall
        self._seats = asyncio.Semaphore(connection.max_concurrency)
        self._wanted = 0
        self._pauses = 0
        self._http = http_client(connection, transport)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def idle(self) -> int:
        """How many more requests could be under way without making anybody wait."""
        return max(0, self._connection.max_concurrency - self._wanted)

    async def get(self, ask: Ask, **more: str) -> Answer:
        """The answer to `ask` with `more` parameters.

        SourceUnavailable when retrying was in vain; SourceRefused, SourceMissing, SourceChanged or
        ConfigError at once.
        """
        self._wanted += 1
        try:
            return await self._insist(ask, {**ask.params, **more})
        except Transient as e:
            reason = e.reason
        finally:
            self._wanted -= 1
        # Raised outside the handler: no chained exception may carry a request, and the token with it.
        raise SourceUnavailable(f"{reason}. Retrying did not help; nothing is lost: run again later")

    async def _insist(self, ask: Ask, params: Params) -> Answer:
        patience = _Patience(self._monotonic, self._monotonic())
        async for attempt in stamina.retry_context(
            on=patience.again,
            attempts=ask.attempts,
            timeout=None,
            wait_initial=FIRST_BACKOFF,
            wait_max=LONGEST_BACKOFF,
        ):
            if attempt.num > 1:
                await self._before_retry(ask, patience.wait)
            patience.backoff = attempt.next_wait
            with attempt:
                return await self._once(ask, params, attempt.num)
        raise AssertionError("stamina ends with an answer or an exception")

    async def _before_retry(self, ask: Ask, wait: float) -> None:
        self._count(ask, "retries")
        await self._wait(wait)

    async def _once(self, ask: Ask, params: Params, attempt: int) -> Answer:
        async with self._seats:
            await self._turn()
            self._count(ask, "requests")
            began = self._monotonic()
            outcome = await self._outcome(ask, params, began)
        self._report(ask, params, outcome, attempt, self._monotonic() - began)
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    def _count(self, ask: Ask, what: str) -> None:
        for stats in (self.stats, ask.stats):
            setattr(stats, what, getattr(stats, what) + 1)

    async def _turn(self) -> None:
        """Wait for a place in the budget; a pause that began meanwhile makes the place worthless."""
        while True:
            pauses = self._pauses
            await self._wait(self._budget.reserve(1))
            if pauses == self._pauses:
                return

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.stats.seconds_slept += seconds
            await self._sleep(seconds)

    async def _outcome(self, ask: Ask, params: Params, began: float) -> Answer | Exception:
        """The answer or the error. Errors are returned, so that none is raised while another is handled."""
        said = ask_text(ask.path, params)
        try:
            async with (
                asyncio.timeout(5 * self._connection.timeout_seconds),
                self._http.stream("GET", self._connection.base_url + ask.path, params=params) as response,
            ):
                body = await read_bounded(response, said)
                status, headers = response.status_code, response.headers
        except TimeoutError:
            return Transient(f"{said}: no whole answer in time")
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as e:
            if lacks_files(e):  # waiting makes none free
                return StoreError(MORE_FILES)
            return Transient(f"{said}: {broken(e, self._connection)}{hint(e)}")
        problem = failure(
            status,
            headers,
            body,
            ask=said,
            by_hand=ask.by_hand,
            connection=self._connection,
            now=self._wall(),
            apart=ask.apart,
        )
        if problem is not None:
            return problem
        try:
            plain = parse(body, headers.get("content-type", ""), said)
        except Transient as e:
            return e
        return Answer(plain, status, self._monotonic() - began, len(body))

    def _report(
        self, ask: Ask, params: Params, outcome: Answer | Exception, attempt: int, seconds: float
    ) -> None:
        facts = {
            "page": params.get("page", ""),
            "duration_ms": round(seconds * 1000),
            "status": getattr(outcome, "status", 0),
            "attempt": attempt,
        }
        if not isinstance(outcome, Transient):
            ask.log.debug("request", **facts)
            return
        ask.log.warning("request failed", reason=outcome.reason, **facts)
        if outcome.throttled:
            self._hold(ask, outcome)

    def _hold(self, ask: Ask, refusal: Transient) -> None:
        """Wistia said stop: the whole account stops, not only this request."""
        self._count(ask, "throttled")
        self._pauses += 1
        # Nobody is that patient, and an absurd Retry-After must not outlive this run in a shared budget.
        self._budget.pause(min(refusal.pause, PATIENCE_SECONDS))


def logger(**facts: str) -> Any:
    """A logger that says on every line what it is about."""
    return structlog.get_logger().bind(**facts)
