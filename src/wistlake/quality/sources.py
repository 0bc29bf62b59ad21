"""Which table answers a scope.

Gold has a channel in one table only. A scope with channels is answered from the published days' sessions, counted as
gold counts them (`contracts.measures`). What Wistia counts by media alone is NULL there.
"""

from collections.abc import Iterable, Mapping

from wistlake.contracts import fact_media_daily
from wistlake.contracts.measures import OF_MEDIA_DAY, OF_SESSION, SPREAD
from wistlake.quality.scope import Scope, listed

_DAY = {"media_id": "media_id", "date": "date"}
_MEASURES = {**OF_MEDIA_DAY, **SPREAD}
# Of each media's day there is one row. DuckDB takes twice as long for the same with EXISTS, and would read every month
# of the table without a condition of its own.
_PUBLISHED = (
    "JOIN (SELECT media_id AS published_id, date AS published_on FROM gold.fact_media_daily WHERE {of_scope}) d "
    "ON d.published_id = e.media_id AND d.published_on = e.event_date_local"
)


def daily(scope: Scope) -> str:
    """gold.fact_media_daily, or a table expression with its columns: also of days without a session in the channels."""
    if not scope.channels:
        return "gold.fact_media_daily"
    columns = ", ".join(_zero_without_sessions(name) for name in OF_MEDIA_DAY)
    return (
        f"(SELECT d.media_id, d.date, CAST(NULL AS BIGINT) AS loads, CAST(NULL AS BIGINT) AS plays, {columns} "
        f"FROM gold.fact_media_daily d LEFT JOIN ({counted(scope, _DAY, OF_MEDIA_DAY)}) s "
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
    return f"(SELECT media_id, date, visitor_id FROM {sessions(scope)} s)"


def engagement_and_loads() -> str:
    """A table expression with media_id, date, visitor_id, and the loads of that media day."""
    return (
        "(SELECT v.media_id, v.date, v.visitor_id, d.loads FROM gold.fact_media_engagement v "
        "JOIN gold.fact_media_daily d ON d.media_id = v.media_id AND d.date = v.date)"
    )


def select(source: str, where: str, keys: Mapping[str, str], columns: Iterable[str], sets: str = "") -> str:
    """The columns of the source's rows by `keys`, each as SQL by its name, or by grouping sets over names."""
    if sets:  # names only: not every engine takes expressions there
        made = [f"{sql} AS {name}" for name, sql in keys.items() if sql != name]
        source = f"(SELECT {', '.join([*made, 't.*'])} FROM {source} t WHERE {where})"
        where, keys = "TRUE", {name: name for name in keys}
    named = [sql if sql == name else f"{sql} AS {name}" for name, sql in keys.items()]
    by = sets or ", ".join(str(n) for n in range(1, len(keys) + 1))
    grouped = f" GROUP BY {by}" if by else ""
    return f"SELECT {', '.join([*named, *columns])} FROM {source} t WHERE {where}{grouped}"


def counted(scope: Scope, keys: Mapping[str, str], names: Iterable[str]) -> str:
    """Measures of the scope's sessions by `keys`, each as SQL by its name."""
    return select(sessions(scope), "TRUE", keys, measures(names))


def measures(names: Iterable[str]) -> list[str]:
    """What gold counts of sessions, and the spread of the shares that they saw, as columns."""
    return [f"{_MEASURES[name]} AS {name}" for name in names]


def sessions(scope: Scope) -> str:
    """Listed sessions of published media days, in the scope's channels if it names some. A local day touches two UTC
    days."""
    of_channels = f"AND e.channel IN {listed(scope.channels)} " if scope.channels else ""
    integers = ", ".join(f"{sql} AS {name}" for name, sql in OF_SESSION.items())
    return (
        f"(SELECT e.*, e.event_date_local AS date, {integers} FROM silver.fact_events e "
        f"{_PUBLISHED.format(of_scope=scope.where())} "
        f"WHERE e.removed_at IS NULL {of_channels}AND {scope.wider(1).where_day('e.event_date')} "
        f"AND {scope.where('e.event_date_local', 'e.media_id')})"
    )


def named(source: str) -> str:
    """The source with the title of each media; its id where it has none."""
    return (
        f"(SELECT x.*, coalesce(m.title, x.media_id) AS title FROM {source} x "
        "LEFT JOIN silver.dim_media m ON m.media_id = x.media_id)"
    )


def labelled(source: str) -> str:
    """The source's rows once for each label of their media, as `label=value`."""
    return (
        f"(SELECT x.*, l.label || '=' || l.value AS label FROM {source} x "
        "JOIN gold.dim_media_label l ON l.media_id = x.media_id)"
    )
