"""Viewing sessions with their whole history, so that the state at a moment is a pure function."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from wistia_simulator.cache import BoundedCache
from wistia_simulator.catalog import FOREVER, Catalog
from wistia_simulator.clock import DAY
from wistia_simulator.outlines import Outline, Outlines
from wistia_simulator.profile import Profile
from wistia_simulator.rng import digest, fraction, stream

Flaw = Literal["", "above_one", "no_percent", "no_visitor"]
"""What is wrong with a session in a list; empty if nothing is."""

VisitorRef = tuple[int, int, int]
"""(media index, UTC day, place) of a first visit; a negative place is a visitor in Privacy Mode."""

_KEY_BITS = 228
_DETAIL_BITS = 160
_STEPS = 12
_LONGEST_GROWTH = 6 * 3_600
_RESTLESS = 12 * DAY
_RESTLESS_STEPS = 24
_FLAWED_ONE_IN = 25
_NOON = 12 * 3_600
_EARLY = 6 * 3_600
_LOOK_BACK_DAYS = 7


def key_text(loaded: int, bits: int) -> str:
    """The 72 characters ``1733874_<uuid>-<9 hex>-<12 hex>-<4 hex>``; ``loaded`` in epoch seconds."""
    text = f"{bits & ((1 << _KEY_BITS) - 1):057x}"
    uuid = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
    return f"{loaded // 1_000:07d}_{uuid}-{text[32:41]}-{text[41:53]}-{text[53:57]}"


@dataclass(slots=True, eq=False)
class Session:
    """One event key and its whole life; moments are epoch seconds.

    ``first_received`` and ``received`` differ only if received_at moves. ``duplicate``: 0 once in a list,
    1 twice and equal, 2 twice with a lower percent_viewed in the second copy. ``straddles``: by how many
    seconds a second copy stands before the first one, on the day before; 0 without such a copy. Between
    ``spoils`` and ``mends`` the session is listed with its ``flaw``.
    """

    media: int
    day: int
    place: int
    loaded: int
    first_received: int
    received: int
    listed: int
    vanishes: int
    first_percent: float
    percent: float
    grows: int
    duplicate: int
    conversion: bool
    visitor: VisitorRef
    bits: int
    straddles: int = 0
    spoils: int = FOREVER
    mends: int = FOREVER
    flaw: Flaw = ""

    @property
    def key(self) -> str:
        """The event key."""
        return key_text(self.loaded, self.bits)

    @property
    def details(self) -> int:
        """160 bits for whatever is particular to this viewing session."""
        return self.bits >> _KEY_BITS

    @property
    def private(self) -> bool:
        """Whether the viewer was in Privacy Mode."""
        return self.visitor[2] < 0

    @property
    def settles(self) -> int:
        """The moment after which nothing changes any more."""
        changes = (self.listed + self.grows, self.vanishes, self.spoils, self.mends)
        return max(change for change in changes if change != FOREVER)

    def visible(self, at: int) -> bool:
        """Whether a list that is asked at ``at`` contains the session."""
        return self.listed <= at < self.vanishes

    @property
    def _steps(self) -> int:
        """How many steps it grows in."""
        return _RESTLESS_STEPS if self.grows == _RESTLESS else _STEPS

    def _step(self, at: int) -> int:
        if at >= self.listed + self.grows:
            return self._steps
        return max(0, (at - self.listed) * self._steps // self.grows)

    def percent_at(self, at: int) -> float:
        """percent_viewed at ``at``; it never falls."""
        step, steps = self._step(at), self._steps
        if step == steps:
            return self.percent
        return min(self.percent, self.first_percent + (self.percent - self.first_percent) * step / steps)

    def received_at(self, at: int) -> int:
        """received_at as served at ``at``."""
        if self.first_received == self.received:
            return self.received
        return self.first_received + (self.received - self.first_received) * self._step(at) // self._steps

    def flaw_at(self, at: int) -> Flaw:
        """How the session is misshapen in a list that is asked at ``at``."""
        return self.flaw if self.spoils <= at < self.mends else ""

    def places(self, at: int) -> list[int]:
        """The received_at of each copy in the lists, the first copy's first."""
        received = self.received_at(at)
        return [received] * (1 + bool(self.duplicate)) + [received - self.straddles] * bool(self.straddles)

    def copy_percent(self, copy: int, at: int) -> float:
        """percent_viewed of the first (0) or second (1) copy in a list."""
        percent = self.percent_at(at)
        return percent * 0.75 if copy and self.duplicate == 2 else percent


class Day(list[Session]):
    """The sessions of one media whose final received_at lies in one UTC day."""

    settles = 0
    """The moment after which none of them changes any more."""


