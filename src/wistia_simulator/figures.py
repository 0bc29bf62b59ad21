"""Daily and lifetime figures: what Wistia counts, when it counts it, and how it derives hours from it."""

import operator
from collections.abc import Sequence
from threading import RLock
from typing import NamedTuple

from wistia_simulator.catalog import Catalog
from wistia_simulator.clock import DAY
from wistia_simulator.outlines import BINS, Outlines, between
from wistia_simulator.profile import Profile
from wistia_simulator.rng import digest, fraction
from wistia_simulator.zones import LocalDays

_HOUR = 3_600
_BATCH = 45 * 60
_LAG = 75 * 60
_BEFORE_FINAL = 0.9
_LONGEST_CURVE = 1_000


class Counts(NamedTuple):
    """Loads and plays of some period."""

    loads: int
    plays: int


class DayFigures(NamedTuple):
    """A by_date row; ``day`` is a local day number, ``hours`` are modelled."""

    day: int
    loads: int
    plays: int
    hours: float


class Totals(NamedTuple):
    """Lifetime figures of several medias together."""

    loads: int
    plays: int
    hours: float


class Lifetime(NamedTuple):
    """The lifetime statistics of a media; ``play_rate`` and ``engagement`` are 0..1."""

    loads: int
    plays: int
    play_rate: float
    hours: float
    engagement: float
    visitors: int


class Engagement(NamedTuple):
    """Lifetime engagement: views and repeated views per second, scaled to 1,000 places beyond 1,000 s."""

    engagement: float
    views: list[int]
    rewatched: list[int]


class Play(NamedTuple):
    """A play that /analytics counts: when it was received, the share seen, and its ``place`` on its UTC ``day``."""

    received: int
    percent: float
    day: int
    place: int


class RealDay(NamedTuple):
    """A local day as the analytics endpoint sees it: bots filtered out, ``seconds`` really watched."""

    start: int
    plays: int
    unique_plays: int
    unique_loads: int
    seconds: int
    engagement: float
    offers: int = 0
    clicks: int = 0
    forms: int = 0


