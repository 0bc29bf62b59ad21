"""What a perfect client would hold: the expected values for a consumer's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, cast

from wistia_simulator import payloads
from wistia_simulator.analytics import Group, Lead
from wistia_simulator.catalog import MediaState
from wistia_simulator.clock import DAY, day_number, epoch, moment
from wistia_simulator.listings import Listed
from wistia_simulator.people import Whereabouts
from wistia_simulator.sessions import Session
from wistia_simulator.visitors import VisitorIndex, created_at, is_identified

if TYPE_CHECKING:
    from wistia_simulator.world import World


@dataclass(frozen=True, kw_only=True)
class TrueSession(Whereabouts):
    """One event key as of a moment; datetimes are aware UTC, percent_viewed is 0..1.

    ``flaw`` says how lists misshape it at that moment; the other fields are true all the same. One that
    ``straddles`` is listed on two UTC days.
    """

    event_key: str
    visitor_key: str
    media_id: str
    received_at: datetime
    percent_viewed: float
    email: str | None
    embed_url: str
    browser: str
    browser_version: str
    platform: str
    mobile: bool
    conversion_type: str
    first_listed_at: datetime
    vanished_at: datetime | None
    page_loaded_at: datetime
    listed_twice: bool
    private: bool
    flaw: str = ""
    straddles: bool = False


@dataclass(frozen=True)
class TrueMedia:
    """One media as of a moment; duration in seconds."""

    media_id: str
    numeric_id: int
    name: str
    duration: float
    archived: bool
    status: str
    tags: tuple[str, ...]
    folder: str
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class TrueVisitor:
    """One visitor of the account-wide list as of a moment."""

    visitor_key: str
    created_at: datetime
    last_active_at: datetime
    last_event_key: str
    play_count: int
    email: str | None


class Truth:
    """The truth about a world, as of ``at`` (by default the world's clock). Days of sessions are UTC days."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._index: VisitorIndex | None = None

    def _at(self, at: datetime | None) -> int:
        return self._world.clock.epoch() if at is None else epoch(at)

    def sessions(
        self,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
        at: datetime | None = None,
    ) -> list[TrueSession]:
        """What listing every UTC day from ``start`` to ``end`` (both included) right at ``at`` would give.

        Newest first, exactly one per event key (highest percent_viewed, then latest received_at); without
        vanished sessions, those beyond the two years, and those of medias that don't exist at ``at``. A session
        that straddles two days stands on the first one only if the second one is not asked for.
        """
        now = self._at(at)
        scope = self._world.scope(media_id, now)
        window = self._world.listings.window(scope, _number(start), _number(end), now)
        best: dict[int, Listed] = {}
        for listed in window:
            best.setdefault(listed.session.bits, listed)
        return [self._session(listed.session, now, listed.received) for listed in best.values()]

    def ever(
        self,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
        at: datetime | None = None,
    ) -> list[TrueSession]:
        """Every session that was ever listed up to ``at``, vanished ones with their ``vanished_at``.

        A session is placed on the UTC day of its received_at as of ``at``; media and age don't matter.
        """
        now = self._at(at)
        index = None if media_id is None else self._world.catalog.index_of(media_id)
        scope = range(self._world.catalog.count) if media_id is None else () if index is None else (index,)
        first = self._world.began if start is None else day_number(start)
        last = now // DAY if end is None else day_number(end)
        selected = [
            session
            for media in scope
            for day in range(max(first, self._world.began), min(last, now // DAY) + 2)
            for session in self._world.sessions.of(media, day)
            if session.listed <= now and first <= session.received_at(now) // DAY <= last
        ]
        selected.sort(key=lambda session: (-session.received_at(now), session.bits))
        return [self._session(session, now) for session in selected]

    def _session(self, session: Session, at: int, received: int | None = None) -> TrueSession:
        seen = self._world.people.encounter(session)
        browser = seen.person.browser
        return TrueSession(
            event_key=session.key,
            visitor_key=seen.person.key,
            media_id=self._world.catalog.ids[session.media],
            received_at=moment(session.received_at(at) if received is None else received),
            percent_viewed=session.percent_at(at),
            email=seen.email,
            **seen.whereabouts(),
            embed_url=seen.embed_url,
            browser=browser.name,
            browser_version=browser.version,
            platform=browser.platform,
            mobile=browser.mobile,
            conversion_type=seen.conversion_type,
            first_listed_at=moment(session.listed),
            vanished_at=moment(session.vanishes) if session.vanishes <= at else None,
            page_loaded_at=moment(session.loaded),
            listed_twice=session.duplicate > 0,
            private=session.private,
            flaw=session.flaw_at(at),
            straddles=session.straddles > 0,
        )

    def by_date(
        self, media_id: str, start: date, end: date, at: datetime | None = None
    ) -> list[dict[str, object]]:
        """``date`` (ISO text, account zone), ``load_count``, ``play_count``, ``hours_watched`` as served."""
        index = self._index_of(media_id)
        rows = self._world.figures.by_date(index, day_number(start), day_number(end), self._at(at))
        return [payloads.day_figures(row) for row in rows]

    def medias(self, at: datetime | None = None) -> list[TrueMedia]:
        """The medias that exist, in the order of the default list."""
        return [_media(state) for state in self._world.catalog.live(self._at(at))]

    def lifetime(self, media_id: str, at: datetime | None = None) -> dict[str, object]:
        """The body of the lifetime statistics, as v1 has it."""
        figures = self._world.figures.lifetime(self._index_of(media_id), self._at(at))
        return payloads.lifetime(figures, payloads.actions(figures) if self._world.profile.actions else ())

    def account(self, at: datetime | None = None) -> dict[str, object]:
        """``load_count``, ``play_count`` and ``hours_watched`` of all medias that exist, since ever."""
        return _added(self.lifetime(media.media_id, at) for media in self.medias(at))

    def folder(self, name: str, at: datetime | None = None) -> dict[str, object]:
        """The same of the medias in the folder called ``name``."""
        return _added(self.lifetime(media.media_id, at) for media in self.medias(at) if media.folder == name)

    def account_by_date(self, start: date, end: date, at: datetime | None = None) -> list[dict[str, object]]:
        """The daily figures of all medias that exist, added; days in the account's zone."""
        each = [self.by_date(media.media_id, start, end, at) for media in self.medias(at)]
        return [{"date": rows[0]["date"], **_added(rows)} for rows in zip(*each, strict=True)]

    def engagement(self, media_id: str, at: datetime | None = None) -> dict[str, object]:
        """The body of the engagement endpoint."""
        return payloads.engagement(self._world.figures.engagement(self._index_of(media_id), self._at(at)))

    def analytics(self, media_id: str, day: date, at: datetime | None = None) -> dict[str, object]:
        """The metrics of a local day in the analytics timeseries; none without plays."""
        figures, index = self._world.figures, self._index_of(media_id)
        real = figures.real_day(index, day_number(day), self._at(at))
        return {} if real is None else payloads.analytics_bucket(real.start, [real])

    def breakdown(self, media_id: str, day: date, dimension: str, at: datetime | None = None) -> list[Group]:
        """The plays of a local day by a dimension of /analytics (``GROUPS``, ``language`` or ``embed_url``)."""
        number = day_number(day)
        return self._world.analytics.groups(self._index_of(media_id), number, number, dimension, self._at(at))

    def leads(self, media_id: str, day: date, at: datetime | None = None) -> list[Lead]:
        """The forms that viewers sent on a local day, with their people."""
        number = day_number(day)
        return self._world.analytics.leads(self._index_of(media_id), number, number, self._at(at))

    def _index_of(self, media_id: str) -> int:
        index = self._world.catalog.index_of(media_id)
        if index is None:
            raise KeyError(media_id)
        return index

    def visitors(self, at: datetime | None = None) -> list[TrueVisitor]:
        """All visitors, last active first."""
        world = self._world
        if self._index is None:
            # An index of its own: going back in time must not reset the one that is served.
            count = world.catalog.count
            self._index = VisitorIndex(world.seed, world.profile, count, world.outlines, world.sessions)
        selected = []
        for visit in self._index.as_of(self._at(at)):
            person = world.people.person(visit.ref)
            selected.append(
                TrueVisitor(
                    visitor_key=person.key,
                    created_at=moment(created_at(visit, person)),
                    last_active_at=moment(visit.last_active),
                    last_event_key=visit.last_event_key,
                    play_count=visit.plays,
                    email=person.email if is_identified(visit, person) else None,
                )
            )
        return selected

    def pii_values(self, at: datetime | None = None) -> Iterator[str]:
        """Every personal text that was listed up to ``at``: to search a consumer's files for; repeats occur.

        E-mail addresses, names, IP addresses, visitor keys, coordinates (only with a canary, without one they
        are those of a city), capability tokens and page addresses with a query.
        """
        now = self._at(at)
        for media in range(self._world.catalog.count):
            for day in range(self._world.began, now // DAY + 2):
                for session in self._world.sessions.of(media, day):
                    if session.listed <= now:
                        yield from filter(None, self._personal(session))
            for lead in self._leads(media, now):
                yield from (lead.person.email, lead.person.first_name, lead.person.last_name)

    def _leads(self, media: int, now: int) -> list[Lead]:
        local = self._world.figures.local
        days = local.of(self._world.began * DAY), local.of(now)
        return self._world.analytics.leads(media, *days, now) if self._world.profile.lead_share else []

    def _personal(self, session: Session) -> Iterator[str]:
        seen = self._world.people.encounter(session)
        person = seen.person
        yield person.key
        yield seen.token
        yield seen.ip
        if seen.ip and self._world.profile.canary is not None:
            yield from (repr(seen.lat), repr(seen.lon), seen.region, seen.city, seen.org, person.title)
        if person.identified or session.conversion:
            yield from (person.email, person.first_name, person.last_name, person.organisation)
        yield seen.embed_url.partition("?")[2]


def _added(rows: Iterable[dict[str, object]]) -> dict[str, object]:
    """The sums of loads, plays and hours."""
    several = list(rows)
    return {
        name: sum(cast("float", row[name]) for row in several)
        for name in ("load_count", "play_count", "hours_watched")
    }


def _number(day: date | None) -> int | None:
    return None if day is None else day_number(day)


def _media(state: MediaState) -> TrueMedia:
    return TrueMedia(
        media_id=state.media_id,
        numeric_id=state.numeric_id,
        name=state.name,
        duration=state.duration,
        archived=state.archived,
        status=state.status,
        tags=state.tags,
        folder=state.folder,
        created=moment(state.created),
        updated=moment(state.updated),
    )
