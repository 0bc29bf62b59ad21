"""The path of each endpoint, and the permission that it needs."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

LIST_ROUTES = frozenset({"events", "visitors", "medias", "folders"})
"""The routes with pages."""
ANALYTICS_ROUTES = frozenset(
    {
        "analytics",
        "analytics_total",
        "traffic",
        "languages",
        "embed_locations",
        "embed_timeseries",
        "conversions",
    }
)
"""The routes of the analytics, which not every plan includes."""
MEDIA_ROUTES = ANALYTICS_ROUTES | {"media", "media_stats", "media_aggregate", "by_date", "engagement"}
"""The routes whose path names a media."""

# Each path exists on the bases that a published description names.
_BOTH, _V1, _MODERN = ("v1", "modern"), ("v1",), ("modern",)
_ROUTES = tuple(
    (name, scope, re.compile(pattern), bases)
    for name, scope, pattern, bases in (
        ("events", "stats:read", "stats/events", _BOTH),
        ("event", "stats:read", "stats/events/([^/]+)", _BOTH),
        ("visitors", "stats:read", "stats/visitors", _BOTH),
        ("visitor", "stats:read", "stats/visitors/([^/]+)", _BOTH),
        ("media_stats", "stats:read", "stats/medias/([^/]+)", _BOTH),
        ("by_date", "stats:read", "stats/medias/([^/]+)/by_date", _BOTH),
        ("engagement", "stats:read", "stats/medias/([^/]+)/engagement", _BOTH),
        ("account", "stats:read", "stats/account", _BOTH),
        ("account_by_date", "stats:read", "stats/account/by_date", _MODERN),
        ("project_stats", "stats:read", "stats/projects/([^/]+)", _BOTH),
        ("medias", "media:read", "medias", _BOTH),
        ("media", "media:read", "medias/([^/]+)", _BOTH),
        ("media_aggregate", "media:read", "medias/([^/]+)/stats", _BOTH),
        ("folders", "media:read", "folders", _MODERN),
        ("folder", "media:read", "folders/([^/]+)", _MODERN),
        ("folders", "media:read", "projects", _V1),
        ("folder", "media:read", "projects/([^/]+)", _V1),
        ("analytics", "stats:read", "analytics/medias/([^/]+)/timeseries", _MODERN),
        ("analytics_total", "stats:read", "analytics/medias/([^/]+)", _MODERN),
        ("traffic", "stats:read", "analytics/medias/([^/]+)/traffic", _MODERN),
        ("languages", "stats:read", "analytics/medias/([^/]+)/languages", _MODERN),
        ("embed_locations", "stats:read", "analytics/medias/([^/]+)/embed_locations", _MODERN),
        ("embed_timeseries", "stats:read", "analytics/medias/([^/]+)/embed_locations_timeseries", _MODERN),
        ("conversions", "stats:read", "analytics/medias/([^/]+)/conversions", _MODERN),
    )
)
_PATH = re.compile(r"/(v1|modern)/(.+?)/?")


@dataclass(frozen=True)
class Match:
    """A known endpoint; ``argument`` is the id or key of its path, empty without one."""

    base: Literal["v1", "modern"]
    name: str
    scope: str
    argument: str


def resolve(path: str) -> Match | None:
    """The endpoint of a path, None for any other. v1 takes an optional ``.json``."""
    outer = _PATH.fullmatch(path)
    if outer is None:
        return None
    base: Literal["v1", "modern"] = "v1" if outer[1] == "v1" else "modern"
    rest = outer[2].removesuffix(".json") if base == "v1" else outer[2]
    for name, scope, pattern, bases in _ROUTES:
        match = pattern.fullmatch(rest)
        if match is not None and base in bases:
            return Match(base, name, scope, unquote(match[1]) if pattern.groups else "")
    return None
