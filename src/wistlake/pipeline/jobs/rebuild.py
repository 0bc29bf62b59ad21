"""Mark landings and days of gold as pending, so that the next build makes them again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.planning.intervals import Interval, State
from wistlake.planning.labels import FACTS as LABELS
from wistlake.planning.publishing import GOLD
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, ObjectStore


class Zoned(Protocol):
    """A lake whose days can move to another zone."""

    def zone(self) -> str:
        """The zone that the days are in."""

    def change_zone(self) -> None:
        """Let them be in the new zone. The caller holds the lease."""


REBUILD = "rebuild"  # a signature that no build has: the interval is built again


def prepare(
    ledger: Ledger, objects: ObjectStore, run_id: str, now: datetime, zoned: Zoned | None = None
) -> tuple[int, Sequence[Interval]]:
    """`invalidate_builds` under the lake's lease, so that the next build makes every day again; with `zoned`, in the
    lake's new zone."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        invalidated = invalidate_builds(ledger, objects, zoned.zone() if zoned else "")
        if zoned:
            zoned.change_zone()
    return invalidated


def invalidate_gold(ledger: Ledger) -> int:
    """Make every published day of gold pending, whether its raw pages are there or not: silver is what it is made
    from. How many."""
    gold = [replace(i, published_at=None) for i in ledger.intervals(GOLD) if i.state is State.PUBLISHED]
    ledger.record(gold)
    return len(gold)


def invalidate_builds(ledger: Ledger, objects: ObjectStore, zone: str = "") -> tuple[int, Sequence[Interval]]:
    """Make every retained landing pending again, and its days of gold with it: (how many, those whose
    raw pages are gone and which therefore stay as they were built). Labels are brought into the tables again, too.
    `zone` is the one that days of gold were built in by versions that did not write it down."""
    # Also those of media whose labels were all taken away: the tables may have them yet.
    ledger.put_facts(LABELS, {entry.media_id: REBUILD for entry in ledger.labels()})
    intervals = ledger.intervals()
    landed = [i for i in intervals if i.landing_id]
    pages = RawPages.of(objects, ledger)
    pages.look_up(landed)
    retained = [i for i in landed if pages.has(i)]
    retained_keys = {i.key for i in retained}
    expired = [i for i in landed if i.key not in retained_keys]
    lost_days = {(i.media_id, i.day) for i in expired}
    gold = {
        i: replace(
            i,
            built_signature=i.built_signature or zone,
            published_at=i.published_at if (i.media_id, i.day) in lost_days else None,
        )
        for i in intervals
        if i.dataset == GOLD
    }
    ledger.record(
        [
            *(replace(i, built_signature=REBUILD) for i in retained),
            # All of them for another zone: one that is compacted would not be looked at.
            *(after for before, after in gold.items() if zone or after != before),
        ]
    )
    return len(retained), expired
