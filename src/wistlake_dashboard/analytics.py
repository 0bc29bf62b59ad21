"""What Wistia's own analytics say of a period: where plays came from, and what viewers were asked to do, and did.

These figures are after Wistia's bot filter: they stand beside those of sessions, and are never added to them.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from wistlake.contracts.conversion_daily import BETWEEN, DAY
from wistlake.quality.metric_query import added, plan
from wistlake.quality.scope import Scope
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign")
_TRAFFIC = ("analytics_plays", "analytics_loads", "analytics_engagement")
_ACTIONS = ("impressions", "actions", "action_rate")
_OF_SESSIONS = ("plays_from_events", "average_viewed_share")
_NOTHING = {
    "analytics_plays": 0,
    "analytics_engagement": None,
    "plays_from_events": 0,
    "average_viewed_share": None,
}


def breakdown(query: "Query", scope: Scope, *, dimension: str) -> list[Row]:
    """value ("" where Wistia has none), its plays, share of the dimension's plays, loads, engagement, its
    last day and, of a language, has_captions; most plays first."""
    return _breakdown(query, scope, dimension)


def _breakdown(query: "Query", scope: Scope, dimension: str, condition: str = "TRUE") -> list[Row]:
    values = rows(
        query,
        f"SELECT value, {', '.join(added(_TRAFFIC))}, max(has_captions) AS has_captions, "
        "max(date) AS last FROM gold.traffic_daily t "
        f"WHERE dimension = '{dimension}' AND {scope.where()} AND {condition} GROUP BY value",
    )
    whole = sum(r["analytics_plays"] for r in values)
    counted = [r | {"share": r["analytics_plays"] / whole if whole else None} for r in values]
    return sorted(counted, key=lambda r: (-r["analytics_plays"], r["value"]))


def campaigns(query: "Query", scope: Scope) -> list[Row]:
    """Each value of source, medium and campaign, by Wistia's analytics and by sessions, of the media days that both
    have: dimension, value, plays and average share watched of each; most plays first."""
    return [row for dimension in CAMPAIGN for row in _twice(query, scope, dimension)]


def _twice(query: "Query", scope: Scope, dimension: str) -> list[Row]:
    published = (
        "EXISTS (SELECT 1 FROM gold.fact_media_daily d WHERE d.media_id = t.media_id AND d.date = t.date)"
    )
    read = (
        f"EXISTS (SELECT 1 FROM gold.traffic_daily a WHERE a.dimension = '{dimension}' "
        "AND a.media_id = t.media_id AND a.date = t.date)"
    )
    of_all = replace(scope, channels=())
    listed = {r["value"]: r for r in _breakdown(query, of_all, dimension, published)}
    if not listed:  # then no session is of a day that both have
        return []
    sessions = rows(query, plan(_OF_SESSIONS, of_all, (dimension,), condition=read))
    seen = {r[dimension]: r for r in sessions}
    both = [
        {"dimension": dimension, "value": value, **_NOTHING}
        | {name: listed[value][name] for name in _TRAFFIC if value in listed and name in _NOTHING}
        | {name: seen[value][name] for name in _OF_SESSIONS if value in seen}
        for value in listed.keys() | seen.keys()
    ]
    return sorted(both, key=lambda r: (-r["analytics_plays"], -r["plays_from_events"], r["value"]))


def actions(query: "Query", scope: Scope) -> list[Row]:
    """kind, basis, impressions, actions, action_rate; of figures between snapshots, `since` and `last`, the days of the
    first and the last one. A snapshot is taken early in the morning: it is the state at the end of the day before."""
    day = timedelta(days=1)
    later = replace(scope, start=scope.start + day, end=scope.end + day)
    return rows(
        query,
        f"SELECT kind, basis, min(previous_date) AS since, max(date) AS last, {', '.join(added(_ACTIONS))} "
        f"FROM gold.conversion_daily WHERE (basis = '{DAY}' AND {scope.where()}) "
        f"OR (basis = '{BETWEEN}' AND {later.where()}) GROUP BY kind, basis ORDER BY basis DESC, kind",
    )
