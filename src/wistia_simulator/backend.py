"""The data behind the endpoints: a simulated world or recorded payloads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from wistia_simulator import payloads
from wistia_simulator.catalog import Catalog, FolderState, MediaState
from wistia_simulator.clock import day_number, to_date
from wistia_simulator.listings import Listed
from wistia_simulator.payloads import Payload
from wistia_simulator.versions import Api
from wistia_simulator.visitors import Visit, matches
from wistia_simulator.world import World

Granularity = Literal["daily", "weekly", "monthly"]
Slices = Callable[[int, int], list[Payload]]
"""A list that is given by its slices [start, stop)."""


@dataclass(frozen=True)
class EventQuery:
    """Which events; days are UTC days, both included, None for an open end."""

    media_id: str | None = None
    visitor_key: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class VisitorQuery:
    """Which visitors: ``search`` in name or e-mail, ``criterion`` as in the parameter ``filter``."""

    search: str | None = None
    criterion: str | None = None


class Backend(Protocol):
    """Responses per endpoint; None is a 404, which is the default of endpoints that a recording can't have."""

    def now(self) -> datetime: ...
    def events(self, query: EventQuery, api: Api) -> Slices | None: ...
    def event(self, key: str, api: Api) -> Payload | None: ...
    def visitors(self, query: VisitorQuery) -> Slices | None: ...
    def visitor(self, key: str) -> Payload | None: ...
    def by_date(self, media_id: str, first: date | None, last: date | None) -> list[Payload] | None: ...
    def media_stats(self, media_id: str, api: Api) -> Payload | None: ...
    def engagement(self, media_id: str) -> Payload | None: ...
    def medias(self, api: Api) -> list[Payload] | None: ...
    def media(self, media_id: str, api: Api) -> Payload | None: ...

    def media_aggregate(self, media_id: str) -> Payload | None:
        return None

    def account(self) -> Payload | None:
        return None

    def account_by_date(self, first: date, last: date) -> list[Payload] | None:
        return None

    def project_stats(self, folder_id: str) -> Payload | None:
        return None

    def folders(self, api: Api) -> list[Payload] | None:
        return None

    def folder(self, folder_id: str, api: Api) -> Payload | None:
        return None

    def analytics(
        self, media_id: str, first: date, end: date, granularity: Granularity
    ) -> list[Payload] | None:
        return None

    def analytics_total(self, media_id: str, first: date, end: date) -> Payload | None:
        return None

    def breakdown(self, media_id: str, first: date, end: date, dimension: str) -> list[Payload] | None:
        return None

    def embed_pages(
        self, media_id: str, first: date, end: date, granularity: Granularity, most: int
    ) -> list[Payload] | None:
        return None

    def leads(self, media_id: str, first: date, end: date) -> list[Payload] | None:
        return None

    def embed_pages_kept_days(self) -> int:
        return 0