class Figures:
    """All figures as of a moment. Days are local day numbers, moments are epoch seconds."""

    def __init__(self, seed: int, profile: Profile, catalog: Catalog, outlines: Outlines) -> None:
        self._seed = seed
        self._profile = profile
        self._catalog = catalog
        self._outlines = outlines
        self.local = LocalDays(profile.account_timezone)
        self._lock = RLock()
        self._final: dict[tuple[int, int], Counts] = {}
        self._cumulated: dict[int, list[Counts]] = {}
        self._watched: dict[int, list[tuple[int, float]]] = {}

    # Daily counts

    def _stored(self, index: int, start: int, end: int) -> tuple[int, int]:
        """Plays received in [start, end) that stay, and those that vanish one day."""
        staying = leaving = 0
        for day in range(start // DAY, (end - 1) // DAY + 1):
            outline = self._outlines.of(index, day)
            staying += between(outline.staying, start, end)
            leaving += between(outline.leaving, start, end)
        return staying, leaving

    def final(self, index: int, day: int) -> Counts:
        """The counts of a local day once they are final: about one percent more plays than events."""
        key = (index, day)
        if key not in self._final:
            self._final[key] = self._count(index, day)
        return self._final[key]

    def _count(self, index: int, day: int) -> Counts:
        staying, leaving = self._stored(index, *self.local.bounds(day))
        extra = fraction(self._seed, "loads", index, day)
        idle = int(4 * extra) if day >= self._first_day(index) else 0
        if staying + leaving == 0:
            return Counts(idle, 0)
        # Plays of viewers who are hidden from the API. The gap to the events stays within two percent.
        hidden = int(staying * 0.012 + fraction(self._seed, "hidden", index, day))
        plays = staying + min(max(2, staying // 50), leaving + hidden)
        return Counts(plays + int(plays * (2.3 + 0.6 * extra)) + idle, plays)

    def _first_day(self, index: int) -> int:
        return max(self.local.of(self._outlines.began * DAY), self.local.of(self._catalog.playable(index)[0]))

    def counts(self, index: int, day: int, at: int) -> Counts:
        """The counts of a local day as served at ``at``; they never fall."""
        start, end = self.local.bounds(day)
        if at < start:
            return Counts(0, 0)
        if not self._profile.batched:
            return self._running(index, day, start, at) if at < end else self.final(index, day)
        share = self._progress(index, day, start, end, at)
        loads, plays = self.final(index, day)
        return Counts(int(loads * share), int(plays * share))

    def _running(self, index: int, day: int, start: int, at: int) -> Counts:
        final = self.final(index, day)
        plays = min(self._stored(index, start, at + 1)[0], final.plays)
        return Counts(final.loads * plays // final.plays if final.plays else 0, plays)

    def _settles(self, index: int, day: int, end: int) -> int:
        """When the counts of a local day become final: 3 to 20 hours after its end."""
        return end + 3 * _HOUR + int(17 * _HOUR * fraction(self._seed, "final", index, day))

    def _progress(self, index: int, day: int, start: int, end: int, at: int) -> float:
        """The share of the day's counts that has been served so far; it grows in batches that lag behind."""
        batch = self._refreshed("batch", index, _BATCH, at)
        settles = self._settles(index, day, end)
        if batch >= settles:
            return 1.0
        counted = min(1.0, max(0.0, (batch - _LAG - start) / (end - start)))
        corrected = max(0.0, (batch - end) / (settles - end))
        return _BEFORE_FINAL * counted + 0.07 * corrected

    def _refreshed(self, name: str, index: int, period: int, at: int) -> int:
        """The last moment at which a figure was refreshed; figures are served from batches."""
        offset = digest(self._seed, name, index) % period
        return (at - offset) // period * period + offset

    def by_date(self, index: int, first: int, last: int, at: int) -> list[DayFigures]:
        """One row per local day, ascending; hours are plays x lifetime engagement x duration."""
        hours = self._hours_per_play(index, at)
        rows = []
        for day in range(first, last + 1):
            loads, plays = self.counts(index, day, at)
            rows.append(DayFigures(day, loads, plays, plays * hours))
        return rows

    def _hours_per_play(self, index: int, at: int) -> float:
        return self._engagement(index, at) * self._catalog.duration(index, at) / _HOUR

    # Lifetime

    def _period(self) -> int:
        return 6 * _HOUR if self._profile.batched else _HOUR

    def _until(self, index: int, day: int) -> Counts:
        """Final counts of all local days up to ``day``, this one included."""
        first = self._first_day(index)
        with self._lock:
            sums = self._cumulated.setdefault(index, [])
            while len(sums) <= day - first:
                before = sums[-1] if sums else Counts(0, 0)
                final = self.final(index, first + len(sums))
                sums.append(Counts(before.loads + final.loads, before.plays + final.plays))
        return sums[day - first] if day >= first else Counts(0, 0)

    def _lifetime_counts(self, index: int, at: int) -> Counts:
        today = self.local.of(at)
        recent = [
            self.counts(index, day, at) for day in range(max(today - 1, self._first_day(index)), today + 1)
        ]
        loads, plays = self._until(index, today - 2)
        loads += sum(counts.loads for counts in recent)
        plays += sum(counts.plays for counts in recent)
        # Some plays belong to no day: the days add up to a little less than the lifetime.
        undated = digest(self._seed, "undated", index) % 20 if plays else 0
        return Counts(loads + undated, plays + undated)

    def _watched_until(self, index: int, day: int) -> tuple[int, float]:
        """Sessions of all UTC days before ``day`` and the sum of their percent_viewed."""
        with self._lock:
            sums = self._watched.setdefault(index, [(0, 0.0)])
            while len(sums) <= day - self._outlines.began:
                outline = self._outlines.of(index, self._outlines.began + len(sums) - 1)
                sessions, watched = sums[-1]
                sums.append((sessions + len(outline), watched + outline.watched))
        return sums[max(0, day - self._outlines.began)]

    def _engagement(self, index: int, at: int) -> float:
        """Lifetime engagement, 0..1, six decimals: it moves with every batch, up or down."""
        refreshed = self._refreshed("plays", index, self._period(), at)
        today = refreshed // DAY
        sessions, watched = self._watched_until(index, today)
        outline = self._outlines.of(index, today)
        so_far = [outline.percent[n] for n, received in enumerate(outline.received) if received <= refreshed]
        total = sessions + len(so_far)
        return round((watched + sum(so_far)) / total, 6) if total else 0.0

    def lifetime(self, index: int, at: int) -> Lifetime:
        """Lifetime statistics; visitors and play rate are refreshed at other moments than plays."""
        loads, plays = self._lifetime_counts(index, self._refreshed("plays", index, self._period(), at))
        other = self._lifetime_counts(index, self._refreshed("visitors", index, self._period(), at))
        players = int(other.plays * 0.97)
        visitors = max(players, int(other.loads * 0.94))
        engagement = self._engagement(index, at)
        hours = plays * engagement * self._catalog.duration(index, at) / _HOUR
        rate = players / visitors if visitors else 0.0
        return Lifetime(loads, plays, rate, hours, engagement, visitors)

    # Several medias together

    def totals(self, indexes: Sequence[int], at: int) -> Totals:
        """The lifetime figures of medias, added."""
        each = [self.lifetime(index, at) for index in indexes]
        return Totals(sum(f.loads for f in each), sum(f.plays for f in each), sum(f.hours for f in each))

    def days(self, indexes: Sequence[int], first: int, last: int, at: int) -> list[DayFigures]:
        """The by_date rows of medias, added: one per local day, ascending."""
        each = [self.by_date(index, first, last, at) for index in indexes]
        return [
            DayFigures(
                day,
                sum(rows[day - first].loads for rows in each),
                sum(rows[day - first].plays for rows in each),
                sum(rows[day - first].hours for rows in each),
            )
            for day in range(first, last + 1)
        ]

    def engagement(self, index: int, at: int) -> Engagement:
        """Views per second; assumed: one item per begun second, at most 1,000, none for an unplayed media."""
        refreshed = self._refreshed("plays", index, self._period(), at)
        plays = self._lifetime_counts(index, refreshed).plays
        bins = self._histogram(index, refreshed)
        sessions = sum(bins)
        if not sessions:
            return Engagement(0.0, [], [])
        reached = [sum(bins[place:]) for place in range(BINS + 1)]
        length = min(_LONGEST_CURVE, -int(-self._catalog.duration(index, at) // 1))
        again = [int(24 * fraction(self._seed, "rewatch", index, second)) for second in range(length)]
        views = [reached[second * BINS // length] * plays // sessions for second in range(length)]
        rewatched = [product // 1_000 for product in map(operator.mul, views, again)]
        views = list(map(operator.add, views, rewatched))
        return Engagement(self._engagement(index, at), views, rewatched)

    def _histogram(self, index: int, at: int) -> list[int]:
        total = [0] * (BINS + 1)
        for day in range(self._outlines.began, at // DAY):
            total = list(map(operator.add, total, self._outlines.of(index, day).histogram))
        return total

    # Analytics

    def duration(self, index: int, at: int) -> float:
        """Seconds of a media at a moment."""
        return self._catalog.duration(index, at)

    def real_plays(self, index: int, day: int, at: int) -> list[Play]:
        """The plays of a local day that /analytics counts, in the order in which they were received."""
        start, end = self.local.bounds(day)
        received = [play for play in self._plays(index, start, end) if play.received <= at]
        # Busy days lose about a seventh of their plays to the filter against bots.
        return received[: len(received) - (len(received) // 7 if len(received) > 50 else 0)]

    def leads(self, index: int, day: int, at: int) -> list[Play]:
        """Those of them whose viewers sent a form."""
        share = self._profile.lead_share
        if not share:
            return []
        plays = self.real_plays(index, day, at)
        return [p for p in plays if fraction(self._seed, "lead", index, p.day, p.place) < share]

    def real_day(self, index: int, day: int, at: int) -> RealDay | None:
        """A local day as /analytics reports it; None without plays."""
        start = self.local.bounds(day)[0]
        played = self.real_plays(index, day, at)
        if not played:
            return None
        plays, watched = len(played), sum(play.percent for play in played)
        unique = max(1, int(plays * 0.93))
        loads = max(unique, int(self.counts(index, day, at).loads * 0.85))
        offers = plays // 2 if self._profile.actions else 0
        return RealDay(
            start,
            plays,
            unique,
            loads,
            seconds=int(watched * self._catalog.duration(index, start)),
            engagement=round(watched / plays, 4),
            offers=offers,
            clicks=int(offers * 0.4 * fraction(self._seed, "clicks", index, day)),
            forms=len(self.leads(index, day, at)),
        )

    def _plays(self, index: int, start: int, end: int) -> list[Play]:
        plays = []
        for day in range(start // DAY, (end - 1) // DAY + 1):
            outline = self._outlines.of(index, day)
            rows = enumerate(zip(outline.received, outline.percent, strict=True))
            left_out = outline.vanishing | outline.conversions
            plays += [
                Play(received, percent, day, place)
                for place, (received, percent) in rows
                if place not in left_out and start <= received < end
            ]
        return sorted(plays)