class Sessions:
    """Makes full sessions from outlines and keeps as many as memory allows."""

    def __init__(self, seed: int, profile: Profile, catalog: Catalog, outlines: Outlines, limit: int) -> None:
        self._seed = seed
        self._profile = profile
        self._catalog = catalog
        self._outlines = outlines
        self._opening: dict[int, int] = {}
        self._days: BoundedCache[tuple[int, int], Day] = BoundedCache(limit)

    def of(self, index: int, day: int) -> Day:
        """All sessions of a media on a UTC day, whether they are listed already or not."""
        return self._days.get((index, day), lambda: self._make(index, day))

    def _opens(self, index: int) -> int:
        if index not in self._opening:
            self._opening[index] = max(self._catalog.playable(index)[0], self._outlines.began * DAY)
        return self._opening[index]

    def _make(self, index: int, day: int) -> Day:
        outline = self._outlines.of(index, day)
        rng = stream(self._seed, "sessions", index, day)
        sessions = Day(self._session(index, day, place, outline, rng) for place in range(len(outline)))
        self._spoil(index, day, sessions)
        sessions.settles = max((session.settles for session in sessions), default=0)
        return sessions

    def _spoil(self, index: int, day: int, sessions: Day) -> None:
        """Give some sessions their flaw: from a noon on that comes after a night in which they were well,
        half of them for two days, the others for ever."""
        if not self._profile.flawed:
            return
        drawn = sorted((self._draw("flawed", index, day, s.place), s.place) for s in sessions)
        for share, place in drawn[: len(sessions) // _FLAWED_ONE_IN]:
            session = sessions[place]
            wait, kind = divmod(digest(self._seed, "flaw", index, day, place) % 16, 4)
            spoils = (day + 1 + wait) * DAY + _NOON
            if share < self._profile.flawed and session.listed + session.grows <= spoils:
                session.spoils = spoils
                session.mends = FOREVER if kind % 2 else session.spoils + 2 * DAY
                session.flaw = "no_visitor" if kind < 2 else "no_percent"
                if session.percent == 1.0:
                    session.flaw = "above_one"

    def _draw(self, name: str, index: int, day: int, place: int) -> float:
        """A number in [0, 1) that disturbs no other draw of the day."""
        return fraction(self._seed, name, index, day, place)

    def _restless(self, index: int, day: int, place: int) -> bool:
        return bool(self._profile.restless) and self._draw("restless", index, day, place) < (
            self._profile.restless
        )

    def _straddles(self, index: int, day: int, place: int, received: int) -> int:
        """How far before an early session its copy of the day before stands."""
        second = received - day * DAY
        if not self._profile.straddling or second >= _EARLY or received - DAY // 2 <= self._opens(index):
            return 0
        drawn = self._draw("straddling", index, day, place) < self._profile.straddling
        return second + 1 + digest(self._seed, "straddles", index, day, place) % _EARLY if drawn else 0

    def _session(self, index: int, day: int, place: int, outline: Outline, rng: Random) -> Session:
        # The same draws whatever the profile says: switching one behaviour on leaves the others alone.
        draw = rng.random
        grow, length, share, late, lateness, move, twice, copy, leave, delay, private, returns = (
            draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw()
        )  # fmt: skip
        visitor = self._visitor(index, day, place, private, returns, rng.getrandbits(48))
        bits = rng.getrandbits(_KEY_BITS + _DETAIL_BITS)
        profile, percent = self._profile, outline.percent[place]
        loaded, received = outline.loaded[place], outline.received[place]
        first_received, grows = received, 0
        wait = int(delay * (profile.listing_delay_seconds + 1))
        is_late = late < profile.late
        if is_late:
            wait = int(7_200 + lateness**2 * max(0.0, profile.late_days * DAY - 7_200))
        if grow < profile.growing and percent > 0.0:
            grows = int(120 * (_LONGEST_GROWTH / 120) ** length)
            # Nothing moves back beyond the beginning of its media.
            if move < profile.moving and not is_late and received - grows > self._opens(index):
                first_received = received - grows
                loaded = min(loaded, first_received - 5)
        elif percent > 0.0 and self._restless(index, day, place):
            grows = _RESTLESS
        listed = first_received + wait
        straddles = 0 if move < profile.moving else self._straddles(index, day, place, received)
        return Session(
            media=index,
            day=day,
            place=place,
            loaded=loaded,
            first_received=first_received,
            received=received,
            listed=listed,
            vanishes=listed + 14_400 + int(leave * 5 * DAY) if place in outline.vanishing else FOREVER,
            first_percent=percent * (0.05 + 0.85 * share) if grows else percent,
            percent=percent,
            grows=grows,
            duplicate=(1 if copy < 0.5 else 2) if twice < profile.duplicated else 0,
            conversion=place in outline.conversions,
            visitor=visitor,
            bits=bits,
            straddles=straddles,
        )

    def _visitor(
        self, index: int, day: int, place: int, private: float, returns: float, bits: int
    ) -> VisitorRef:
        if private < self._profile.privacy_mode_share:
            return index, day, -1 - place
        if returns < self._profile.returning_share:
            return self._earlier_visitor(index, day, place, bits)
        return index, day, place

    def _earlier_visitor(self, index: int, day: int, place: int, bits: int) -> VisitorRef:
        first_day = max(self._outlines.began, day - 1 - bits % _LOOK_BACK_DAYS)
        # Every other one comes back to the same media, the others saw another one first.
        media = index if bits & 0x100 else (bits >> 9) % self._catalog.count
        size = len(self._outlines.of(media, first_day)) if first_day < day else 0
        return (media, first_day, (bits >> 24) % size) if size else (index, day, place)
