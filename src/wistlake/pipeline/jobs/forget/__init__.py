"""Forgetting a person: find them, leave a tombstone, erase raw pages, tables and history, verify, write a receipt.

Every step may be repeated: after a crash, the same request is given again. What was read of the person (address,
visitor keys) stays in this process's memory; the receipt and the ledger hold counts and keyed marks only.
"""

from collections.abc import Callable
from typing import Any

from wistlake.contracts import TABLES
from wistlake.pipeline import tombstone_copies
from wistlake.pipeline.jobs.forget import find, landings, receipt, tables
from wistlake.pipeline.jobs.forget.find import FEW
from wistlake.pipeline.jobs.forget.landings import LandingCopy
from wistlake.pipeline.jobs.forget.request import Visitors, Who, Work, ask_source
from wistlake.pipeline.jobs.rewrite import Purge, Search
from wistlake.pipeline.run import record
from wistlake.pipeline.run.spec import LakeDependencies, RunSpec
from wistlake.ports import LEASE, LEASE_SECONDS, Publication
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

__all__ = ["FEW", "Purge", "Search", "Visitors", "Who", "ask_source", "forget", "reapply"]


def forget(
    spec: RunSpec,
    deps: LakeDependencies,
    who: Who,
    purge: Purge,
    search: Search,
    *,
    visitors: Visitors | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Forget `who` under the lake's lease; the receipt. With `dry_run` everything is counted and nothing written.
    `visitors` is the result of `ask_source`.

    ConfigError if nobody has that name, ErasureIncomplete if the lake still names the person afterwards.
    """
    with deps.ledger.lease(LEASE, spec.run_id, deps.clock(), LEASE_SECONDS):
        work = Work(spec, deps, purge, search, who, visitors)
        if dry_run:
            return _count(work, who)
        return recorded(spec, deps, lambda: _forget(work, who))


def reapply(spec: RunSpec, deps: LakeDependencies, purge: Purge, search: Search) -> dict[str, Any]:
    """Erase everybody whom a tombstone names once more, under the lake's lease; the receipt.

    For a lake that came back from a backup older than a tombstone: its raw pages, tables and history may hold
    people who were forgotten since. First `tombstone_copies.bring` the tombstones of the lake that it replaces.
    The engine starts only if there is a tombstone at all. Safe to repeat; ErasureIncomplete if the lake still
    names somebody afterwards.
    """
    with deps.ledger.lease(LEASE, spec.run_id, deps.clock(), LEASE_SECONDS):
        tombstone_copies.mirror(deps.objects, deps.ledger)
        forgotten = tombstones.forgotten(deps.ledger.facts(tombstones.FACTS))
        if forgotten is None:
            return {"receipt": spec.run_id, "asked_by": "tombstones", "tombstones": 0}
        work = Work(spec, deps, purge, search)
        return recorded(spec, deps, lambda: _forget_again(work, forgotten))


def recorded(spec: RunSpec, deps: LakeDependencies, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`work`, as a run of the ledger."""
    running = record.begin(deps.ledger, record.record_of(spec), deps.clock())
    try:
        summary = work()
    except BaseException as e:
        record.fail(deps.ledger, running, deps.clock(), e)
        raise
    record.end(deps.ledger, running, deps.clock(), summary)
    return summary


def _count(work: Work, who: Who) -> dict[str, Any]:
    person = find.person(work, who)
    find.copies(work, person)
    work.facts["tables"] = tables.count(work, tombstones.stored_ids(person, work.keys))
    find.require_evidence(work, who, person, work.facts["tables"].values())
    return receipt.make(work, dry_run=True)


def _forget(work: Work, who: Who) -> dict[str, Any]:
    person = find.person(work, who)
    copies = find.copies(work, person)
    ids = tombstones.stored_ids(person, work.keys)
    find.require_extent(work, who, person)
    if who.visitor_key and not find.has_evidence(work, person):
        find.require_evidence(work, who, person, tables.count(work, ids).values())
    _put_tombstone(work, person)
    return _erase(work, person, copies, ids)


def _forget_again(work: Work, forgotten: Person) -> dict[str, Any]:
    work.facts["tombstones"] = len(tombstones.entries(work.deps.ledger.facts(tombstones.FACTS)))
    copies = find.copies(work, forgotten)
    marked = Person(find.marks(work, forgotten))
    ids = tombstones.stored_ids(marked, work.keys) | tables.sealed_ids(work, forgotten)
    return _erase(work, forgotten, copies, ids)


def _put_tombstone(work: Work, person: Person) -> None:
    ledger, objects = work.deps.ledger, work.deps.objects
    new = tombstones.entry(person, work.keys, work.spec.run_id, work.spec.window.now.isoformat())
    tombstone_copies.mirror(objects, ledger)
    tombstone_copies.put(objects, new)
    ledger.put_facts(tombstones.FACTS, tombstones.added(ledger.facts(tombstones.FACTS), new))


def _erase(work: Work, person: Person, copies: list[LandingCopy], ids: frozenset[str]) -> dict[str, Any]:
    """Raw pages, tables, history. The old landings, which tell who the person is, are the last to go: a request
    that is repeated after a crash still finds them."""
    spec, ledger, purge = work.spec, work.deps.ledger, work.purge
    landings.land_copies(work, copies, person)
    erased = tables.erase(work, ids, copies)
    work.facts["expired_snapshots"] = {name: gone for name, gone in purge.expire(TABLES).items() if gone}
    current = dict(purge.refs(TABLES))
    if ledger.publication() is not None:
        ledger.publish(Publication(spec.run_id, spec.window.now, current))
    work.facts["files_removed"] = purge.sweep(TABLES)
    work.facts["tables"] = erased
    work.facts["snapshots"] = {n: r.snapshot_id for n, r in current.items() if r.snapshot_id is not None}
    deleted = landings.delete_old(work, copies) + landings.delete_strays(work, person)
    work.facts["bronze"]["objects_deleted"] = deleted
    ledger.put_facts(tables.UNFINISHED, {})
    receipt.verify(work, ids)
    return receipt.make(work, dry_run=False)
