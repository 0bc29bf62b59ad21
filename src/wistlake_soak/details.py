"""What the tables of Wistia's own analytics must hold: those of the datasets that a lake has read."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from wistia_simulator import World
from wistia_simulator.analytics import GROUPS, Group, others
from wistia_simulator.vocabulary import LANGUAGES

Row = dict[str, Any]
Newest = Callable[[str], Mapping[tuple[str, date], datetime]]  # when each day of a dataset was last read

BY_VALUE = ("media_id", "date", "dimension", "value")
KEYS = {
    "silver.media_analytics_by_date": ("media_id", "date"),
    "gold.conversion_daily": ("media_id", "date", "kind", "basis"),
    "silver.conversions_by_date": ("media_id", "date"),
    "silver.traffic_by_date": BY_VALUE,
    "gold.traffic_daily": BY_VALUE,
}
BREAKDOWNS = {  # the simulator's dimensions, and what the lake calls them
    "traffic_daily": {n: n for n in GROUPS},
    "languages_daily": {"language": "language"},
    "embed_locations_daily": {"embed_url": "embed_page"},
}


def tables(world: World, newest: Newest) -> dict[str, list[Row]]:
    """Rows by table; a table that nothing was read for is left out."""
    traffic = [row for dataset in BREAKDOWNS for row in _traffic(world, dataset, newest(dataset))]
    rows_by_table = {
        "silver.media_analytics_by_date": [
            {"media_id": media, "date": day} | analytics(world, media, day, at)
            for (media, day), at in newest("analytics_daily").items()
        ],
        "gold.conversion_daily": [*_of_days(world, newest), *_between_snapshots(world, newest)],
        "silver.conversions_by_date": [
            {"media_id": media, "date": day, "conversions": sent}
            for (media, day), at in newest("conversions").items()
            if (sent := len(world.truth.leads(media, day, at)))
        ],
        "silver.traffic_by_date": [{n: v for n, v in row.items() if n not in _OF_GOLD} for row in traffic],
        "gold.traffic_daily": [{n: v for n, v in row.items() if n not in _OF_SILVER} for row in traffic],
    }
    return {name: rows for name, rows in rows_by_table.items() if rows}


def analytics(world: World, media: str, day: date, at: datetime) -> Row:
    """The timeseries' metrics of a day at a moment; None on a day without plays."""
    metrics: Mapping[str, Any] = world.truth.analytics(media, day, at)
    return {column: metrics.get(served) for column, served in _METRICS.items()}


def actions(world: World, media: str, at: datetime | None) -> Row:
    """The calls to action in the lifetime figures of a moment."""
    served: Any = world.truth.lifetime(media, at).get("actions") if at else None
    return {
        "action_types": served and [a["type"] for a in served],
        "action_counts": served and [a["action_count"] for a in served],
        "action_impressions": served and [a["impression_count"] for a in served],
    }


_SAME = (
    "plays", "unique_plays", "unique_loads", "unique_visitors", "play_rate", "engagement_rate", "cta_impressions",
    "cta_conversions", "form_conversions",
)  # fmt: skip
_METRICS = {**{name: name for name in _SAME}, "played_seconds": "played_time"}  # columns, and what is served
_OF_GOLD, _OF_SILVER = ("engagement", "share_of_plays"), ("engagement_rate", "listed")
_MOST = 100  # values that a breakdown lists


def _traffic(world: World, dataset: str, read: Mapping[tuple[str, date], datetime]) -> Iterator[Row]:
    for (media, day), at in read.items():
        for served, dimension in BREAKDOWNS[dataset].items():
            groups = _listed(world.truth.breakdown(media, day, served, at), served)
            plays = sum(group.plays for group in groups)
            is_language = served == "language"
            for group in groups:
                engagement = None if is_language else group.engagement
                yield {
                    "media_id": media,
                    "date": day,
                    "dimension": dimension,
                    "value": _shown(dimension, group.value or ""),
                    "loads": None if is_language else group.loads,
                    "plays": group.plays,
                    "engagement_rate": engagement,
                    "engagement": engagement,
                    "share_of_plays": group.plays / plays,
                    "has_captions": LANGUAGES[group.value or ""] if is_language else None,
                    "listed": len(groups),
                }


def _listed(groups: list[Group], served: str) -> list[Group]:
    """The groups that a breakdown lists; of pages, those beyond are listed as one."""
    if served != "embed_url":
        return groups[:_MOST]
    pages = [g for g in groups if g.value]
    return [*pages[:_MOST], *([others(pages[_MOST:])] if pages[_MOST:] else [])]


def _shown(dimension: str, value: str) -> str:
    """A page is its host and its path."""
    page = urlsplit(value)
    return f"{page.hostname}{page.path}" if value and dimension == "embed_page" else value


def _of_days(world: World, newest: Newest) -> list[Row]:
    rows = []
    for (media, day), at in newest("analytics_daily").items():
        metrics = analytics(world, media, day, at)
        kinds = {
            "cta": (metrics["cta_impressions"], metrics["cta_conversions"]),
            "form": (None, metrics["form_conversions"]),
        }
        for kind, (shown, taken) in kinds.items():
            if shown or taken:
                rows.append(_conversion(media, day, kind, "day", None, shown, taken))
    for (media, day), at in newest("conversions").items():
        if sent := len(world.truth.leads(media, day, at)):
            rows.append(_conversion(media, day, "lead", "day", None, None, sent))
    return rows


def _between_snapshots(world: World, newest: Newest) -> list[Row]:
    by_media: dict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for (media, day), at in sorted(newest("media_stats").items()):
        served: Any = world.truth.lifetime(media, at).get("actions", ())
        by_media[media] += [(day, a["impression_count"], a["action_count"]) for a in served]
    rows = []
    for media, snapshots in by_media.items():
        for before, after in itertools.pairwise(snapshots):
            shown, taken = (a - b if a >= b else None for a, b in zip(after[1:], before[1:], strict=True))
            if shown or taken:
                kind = ("call_to_action", "between_snapshots", before[0])
                rows.append(_conversion(media, after[0], *kind, shown, taken))
    return rows


def _conversion(
    media: str, day: date, kind: str, basis: str, before: date | None, shown: int | None, taken: int | None
) -> Row:
    return {
        "media_id": media,
        "date": day,
        "kind": kind,
        "basis": basis,
        "previous_date": before,
        "impressions": shown,
        "actions": taken,
        "rate": taken / shown if shown and taken is not None else None,
    }
