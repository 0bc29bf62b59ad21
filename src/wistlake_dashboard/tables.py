"""Which table answers a scope.

Gold has a channel in one table only. A scope with channels is answered from the published days' sessions, counted as
gold counts them (`contracts.measures`). What Wistia counts by media alone is NULL there.
"""

from collections.abc import Mapping, Sequence

from wistlake.contracts import fact_events, fact_media_daily, table
from wistlake.contracts.form import Type
from wistlake.contracts.measures import OF_MEDIA_DAY, OF_SESSION, OF_SESSIONS
from wistlake_dashboard.scope import Scope, listed

_DAY = ("media_id", "date")


def daily(scope: Scope) -> str:
    """gold.fact_media_daily, or a table expression with its columns: also of days without a session in the channels."""
    if not scope.channels:
        return "gold.fact_media_daily"
    counted = ", ".join(_zero_without_sessions(name) for name in OF_MEDIA_DAY)
    return (
        f"(SELECT d.media_id, d.date, CAST(NULL AS BIGINT) AS loads, CAST(NULL AS BIGINT) AS plays, {counted} "
        f"FROM gold.fact_media_daily d LEFT JOIN ({_counted(scope, _DAY, OF_MEDIA_DAY)}) s "
        f"ON s.media_id = d.media_id AND s.date = d.date WHERE {scope.where('d.date', 'd.media_id')})"
    )


def _zero_without_sessions(name: str) -> str:
    if fact_media_daily.TABLE.column(name).nullable:  # NULL means unknown, unless there is nothing to know
        return f"CASE WHEN s.sessions IS NULL THEN 0 ELSE s.{name} END AS {name}"
    return f"coalesce(s.{name}, 0) AS {name}"


def engagement(scope: Scope) -> str:
    """gold.fact_media_engagement, or a table expression with media_id, date and visitor_id."""
    if not scope.channels:
        return "gold.fact_media_engagement"
    return f"(SELECT media_id, date, visitor_id FROM {sessions(scope)})"


def engagement_and_loads() -> str:
    """A table expression with media_id, date, visitor_id, and the loads of that media day."""
    return (
        "(SELECT v.media_id, v.date, v.visitor_id, d.loads FROM gold.fact_media_engagement v "
        "JOIN gold.fact_media_daily d ON d.media_id = v.media_id AND d.date = v.date)"
    )


def dimension(name: str, scope: Scope) -> str:
    """A gold table by a dimension, or a table expression with its columns."""
    if not scope.channels or name == "gold.channel_daily":
        return name
    return f"({_counted(scope, table(name).key, OF_SESSIONS)})"


def _counted(scope: Scope, key: Sequence[str], measures: Mapping[str, str]) -> str:
    columns = [*map(_key_column, key), *(f"{sql} AS {name}" for name, sql in measures.items())]
    by = ", ".join(str(n) for n in range(1, len(key) + 1))
    return f"SELECT {', '.join(columns)} FROM {sessions(scope)} GROUP BY {by}"


def _key_column(name: str) -> str:
    """A key column as gold has it: unknown is "" or FALSE there, never NULL."""
    if name in _DAY:
        return name
    unknown = "FALSE" if fact_events.TABLE.column(name).type is Type.BOOLEAN else "''"
    return f"coalesce({name}, {unknown}) AS {name}"


def sessions(scope: Scope) -> str:
    """Listed sessions of published media days, in the scope's channels if it names some. A local day touches two UTC
    days."""
    of_channels = f"AND e.channel IN {listed(scope.channels)} " if scope.channels else ""
    integers = ", ".join(f"{sql} AS {name}" for name, sql in OF_SESSION.items())
    return (
        f"(SELECT e.*, e.event_date_local AS date, {integers} FROM silver.fact_events e "
        f"WHERE e.removed_at IS NULL {of_channels}AND {scope.wider(1).where_day('e.event_date')} "
        f"AND {scope.where('e.event_date_local', 'e.media_id')} AND EXISTS (SELECT 1 FROM gold.fact_media_daily d "
        "WHERE d.media_id = e.media_id AND d.date = e.event_date_local)) s"
    )
