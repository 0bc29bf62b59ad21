"""Which path is which endpoint, and which permission it needs."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

__all__ = ["LIST_ROUTES", "Match", "resolve"]

LIST_ROUTES = frozenset({"events", "visitors", "medias"})
"""The routes with pages."""

_ROUTES = tuple(
    (name, scope, re.compile(pattern))
    for name, scope, pattern in (
        ("events", "stats:read", "stats/events"),
        ("event", "stats:read", "stats/events/([^/]+)"),
        ("visitors", "stats:read", "stats/visitors"),
        ("visitor", "stats:read", "stats/visitors/([^/]+)"),
        ("media_stats", "stats:read", "stats/medias/([^/]+)"),
        ("by_date", "stats:read", "stats/medias/([^/]+)/by_date"),
        ("engagement", "stats:read", "stats/medias/([^/]+)/engagement"),
        ("medias", "media:read", "medias"),
        ("media", "media:read", "medias/([^/]+)"),
        ("media_aggregate", "media:read", "medias/([^/]+)/stats"),
        ("analytics", "stats:read", "analytics/medias/([^/]+)/timeseries"),
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
    for name, scope, pattern in _ROUTES:
        found = pattern.fullmatch(rest)
        if found is not None and (name != "analytics" or base == "modern"):
            return Match(base, name, scope, unquote(found[1]) if pattern.groups else "")
    return None
