"""Retention curves: of all plays ever, and of the plays between two snapshots of the period.

Whether snapshots can be compared, and what was watched between them, says `gold.media_retention_daily`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from wistlake.quality.scope import Scope, day_literal
from wistlake_dashboard import words
from wistlake_dashboard.reader import Row, extent, once, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

COMPARABLE, RESTATED, NOT_BUILT = "comparable", "restated", "not built"
_REASONS = {
    COMPARABLE: "nothing was played between them",
    "media_swapped": "the file was swapped between them",
    "duration_changed": "the duration changed between them",
    RESTATED: "Wistia restated the curve between them",
    NOT_BUILT: "they were not compared yet",
}


@dataclass(frozen=True, slots=True)
class Retention:
    """The share of plays that saw each second (or each thousandth of a long media); who sees a second again is
    not counted again. `ever` is the newest lifetime snapshot of the scope, `lately` what was added since the
    first one: None unless they can be compared. `again`: views of each second by who had seen it, per play."""

    media_id: str
    first_day: date
    last_day: date
    duration_seconds: float | None
    ever: list[float]
    lately: list[float] | None
    engagement_first: float | None
    engagement_last: float | None
    verdict: str
    again: list[float] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """How the curve moved between the two snapshots; or why that can't be said."""
        if self.first_day == self.last_day:
            return f"Snapshot of {words.day(self.last_day)}; there is no earlier one in these days."
        text = f"Snapshots of {words.day(self.first_day)} and {words.day(self.last_day)}."
        if self.engagement_first is not None and self.engagement_last is not None:
            first, last = words.share(self.engagement_first), words.share(self.engagement_last)
            text += f" Average engagement of all time: {first}, then {last}."
        if self.lately is None:
            text += f" No curve of this period: {_REASONS[self.verdict]}."
        return text


def retention(query: "Query", scope: Scope) -> dict[str, Retention]:
    """By media: the newest curve of the scope, and how it moved between the scope's snapshots."""
    snapshots = rows(
        query,
        "SELECT l.media_id, l.snapshot_date, l.play_count, l.engagement, l.engagement_data, l.rewatch_data, "
        "l.duration_seconds FROM silver.media_lifetime l JOIN (SELECT media_id, "
        "min(snapshot_date) AS lo, max(snapshot_date) AS hi FROM silver.media_lifetime "
        f"WHERE {_since(query, scope, 'snapshot_date')} AND play_count > 0 AND engagement_data IS NOT NULL "
        "GROUP BY media_id) e "
        "ON l.media_id = e.media_id AND (l.snapshot_date = e.lo OR l.snapshot_date = e.hi) "
        "ORDER BY l.media_id, l.snapshot_date",
    )
    steps = rows(
        query,
        "SELECT media_id, date, verdict, views, rewatches FROM gold.media_retention_daily "
        f"WHERE {_since(query, scope, 'date')} ORDER BY media_id, date",
    )
    of_media: dict[str, list[Row]] = {}
    for row in snapshots:
        if row["engagement_data"]:
            of_media.setdefault(row["media_id"], []).append(row)
    return {
        media_id: _curves(pair[0], pair[-1], [s for s in steps if s["media_id"] == media_id])
        for media_id, pair in of_media.items()
    }


def _since(query: "Query", scope: Scope, day: str) -> str:
    """A condition on the snapshots that tell of the scope. One of day D + 1, early in the morning, is the state
    at the end of day D; days are published a day or two after they end, so the newest days have all newer ones."""
    since = f"{scope.where_media()} AND {day} >= {day_literal(scope.start)}"
    published = once(query, extent)
    if published is None or published[1] <= scope.end:
        return since
    return f"{since} AND {day} <= {day_literal(scope.end + timedelta(days=1))}"


def _curves(first: Row, last: Row, steps: Sequence[Row]) -> Retention:
    start, end = first["snapshot_date"], last["snapshot_date"]
    verdict, added = _between([s for s in steps if start < s["date"] <= end])
    plays = last["play_count"] - first["play_count"]
    if added and min(plays, *added) < 0:
        verdict, added = RESTATED, []
    return Retention(
        last["media_id"],
        start,
        end,
        last["duration_seconds"],
        _shares(_first_views(last["engagement_data"], last["rewatch_data"]), last["play_count"]),
        _shares(added, plays) if added and max(plays, *added) > 0 else None,
        first["engagement"],
        last["engagement"],
        verdict,
        [n / max(1, last["play_count"]) for n in last["rewatch_data"] or ()],
    )


def _between(steps: Sequence[Row]) -> tuple[str, list[int]]:
    """The verdict on the snapshots' steps, and how many plays saw each second in them; none unless comparable."""
    verdict = next((s["verdict"] for s in steps if s["verdict"] != COMPARABLE), COMPARABLE)
    if not steps or verdict != COMPARABLE:
        return (verdict if steps else NOT_BUILT), []
    return verdict, [sum(second) for second in zip(*(_views(s) for s in steps), strict=True)]


def _views(step: Row) -> list[int]:
    views: list[int] = step["views"]
    again = step["rewatches"] or []
    return [v - a for v, a in zip(views, again, strict=True)] if len(again) == len(views) else views


def _first_views(views: list[int], again: list[int] | None) -> list[int]:
    """Plays that saw each second, once or more."""
    if again is None or len(again) != len(views):
        return views
    return [max(0, seen - repeated) for seen, repeated in zip(views, again, strict=True)]


def _shares(seen: list[int], plays: int) -> list[float]:
    """Of the plays. Wistia counts plays and curves at moments of its own: there were at least as many plays as
    saw one second."""
    whole = max(plays, *seen)
    return [n / whole for n in seen]
