"""The numbers that people see, from published tables only. Report, app and digest share them: they can't disagree.

Their SQL is the planner's (`wistlake.quality.metric_query`): every unique is counted anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from wistlake.quality import sources
from wistlake.quality.metric_query import added, plan, point, recounted
from wistlake.quality.metrics import metric
from wistlake.quality.scope import Scope, day_literal
from wistlake_dashboard.coverage import Coverage, coverage
from wistlake_dashboard.reader import Row, once, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

MARKS = (25, 50, 75, 95)
_ADDED = (
    "loads", "plays", "plays_per_load", "plays_from_events", "sessions", "watch_seconds", "average_viewed_share",
    "completion_share", *(f"reached_{mark}" for mark in MARKS), "conversions",
)  # fmt: skip
_VIEWERS_WITHOUT_LOADS = "max(CASE WHEN sessions > 0 AND coalesce(loads, 0) = 0 THEN 1 ELSE 0 END)"
_BROKEN_DOWN = ("plays_from_events", "sessions", "watch_seconds", "reached_95")


@dataclass(frozen=True, slots=True)
class Totals:
    """Metrics over some media days. None where it is not known."""

    loads: int | None = None
    plays: int | None = None
    plays_per_load: float | None = None
    plays_from_events: int = 0
    sessions: int = 0
    unique_viewers: int = 0
    viewers_per_load: float | None = None
    watch_seconds: float | None = None
    average_viewed_share: float | None = None
    completion_share: float | None = None
    reached_25: int = 0
    reached_50: int = 0
    reached_75: int = 0
    reached_95: int = 0
    conversions: int = 0

    @property
    def played(self) -> int:
        """Plays as Wistia counts them, or in sessions where it has not said."""
        return self.plays_from_events if self.plays is None else self.plays


_UNKNOWN, _NOTHING = Totals(), Totals(loads=0, plays=0, watch_seconds=0.0)


def by_day(query: "Query", scope: Scope) -> dict[date, Totals]:
    """Each published day's metrics, ascending; a day that is missing is not zero. With a grain: each week's (from the
    period's first day on) or calendar month's, by its first day."""
    points = _measured(query, scope, {"point": point(scope)})
    return {day: totals for (day,), totals in sorted(points.items())}


def _measured(
    query: "Query", scope: Scope, keys: Mapping[str, str], condition: str = "", sets: str = ""
) -> dict[tuple[Any, ...], Totals]:
    """The metrics of the scope's media days by `keys`, in two queries: uniques are counted in each group anew."""
    where = scope.where() + condition

    def read(columns: Iterable[str], source: str) -> dict[tuple[Any, ...], Row]:
        text = sources.select(source, where, keys, columns, sets)
        return {tuple(r[k] for k in keys): r for r in rows(query, text)}

    columns = [*added(_ADDED), f"{_VIEWERS_WITHOUT_LOADS} AS viewers_without_loads"]
    sums = read(columns, sources.daily(scope))
    viewers = read(*_recount(scope, sums.values()))
    return {key: _totals(row, viewers.get(key, {})) for key, row in sums.items()}


def _recount(scope: Scope, sums: Iterable[Row]) -> tuple[list[str], str]:
    """What counts viewers anew, and where. Viewers of media days without loads have nothing to be divided by: they
    are told apart only where there are such days, because that takes three times as long."""
    if scope.channels or not any(r["viewers_without_loads"] for r in sums):
        return recounted({"unique_viewers": "unique_viewers"}), sources.engagement(scope)
    both = {"unique_viewers": "unique_viewers", "viewers_per_load": "viewers_of_loads"}
    return recounted(both), sources.engagement_and_loads()


def _totals(sums: Row, viewers: Row) -> Totals:
    everyone = viewers.get("unique_viewers", 0)
    of_loads = viewers.get("viewers_of_loads", everyone)
    return Totals(
        **{f.name: sums[f.name] for f in fields(Totals) if sums.get(f.name) is not None},
        unique_viewers=everyone,
        viewers_per_load=metric("viewers_per_load").quotient(of_loads, sums["loads"]),
    )


_Sums = dict[tuple[Any, ...], Totals]


@dataclass(frozen=True, slots=True)
class Pair:
    """A period and the one before; `before` is None where too little of that one is published. `alike` is the part
    of `now` that is compared with it: all of it, unless one of the two lacks days."""

    now: Totals
    before: Totals | None
    alike: Totals | None = None

    @property
    def compared(self) -> Totals:
        """What of `now` stands against `before`."""
        return self.now if self.alike is None else self.alike


@dataclass(frozen=True, slots=True)
class Comparison:
    """The metrics of a period and of the one before, and what the two lack."""

    whole: Pair
    media: dict[str, Pair]
    coverage: Coverage

    @property
    def is_possible(self) -> bool:
        """Whether enough of the period before is published."""
        return self.whole.before is not None


def compare(query: "Query", scope: Scope) -> Comparison:
    """Two periods, whole and by media. Like is compared with like: a media's day that one of them lacks
    is left out of both, and a media without half of its days is not compared."""
    cover = once(query, coverage, scope)
    every = _two_periods(query, scope, "")
    even = every if cover.is_whole else _two_periods(query, scope, f" AND {cover.condition()}")
    ids = sorted({m for _, m in every if m})
    whole = _pair(every, even if cover.even else None, None)
    if whole.now.played and whole.before and not (whole.compared.played or whole.before.played):
        whole = Pair(whole.now, None)  # what both periods have was never played: it says nothing of the rest
    return Comparison(
        whole,
        {m: _pair(every, even if m in cover.even else None, m) for m in ids},
        cover,
    )


def _two_periods(query: "Query", scope: Scope, condition: str) -> _Sums:
    """By (1 for the scope, 0 for the period before; media, None for all of them)."""
    keys = {"p": f"CASE WHEN date >= {day_literal(scope.start)} THEN 1 ELSE 0 END", "media_id": "media_id"}
    return _measured(query, scope.with_before, keys, condition, "GROUPING SETS ((p), (p, media_id))")


def _pair(every: _Sums, even: _Sums | None, media_id: str | None) -> Pair:
    """All that is shown of `every`, and what of it is compared: `even`, or nothing."""
    now = every.get((1, media_id), _UNKNOWN)
    if even is None:
        return Pair(now, None)
    return Pair(now, even.get((0, media_id), _NOTHING), even.get((1, media_id), _NOTHING))


def breakdown(query: "Query", name: str, scope: Scope) -> list[Row]:
    """By a dimension of sessions: `name` (its value, "" if unknown), plays_from_events, sessions, watch_seconds,
    reached_95; most plays first."""
    groups = rows(query, plan(_BROKEN_DOWN, scope, (name,)))
    return sorted(
        ({"name": g.pop(name), **g} for g in groups), key=lambda g: (-g["plays_from_events"], g["name"])
    )


def channels_by_day(query: "Query", scope: Scope) -> list[Row]:
    """date, channel, plays_from_events."""
    groups = rows(query, plan(("plays_from_events",), scope, ("date", "channel")))
    return sorted(groups, key=lambda g: (g["date"], g["channel"]))


def movers(comparison: Comparison, count: int = 5) -> list[tuple[str, int, Pair]]:
    """Media whose plays changed the most, greatest change first: media_id, change in plays, both periods.
    Plays in sessions, where Wistia's count is of no media known (as in a scope of channels)."""
    counted = any(pair.now.plays is not None for pair in comparison.media.values())
    moved = [
        (m, _played(pair.compared, counted=counted) - _played(pair.before, counted=counted), pair)
        for m, pair in comparison.media.items()
        if pair.before is not None
    ]
    return sorted((m for m in moved if m[1]), key=lambda m: (-abs(m[1]), m[0]))[:count]


def _played(totals: Totals, *, counted: bool) -> int:
    return (totals.plays or 0) if counted else totals.plays_from_events


def funnel(totals: Totals) -> list[tuple[str, int]]:
    """How many came how far, by metric: loads, plays, then each mark. Where Wistia's counts are not known (as in a
    scope of channels) it begins with the sessions that the marks are of."""
    first = ("sessions",) if totals.plays is None else ("loads", "plays")
    steps = (*first, *(f"reached_{mark}" for mark in MARKS))
    return [(name, n) for name in steps if (n := getattr(totals, name)) is not None]


def shares(broken_down: Iterable[Row], top: int = 8) -> list[tuple[str, int, float]]:
    """A breakdown as (name, plays, share of all), the small ones added up as `others`."""
    plays = [(r["name"] or "unknown", n) for r in broken_down if (n := int(r["plays_from_events"] or 0)) > 0]
    whole = sum(n for _, n in plays)
    shown, rest = plays[:top], plays[top:]
    if rest:
        shown.append((f"{len(rest)} {'other' if len(rest) == 1 else 'others'}", sum(n for _, n in rest)))
    return [(name, n, n / whole) for name, n in shown]
