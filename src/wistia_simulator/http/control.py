"""Endpoints of the simulator itself: the clock and the truth. They are off unless asked for."""

import dataclasses
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from wistia_simulator.clock import YEARS
from wistia_simulator.http.responses import bad_request, json_response, missing_stats
from wistia_simulator.world import World

PREFIX = "/_simulator/"

Day = TypeVar("Day", bound=date)  # a datetime is one too


async def control(request: Request, world: World) -> Response:
    """``GET /_simulator/truth?kind=...`` and ``GET`` or ``POST /_simulator/clock`` with ``{"now": iso}``."""
    name = request.url.path.removeprefix(PREFIX)
    try:
        if name == "clock":
            return await _clock(request, world)
        if name == "truth" and request.method == "GET":
            return json_response(_truth(request.query_params, world))
    except (KeyError, ValueError, TypeError) as error:
        return bad_request(str(error))
    return missing_stats()


async def _clock(request: Request, world: World) -> Response:
    if request.method == "POST":
        world.clock.set(_near(datetime.fromisoformat((await request.json())["now"])))
    return json_response({"now": world.clock.now().isoformat()})


def _near(at: Day) -> Day:
    """``at``, if figures can be computed for its year."""
    if at.year not in YEARS:
        raise ValueError(f"{at.isoformat()} does not lie between {YEARS[0]} and {YEARS[-1]}")
    return at


def _truth(query: QueryParams, world: World) -> object:
    """``kind``: sessions, ever, by_date, medias, lifetime, account, account_by_date, folder, engagement or
    visitors.

    Further parameters: ``media_id``, ``name`` (of a folder), ``start`` and ``end`` (dates), ``at`` (a moment).
    """
    truth = world.truth
    at = _near(datetime.fromisoformat(query["at"])) if "at" in query else None
    start = _near(date.fromisoformat(query["start"])) if "start" in query else None
    end = _near(date.fromisoformat(query["end"])) if "end" in query else None
    media_id = query.get("media_id")
    today = world.clock.now().date()
    kinds: dict[str, Callable[[], object]] = {
        "sessions": lambda: truth.sessions(media_id, start, end, at),
        "ever": lambda: truth.ever(media_id, start, end, at),
        "by_date": lambda: truth.by_date(query["media_id"], start or today, end or today, at),
        "medias": lambda: truth.medias(at),
        "lifetime": lambda: truth.lifetime(query["media_id"], at),
        "account": lambda: truth.account(at),
        "account_by_date": lambda: truth.account_by_date(start or today, end or today, at),
        "folder": lambda: truth.folder(query["name"], at),
        "engagement": lambda: truth.engagement(query["media_id"], at),
        "visitors": lambda: truth.visitors(at),
    }
    return _plain(kinds[query.get("kind", "sessions")]())


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