class WorldBackend(Backend):
    """Serves a world as of its clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()

    def _listed(self, at: int) -> list[MediaState]:
        """The medias that exist, without those that are deleted in this second."""
        return [state for state in self._world.catalog.live(at) if self._is_listed(state, at)]

    def _is_listed(self, state: MediaState, at: int) -> bool:
        return self._world.deleting.get(state.index) != at

    def _live(self, media_id: str) -> tuple[MediaState, int] | None:
        at = self._world.clock.epoch()
        index = self._world.catalog.index_of(media_id)
        state = None if index is None else self._world.catalog.state(index, at)
        return (state, at) if state is not None and self._is_listed(state, at) else None

    def _scope(self, media_id: str | None, at: int) -> tuple[int, ...]:
        """The indexes of the medias that a query is about: one, all (None), or none at all."""
        if media_id is None:
            return tuple(state.index for state in self._listed(at))
        live = self._live(media_id)
        return () if live is None else (live[0].index,)

    def _added(self, body: Payload, name: str, value: object) -> Payload:
        """The body with an unannounced field, from the profile's day on."""
        since = self._world.profile.schema_addition_from
        return body if since is None or self.now().date() < since else body | {name: value}

    # Events

    def events(self, query: EventQuery, api: Api) -> Slices:
        at = self._world.clock.epoch()
        # Assumed: an unknown media gives an empty list.
        scope = self._scope(query.media_id, at)
        first = None if query.first is None else day_number(query.first)
        last = None if query.last is None else day_number(query.last)
        window = self._world.listings.window(scope, first, last, at)
        if query.visitor_key is None:
            return lambda start, stop: [self._row(listed, at, api) for listed in window.slice(start, stop)]
        person, key = self._world.people.person, query.visitor_key
        of_visitor = [listed for listed in window if person(listed.session.visitor).key == key]
        return lambda start, stop: [self._row(listed, at, api) for listed in of_visitor[start:stop]]

    def _row(self, listed: Listed, at: int, api: Api) -> Payload:
        session = listed.session
        catalog = self._world.catalog
        media = catalog.state(session.media, at)
        if media is None:
            raise LookupError(f"the media of {session.key} does not exist")
        seen = self._world.people.encounter(session)
        percent = session.copy_percent(listed.copy, at)
        body = payloads.event(session.key, listed.received, percent, seen, media, catalog, api)
        body |= payloads.FLAWS[session.flaw_at(at)]
        return self._added(body, "viewer_context", {"locale": "en-US", "page": seen.embed_url})

    def event(self, key: str, api: Api) -> Payload | None:
        at = self._world.clock.epoch()
        session = self._world.listings.find(key, self._scope(None, at), at)
        return None if session is None else self._row(Listed(session, 0, session.received_at(at)), at, api)

    # Visitors

    def _visitor(self, visit: Visit) -> Payload:
        body = payloads.visitor(visit, self._world.people.person(visit.ref))
        return self._added(body, "segments", [])

    def visitors(self, query: VisitorQuery) -> Slices:
        visits = self._world.visitors.as_of(self._world.clock.epoch())
        if query.search or query.criterion:
            people, search, criterion = self._world.people, query.search, query.criterion
            visits = [visit for visit in visits if matches(visit, people, search, criterion)]
        return lambda start, stop: [self._visitor(visit) for visit in visits[start:stop]]

    def visitor(self, key: str) -> Payload | None:
        for visit in self._world.visitors.as_of(self._world.clock.epoch()):
            if self._world.people.person(visit.ref).key == key:
                return self._visitor(visit)
        return None

    # Figures

    def by_date(self, media_id: str, first: date | None, last: date | None) -> list[Payload] | None:
        live = self._live(media_id)
        if live is None:
            return None
        state, at = live
        figures = self._world.figures
        today = figures.local.of(at)
        start = today - 1 if first is None else day_number(first)
        end = today if last is None else day_number(last)
        rows = figures.by_date(state.index, start, end, at)
        return [self._added(payloads.day_figures(row), "unique_load_count", row.loads) for row in rows]

    def media_stats(self, media_id: str, api: Api) -> Payload | None:
        live = self._live(media_id)
        if live is None:
            return None
        figures = self._world.figures.lifetime(live[0].index, live[1])
        actions = payloads.actions(figures) if self._world.profile.actions else []
        if api.at_least("2026-05"):
            described = {"url": "https://www.example.com/book", "text": "Book a call"}
            actions = [action | described for action in actions]
        return payloads.lifetime(figures, actions)

    def engagement(self, media_id: str) -> Payload | None:
        live = self._live(media_id)
        if live is None:
            return None
        return payloads.engagement(self._world.figures.engagement(live[0].index, live[1]))

    # Medias

    def _media(self, state: MediaState, at: int, api: Api) -> Payload:
        catalog, as_text = self._world.catalog, self._world.profile.tags_as_text
        body = payloads.media(state, catalog, api, catalog.swept(at), tags_as_text=as_text)
        link = self._world.catalog.deliveries("share", state.index, 12)
        return self._added(body, "share_link", f"https://example.wistia.com/s/{link}")

    def medias(self, api: Api) -> list[Payload]:
        at = self._world.clock.epoch()
        return [self._media(state, at, api) for state in self._listed(at)]

    def media(self, media_id: str, api: Api) -> Payload | None:
        live = self._live(media_id)
        return None if live is None else self._media(*live, api)

    def media_aggregate(self, media_id: str) -> Payload | None:
        live = self._live(media_id)
        if live is None:
            return None
        return payloads.aggregate(live[0], self._world.figures.lifetime(live[0].index, live[1]))

    # The account and its folders

    def account(self) -> Payload:
        at = self._world.clock.epoch()
        return payloads.totals(self._world.figures.totals(self._scope(None, at), at))

    def account_by_date(self, first: date, last: date) -> list[Payload]:
        at = self._world.clock.epoch()
        scope = self._scope(None, at)
        rows = self._world.figures.days(scope, day_number(first), day_number(last), at)
        return [payloads.day_figures(row) for row in rows]

    def project_stats(self, folder_id: str) -> Payload | None:
        at = self._world.clock.epoch()
        state = self._world.catalog.folder(folder_id, self._listed(at))
        if state is None:
            return None
        indexes = [media.index for media in state.medias]
        totals = payloads.totals(self._world.figures.totals(indexes, at))
        return totals | {"number_of_videos": len(indexes)}

    def folders(self, api: Api) -> list[Payload]:
        catalog, live = self._world.catalog, self._listed(self._world.clock.epoch())
        return [_folder(state, catalog, api) for state in catalog.folders(live)]

    def folder(self, folder_id: str, api: Api) -> Payload | None:
        at = self._world.clock.epoch()
        state = self._world.catalog.folder(folder_id, self._listed(at))
        if state is None:
            return None
        body = _folder(state, self._world.catalog, api)
        if api.base == "modern":
            return body
        medias = [payloads.project_media(self._media(media, at, api)) for media in state.medias]
        return body | {"medias": medias}

    # Analytics

    def analytics(
        self, media_id: str, first: date, end: date, granularity: Granularity
    ) -> list[Payload] | None:
        live = self._live(media_id)
        if live is None or not self._world.profile.analytics:
            return None
        figures = self._world.figures
        return [
            payloads.analytics_bucket(
                figures.local.bounds(days[0])[0],
                [real for day in days if (real := figures.real_day(live[0].index, day, live[1]))],
                self._world.profile.timeseries_stamp,
            )
            for days in _buckets(first, end, granularity)
        ]

    def _analysed(self, media_id: str) -> tuple[MediaState, int] | None:
        return self._live(media_id) if self._world.profile.analytics else None

    def analytics_total(self, media_id: str, first: date, end: date) -> Payload | None:
        live = self._analysed(media_id)
        if live is None:
            return None
        figures, days = self._world.figures, range(day_number(first), day_number(end))
        real = [one for day in days if (one := figures.real_day(live[0].index, day, live[1]))]
        body = payloads.analytics_bucket(0, real)
        return {name: value for name, value in body.items() if name != "timestamp"}

    def breakdown(self, media_id: str, first: date, end: date, dimension: str) -> list[Payload] | None:
        live = self._analysed(media_id)
        if live is None:
            return None
        days = day_number(first), day_number(end) - 1
        groups = self._world.analytics.groups(live[0].index, *days, dimension, live[1])
        match dimension:
            case "language":
                plays = sum(group.plays for group in groups)
                return [payloads.language(group, plays) for group in groups]
            case "embed_url":
                return [payloads.embed_location(group) for group in groups if group.value]
        return [payloads.traffic(group, dimension) for group in groups]

    def embed_pages(
        self, media_id: str, first: date, end: date, granularity: Granularity, most: int
    ) -> list[Payload] | None:
        live = self._analysed(media_id)
        if live is None:
            return None
        buckets = []
        for days in _buckets(first, end, granularity):
            groups = self._world.analytics.groups(live[0].index, days[0], days[-1], "embed_url", live[1])
            start = self._world.figures.local.bounds(days[0])[0]
            pages = [group for group in groups if group.value]
            buckets.append(payloads.embed_bucket(start, pages, most, self._world.profile.timeseries_stamp))
        return buckets

    def leads(self, media_id: str, first: date, end: date) -> list[Payload] | None:
        live = self._analysed(media_id)
        if live is None:
            return None
        days = day_number(first), day_number(end) - 1
        return [payloads.lead(lead) for lead in self._world.analytics.leads(live[0].index, *days, live[1])]

    def embed_pages_kept_days(self) -> int:
        return self._world.profile.embed_pages_kept_days


def _folder(state: FolderState, catalog: Catalog, api: Api) -> Payload:
    body = payloads.folder(state, catalog)
    return body if api.base == "modern" else payloads.project(body)


def _buckets(first: date, end: date, granularity: Granularity) -> list[list[int]]:
    """The day numbers of each bucket from ``first`` to ``end``, which is excluded."""
    buckets: dict[date, list[int]] = {}
    for day in range(day_number(first), day_number(end)):
        buckets.setdefault(max(first, _bucket(to_date(day), granularity)), []).append(day)
    return list(buckets.values())


def _bucket(day: date, granularity: Granularity) -> date:
    """The first day of the bucket that ``day`` falls into; weeks begin on Monday."""
    match granularity:
        case "daily":
            return day
        case "weekly":
            return date.fromordinal(day.toordinal() - day.weekday())
        case "monthly":
            return day.replace(day=1)
