"""What a check says, and the probes of what Wistia's documentation leaves open."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from wistlake.errors import SourceMissing, WistlakeError

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `verdict` is ok, failed, unknown, or the answer that a probe found."""

    name: str
    verdict: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Plain values."""
        return {"name": self.name, "verdict": self.verdict, "detail": self.detail}


class Page(Protocol):
    """One answer as served."""

    @property
    def records(self) -> list[dict[str, Any]]:
        """The objects in it."""


class Explorer(Protocol):
    """What the probes need of the client."""

    def page(self, path: str, params: Mapping[str, str] | None = None) -> Awaitable[Any]:
        """One answer from any path."""


Probe = Callable[[Explorer, str, datetime], Awaitable[tuple[str, str]]]


async def probes(client: Explorer, now: datetime) -> list[Check]:
    """Every probe's verdict, a few requests each. None provokes a 429, none prints a personal value."""
    listed = (await client.page("/medias", {"per_page": "100"})).records
    if not listed:
        return [Check("live", UNKNOWN, "the account lists no media to ask about")]
    media_id = str(listed[0].get("hashed_id"))
    found = []
    for name, probe in PROBES:
        try:
            verdict, detail = await probe(client, media_id, now)
        except WistlakeError as e:
            verdict, detail = UNKNOWN, f"{type(e).__name__}: the probe got no answer"
        found.append(Check(f"live: {name}", verdict, detail))
    return found


def _days(now: datetime, back: int = 7) -> dict[str, str]:
    return {
        "start_date": (now - timedelta(days=back)).date().isoformat(),
        "end_date": (now - timedelta(days=1)).date().isoformat(),
    }


async def _events(client: Explorer, now: datetime, **more: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = (await client.page("/stats/events", _days(now) | more)).records
    return records


async def _default_page(client: Explorer, _media: str, now: datetime) -> tuple[str, str]:
    count = len(await _events(client, now))
    return (str(count), "rows without per_page, of a week's events")


async def _ipv6(client: Explorer, _media: str, now: datetime) -> tuple[str, str]:
    rows = await _events(client, now, per_page="100")
    seen = sum(":" in str(r.get("ip") or "") for r in rows)
    return ("yes" if seen else UNKNOWN, f"{seen} of {len(rows)} addresses are IPv6")


async def _duplicates(client: Explorer, _media: str, now: datetime) -> tuple[str, str]:
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in await _events(client, now, per_page="100"):
        by_key.setdefault(str(row.get("event_key")), []).append(row)
    twice = [rows for rows in by_key.values() if len(rows) > 1]
    if not twice:
        return UNKNOWN, "no event was listed twice on the first page"
    same = all(row == rows[0] for rows in twice for row in rows)
    return ("equal" if same else "different", f"{len(twice)} events were listed twice")


async def _numeric(client: Explorer, media: str, now: datetime) -> tuple[str, str]:
    described = (await client.page(f"/medias/{media}")).records[0]
    hashed = await _events(client, now, media_id=media, per_page="100")
    numeric = await _events(client, now, media_id=str(described.get("id")), per_page="100")
    if not hashed:
        return UNKNOWN, "the first media has no events this week"
    return (
        "works" if len(numeric) == len(hashed) else "does not work",
        f"{len(numeric)} rows by the numeric id, {len(hashed)} by the hashed one",
    )


async def _zone(client: Explorer, media: str, now: datetime) -> tuple[str, str]:
    rows = (await client.page(f"/stats/medias/{media}/by_date", _days(now))).records
    dates = [str(r.get("date")) for r in rows]
    return (UNKNOWN if not dates else "seen", f"dates as served: {', '.join(dates[:1] + dates[-1:])}")


async def _engagement(client: Explorer, media: str, _now: datetime) -> tuple[str, str]:
    body = (await client.page(f"/stats/medias/{media}/engagement")).records[0]
    shape = ", ".join(f"{k} ({len(v)})" if isinstance(v, list) else k for k, v in body.items())
    return "seen", shape


async def _unknown_media(client: Explorer, _media: str, _now: datetime) -> tuple[str, str]:
    try:
        await client.page("/stats/medias/zzzzzzzzzz")
    except SourceMissing:
        return "404", "for a media that is not there"
    return "200", "even for a media that is not there"


async def _archived(client: Explorer, _media: str, _now: datetime) -> tuple[str, str]:
    rows = (await client.page("/medias", {"per_page": "100", "archived": "true"})).records
    listed = {r.get("hashed_id") for r in (await client.page("/medias", {"per_page": "100"})).records}
    inside = sum(r.get("hashed_id") in listed for r in rows)
    return (
        (UNKNOWN, "no media is archived")
        if not rows
        else ("yes" if inside else "no", f"{inside} of {len(rows)} archived media are in the default list")
    )


async def _reversed(client: Explorer, _media: str, now: datetime) -> tuple[str, str]:
    days = _days(now)
    swapped = {"start_date": days["end_date"], "end_date": days["start_date"]}
    try:
        rows = (await client.page("/stats/events", swapped)).records
    except WistlakeError as e:
        return "refused", type(e).__name__
    return "200", f"{len(rows)} rows for reversed days"


PROBES: tuple[tuple[str, Probe], ...] = (
    ("events a page without per_page", _default_page),
    ("IPv6 addresses", _ipv6),
    ("both copies of a repeated event", _duplicates),
    ("numeric media id in events", _numeric),
    ("dates of by_date", _zone),
    ("engagement body", _engagement),
    ("unknown media in stats", _unknown_media),
    ("archived media in the default list", _archived),
    ("reversed days", _reversed),
)
