"""A transport that changes what the simulator says: input that no healthy account serves."""

import json
from collections.abc import Callable
from typing import Any

import httpx2

Change = Callable[[httpx2.Request, Any], Any]


class Tampering(httpx2.AsyncBaseTransport):
    """Passes requests on to `inner`, and every JSON body of status 200 through `change`."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, change: Change) -> None:
        self._inner, self._change = inner, change

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.status_code != 200:
            return response
        body = self._change(request, json.loads(await response.aread()))
        return httpx2.Response(200, json=body, request=request)


def events(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    """A change of every page of events."""
    return lambda request, body: change(body) if request.url.path.endswith("/stats/events") else body
