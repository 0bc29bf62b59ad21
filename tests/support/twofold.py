"""A Wistia that lists some sessions under the same key on two UTC days, for weeks: on their own day, and on the
day before. Either copy may have seen more, and either may leave its list for a while.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2

from wistia_simulator import TrueSession, World

DAY = timedelta(days=1)
_SHARES = (0.0, 0.25, 1.0)  # what the copy has seen; a session that saw as much is beaten by the later one


def _draw(key: str, what: str, sides: int) -> int:
    return int(hashlib.sha256(f"{what} {key}".encode()).hexdigest()[:8], 16) % sides


def is_twofold(key: str) -> bool:
    """Every third session is."""
    return _draw(key, "twofold", 3) == 0


def _is_away(key: str, which: str, at: datetime) -> bool:
    """A third of the copies are listed every other day only; originals likewise."""
    return is_twofold(key) and _draw(key, which, 3) == 0 and (at.toordinal() + _draw(key, which, 2)) % 2 == 0


def _copied(received: datetime, key: str) -> datetime:
    """When the copy was received: late on the day before."""
    before = received.astimezone(UTC).date() - DAY
    late = timedelta(hours=12 + _draw(key, "hour", 12), seconds=_draw(key, "second", 3600))
    return datetime(before.year, before.month, before.day, tzinfo=UTC) + late


def listed(world: World, media_id: str, day: date, at: datetime) -> list[TrueSession]:
    """What the list of a day holds, copies included: one row a key and day."""
    own = [
        s
        for s in world.truth.sessions(media_id, day, day, at=at)
        if not _is_away(s.event_key, "original", at)
    ]
    copies = [
        replace(
            s,
            received_at=_copied(s.received_at, s.event_key),
            percent_viewed=_SHARES[_draw(s.event_key, "share", len(_SHARES))],
        )
        for s in world.truth.sessions(media_id, day + DAY, day + DAY, at=at)
        if is_twofold(s.event_key) and not _is_away(s.event_key, "copy", at)
    ]
    # Of one that was listed on both days already, as one that moves is, its own place is the truth.
    return [*own, *(c for c in copies if c.event_key not in {s.event_key for s in own})]


class Twofold(httpx2.AsyncBaseTransport):
    """Passes requests on to `inner`, and lists of a media's day as `listed` has them."""

    def __init__(self, world: World, inner: httpx2.AsyncBaseTransport) -> None:
        self._world, self._inner = world, inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        asked = request.url.params
        is_day = (
            asked.get("media_id") and asked.get("start_date") and asked["start_date"] == asked["end_date"]
        )
        if response.status_code != 200 or not request.url.path.endswith("/stats/events") or not is_day:
            return response
        if int(asked.get("page", 1)) > 1:  # the days of these worlds fit on one page
            return response
        day = date.fromisoformat(asked["start_date"])
        rows = await self._records(request, day) + await self._records(request, day + DAY)
        wanted = listed(self._world, asked["media_id"], day, self._world.clock.now())
        return httpx2.Response(200, json=_served(rows, wanted), request=request)

    async def _records(self, request: httpx2.Request, day: date) -> list[dict[str, Any]]:
        params = {
            **request.url.params,
            "start_date": day.isoformat(),
            "end_date": day.isoformat(),
            "page": "1",
        }
        asked = httpx2.Request("GET", request.url.copy_with(params=params), headers=request.headers)
        answer = await self._inner.handle_async_request(asked)
        found: list[dict[str, Any]] = httpx2.Response(200, content=await answer.aread()).json()
        assert len(found) < int(params["per_page"])
        return found


def _served(rows: Sequence[dict[str, Any]], wanted: Sequence[TrueSession]) -> list[dict[str, Any]]:
    """The wanted sessions as records, newest first."""
    by_key = {row["event_key"]: row for row in rows}
    found = [
        by_key[s.event_key]
        | {
            "received_at": s.received_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "percent_viewed": s.percent_viewed,
        }
        for s in wanted
    ]
    return sorted(found, key=lambda row: (row["received_at"], row["event_key"]), reverse=True)
