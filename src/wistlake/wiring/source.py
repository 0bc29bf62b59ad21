"""Wistia as the settings describe it: how it is reached, and what is cut from its records before they land."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wistlake.contracts.form import Source
from wistlake.derive.mask import plain_masked
from wistlake.derive.pseudonym import pseudonym
from wistlake.pipeline.run.spec import Redact
from wistlake.ports import Budget
from wistlake.privacy.redaction import page as masked_page
from wistlake.privacy.redaction import redact
from wistlake.settings import Settings
from wistlake.wiring.runtime import Runtime
from wistlake.wistia import Connection, WistiaClient

if TYPE_CHECKING:
    from wistlake.wistia.client import Probe


class NoBudget:
    """The request budget of a source that is not paced: a simulator, or a single probe."""

    def reserve(self, requests: int = 1) -> float:
        """Never waits."""
        return 0.0

    def pause(self, seconds: float) -> None:
        """Ignored: no other process shares this budget."""


def connection(settings: Settings) -> Connection:
    """How to reach Wistia. ConfigError if the token is missing."""
    return Connection(
        token=settings.require_token(),
        base_url=settings.base_url,
        api_version=settings.api_version,
        auth=settings.auth,
        timeout_seconds=settings.timeout_seconds,
        per_page=settings.per_page,
        max_concurrency=settings.max_concurrency,
    )


def client(target: Connection, budget: Budget, runtime: Runtime) -> WistiaClient:
    """The source client on a request budget."""
    options = dict(runtime.client_options)
    return WistiaClient(target, budget, transport=runtime.transport, wall=runtime.clock, **options)


async def probe(settings: Settings, runtime: Runtime) -> "Probe":
    """One request that tells whether the token works. Raises what the client raises."""
    async with client(connection(settings), NoBudget(), runtime) as wistia:
        return await wistia.probe()


def redaction(settings: Settings, keys: Callable[[], tuple[bytes, ...]]) -> Redact | None:
    """What cuts personal values from a record before it lands; None unless the settings ask for it.

    The visitor's key becomes a one-way pseudonym, so that visitors can still be told apart.
    """
    if not settings.bronze_redaction:
        return None

    def cut(contract: Source, record: dict[str, Any]) -> dict[str, Any]:
        visitor_key, page, city = (record.get(name) for name in ("visitor_key", "embed_url", "city"))
        replacements = {}
        if isinstance(visitor_key, str) and visitor_key:
            replacements["visitor_key"] = pseudonym(keys()[:1], visitor_key)
        if isinstance(page, str):
            replacements["embed_url"] = masked_page(page)
        if settings.keep_city and isinstance(city, str):
            replacements["city"] = plain_masked(city) or ""
        return redact(contract, record, replacements)

    return cut
