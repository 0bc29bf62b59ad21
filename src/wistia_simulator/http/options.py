"""The options of a simulated server."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

Sleep = Callable[[float], Awaitable[None]]
Monotonic = Callable[[], float]

ALLOWED_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "api.wistia.com", "testserver"})


@dataclass(frozen=True)
class ServerOptions:
    """Settings of the server, none of which changes what the account contains.

    ``token``: the only accepted token; None accepts any, but one must be present. ``scopes``: what the
    token may do (``stats:read``, ``media:read``, ``all:read``, ``all:all``). ``sleep``: how delays wait;
    None waits for real when served and not at all in process. ``monotonic`` (seconds) drives the rate
    limiter, so that virtual time can. ``control`` switches the ``/_simulator`` endpoints on.
    """

    token: str | None = None
    basic: bool = False
    rate_limit_per_minute: int | None = 600
    rate_limit_window: Literal["sliding", "fixed"] = "sliding"
    rate_limit_status: Literal[429, 503] = 429
    retry_after: bool = True
    latency_seconds: float = 0.0
    sleep: Sleep | None = None
    monotonic: Monotonic = time.monotonic
    plan_allows_stats: bool = True
    plan_allows_analytics: bool = True
    scopes: frozenset[str] = frozenset({"stats:read", "media:read"})
    allowed_hosts: frozenset[str] = ALLOWED_HOSTS
    control: bool = False
