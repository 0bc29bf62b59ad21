"""The app as an httpx2 transport: broken responses become the exceptions a real network would raise."""

from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from wistia_simulator.transport_signals import (
    IN_PROCESS,
    READ_TIMEOUT,
    InjectedReset,
    InjectedTimeout,
    InjectedTruncation,
)


class SimulatorTransport(httpx2.AsyncBaseTransport):
    """Calls the app in process, without a socket and without waiting."""

    def __init__(self, app: ASGIApp, *, raise_resets: bool = True) -> None:
        self._app = app
        self._raise_resets = raise_resets

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        inner = httpx2.ASGITransport(app=self._marked(request))
        try:
            return await inner.handle_async_request(request)
        except InjectedTimeout:
            raise httpx2.ReadTimeout("no answer within the read timeout", request=request) from None
        except InjectedReset:
            if not self._raise_resets:
                return httpx2.Response(502, request=request)
            raise httpx2.ReadError("connection reset by peer", request=request) from None
        except InjectedTruncation:
            if not self._raise_resets:
                return httpx2.Response(502, request=request)
            message = "peer closed connection without sending complete message body"
            raise httpx2.RemoteProtocolError(message, request=request) from None

    def _marked(self, request: httpx2.Request) -> Any:
        timeout = request.extensions.get("timeout", {}).get("read")

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app({**scope, IN_PROCESS: True, READ_TIMEOUT: timeout}, receive, send)

        return app


def transport(app: ASGIApp, *, raise_resets: bool = True) -> httpx2.AsyncBaseTransport:
    """A transport for ``httpx2.AsyncClient(transport=...)``.

    Resets raise ReadError, truncated bodies RemoteProtocolError, delays beyond the request's own read
    timeout ReadTimeout. With ``raise_resets=False`` the first two are answered with 502 instead.
    """
    return SimulatorTransport(app, raise_resets=raise_resets)
