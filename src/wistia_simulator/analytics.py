"""What /analytics tells of a day: where its plays came from, in which language, on which pages, and who left a form.

Built on the same plays as the timeseries: bots are filtered out, so every breakdown adds up to the timeseries' plays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from wistia_simulator.figures import Figures, Play
from wistia_simulator.people import Encounter, People, Person
from wistia_simulator.profile import Profile
from wistia_simulator.rng import digest, fraction
from wistia_simulator.sessions import Session, Sessions
from wistia_simulator.vocabulary import LANGUAGES, REFERRERS, SCREENS

UTM = ("utm_campaign", "utm_source", "utm_medium")
GROUPS = (*UTM, "referrer_domain", "viewer_screen_size")
"""The dimensions that traffic may be grouped by."""


class Lead(NamedTuple):
    """A form that a viewer sent; ``at`` in epoch seconds."""

    at: int
    person: Person


@dataclass(frozen=True)
class Group:
    """The plays of a day that share a value; ``value`` is None where there is none."""

    value: str | None
    loads: int
    plays: int
    engagement: float
    seconds: int


def others(groups: Sequence[Group]) -> Group:
    """Some groups as one without a value."""
    plays = sum(group.plays for group in groups)
    engagement = round(sum(group.engagement * group.plays for group in groups) / plays, 4)
    loads, seconds = (sum(getattr(group, name) for group in groups) for name in ("loads", "seconds"))
    return Group(None, loads, plays, engagement, seconds)


class Analytics:
    """The breakdowns of all medias, as of a moment. Days are local day numbers, moments epoch seconds."""

    def __init__(
        self, seed: int, profile: Profile, figures: Figures, sessions: Sessions, people: People
    ) -> None:
        self._seed = seed
        self._profile = profile
        self._figures = figures
        self._sessions = sessions
        self._people = people
        self._values: Mapping[str, Callable[[Session, Encounter], str | None]] = {
            **{name: _utm_reader(name) for name in UTM},
            "referrer_domain": lambda session, _: self._drawn("referrer", session, REFERRERS),
            "viewer_screen_size": lambda session, seen: self._drawn(
                "screen", session, SCREENS[seen.person.browser.mobile]
            ),
            "language": lambda session, _: self._drawn("language", session, tuple(LANGUAGES)),
            "embed_url": lambda _, seen: seen.embed_url.partition("?")[0] or None,
        }

    def groups(self, index: int, first: int, last: int, dimension: str, at: int) -> list[Group]:
        """The plays of the days from ``first`` to ``last`` by a dimension, most plays first."""
        by_value: dict[str | None, list[tuple[Play, Session]]] = {}
        for day in range(first, last + 1):
            for play in self._figures.real_plays(index, day, at):
                session = self._sessions.of(index, play.day)[play.place]
                seen = self._people.encounter(session)
                by_value.setdefault(self._values[dimension](session, seen), []).append((play, session))
        groups = [self._group(index, value, rows) for value, rows in by_value.items()]
        return sorted(groups, key=lambda group: (-group.plays, group.value or ""))

    def _group(self, index: int, value: str | None, rows: list[tuple[Play, Session]]) -> Group:
        watched = sum(play.percent for play, _ in rows)
        idle = sum(int(3 * fraction(self._seed, "idle", s.media, s.day, s.place)) for _, s in rows)
        seconds = int(watched * self._figures.duration(index, rows[0][0].received))
        return Group(value, len(rows) + idle, len(rows), round(watched / len(rows), 4), seconds)

    def leads(self, index: int, first: int, last: int, at: int) -> list[Lead]:
        """The forms that viewers sent on some days, newest first."""
        leads = []
        for day in range(first, last + 1):
            for play in self._figures.leads(index, day, at):
                session = self._sessions.of(index, play.day)[play.place]
                leads.append(Lead(play.received, self._people.person(session.visitor)))
        return leads[::-1]

    def _drawn(self, name: str, session: Session, values: Sequence[str | None]) -> str | None:
        return values[digest(self._seed, name, session.media, session.day, session.place) % len(values)]


def _utm_reader(name: str) -> Callable[[Session, Encounter], str | None]:
    def read(_: Session, seen: Encounter) -> str | None:
        return next(iter(parse_qs(urlsplit(seen.embed_url).query).get(name, ())), None)

    return read
