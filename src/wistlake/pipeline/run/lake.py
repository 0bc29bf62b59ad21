"""The ledger's document about the lake itself, where no folder can hold it: its layout and the zone of its days."""

from datetime import datetime

from wistlake import lake_marker
from wistlake.errors import ConfigError
from wistlake.ports import Ledger

LAKE = "lake"  # the document's name


def open_lake(ledger: Ledger, zone_name: str, now: datetime) -> None:
    """Check the lake, or begin one. ConfigError, with the cure, if it is newer, or of another zone."""
    marker = ledger.facts(LAKE)
    if not marker:
        ledger.put_facts(LAKE, lake_marker.new(zone_name, now))
    elif problems := [
        *lake_marker.newer_layout(marker, "the lake", "deploy anew"),
        *lake_marker.other_zone(marker, zone_name),
    ]:
        raise ConfigError(problems)
