"""The outline of a day: how many sessions of one media fall into one UTC day, when, and how much was seen.

An outline is cheap (three numbers per session), so figures over years need no full sessions.
"""

import math
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from random import Random

from wistia_simulator.catalog import Catalog
from wistia_simulator.clock import DAY
from wistia_simulator.profile import Profile
from wistia_simulator.rng import fraction, stream

BINS = 100
"""Resolution of the histogram of percent_viewed."""

_QUIET_HOURS = (8, 13)
"""UTC hours in which two of three sessions are moved elsewhere."""


@dataclass(frozen=True, eq=False)
class Outline:
    """Parallel columns, one place per session; moments are epoch seconds.

    ``received`` is the final received_at, ``percent`` the final percent_viewed (0..1). ``vanishing`` and
    ``conversions`` hold the places of the sessions that disappear and of the conversion events.
    """

    loaded: "array[int]"
    received: "array[int]"
    percent: "array[float]"
    vanishing: frozenset[int]
    conversions: frozenset[int]

    def __len__(self) -> int:
        return len(self.received)

    @cached_property
    def staying(self) -> "array[int]":
        """The received_at of plays that stay, ascending; conversions are no plays."""
        left_out = self.vanishing | self.conversions
        return array("q", sorted(at for place, at in enumerate(self.received) if place not in left_out))

    @cached_property
    def leaving(self) -> "array[int]":
        """The received_at of plays that vanish some day, ascending."""
        places = self.vanishing - self.conversions
        return array("q", sorted(self.received[place] for place in places))

    @cached_property
    def watched(self) -> float:
        """Sum of percent_viewed over all sessions."""
        return math.fsum(self.percent)

    @cached_property
    def histogram(self) -> list[int]:
        """Sessions per hundredth of the media at which they ended; the last bin is a complete view."""
        bins = [0] * (BINS + 1)
        for percent in self.percent:
            bins[int(percent * BINS)] += 1
        return bins


def between(column: "array[int]", start: int, end: int) -> int:
    """How many of the ascending ``column`` lie in [start, end)."""
    return bisect_left(column, end) - bisect_left(column, start)


class Outlines:
    """Makes and caches the outlines of all (media, UTC day)."""

    def __init__(self, seed: int, profile: Profile, catalog: Catalog, began: int) -> None:
        self._seed = seed
        self._profile = profile
        self._catalog = catalog
        self.began = began
        self._cached: dict[tuple[int, int], Outline] = {}

    def of(self, index: int, day: int) -> Outline:
        """The outline of a media on a UTC day; empty before the world began."""
        key = (index, day)
        outline = self._cached.get(key)
        if outline is None:
            outline = self._cached[key] = self._make(index, day)
        return outline

    def _size(self, index: int, day: int) -> int:
        mean = self._catalog.daily_mean(index)
        if day < self.began or mean <= 0:
            return 0
        weekday = 0.8 if (day + 4) % 7 in (0, 6) else 1.08
        swing = 0.75 + 0.5 * fraction(self._seed, "swing", index, day)
        return int(mean * weekday * swing + fraction(self._seed, "rounding", index, day))

    def _make(self, index: int, day: int) -> Outline:
        size = self._size(index, day)
        rng = stream(self._seed, "outline", index, day)
        profile = self._profile
        loaded, received, percent = array("q"), array("q"), array("d")
        vanishing: set[int] = set()
        conversions: set[int] = set()
        opens, closes = self._catalog.playable(index)
        attention = profile.attention[index] if index < len(profile.attention) else 1.0
        # At usual rates chance alone must not open a gap between plays and events; see Figures.final.
        most = max(1, int(size * 0.008)) if profile.vanishing <= 0.01 else size
        for _ in range(size):
            at, delay, share = day * DAY + _second(rng), _delay(rng.random()), attention * _percent(rng)
            vanish, conversion = rng.random() < profile.vanishing, rng.random() < profile.conversion_share
            if not opens <= at - max(delay, 0) or at >= closes:
                continue
            place = len(received)
            loaded.append(at - delay)
            received.append(at)
            percent.append(share)
            if vanish and len(vanishing) < most:
                vanishing.add(place)
            if conversion:
                conversions.add(place)
        return Outline(loaded, received, percent, frozenset(vanishing), frozenset(conversions))


def _second(rng: Random) -> int:
    """Second of the UTC day; the night in America is quieter."""
    second = int(rng.random() * DAY)
    moved = rng.random()
    if _QUIET_HOURS[0] * 3_600 <= second < _QUIET_HOURS[1] * 3_600 and moved < 0.66:
        return int(moved / 0.66 * _QUIET_HOURS[0] * 3_600)
    return second


def _delay(draw: float) -> int:
    """Seconds from page load to received_at: mostly under a minute, at times hours, seldom negative."""
    if draw < 0.0005:
        return -600
    return 5 + int(15 * (1.0 / (1.0 - draw * 0.99999)) ** 0.7)


def _percent(rng: Random) -> float:
    """Share of the media that was seen: many leave at once, a fifth sees all of it."""
    kind, draw = rng.random(), rng.random()
    if kind < 0.03:
        return 0.0
    if kind < 0.31:
        return 6.9e-06 + 0.0999 * math.pow(draw, 1.5)
    if kind < 0.78:
        return 0.1 + 0.899 * math.pow(draw, 1.3)
    return 1.0
