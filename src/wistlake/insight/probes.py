"""Probes of what Wistia's documentation leaves open, each a few requests."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from wistlake.contracts import source
from wistlake.errors import SourceMissing, SourceRefused, WistlakeError
from wistlake.foreign import shown_name
from wistlake.insight.doctor import UNKNOWN, Check
from wistlake.wistia import WistiaClient
from wistlake.wistia.client import NOT_IN_PLAN
from wistlake.wistia.endpoints import ENDPOINTS, EVENTS, MEDIA_LIST, by_dimension, path, permission

PAGE = 100  # records that Wistia serves at once


@dataclass(frozen=True, slots=True)
class Subject:
    """What the probes ask about: one media, a moment, and the zone that the settings give the account."""

    client: WistiaClient
    media_id: str
    now: datetime
    tz: tzinfo

    def path(self, dataset: str) -> str:
        """The path of a dataset of the media."""
        return path(source(dataset), self.media_id)

    async def records(self, of_path: str, **parameters: str) -> list[dict[str, Any]]:
        """The records of one page."""
        return (await self.client.page(of_path, parameters)).records

    async def events(self, **more: str) -> list[dict[str, Any]]:
        """The newest events of a week, a page of them."""
        return await self.records(EVENTS, **_days(self.now) | more)


Probe = Callable[[Subject], Awaitable[tuple[str, str]]]


async def probes(client: WistiaClient, now: datetime, tz: tzinfo) -> list[Check]:
    """Every probe's verdict, a few requests each. None provokes a 429, none prints a personal value."""
    listed = (await client.page(MEDIA_LIST, {"per_page": "100"})).records
    if not listed:
        return [Check("live", UNKNOWN, "the account lists no media to ask about")]
    subject = Subject(client, str(listed[0].get("hashed_id")), now, tz)
    checks = []
    for name, probe in PROBES:
        try:
            verdict, detail = await probe(subject)
        except (WistlakeError, LookupError, TypeError, ValueError) as e:  # an answer may have any shape
            verdict, detail = UNKNOWN, f"{type(e).__name__}: the probe got no answer that it can read"
        checks.append(Check(f"live: {name}", verdict, detail))
    return checks


def _days(now: datetime) -> dict[str, str]:
    """The last seven days."""
    return {
        "start_date": (now - timedelta(days=7)).date().isoformat(),
        "end_date": (now - timedelta(days=1)).date().isoformat(),
    }


async def _default_page(subject: Subject) -> tuple[str, str]:
    count = len(await subject.events())
    return (str(count), "rows without per_page, of a week's events")


async def _ipv6(subject: Subject) -> tuple[str, str]:
    rows = await subject.events(per_page="100")
    seen = sum(":" in str(r.get("ip") or "") for r in rows)
    return ("yes" if seen else UNKNOWN, f"{seen} of {len(rows)} addresses are IPv6")


async def _duplicates(subject: Subject) -> tuple[str, str]:
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in await subject.events(per_page="100"):
        by_key.setdefault(str(row.get("event_key")), []).append(row)
    twice = [rows for rows in by_key.values() if len(rows) > 1]
    if not twice:
        return UNKNOWN, "no event was listed twice on the first page"
    same = all(row == rows[0] for rows in twice for row in rows)
    return ("equal" if same else "different", f"{len(twice)} events were listed twice")


async def _numeric(subject: Subject) -> tuple[str, str]:
    described = (await subject.records(subject.path("media_metadata")))[0]
    hashed = await subject.events(media_id=subject.media_id, per_page="100")
    numeric = await subject.events(media_id=str(described.get("id")), per_page="100")
    if not hashed:
        return UNKNOWN, "the first media has no events this week"
    return (
        "works" if len(numeric) == len(hashed) else "does not work",
        f"{len(numeric)} rows by the numeric id, {len(hashed)} by the hashed one",
    )


