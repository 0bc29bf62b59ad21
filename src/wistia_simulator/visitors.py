"""The account-wide list of visitors, sorted by last activity: who watches again moves to the front."""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import RLock

from wistia_simulator.clock import DAY
from wistia_simulator.outlines import Outlines
from wistia_simulator.people import People, Person
from wistia_simulator.profile import Profile
from wistia_simulator.rng import digest
from wistia_simulator.sessions import Session, Sessions, VisitorRef, key_text

_EVENT = tuple[int, int]
_LOAD_COUNTS = (1, 1, 1, 1, 1, 1, 2, 3, 12, 13, 23)


@dataclass(slots=True, eq=False)
class Visit:
    """One visitor so far; ``last_active`` in epoch seconds, events as page load and key bits."""

    ref: VisitorRef
    last_active: int
    last_event: _EVENT
    identifying: _EVENT | None
    plays: int
    loads: int

    @property
    def last_event_key(self) -> str:
        """The event key of the newest session."""
        return key_text(*self.last_event)

    @property
    def identifying_event_key(self) -> str | None:
        """The event key of the first conversion, None without one."""
        return None if self.identifying is None else key_text(*self.identifying)


class VisitorIndex:
    """The visitors as of a moment. Going forward adds new sessions, going back starts over."""

    def __init__(
        self, seed: int, profile: Profile, count: int, outlines: Outlines, sessions: Sessions
    ) -> None:
        self._seed = seed
        self._reach = int(profile.late_days) + 2
        self._count = count
        self._outlines = outlines
        self._sessions = sessions
        self._lock = RLock()
        self._at = -1
        self._visits: dict[VisitorRef, Visit] = {}
        self._order: list[Visit] = []

    def as_of(self, at: int) -> list[Visit]:
        """All visitors with a listed session at ``at``, last active first."""
        with self._lock:
            if at < self._at:
                self._at, self._visits = -1, {}
            if at > self._at:
                self._advance(at)
            return self._order

    def _advance(self, at: int) -> None:
        for session in self._newly_listed(at):
            self._add(session)
        self._at = at
        self._order = sorted(self._visits.values(), key=lambda visit: (-visit.last_active, visit.last_event))

    def _newly_listed(self, at: int) -> Iterator[Session]:
        first = self._outlines.began
        if self._at >= 0:
            first = max(first, self._at // DAY - self._reach)
        for day in range(first, at // DAY + 2):
            for index in range(self._count):
                if len(self._outlines.of(index, day)):
                    fresh = (
                        s
                        for s in self._sessions.of(index, day)
                        if self._at < s.listed <= at and not s.private
                    )
                    yield from fresh

    def _add(self, session: Session) -> None:
        ref, event = session.visitor, (session.loaded, session.bits)
        visit = self._visits.get(ref)
        if visit is None:
            loads = digest(self._seed, "visitor loads", *ref) % len(_LOAD_COUNTS)
            visit = Visit(ref, session.first_received, event, None, 0, _LOAD_COUNTS[loads])
            self._visits[ref] = visit
        elif session.first_received > visit.last_active:
            visit.last_active, visit.last_event = session.first_received, event
        visit.plays += 1
        if session.conversion and (visit.identifying is None or event < visit.identifying):
            visit.identifying = event


def created_at(visit: Visit, person: Person) -> int:
    """Epoch seconds; for one visitor in fourteen a little later than the last activity."""
    skew = visit.last_event[1] % 14
    if visit.plays == 1 and skew == 0:
        return visit.last_active + 1 + visit.last_event[1] // 14 % 139
    return min(person.first_seen, visit.last_active)


def is_identified(visit: Visit, person: Person) -> bool:
    """Whether Wistia knows the visitor's name and e-mail address."""
    return person.identified or visit.identifying is not None


def matches(visit: Visit, people: People, search: str | None, criterion: str | None) -> bool:
    """Whether a visitor passes ``search`` (in name or e-mail) and ``filter``."""
    person = people.person(visit.ref)
    identified = is_identified(visit, person)
    if criterion in ("has_name", "has_email") and not identified:
        return False
    if criterion == "identified_by_email_gate" and visit.identifying is None:
        return False
    text = f"{person.first_name} {person.last_name} {person.email}".lower()
    return not search or (identified and search.lower() in text)
