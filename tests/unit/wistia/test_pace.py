"""How much of the request budget one long list uses, in virtual time: the same on every machine."""

import asyncio
import selectors
from typing import Any

import httpx2
import pytest

from support.memory import MemoryBudget
from unit.wistia.fakes import CANARY, DAY, Paged, events
from wistlake.contracts import source
from wistlake.wistia import Connection, WistiaClient
from wistlake.wistia.client import Listing

LATENCY, PER_MINUTE, CONCURRENCY = 1.3, 540, 16


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes at once when everybody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(Waiting(self))

    def time(self) -> float:
        return self.now


class Waiting(selectors.DefaultSelector):
    """Waits by moving the loop's clock on."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        self.loop.now += timeout or 0.0
        return super().select(0)


class Slow(httpx2.AsyncBaseTransport):
    """Answers after as long as Wistia takes."""

    def __init__(self, paged: Paged) -> None:
        self.paged = paged

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(LATENCY)
        return self.paged(request)


def read(length: int, known: int) -> tuple[Listing, float, int]:
    """The list, the share of the budget's ceiling that was used, and the requests."""
    paged = Paged(events(length))

    async def main() -> tuple[Listing, float]:
        loop = asyncio.get_running_loop()
        client = WistiaClient(
            Connection(CANARY, max_concurrency=CONCURRENCY),
            MemoryBudget(PER_MINUTE, wall=loop.time),
            transport=Slow(paged),
            monotonic=loop.time,
        )
        async with client:
            began = loop.time()
            listing = await client.fetch(source("events"), "m1", DAY, DAY, rows=known)
            return listing, loop.time() - began

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        listing, seconds = runner.run(main())
    assert listing.records == paged.rows
    needed = length // 100 + 1 + 2  # what is asked for in vain is no use of the budget
    return listing, needed / (PER_MINUTE * seconds / 60), listing.requests


@pytest.mark.parametrize(
    ("known", "least", "in_vain"), [(5_950, 0.95, 0), (5_900, 0.95, 0), (6_050, 0.95, 1), (5_700, 0.85, 3)]
)
def test_sixty_pages_of_a_list_use_the_whole_budget(known: int, least: float, in_vain: int) -> None:
    """As long as last time, or a little shorter; one that has grown by pages takes a round trip more."""
    listing, share, requests = read(5_950, known)
    assert listing.pages == 60
    assert requests <= 62 + in_vain
    assert share >= least


def test_a_list_of_unknown_length_uses_half_of_it() -> None:
    """Its first pages come one by one, for most lists are short."""
    listing, share, requests = read(5_950, 0)
    assert listing.pages == 60
    assert requests <= 62 + CONCURRENCY
    assert share >= 0.55


def test_six_hundred_pages_keep_to_the_budget() -> None:
    _, share, _ = read(59_950, 59_950)
    assert 0.95 <= share <= 1.1
