"""What the tables of Wistia's own analytics must hold: those of the datasets that a lake has read."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from wistia_simulator import World

Row = dict[str, Any]
Newest = Callable[[str], Mapping[tuple[str, date], datetime]]  # when each day of a dataset was last read

KEYS = {"gold.conversion_daily": ("media_id", "date", "kind")}


def tables(world: World, newest: Newest) -> dict[str, list[Row]]:
    """Rows by table; a table that nothing was read for is left out."""
    found = {"gold.conversion_daily": [*_of_days(world, newest), *_between_snapshots(world, newest)]}
    return {name: rows for name, rows in found.items() if rows}


def actions(world: World, media: str, at: datetime | None) -> Row:
    """The calls to action in the lifetime figures of a moment."""
    served: Any = world.truth.lifetime(media, at).get("actions") if at else None
    return {
        "action_types": served and [a["type"] for a in served],
        "action_counts": served and [a["action_count"] for a in served],
        "action_impressions": served and [a["impression_count"] for a in served],
    }


def _of_days(world: World, newest: Newest) -> list[Row]:
    rows = []
    for (media, day), at in newest("analytics_daily").items():
        told: Mapping[str, Any] = world.truth.analytics(media, day, at)
        kinds = {
            "cta": (told.get("cta_impressions"), told.get("cta_conversions")),
            "form": (None, told.get("form_conversions")),
        }
        for kind, (shown, taken) in kinds.items():
            if shown or taken:
                rows.append(_conversion(media, day, kind, "day", None, shown, taken))
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
