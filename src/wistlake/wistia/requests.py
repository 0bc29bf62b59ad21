"""Sending one request until it is answered: request budget, retries, log lines."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import stamina
import structlog
from stamina.instrumentation import set_on_retry_hooks

from wistlake.errors import SourceUnavailable, StoreError
from wistlake.machine import MORE_FILES, lacks_files
from wistlake.wistia.connection import Connection
from wistlake.wistia.endpoints import Params
from wistlake.wistia.environment import environment_hint, http_client
from wistlake.wistia.failures import Transient, describe_error, failure, request_text
from wistlake.wistia.responses import Response, parse, read_limited

if TYPE_CHECKING:
    from wistlake.ports import Budget

Sleep = Callable[[float], Awaitable[None]]
Monotonic = Callable[[], float]
Wall = Callable[[], datetime]

ATTEMPTS = 10
MAX_RETRY_SECONDS = 300.0  # from the first attempt to the last; the rate limit's window is a minute
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0

# Stamina would log waits of zero seconds, since the waiting is done here. httpx2 would log whole URLs, and
# that of a search by hand may hold an e-mail address.
set_on_retry_hooks(())
logging.getLogger("httpx2").setLevel(logging.WARNING)


def utc_now() -> datetime:
    """The wall clock, for Retry-After headers that hold a date."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Stats:
    """Counts of requests. `requests` has every attempt, `throttled` those that Wistia rejected as too many."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    seconds_slept: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """What the requests of one listing have in common. `stats` counts only this listing's.

    `by_hand`: the parameters come from a person. `separate`: another service than the rest of the API answers, so
    that its outage must not pause the account.
    """

    path: str
    params: Params
    log: Any
    by_hand: bool = False
    separate: bool = False
    attempts: int = ATTEMPTS
    stats: Stats = field(default_factory=Stats)


@dataclass(slots=True)
class _RetryPolicy:
    """Whether and when to retry. Stamina counts attempts and grows the backoff; the wait itself is done here,
    because stamina can only sleep on the real clock."""

    monotonic: Monotonic
    started: float
    backoff: float = 0.0  # stamina's, for the attempt that is running
    wait: float = 0.0  # before the next attempt

    def should_retry(self, error: Exception) -> bool | float:
        """Stamina's hook: False ends the retries, 0.0 starts the next attempt without a wait by stamina."""
        if not isinstance(error, Transient):
            return False
        self.wait = self._delay(error)
        return 0.0 if self.monotonic() + self.wait - self.started <= MAX_RETRY_SECONDS else False

    def _delay(self, error: Transient) -> float:
        jitter = random.uniform(0, min(1.0, self.backoff / 2))  # noqa: S311 - spreads load, hides nothing
        if not error.throttled:
            return max(self.backoff, error.retry_after or 0.0) + jitter
        return error.pause + jitter


