"""Refused records read again from bronze."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wistlake import bronze
from wistlake.pipeline.jobs.rebuild import REBUILD
from wistlake.planning.intervals import Interval
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, ObjectStore

Row = dict[str, Any]  # a refused record, as `insight.quarantine` lists it


@dataclass(frozen=True, slots=True)
class Replay:
    """Which refused records can be read again. `expired` are those whose raw pages are gone."""

    intervals: tuple[Interval, ...]
    expired: tuple[Row, ...]


def prepare_replay(
    ledger: Ledger, objects: ObjectStore, rows: Sequence[Row], run_id: str, now: datetime
) -> Replay:
    """Make what can be replayed pending again, under the lake's lease: the next build reads it by today's contract."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        landings = {r["landing_id"] for r in rows}
        retained = {x for x in landings if objects.exists(bronze.manifest_key(x))}
        asked = sorted({bronze.interval_of(x) for x in retained})
        recorded = (
            i for dataset, media_id, day in asked for i in ledger.intervals(dataset, media_id, day, day)
        )
        intervals = tuple(i for i in recorded if i.landing_id in retained)
        ledger.record(replace(i, built_signature=REBUILD) for i in intervals)
    return Replay(intervals, tuple(r for r in rows if r["landing_id"] not in retained))
