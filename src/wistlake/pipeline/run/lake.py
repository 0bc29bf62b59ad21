"""What the ledger says about the lake itself: its layout, the zone of its days, and where its pages came from."""

from datetime import datetime

from wistlake import lake_marker
from wistlake.errors import ConfigError
from wistlake.ports import Ledger, Run

LAKE = "lake"  # the document's name
FROM_BRONZE = ("rebuild", "forget", "rotate")  # triggers of runs that ask no source
KINDS = {"live": "days of a Wistia account", "simulated": "simulated days"}


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


def require_same_origin(ledger: Ledger, origin: str) -> None:
    """ConfigError, with the cure, if the lake was filled from the other kind of source: simulated and real numbers
    look alike. `origin` as in `ports.Run`."""
    last = last_fetching(ledger)
    filled = last.origin if last else origin
    if filled != origin and (ledger.compacted() or ledger.open_intervals()):
        raise ConfigError(
            f"this lake holds {KINDS[filled]}, and this run would add {KINDS[origin]}: "
            "set WISTLAKE_LAKE to another folder, or WISTIA_BASE_URL to the source that filled it"
        )


def last_fetching(ledger: Ledger) -> Run | None:
    """The newest run that asked a source; None if there is none among the last hundred. Mostly it is the last run of
    all, and the others, with their results, are not read."""
    runs = (run for limit in (1, 100) for run in ledger.runs(limit))
    return next((run for run in runs if run.trigger not in FROM_BRONZE), None)
