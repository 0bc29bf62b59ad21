"""Which table answers a scope. Gold has a channel in one table only, so that a scope with channels is answered
from the published days' sessions, in gold's own columns. What Wistia counts by media alone is NULL there."""

from datetime import timedelta

from wistlake_dashboard.scope import Scope, day_literal, listed

_PLAY = "CASE WHEN conversion_type IS NULL AND event_key IS NOT NULL THEN 1 ELSE 0 END"
_FULL = (
    "CASE WHEN watch_milliseconds IS NOT NULL THEN CAST(floor(duration_seconds * 1000 + 0.5) AS BIGINT) END"
)
_REACHED = ", ".join(
    f"sum(CASE WHEN percent_viewed >= 0.{mark} THEN 1 ELSE 0 END) AS reached_{mark}"
    for mark in (25, 50, 75, 95)
)
_MEASURES = (
    f"sum({_PLAY}) AS plays_from_events, count(event_key) AS sessions, "
    "count(DISTINCT visitor_id) AS unique_viewers, "
    "count(watch_milliseconds) AS timed_sessions, "
    "CASE WHEN count(event_key) = 0 THEN 0 ELSE sum(watch_milliseconds) END AS watch_milliseconds, "
    f"coalesce(sum({_FULL}), 0) AS full_milliseconds, "
    "coalesce(sum(CAST(floor(percent_viewed * 1e6 + 0.5) AS BIGINT)), 0) AS viewed_millionths, "
    f"{_REACHED}, sum(CASE WHEN conversion_type IS NOT NULL THEN 1 ELSE 0 END) AS conversions"
)
_DIMENSIONS = {
    "gold.geo_daily": ("country",),
    "gold.device_daily": ("platform", "browser", "is_mobile"),
    "gold.embed_daily": ("embed_host",),
}
_COLUMNS = (
    "e.event_key, e.visitor_id, e.percent_viewed, e.watch_milliseconds, e.duration_seconds, e.conversion_type, "
    "e.channel, coalesce(e.country, '') AS country, coalesce(e.platform, '') AS platform, "
    "coalesce(e.browser, '') AS browser, coalesce(e.is_mobile, FALSE) AS is_mobile, "
    "coalesce(e.embed_host, '') AS embed_host"
)


def daily(scope: Scope) -> str:
    """gold.fact_media_daily, or a table expression with its columns: also of days without such a session."""
    if not scope.channels:
        return "gold.fact_media_daily"
    return (
        "(SELECT media_id, date, CAST(NULL AS BIGINT) AS loads, CAST(NULL AS BIGINT) AS plays, "
        f"{_MEASURES} FROM {_sessions(scope, 'LEFT JOIN')} GROUP BY media_id, date)"
    )


def engagement(scope: Scope) -> str:
    """gold.fact_media_engagement, or a table expression with media_id, date and visitor_id."""
    if not scope.channels:
        return "gold.fact_media_engagement"
    return f"(SELECT media_id, date, visitor_id FROM {_sessions(scope)})"


def engagement_and_loads() -> str:
    """A table expression with media_id, date, visitor_id, and the loads of that media day."""
    return (
        "(SELECT v.media_id, v.date, v.visitor_id, d.loads FROM gold.fact_media_engagement v "
        "JOIN gold.fact_media_daily d ON d.media_id = v.media_id AND d.date = v.date)"
    )


def dimension(table: str, scope: Scope) -> str:
    """A gold table by a dimension, or a table expression with its columns."""
    if not scope.channels or table == "gold.channel_daily":
        return table
    names = _DIMENSIONS[table]
    return (
        f"(SELECT media_id, date, {', '.join(names)}, {_MEASURES} FROM {_sessions(scope)} "
        f"GROUP BY media_id, date, {', '.join(names)})"
    )


def _sessions(scope: Scope, how: str = "JOIN") -> str:
    """Published media days and their listed sessions in the scope's channels. A local day touches two UTC days."""
    first, last = scope.start - timedelta(days=1), scope.end + timedelta(days=1)
    return (
        f"(SELECT d.media_id, d.date, {_COLUMNS} FROM gold.fact_media_daily d {how} "
        "(SELECT * FROM silver.fact_events WHERE removed_at IS NULL "
        f"AND channel IN {listed(scope.channels)} "
        f"AND event_date BETWEEN {day_literal(first)} AND {day_literal(last)}) e "
        f"ON e.media_id = d.media_id AND e.event_date_local = d.date WHERE {scope.where('d.date', 'd.media_id')})"
    )