async def _zone(subject: Subject) -> tuple[str, str]:
    """Sessions of a few days, counted by both zones' days: whose counts are those of by_date?"""
    last = subject.now.astimezone(UTC).date() - timedelta(days=3)
    days = [last - timedelta(days=n) for n in range(3)]
    span = {"start_date": str(days[-1] - timedelta(days=1)), "end_date": str(days[0] + timedelta(days=1))}
    rows = await subject.records(EVENTS, **span, media_id=subject.media_id, per_page="100")
    served = await subject.records(
        subject.path("media_by_date"), start_date=str(days[-1]), end_date=str(days[0])
    )
    plays = {str(r.get("date")): int(r.get("play_count") or 0) for r in served}
    if not rows or len(rows) >= PAGE:
        return UNKNOWN, f"{len(rows)} sessions on a page: none to count, or not all of them"

    def distance(tz: tzinfo) -> int:
        counted = Counter(str(datetime.fromisoformat(r["received_at"]).astimezone(tz).date()) for r in rows)
        return sum(abs(plays.get(str(day), 0) - counted[str(day)]) for day in days)

    ours, utc = distance(subject.tz), distance(UTC)
    if ours == utc:
        return UNKNOWN, "the days of both zones count alike"
    detail = f"counts differ by {ours} in the account's zone of the settings, by {utc} in UTC"
    return ("as set" if ours < utc else "UTC"), detail


async def _engagement(subject: Subject) -> tuple[str, str]:
    body = (await subject.records(subject.path("media_engagement")))[0]
    shape = ", ".join(
        shown_name(k) + (f" ({len(v)})" if isinstance(v, list) else "") for k, v in body.items()
    )
    return "seen", shape


async def _invalid_day(subject: Subject) -> tuple[str, str]:
    try:
        rows = await subject.records(EVENTS, start_date="today", per_page="1")
    except WistlakeError as e:
        return "refused", type(e).__name__
    return "200", f"{len(rows)} rows for a day that is none"


async def authentication(client: WistiaClient, way: str) -> Check:
    """Whether Wistia takes the token in the other way too; `client` is one that sends it so."""
    try:
        await client.page(MEDIA_LIST, {"per_page": "1"})
    except SourceRefused:
        return Check(f"live: {way} authentication", "no", "401 or 403")
    except WistlakeError as e:
        return Check(f"live: {way} authentication", UNKNOWN, type(e).__name__)
    return Check(f"live: {way} authentication", "yes", "200")


def _of_analytics(name: str) -> Probe:
    """A probe of one optional dataset of the dated API: whether the token may read it, and the plan has it."""

    async def probe(subject: Subject) -> tuple[str, str]:
        contract, target = source(name), ENDPOINTS[name]
        day = subject.now.astimezone(subject.tz).date() - timedelta(days=2)
        params = target.params(subject.media_id, day, day) | by_dimension(contract)[0]
        try:
            await subject.records(subject.path(name), **params)
        except SourceMissing:
            return "no", "404: not for this account, nor on /v1"
        except SourceRefused as e:
            if e.status == NOT_IN_PLAN:
                return "not in your plan", "403"
            return "no", f"the token lacks {permission(contract.endpoint)!r}, or is refused"
        return "yes", "200; WISTLAKE_DATASETS switches it on"

    return probe


async def _unknown_media(subject: Subject) -> tuple[str, str]:
    try:
        await subject.records(path(source("media_stats"), "zzzzzzzzzz"))
    except SourceMissing:
        return "404", "for a media that is not there"
    return "200", "even for a media that is not there"


async def _archived(subject: Subject) -> tuple[str, str]:
    rows = await subject.records(MEDIA_LIST, per_page="100", archived="true")
    listed = {r.get("hashed_id") for r in await subject.records(MEDIA_LIST, per_page="100")}
    inside = sum(r.get("hashed_id") in listed for r in rows)
    return (
        (UNKNOWN, "no media is archived")
        if not rows
        else ("yes" if inside else "no", f"{inside} of {len(rows)} archived media are in the default list")
    )


async def _reversed(subject: Subject) -> tuple[str, str]:
    days = _days(subject.now)
    try:
        rows = await subject.records(EVENTS, start_date=days["end_date"], end_date=days["start_date"])
    except WistlakeError as e:
        return "refused", type(e).__name__
    return "200", f"{len(rows)} rows for reversed days"


PROBES: tuple[tuple[str, Probe], ...] = (
    ("events a page without per_page", _default_page),
    ("IPv6 addresses", _ipv6),
    ("both copies of a repeated event", _duplicates),
    ("numeric media id in events", _numeric),
    ("zone of by_date's days", _zone),
    ("engagement body", _engagement),
    ("unknown media in stats", _unknown_media),
    ("archived media in the default list", _archived),
    ("reversed days", _reversed),
    ("a day that is none", _invalid_day),
    *((name, _of_analytics(name)) for name, e in ENDPOINTS.items() if e.dated_only),
)
