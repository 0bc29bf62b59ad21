"""A Wistia that lists some sessions under the same key on two UTC days, for weeks: on their own day, and on the
day before. Either copy may have seen more, and either may leave its list for a while.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import httpx2

from wistia_simulator import TrueSession, World
from wistlake.planning.calendar import days

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
    """Passes requests on to `inner`, and lists of days, of a media or of all, as `listed` has them."""

    def __init__(self, world: World, inner: httpx2.AsyncBaseTransport) -> None:
        self._world, self._inner = world, inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        params = request.url.params
        is_list = request.url.path.endswith("/stats/events") and "start_date" in params
        if response.status_code != 200 or not is_list:
            return response
        on_days = list(days(*(date.fromisoformat(params[name]) for name in ("start_date", "end_date"))))
        rows = await self._records(request, on_days[0], on_days[-1] + DAY)
        media = {params["media_id"]} if "media_id" in params else {r["media_id"] for r in rows}
        now = self._world.clock.now()
        served = _served(
            rows, [s for m in media for day in on_days for s in listed(self._world, m, day, now)]
        )
        size = int(params["per_page"])
        first = (int(params.get("page", 1)) - 1) * size
        return httpx2.Response(200, json=served[first : first + size], request=request)

    async def _records(self, request: httpx2.Request, first: date, last: date) -> list[dict[str, Any]]:
        """All sessions of these days, whatever page was requested."""
        found: list[dict[str, Any]] = []
        for page in count(1):
            params = {
                **request.url.params,
                "start_date": first.isoformat(),
                "end_date": last.isoformat(),
                "page": str(page),
            }
            inner = httpx2.Request("GET", request.url.copy_with(params=params), headers=request.headers)
            answer = await self._inner.handle_async_request(inner)
            rows = httpx2.Response(200, content=await answer.aread()).json()
            found += rows
            if len(rows) < int(params["per_page"]):
                break
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
