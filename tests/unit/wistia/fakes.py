"""Time that passes only when somebody sleeps, a budget without limits, and Wistia as a list in memory."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2

from wistlake.wistia import Connection, WistiaClient

CANARY = "canary0token1" * 5  # as long as a real one
DAY = date(2026, 9, 1)
START = datetime(2026, 9, 2, 8, 0, tzinfo=UTC)
Handler = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Clock:
    """Virtual seconds. Sleeping moves them on and lets every other task run."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.now - 1000.0)


@dataclass
class FreeBudget:
    """Grants everything at once, and remembers what it was told."""

    reserved: int = 0
    pauses: list[float] = field(default_factory=list)

    def reserve(self, requests: int = 1) -> float:
        self.reserved += requests
        return 0.0

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def client(
    handler: Any, *, clock: Clock | None = None, budget: Any = None, **connection: Any
) -> WistiaClient:
    """A client on `handler` (a function of a request, or a transport) in virtual time."""
    clock = clock or Clock()
    transport = handler if isinstance(handler, httpx2.AsyncBaseTransport) else httpx2.MockTransport(handler)
    return WistiaClient(
        Connection(**({"token": CANARY} | connection)),
        budget or FreeBudget(),
        transport=transport,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        wall=clock.wall,
    )


def run(wistia: WistiaClient, work: Callable[[WistiaClient], Any]) -> Any:
    """The result of `await work(client)` inside the client's block."""

    async def main() -> Any:
        async with wistia as opened:
            return await work(opened)

    return asyncio.run(main())


def event(number: int, received_at: str = "", key: str = "") -> dict[str, Any]:
    """A session with all that the contract requires; higher numbers are older."""
    moment = datetime(2026, 9, 1, 23, 59, 59, tzinfo=UTC) - timedelta(seconds=number)
    return {
        "received_at": received_at or moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "event_key": key or f"key{number}",
        "media_id": "abc123defg",
        "visitor_key": f"visitor{number}",
        "percent_viewed": 0.5,
    }


def visitor(number: int, last_active_at: str = "") -> dict[str, Any]:
    """A visitor; higher numbers were active longer ago."""
    moment = datetime(2026, 9, 1, tzinfo=UTC) - timedelta(minutes=number)
    return {
        "visitor_key": f"visitor{number}",
        "created_at": "2026-01-01T00:00:00.000Z",
        "last_active_at": last_active_at or moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "load_count": 1,
        "play_count": 1,
    }


def events(count: int) -> list[dict[str, Any]]:
    return [event(n) for n in range(count)]


@dataclass
class Paged:
    """A list as Wistia pages it. `before` may change the rows ahead of each request (given its ordinal)."""

    rows: list[dict[str, Any]]
    before: Callable[["Paged", int], None] = lambda _self, _n: None
    cap: int = 100
    asked: list[int] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        page = int(request.url.params["page"])
        size = min(int(request.url.params.get("per_page", 10)), self.cap)
        self.asked.append(page)
        self.before(self, len(self.asked))
        return httpx2.Response(200, json=self.rows[(page - 1) * size : page * size])


class Streamed(httpx2.AsyncByteStream):
    """A body that arrives in pieces, as over a network."""

    def __init__(self, pieces: Sequence[bytes], error: Exception | None = None) -> None:
        self._pieces, self._error = pieces, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error:
            raise self._error


def gzipped(body: bytes) -> httpx2.Response:
    packed = gzip.compress(body)
    return httpx2.Response(
        200,
        headers={"content-encoding": "gzip", "content-type": "application/json"},
        stream=Streamed([packed[i : i + 65536] for i in range(0, len(packed), 65536)]),
    )


def scripted(*responses: httpx2.Response | Exception) -> tuple[Handler, list[httpx2.Request]]:
    """A handler that plays `responses` in order, the last one for ever, and the requests it got."""
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        found = responses[min(len(seen), len(responses)) - 1]
        if isinstance(found, Exception):
            raise found
        return httpx2.Response(found.status_code, headers=found.headers, content=found.content)

    return handle, seen


def text(value: Any) -> str:
    """`value` as JSON text, for searching."""
    return json.dumps(value, default=str)
