"""What the sentence that answers is made of, read from published tables."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from wistlake.quality import sources
from wistlake.quality.scope import Scope
from wistlake_dashboard import noise
from wistlake_dashboard.answer import Channel, Findings, Measure, Moved
from wistlake_dashboard.figures import Comparison, compare
from wistlake_dashboard.reader import Row, once, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

_MEASURES = ("plays_from_events", "sessions", "viewed_millionths", "viewed_squared")
_BY = {"channel": "channel", "date": "date"}
_PLAYED = "coalesce(plays, plays_from_events)"


def findings(query: "Query", scope: Scope) -> Findings:
    """Of a scope, against what it is compared with."""
    compared = once(query, compare, scope)
    alone = Findings(compared.whole.now.played, channels=once(query, channels, scope))
    if not compared.is_possible:
        return alone
    by_media = _days(query, scope, compared)
    everything = _together(by_media.values())
    moved = {m: _moved(scope, days, compared.coverage.notes.get(m, "")) for m, days in by_media.items()}
    return Findings(alone.plays, scope.before_in_words, _moved(scope, everything), moved, alone.channels)


def channels(query: "Query", scope: Scope) -> list[Channel]:
    """Each channel's plays by day, and how much of the media its sessions watched."""
    days = rows(query, sources.counted(scope, _BY, _MEASURES))
    of_channel: dict[str, list[Row]] = {}
    for row in sorted(days, key=lambda d: (d["channel"], d["date"])):
        of_channel.setdefault(row["channel"], []).append(row)
    return [_channel(scope, name, days) for name, days in of_channel.items()]


def _channel(scope: Scope, name: str, days: list[Row]) -> Channel:
    plays = {r["date"]: r["plays_from_events"] for r in days}
    sessions = sum(r["sessions"] for r in days)
    mean = sum(r["viewed_millionths"] for r in days) / 1e6 / sessions
    variance = max(0.0, sum(r["viewed_squared"] for r in days) / sessions - mean * mean)
    return Channel(name, tuple(plays.get(day, 0) for day in scope.days), sessions, mean, variance)


_Days = Mapping[date, Row]


def _days(query: "Query", scope: Scope, compared: Comparison) -> Mapping[str, _Days]:
    """By media and day, what is compared."""
    both = scope.with_before
    cover = compared.coverage
    alike = "" if cover.is_whole else f" AND {cover.condition()}"
    by_media: dict[str, dict[date, Row]] = {}
    for row in rows(
        query,
        f"SELECT media_id, date, {_PLAYED} AS plays, loads, watch_milliseconds FROM {sources.daily(both)} d "
        f"WHERE {both.where()}{alike}",
    ):
        by_media.setdefault(row["media_id"], {})[row["date"]] = row
    return by_media


def _together(media: Iterable[_Days]) -> _Days:
    """All media as one: days added up."""
    whole: dict[date, Row] = {}
    for days in media:
        for day, row in days.items():
            added = whole.setdefault(day, {"plays": 0, "loads": None, "watch_milliseconds": None})
            for name in added:
                if row[name] is not None:
                    added[name] = (added[name] or 0) + row[name]
    return whole


def _moved(scope: Scope, days: _Days, note: str = "") -> Moved:
    plays = _measure(scope, days, "plays")
    assert plays is not None  # noqa: S101 - the column is never NULL
    watched = _measure(scope, days, "watch_milliseconds", counts=False)
    if watched and plays.before:  # it can't be steadier than the plays that it is of
        watched = replace(watched, noise=max(watched.noise, plays.noise / plays.before * watched.before))
    return Moved(plays, _measure(scope, days, "loads"), watched, note)


def _measure(scope: Scope, days: _Days, name: str, *, counts: bool = True) -> Measure | None:
    if all(row[name] is None for row in days.values()):
        return None
    now, before = (
        [(days[day][name] or 0) if day in days else 0 for day in period.days]
        for period in (scope, scope.before)
    )
    return Measure(sum(now), sum(before), noise.of_sums(now, before, counts=counts))
