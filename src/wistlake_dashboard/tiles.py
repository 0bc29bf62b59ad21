"""Headline numbers: a period's metrics, how they changed, and whether that is more than the usual noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from wistlake.quality.metrics import definition
from wistlake.quality.scope import Against, Scope
from wistlake_dashboard import noise, words
from wistlake_dashboard.answer import Measure
from wistlake_dashboard.blocks import Column, Kind, Number, measure, spelled
from wistlake_dashboard.figures import Pair, Totals

ByDay = Mapping[date, Totals]


@dataclass(frozen=True, slots=True)
class Tile:
    """A metric under the title that people read."""

    title: str
    metric: str

    @property
    def column(self) -> Column:
        """The metric as a column of a table."""
        return measure(self.metric, self.title)

    def value(self, totals: Totals) -> float | None:
        """The metric's value."""
        value: float | None = getattr(totals, self.metric)
        return value

    def number(self, pair: Pair, scope: Scope | None = None, by_day: ByDay | None = None) -> Number:
        """The value of the period, and how it changed; with its days, whether that is clear, and its course."""
        days = by_day or {}
        return Number(
            self.title,
            spelled(self.column.kind, self.value(pair.now)),
            self.change(pair),
            definition(self.metric),
            versus(scope) if scope else "on the period before",
            scope is None or self._is_clear(pair, scope, days),
            [self.value(days[day]) if day in days else None for day in scope.days] if scope else (),
        )

    def change(self, pair: Pair) -> str:
        """How it changed since the period before; empty if there is nothing to compare with."""
        if pair.before is None:
            return ""
        kind, now, before = self.column.kind, self.value(pair.compared), self.value(pair.before)
        if kind is Kind.SHARE:
            return words.change_in_share(now, before, min(pair.compared.played, pair.before.played))
        basis = min(pair.before.played, before or 0) if kind is Kind.COUNT else pair.before.played
        return words.change(now, before, basis, lambda value: spelled(kind, value))

    def _is_clear(self, pair: Pair, scope: Scope, by_day: ByDay) -> bool:
        """Whether it moved by more than the days of the two periods differ from each other anyway."""
        if pair.before is None:
            return False
        now, before = self.value(pair.compared), self.value(pair.before)
        if now is None or before is None:
            return False
        pairs = [
            (a, b)
            for day, earlier in zip(scope.days, scope.before.days, strict=True)
            if day in by_day and earlier in by_day
            and (a := self.value(by_day[day])) is not None and (b := self.value(by_day[earlier])) is not None
        ]  # fmt: skip
        if len(pairs) < noise.FEWEST and self.column.kind is not Kind.COUNT:
            return False
        days_now, days_before = [a for a, _ in pairs], [b for _, b in pairs]
        if self.column.kind in (Kind.SHARE, Kind.RATIO):
            chance = noise.of_means(days_now, days_before)
        else:
            chance = noise.of_sums(days_now, days_before, counts=self.column.kind is Kind.COUNT)
        return Measure(now, before, chance).is_clear


def versus(scope: Scope) -> str:
    """vs previous 7 days."""
    if scope.against is Against.YEAR:
        return "vs the same days a year before"
    return f"vs previous {words.plural(scope.length, 'day')}"


PLAYS = Tile("Plays", "plays")
PLAYS_IN_SESSIONS = Tile("Plays in sessions", "plays_from_events")
VIEWERS, LOADS = Tile("Viewers", "unique_viewers"), Tile("Loads", "loads")
WATCH_TIME, ENGAGEMENT = (
    Tile("Watch time", "watch_seconds"),
    Tile("Average engagement", "average_viewed_share"),
)
PLAYS_PER_LOAD, COMPLETION = Tile("Plays per load", "plays_per_load"), Tile("Completion", "completion_share")
CONVERSIONS = Tile("Conversions", "conversions")
TILES = (
    PLAYS, VIEWERS, LOADS, Tile("Viewers per load", "viewers_per_load"), WATCH_TIME, ENGAGEMENT, COMPLETION,
    CONVERSIONS,
)  # fmt: skip
HEADLINE = (PLAYS, VIEWERS, WATCH_TIME, ENGAGEMENT, PLAYS_PER_LOAD, CONVERSIONS)
# Wistia counts loads and plays by media alone: of a channel, sessions are known.
_BY_MEDIA_ALONE = ("plays", "loads", "viewers_per_load", "plays_per_load")


def tiles(scope: Scope) -> tuple[Tile, ...]:
    """The metrics that the scope has values for."""
    return _of_scope(scope, TILES)


def headline(scope: Scope, pair: Pair) -> tuple[Tile, ...]:
    """Those that stand at the top; conversions only where there are any."""
    some = pair.now.conversions or (pair.before and pair.before.conversions)
    return tuple(t for t in _of_scope(scope, HEADLINE) if t is not CONVERSIONS or some)


def _of_scope(scope: Scope, shown: tuple[Tile, ...]) -> tuple[Tile, ...]:
    if not scope.channels:
        return shown
    return (PLAYS_IN_SESSIONS, *(t for t in shown if t.metric not in _BY_MEDIA_ALONE))
