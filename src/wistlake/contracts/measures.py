"""How gold counts sessions, as SQL.

Gold's daily tables are built with these expressions, and the dashboard counts the sessions of a channel with them, for
which gold has no table: one formula for both. Only SQL that Sail, Spark, DuckDB and Athena read alike.
"""

from collections.abc import Mapping


def _count_if(condition: str) -> str:
    # Without the coalesce no row at all would be NULL instead of 0.
    return f"coalesce(sum(case when {condition} then 1 else 0 end), 0)"


# Of one session: a row of `silver.fact_events` that is still listed. Integers, because sums of doubles depend on order.
OF_SESSION: Mapping[str, str] = {
    "viewed_millionths": "cast(floor(percent_viewed * 1e6 + 0.5) as bigint)",
    "full_milliseconds": "case when watch_milliseconds is not null "
    "then cast(floor(duration_seconds * 1000 + 0.5) as bigint) end",
}
# Over such sessions: what every daily table has.
OF_SESSIONS: Mapping[str, str] = {
    "plays_from_events": _count_if("conversion_type is null"),
    "sessions": "count(1)",
    "unique_viewers": "count(distinct visitor_id)",
    "watch_milliseconds": "sum(watch_milliseconds)",  # NULL, not 0, if no duration is known
    "reached_95": _count_if("percent_viewed >= 0.95"),
    "conversions": _count_if("conversion_type is not null"),
}
# The same, and what `gold.fact_media_daily` alone has.
OF_MEDIA_DAY: Mapping[str, str] = {
    **OF_SESSIONS,
    "timed_sessions": _count_if("watch_milliseconds is not null"),
    "full_milliseconds": "coalesce(sum(full_milliseconds), 0)",
    "viewed_millionths": "sum(viewed_millionths)",
    **{f"reached_{mark}": _count_if(f"percent_viewed >= 0.{mark}") for mark in (25, 50, 75)},
}
# What tells how much the shares seen differ between sessions: whether two averages differ by more than chance.
SPREAD: Mapping[str, str] = {"viewed_squared": "sum(percent_viewed * percent_viewed)"}
