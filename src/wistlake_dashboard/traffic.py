"""Where people watch: sessions by channel, source, medium, campaign and page; and how a video stands among its like."""

from statistics import median
from typing import TYPE_CHECKING

from wistlake.quality.metric_query import plan
from wistlake.quality.scope import Scope
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

LEVELS = ("channel", "utm_source", "utm_medium", "utm_campaign", "page")
_METRICS = ("plays_from_events", "unique_viewers", "average_viewed_share", "completion_share")


def traffic(query: "Query", scope: Scope) -> list[Row]:
    """Each way to a video: the levels, plays, viewers, the average share watched and completion; most plays first."""
    return _by(query, scope, LEVELS)


def by_channel(query: "Query", scope: Scope) -> list[Row]:
    """The same by channel alone."""
    return _by(query, scope, LEVELS[:1])


def _by(query: "Query", scope: Scope, levels: tuple[str, ...]) -> list[Row]:
    groups = rows(query, plan(_METRICS, scope, levels))
    return sorted(groups, key=lambda g: (-g["plays_from_events"], *(g[name] for name in levels)))


def described(query: "Query", _scope: Scope) -> dict[str, Row]:
    """Each media's folder, length, page and picture, by id."""
    media = rows(query, "SELECT media_id, folder, duration_seconds, url, thumbnail_url FROM silver.dim_media")
    return {r["media_id"]: r for r in media}


def peers(media: dict[str, Row], media_id: str) -> list[str]:
    """The other media of the same folder whose length is at least half of this one's, and at most twice."""
    of = media.get(media_id)
    if of is None or not of["duration_seconds"]:
        return []
    least, most = of["duration_seconds"] / 2, of["duration_seconds"] * 2
    return [
        m
        for m, row in media.items()
        if m != media_id and row["folder"] == of["folder"] and least <= (row["duration_seconds"] or 0) <= most
    ]


def middle(values: list[float | None]) -> float | None:
    """The median of what is known."""
    numbers = [v for v in values if v is not None]
    return median(numbers) if numbers else None
