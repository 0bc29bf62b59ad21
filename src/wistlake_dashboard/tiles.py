"""Headline numbers: a period's metrics, and how they changed."""

from dataclasses import dataclass

from wistlake.quality.metrics import definition
from wistlake_dashboard import words
from wistlake_dashboard.blocks import Column, Kind, Number, measure, spelled
from wistlake_dashboard.figures import Pair, Totals
from wistlake_dashboard.scope import Scope


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

    def number(self, pair: Pair) -> Number:
        """The value of the period, and how it changed."""
        return Number(
            self.title,
            spelled(self.column.kind, self.value(pair.now)),
            self.change(pair),
            definition(self.metric),
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


PLAYS = Tile("Plays", "plays")
PLAYS_IN_SESSIONS = Tile("Plays in sessions", "plays_from_events")
TILES = (
    PLAYS,
    Tile("Unique viewers", "unique_viewers"),
    Tile("Loads", "loads"),
    Tile("Viewers per load", "viewers_per_load"),
    Tile("Watch time", "watch_seconds"),
    Tile("Average seen", "average_viewed_share"),
    Tile("Completion", "completion_share"),
    Tile("Conversions", "conversions"),
)
# Wistia counts loads and plays by media alone: of a channel, sessions are known.
OF_CHANNELS = (
    PLAYS_IN_SESSIONS,
    *(t for t in TILES if t.metric not in ("plays", "loads", "viewers_per_load")),
)


def tiles(scope: Scope) -> tuple[Tile, ...]:
    """The tiles that the scope has values for."""
    return OF_CHANNELS if scope.channels else TILES
