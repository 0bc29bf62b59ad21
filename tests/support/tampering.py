"""A transport that changes what the simulator says: input that no healthy account serves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from support.lake import Lake, Scenario
from wistia_simulator import ServerOptions, create_app, transport

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


def of_media(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """A change of every description of a media, alone or among others."""

    def changed(request: httpx2.Request, body: Any) -> Any:
        if request.url.path.endswith("/medias") and "hashed_ids[]" in request.url.params:
            return [change(media) for media in body]
        describes = "/stats/" not in request.url.path and isinstance(body, dict) and "hashed_id" in body
        return change(body) if describes else body

    return changed


def lake(folder: Path, change: Change, scenario: Scenario) -> Lake:
    """A lake whose source is changed on the way."""
    made = Lake(folder, scenario)
    app = create_app(made.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    made._source = Tampering(transport(app), change)
    return made
