"""What an entry point provides: the clock, the network and the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Runtime:
    """The clock, real or given. Tests and the demo also replace the network (`transport`) and the client's sense
    of time (`client_options`)."""

    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    transport: "httpx2.AsyncBaseTransport | None" = None
    client_options: tuple[tuple[str, Any], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
