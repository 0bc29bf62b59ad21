"""A request to forget: who it is about, what Wistia itself knows of them, and the state of the work on it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from wistlake.errors import ConfigError, SourceMissing, StoreError, WistlakeError
from wistlake.pipeline.jobs.rewrite import Purge, Search
from wistlake.pipeline.run.spec import Client, LakeDependencies, RunSpec
from wistlake.privacy.addresses import canonical, identities

PER_PAGE, MOST_PAGES = 100, 1000
Visitors = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Who:
    """The person, by address or by visitor key: exactly one of them. `devices`: how many devices may go, where
    more than a few do."""

    email: str = field(default="", repr=False)
    visitor_key: str = field(default="", repr=False)
    devices: int | None = None

    def __post_init__(self) -> None:
        if bool(self.email) == bool(self.visitor_key):
            raise ConfigError("name one person: --email ADDRESS, or --visitor-key KEY")
        if self.email and not canonical(self.email):
            raise ConfigError("--email takes one whole address, such as person@example.com")


class Work:
    """The work on one request, under the lease. `who` is None where tombstones name the people.

    `visitors` are those that Wistia knows, `texts` what the verification searches the lake for, `facts` what goes
    into the receipt.
    """

    def __init__(
        self,
        spec: RunSpec,
        deps: LakeDependencies,
        purge: Purge,
        search: Search,
        who: Who | None = None,
        visitors: Visitors | None = None,
    ) -> None:
        self.spec, self.deps, self.purge, self.search = spec, deps, purge, search
        self.who, self.visitors = who, visitors
        self.keys = deps.keys()
        self.texts: set[str] = {who.visitor_key, who.email, canonical(who.email)} - {""} if who else set()
        self.facts: dict[str, Any] = {}


async def ask_source(client: Callable[[], AbstractAsyncContextManager[Client]], who: Who) -> Visitors | None:
    """Visitors whom Wistia itself has by the person's address or key; None if it can't be asked.

    Raw pages are kept for a while only, so that an older visitor's key is known to Wistia alone. StoreError
    if the request budget can't be used: that is a fault on this side.
    """
    try:
        async with client() as wistia:
            return await (_by_address(wistia, who.email) if who.email else _by_key(wistia, who.visitor_key))
    except StoreError:
        raise
    except SourceMissing:
        return []
    except WistlakeError:
        return None


async def _by_address(wistia: Client, email: str) -> Visitors:
    """Wistia searches for a part of a name or an address, so there may be many pages of other people."""
    visitors: Visitors = []
    address, before = canonical(email), None
    for number in range(1, MOST_PAGES + 1):
        query = {"search": email, "page": str(number), "per_page": str(PER_PAGE)}
        page = (await wistia.page("/stats/visitors", query)).records
        if page == before:
            break
        visitors += [r for r in page if address in identities(r) and isinstance(r.get("visitor_key"), str)]
        if len(page) < PER_PAGE:
            break
        before = page
    return visitors


async def _by_key(wistia: Client, visitor_key: str) -> Visitors:
    page = await wistia.page(f"/stats/visitors/{visitor_key}")
    return [r for r in page.records if r.get("visitor_key") == visitor_key]
