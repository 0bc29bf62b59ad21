"""The document that describes a lake: its layout version, the zone of its days, and a laptop's path."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

LAYOUT = 1
Marker = Mapping[str, Any]


def new(zone_name: str, now: datetime, **more: str) -> Marker:
    """The marker of a lake that begins now; `more` are its other fields."""
    return {"layout": LAYOUT, **more, "zone": zone_name, "created_at": now.isoformat()}


def newer_layout(marker: Marker, place: str, cure: str = "upgrade wistlake") -> Iterator[str]:
    """The problem, if the layout is newer than this program's."""
    if marker["layout"] > LAYOUT:
        yield f"{place} has layout {marker['layout']}, newer than this program's {LAYOUT}: {cure}"


def other_zone(marker: Marker, zone_name: str, cure: str = "set it back") -> Iterator[str]:
    """The problem, if the lake's days are in another zone than `zone_name`."""
    if marker["zone"] != zone_name:
        yield f"this lake's days are in {marker['zone']}, WISTLAKE_ACCOUNT_TIMEZONE says {zone_name}: {cure}"
