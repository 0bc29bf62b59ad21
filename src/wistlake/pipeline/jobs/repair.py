"""Make whole again what a lake has lost: marker, catalog, or the files of one table. Each under the lake's lease."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from wistlake.contracts.form import Table
from wistlake.errors import StoreDamaged, StoreError
from wistlake.pipeline.jobs.rebuild import invalidate_builds, invalidate_gold
from wistlake.pipeline.run.lake import LAKE
from wistlake.pipeline.run.recover import manifests
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, ObjectStore, Publication, TableRef

Repaired_co = TypeVar("Repaired_co", covariant=True)


class TableRepair(Protocol[Repaired_co]):
    """What brings one table back to a state that can be read."""

    def is_sound(self) -> bool:
        """Whether the table's current state and the published one are whole."""

    def repair(self, oldest_raw: datetime) -> Repaired_co:
        """Return to the newest state that can be had; a whole one serves if raw pages, the oldest of which were
        listed at `oldest_raw`, reach back to it."""


def marker(
    ledger: Ledger,
    described: Mapping[str, Any],
    write: Callable[[Mapping[str, Any]], None],
    run_id: str,
    now: datetime,
) -> str:
    """Write the lake's marker again from the ledger's copy; the zone of the lake's days. What the copy lacks is
    taken from `described`: whoever calls must know that this is so."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        complete = {**described, **ledger.facts(LAKE)}
        write(complete)
    return str(complete["zone"])


def catalog(
    ledger: Ledger,
    check: Callable[[str, TableRef], None],
    register: Callable[[Publication], list[str]],
    run_id: str,
    now: datetime,
) -> list[str]:
    """Register the tables again as they were published; those that the catalog had lost. `check` raises StoreError
    for a table whose files are damaged: the others are registered before it is raised."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        published = _published(ledger)
        whole, errors = {}, []
        for name, ref in published.tables.items():
            try:
                check(name, ref)
                whole[name] = ref
            except StoreError as e:
                errors.append(str(e))
        lost = register(Publication(published.run_id, published.published_at, whole))
        if errors:
            raise StoreDamaged("\n".join(errors))
        return lost


def table(
    ledger: Ledger,
    objects: ObjectStore,
    damaged: Table,
    repair: Callable[[TableRef | None], TableRepair[Repaired_co]],
    run_id: str,
    now: datetime,
) -> Repaired_co | None:
    """Bring one table back to a state that can be read, and make pending what it may lack; None if it is whole."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        work = repair(_published(ledger).tables.get(damaged.full_name))
        if work.is_sound():
            return None
        repaired = work.repair(min((m.observed_at for m in manifests(objects)), default=now))
        invalidate_builds(ledger, objects)
        if damaged.layer == "gold":
            invalidate_gold(ledger)
        return repaired


def _published(ledger: Ledger) -> Publication:
    published = ledger.publication()
    if published is None:
        raise StoreError("nothing has been published yet: `wistlake run` makes the tables")
    return published
