"""The personal side: who a visitor is, and what is particular to one session. All of it is invented."""

from dataclasses import dataclass
from typing import Any, TypeVar

from wistia_simulator.outlines import Outlines
from wistia_simulator.profile import Profile
from wistia_simulator.rng import digest
from wistia_simulator.sessions import Session, VisitorRef, key_text
from wistia_simulator.vocabulary import (
    BROWSERS,
    CITIES,
    CONVERSION_TYPES,
    COUNTRIES,
    DEVICES,
    FIRST_SYLLABLES,
    LANDING_PAGES,
    LAST_SYLLABLES,
    ORGANISATIONS,
    TITLES,
    UTM_SOURCES,
    City,
)

T = TypeVar("T")

_NEW_VOCABULARY_DAY = 20_089
"""2025-01-01: from then on major versions only and platforms such as ``iOS (iPhone)``."""
_ODD_KEY_PREFIX_ONE_IN = 100


@dataclass(frozen=True)
class Browser:
    """user_agent_details."""

    name: str
    version: str
    platform: str
    mobile: bool


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Where a viewer is, as far as the IP address tells; lat/lon in degrees. Privacy Mode leaves it empty."""

    ip: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    lat: float = 0.0
    lon: float = 0.0
    org: str = ""

    def whereabouts(self) -> dict[str, Any]:
        """These fields by name."""
        return {name: getattr(self, name) for name in Whereabouts.__annotations__}


@dataclass(frozen=True, kw_only=True)
class Person(Whereabouts):
    """A visitor; ``first_seen`` in epoch seconds, ``identified`` if Wistia knows the e-mail address."""

    key: str
    first_seen: int
    identified: bool
    email: str
    first_name: str
    last_name: str
    organisation: str
    title: str
    browser: Browser


@dataclass(frozen=True, kw_only=True)
class Encounter(Whereabouts):
    """What a list shows of the viewer of one session; texts are empty when unknown."""

    person: Person
    email: str | None
    embed_url: str
    conversion_type: str
    conversion_data: dict[str, object]
    token: str


class _Bits:
    """Takes small numbers from a big one, lowest first."""

    def __init__(self, number: int) -> None:
        self._number = number

    def below(self, limit: int) -> int:
        self._number, rest = divmod(self._number, limit)
        return rest

    def share(self) -> float:
        return self.below(1 << 16) / (1 << 16)


class People:
    """Makes persons and encounters on demand; nothing is stored."""

    def __init__(self, seed: int, profile: Profile, outlines: Outlines) -> None:
        self._seed = seed
        self._profile = profile
        self._outlines = outlines

    def person(self, ref: VisitorRef) -> Person:
        """The visitor behind a reference."""
        media, day, place = ref
        first_seen = self._outlines.of(media, day).loaded[place if place >= 0 else -1 - place]
        look = _Bits(digest(self._seed, "person", *ref))
        number = self.number(media, day, place)
        identified, odd, abroad = look.share(), look.below(_ODD_KEY_PREFIX_ONE_IN) == 0, look.below(50) == 0
        country, spot = COUNTRIES[look.below(len(COUNTRIES))] if abroad else ("US", _pick(CITIES, look))
        first = _pick(FIRST_SYLLABLES, look) + _pick(LAST_SYLLABLES, look)
        last = _pick(FIRST_SYLLABLES, look) + _pick(LAST_SYLLABLES, look)
        region = spot.region if look.below(200) else ""
        return Person(
            key=self._key(ref, first_seen, odd),
            first_seen=first_seen,
            identified=identified < self._profile.email_share,
            email=f"{self._mark('email', number, f'{first}.{last}.{number}'.lower())}@mail.example.com",
            first_name=self._mark("first_name", number, first),
            last_name=self._mark("last_name", number, last),
            organisation=self._mark("organisation", number, f"{last} {number % 1000} Ltd"),
            title=self._mark("title", number, _pick(TITLES, look)),
            ip=self._ip(look),
            country=country,
            region=self._mark("region", number, region),
            city=self._mark("city", number, spot.city if region and look.below(20) else ""),
            lat=self._degrees(spot, 0, look),
            lon=self._degrees(spot, 1, look),
            org=self._mark("org", number, _pick(ORGANISATIONS, look) if look.below(270) else ""),
            browser=_browser(look, day),
        )

    @staticmethod
    def number(media: int, day: int, place: int) -> int:
        """A number that no other visitor (or session) has."""
        return (media * 100_000 + day) * 1_000_000 + (place if place >= 0 else 500_000 - place)

    def _key(self, ref: VisitorRef, first_seen: int, odd: bool) -> str:
        bits = digest(self._seed, "visitor", *ref)
        key = key_text(first_seen, bits)
        return f"{bits >> 228 & 0xFFFFFFF:07x}{key[7:]}" if odd else key

    def _mark(self, field: str, number: int, value: str) -> str:
        canary = self._profile.canary
        return value if canary is None or not value else f"{canary}-{field}-{number}"

    def _ip(self, look: _Bits) -> str:
        six, host = look.share(), look.below(1 << 17)
        if six < self._profile.ipv6_share:
            return f"2001:db8:{host >> 16:x}:{host & 0xFFFF:x}::{look.below(0xFFFF):x}"
        return f"198.{18 + (host >> 16)}.{host >> 8 & 255}.{host & 255}"

    def _degrees(self, spot: City, axis: int, look: _Bits) -> float:
        """One decimal as usual; with a canary seven digits that no other visitor is likely to share."""
        degrees = spot.lat if axis == 0 else spot.lon
        if self._profile.canary is None:
            return degrees
        tail = (1_000_001 + look.below(8_999_998)) / 100_000_000
        return round(degrees + tail if degrees >= 0 else degrees - tail, 8)

    def encounter(self, session: Session) -> Encounter:
        """What is particular to one session."""
        person = self.person(session.visitor)
        look = _Bits(session.details)
        number = self.number(session.media, session.day, session.place)
        shown = person.identified and not session.private
        url = self._embed_url(person, number, look)
        return Encounter(
            person=person,
            **({} if session.private else person.whereabouts()),
            email=person.email if shown or session.conversion else None,
            embed_url=url,
            conversion_type=_pick(CONVERSION_TYPES, look) if session.conversion else "",
            conversion_data=_conversion_data(person, look) if session.conversion else {},
            token=f"{look.below(1 << 40):010x}",
        )

    def _embed_url(self, person: Person, number: int, look: _Bits) -> str:
        page, empty, query = _pick(LANDING_PAGES, look), look.below(75) == 0, look.share()
        if empty:
            return ""
        marker = "" if self._profile.canary is None else f"{self._profile.canary}-embed_url-{number}"
        if query >= self._profile.embed_query_share:
            return f"{page}?ref={marker}" if marker else page
        source, medium = _pick(UTM_SOURCES, look)
        campaign = marker or f"campaign-{look.below(9)}"
        url = f"{page}?utm_source={source}&utm_medium={medium}&utm_campaign={campaign}"
        extra = look.below(10)
        if extra < 4:
            url += f"&gclid={look.below(1 << 60):015x}"
        return f"{url}&email={person.email.replace('@', '%40')}" if extra == 4 else url


def _conversion_data(person: Person, look: _Bits) -> dict[str, object]:
    return {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "is_new_lead": look.below(2) == 0,
    }


def _pick(values: tuple[T, ...], look: _Bits) -> T:
    return values[look.below(len(values))]


def _browser(look: _Bits, day: int) -> Browser:
    device = _pick(DEVICES, look)
    name = _pick(device.browsers, look)
    version = BROWSERS[name]
    if day >= _NEW_VOCABULARY_DAY:
        return Browser(name, version, device.platform, device.mobile)
    full = f"{int(version) or 1}.0.{look.below(7000)}.{look.below(200)}"
    return Browser(name, full, device.old_platform, device.mobile)
