"""The ledger's document about the lake itself, where no folder can hold it: its layout and the zone of its days."""

from datetime import datetime

from wistlake.errors import ConfigError
from wistlake.ports import Ledger

LAKE = "lake"  # the document's name
LAYOUT = 1


def open_lake(ledger: Ledger, zone_name: str, now: datetime) -> None:
    """Check the lake, or begin one. ConfigError, with the cure, if it is newer, or of another zone."""
    described = ledger.facts(LAKE)
    if not described:
        ledger.put_facts(LAKE, {"layout": LAYOUT, "zone": zone_name, "created_at": now.isoformat()})
        return
    problems = []
    if described["layout"] > LAYOUT:
        problems.append(
            f"the lake has layout {described['layout']}, newer than this program's {LAYOUT}: deploy anew"
        )
    if described["zone"] != zone_name:
        problems.append(
            f"this lake's days are in {described['zone']}, WISTLAKE_ACCOUNT_TIMEZONE says {zone_name}: set it back"
        )
    if problems:
        raise ConfigError(problems)
