"""A new pseudonym key, wrapped around the old ones: every stored id becomes the id of the new epoch.

Ids stay joinable and no raw data is needed. Each table changes in one commit, and the ledger knows from which
snapshot: a rotation that died goes on where it stopped, and wraps nothing twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from wistlake.contracts import TABLES
from wistlake.contracts.form import Removal, Table
from wistlake.derive import pseudonym
from wistlake.pipeline.jobs.rewrite import Purge, resigned
from wistlake.pipeline.run.pending import built_from
from wistlake.pipeline.run.spec import LakeDependencies, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.publishing import GOLD
from wistlake.ports import LEASE, LEASE_SECONDS, Publication, TableStore
from wistlake.privacy.keys import KeyChain

FACTS = "rotation"


class KeyRing(Protocol):
    """Where the chain of keys is kept."""

    def load(self) -> KeyChain:
        """The chain, a pending key included."""

    def save(self, chain: KeyChain) -> None:
        """Replace it at once."""


def rotate(spec: RunSpec, deps: LakeDependencies, ring: KeyRing, purge: Purge) -> dict[str, Any]:
    """Begin a new epoch, or end the one that was begun; what was done, as JSON."""
    with deps.ledger.lease(LEASE, spec.run_id, deps.clock(), LEASE_SECONDS):
        chain = ring.load().begun()
        ring.save(chain)
        with deps.tables() as store:
            store.ensure(TABLES)
            rows = _wrap_all(store, deps, chain, spec.window.now)
        _sign(spec, deps, chain)
        expired = purge.expire(TABLES)
        if deps.ledger.publication() is not None:
            deps.ledger.publish(Publication(spec.run_id, spec.window.now, purge.refs(TABLES)))
        ring.save(chain.rotated())
        removed = purge.sweep(TABLES)
        deps.ledger.put_facts(FACTS, {})
    return {
        "epoch": chain.epoch + 1,
        "tables": rows,
        "expired_snapshots": sum(map(len, expired.values())),
        "files_removed": removed,
    }


def _wrap_all(store: TableStore, deps: LakeDependencies, chain: KeyChain, now: datetime) -> dict[str, int]:
    begun: Mapping[str, Any] = deps.ledger.facts(FACTS)
    before = dict(begun["before"]) if begun.get("epoch") == chain.epoch + 1 else {}
    rows = {}
    for table in (t for t in TABLES if pseudonym.pseudonyms(t)):
        snapshot = str(store.refs()[table.full_name].snapshot_id)
        if before.get(table.full_name, snapshot) != snapshot:
            continue  # wrapped before a crash: nobody else may commit under the lease
        before[table.full_name] = snapshot
        deps.ledger.put_facts(FACTS, {"epoch": chain.epoch + 1, "before": before})
        rows[table.full_name] = _wrap(store, table, chain, now)
    return rows


def _wrap(store: TableStore, table: Table, chain: KeyChain, now: datetime) -> int:
    """Every id of the table under the pending key, in one commit; how many rows. All of them have changed."""
    from wistlake.transforms import rekeying
    from wistlake.transforms.conform import moment
    from wistlake.transforms.landing import pads_frame

    pads = pads_frame(store.spark, [k for k in (chain.pending,) if k])
    changes = rekeying.build(table, store.read(table), pads, moment(now))
    staged = store.stage(f"rotated_{table.layer}_{table.name}", changes)
    count = int(staged.where("_change <> 'removed'").count())
    if count:
        store.merge(replace(table, removal=Removal.DELETE), staged, "")
    return count


def _sign(spec: RunSpec, deps: LakeDependencies, chain: KeyChain) -> None:
    """What was built under the old epoch counts as built under the new one: its rows are wrapped already."""
    ledger, was, now = deps.ledger, chain.epoch, chain.epoch + 1
    view = LedgerView.of(ledger)
    signed = [(i, resigned(i, i, spec, was, now)) for i in view.all() if i.dataset != GOLD]
    ledger.record(new for old, new in signed if new != old)
    ledger.compact(
        (replace(of_media, built={**of_media.built, **moved}), ())
        for of_media in view.compacted.values()
        if (
            moved := {
                name: built_from(name, spec, now)
                for name, built in of_media.built.items()
                if built == built_from(name, spec, was)
            }
        )
    )
