"""A simulated Wistia account: everything follows from (seed, profile) and the virtual clock."""

from datetime import datetime, timedelta

from wistia_simulator.analytics import Analytics
from wistia_simulator.catalog import Catalog
from wistia_simulator.clock import DAY, VirtualClock
from wistia_simulator.figures import Figures
from wistia_simulator.listings import Listings
from wistia_simulator.outlines import Outlines
from wistia_simulator.people import People
from wistia_simulator.profile import Profile
from wistia_simulator.sessions import Sessions
from wistia_simulator.truth import Truth
from wistia_simulator.visitors import VisitorIndex

_CACHED_ROWS = 250_000


class World:
    """One account. ``now`` starts the clock; the first session lies ``profile.history_days`` before it.

    Sessions of a (media, UTC day) depend on the seed, the profile and that day alone, so that two worlds
    which began on different days tell the same story about the days they share (but for returning visitors).
    ``cached_rows`` are as many as the lists hold that are read at once.
    """

    def __init__(
        self,
        seed: int,
        profile: Profile,
        now: datetime,
        clock: VirtualClock | None = None,
        cached_rows: int = _CACHED_ROWS,
    ) -> None:
        self.seed = seed
        self.profile = profile
        self.clock = clock or VirtualClock(now)
        self.began = self.clock.epoch() // DAY - profile.history_days
        """The UTC day number of the first session."""
        self.catalog = Catalog(seed, profile, self.began)
        self.deleting: dict[int, int] = {}
        """Medias that were deleted at once: the second in which that happened, by index."""
        self.outlines = Outlines(seed, profile, self.catalog, self.began)
        self.sessions = Sessions(seed, profile, self.catalog, self.outlines, cached_rows)
        self.people = People(seed, profile, self.outlines)
        self.listings = Listings(self.catalog, self.outlines, self.sessions, cached_rows)
        self.figures = Figures(seed, profile, self.catalog, self.outlines)
        self.analytics = Analytics(seed, profile, self.figures, self.sessions, self.people)
        self.visitors = VisitorIndex(seed, profile, self.catalog.count, self.outlines, self.sessions)
        self.truth = Truth(self)

    @property
    def media_ids(self) -> tuple[str, ...]:
        """The hashed ids by media index, also of medias that do not exist yet or any more."""
        return self.catalog.ids

    def now(self) -> datetime:
        """The virtual moment."""
        return self.clock.now()

    def advance(self, step: timedelta) -> None:
        """Move the clock."""
        self.clock.advance(step)

    def delete(self, media_id: str) -> None:
        """Delete a media now: no later answer has it. The truth about this second, in which it was still
        asked for, stays as it was."""
        index, now = self.catalog.index_of(media_id), self.clock.epoch()
        if index is not None and index not in self.deleting:
            self.deleting[index] = now
            self.catalog.delete(index, now + 1)

    def scope(self, media_id: str | None, at: int) -> tuple[int, ...]:
        """The indexes of the medias that a query is about: one, all live ones (None), or none at all."""
        live = tuple(state.index for state in self.catalog.live(at))
        if media_id is None:
            return live
        index = self.catalog.index_of(media_id)
        return (index,) if index in live and index is not None else ()