class Sender:
    """Sends all requests of a client: at most `max_concurrency` at once, each when the account's budget allows."""

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
        self._slots = asyncio.Semaphore(connection.max_concurrency)
        self._in_flight = 0
        self._pauses = 0
        self._announced_until = float("-inf")
        self.http = http_client(connection, transport)

    @property
    def spare(self) -> int:
        """How many more requests can be sent without delaying others."""
        return max(0, self._connection.max_concurrency - self._in_flight)

    async def get(self, request: Request, **more: str) -> Response:
        """The response to `request` with `more` parameters.

        SourceUnavailable if no retry succeeds; SourceRefused, SourceMissing, SourceChanged or ConfigError at once.
        """
        self._in_flight += 1
        try:
            return await self._get_with_retries(request, {**request.params, **more})
        except Transient as e:
            reason = e.reason
        finally:
            self._in_flight -= 1
        # Raised outside the handler: no chained exception may carry a request, and the token with it.
        raise SourceUnavailable(f"{reason}. Retrying did not help; nothing is lost: run again later")

    async def _get_with_retries(self, request: Request, params: Params) -> Response:
        policy = _RetryPolicy(self._monotonic, self._monotonic())
        async for attempt in stamina.retry_context(
            on=policy.should_retry,
            attempts=request.attempts,
            timeout=None,
            wait_initial=FIRST_BACKOFF,
            wait_max=LONGEST_BACKOFF,
        ):
            if attempt.num > 1:
                self._count(request, "retries")
                self._announce(request, attempt.num - 1, policy.wait)
                await self._wait(policy.wait)
            policy.backoff = attempt.next_wait
            with attempt:
                return await self._attempt(request, params, attempt.num)
        raise AssertionError("stamina ends with an answer or an exception")

    async def _attempt(self, request: Request, params: Params, attempt: int) -> Response:
        async with self._slots:
            await self._wait_for_budget()
            self._count(request, "requests")
            started = self._monotonic()
            outcome = await self._outcome(request, params, started)
        self._report(request, params, outcome, attempt, self._monotonic() - started)
        if isinstance(outcome, Response):
            return outcome
        raise outcome

    def _announce(self, request: Request, retry: int, wait: float) -> None:
        """Say that a retry comes: once for all requests that wait at the same time."""
        now = self._monotonic()
        if now >= self._announced_until:
            self._announced_until = now + wait
            count = f"retry {retry}/{request.attempts - 1}"
            request.log.warning(f"Can't reach Wistia, {count} in {max(1, round(wait))} s", retry=retry)

    def _count(self, request: Request, counter: str) -> None:
        for stats in (self.stats, request.stats):
            setattr(stats, counter, getattr(stats, counter) + 1)

    async def _wait_for_budget(self) -> None:
        """Reserve in the budget and wait until then; after a pause that began meanwhile, reserve again."""
        while True:
            pauses = self._pauses
            await self._wait(self._budget.reserve(1))
            if pauses == self._pauses:
                return

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.stats.seconds_slept += seconds
            await self._sleep(seconds)

    async def _outcome(self, request: Request, params: Params, started: float) -> Response | Exception:
        """The response or the error. Errors are returned, so that none is raised while another is handled."""
        text = request_text(request.path, params)
        try:
            async with (
                asyncio.timeout(5 * self._connection.timeout_seconds),
                self.http.stream("GET", self._connection.base_url + request.path, params=params) as response,
            ):
                body = await read_limited(response, text)
                status, headers = response.status_code, response.headers
        except TimeoutError:
            return Transient(f"{text}: no whole answer in time")
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as e:
            if lacks_files(e):  # no retry would find more
                return StoreError(MORE_FILES)
            return Transient(f"{text}: {describe_error(e, self._connection)}{environment_hint(e)}")
        problem = failure(
            status,
            headers,
            body,
            request=text,
            by_hand=request.by_hand,
            connection=self._connection,
            now=self._wall(),
            separate=request.separate,
        )
        if problem is not None:
            return problem
        try:
            document = parse(body, headers.get("content-type", ""), text)
        except Transient as e:
            return e
        return Response(document, status, self._monotonic() - started, len(body))

    def _report(
        self, request: Request, params: Params, outcome: Response | Exception, attempt: int, seconds: float
    ) -> None:
        facts = {
            "page": params.get("page", ""),
            "duration_ms": round(seconds * 1000),
            "status": getattr(outcome, "status", 0),
            "attempt": attempt,
        }
        if not isinstance(outcome, Transient):
            request.log.debug("request", **facts)
            return
        request.log.info("request failed", reason=outcome.reason, **facts)
        if outcome.throttled:
            self._pause_account(request, outcome)

    def _pause_account(self, request: Request, refusal: Transient) -> None:
        """Pause all requests of the account: Wistia's limit is per account, not per request."""
        self._count(request, "throttled")
        self._pauses += 1
        # An absurd Retry-After must not outlive this run in a budget that other processes share.
        self._budget.pause(min(refusal.pause, MAX_RETRY_SECONDS))


def logger(**facts: str) -> Any:
    """A logger with these facts on every line."""
    return structlog.get_logger().bind(**facts)
