"""A new pseudonym key, wrapped around the old ones: every stored id becomes the id of the new epoch.

Ids stay joinable and no raw data is needed. Each table changes in one commit, and the ledger knows from which
snapshot: a rotation that died goes on where it stopped, and wraps nothing twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from wistlake.contracts import TABLES
from wistlake.contracts.form import Privacy, Removal, Table
from wistlake.derive import pseudonym
from wistlake.pipeline.jobs.forget import Purge, resigned
from wistlake.pipeline.run.spec import LakeDependencies, RunSpec
from wistlake.ports import LEASE, LEASE_SECONDS, Publication, TableStore
from wistlake.privacy.keys import KeyChain

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FACTS = "rotation"


class KeyRing(Protocol):
    """Where the chain of keys is kept."""

    def load(self) -> KeyChain:
        """The chain, a pending key included."""

    def save(self, chain: KeyChain) -> None:
        """Replace it at once."""


def rotate(spec: RunSpec, parts: LakeDependencies, ring: KeyRing, purge: Purge) -> dict[str, Any]:
    """Begin a new epoch, or end the one that was begun; what was done, as JSON."""
    with parts.ledger.lease(LEASE, spec.run_id, parts.clock(), LEASE_SECONDS):
        chain = ring.load().begun()
        ring.save(chain)
        with parts.tables() as store:
            store.ensure(TABLES)
            rows = _wrap_all(store, parts, chain, spec.window.now)
        _sign(spec, parts, chain)
        expired = purge.expire(TABLES)
        if parts.ledger.publication() is not None:
            parts.ledger.publish(Publication(spec.run_id, spec.window.now, purge.refs(TABLES)))
        ring.save(chain.rotated())
        removed = purge.sweep(TABLES)
        parts.ledger.put_facts(FACTS, {})
    return {
        "epoch": chain.epoch + 1,
        "tables": rows,
        "expired_snapshots": sum(map(len, expired.values())),
        "files_removed": removed,
    }


def pseudonyms(table: Table) -> tuple[str, ...]:
    """The table's columns that hold a keyed pseudonym."""
    return tuple(c.name for c in table.columns if c.privacy is Privacy.PSEUDONYM)


def _wrap_all(store: TableStore, parts: LakeDependencies, chain: KeyChain, now: datetime) -> dict[str, int]:
    begun: Mapping[str, Any] = parts.ledger.facts(FACTS)
    before = dict(begun["before"]) if begun.get("epoch") == chain.epoch + 1 else {}
    rows = {}
    for table in (t for t in TABLES if pseudonyms(t)):
        snapshot = str(store.refs()[table.full_name].snapshot_id)
        if before.get(table.full_name, snapshot) != snapshot:
            continue  # wrapped before the crash: nobody else may commit meanwhile
        before[table.full_name] = snapshot
        parts.ledger.put_facts(FACTS, {"epoch": chain.epoch + 1, "before": before})
        rows[table.full_name] = _wrap(store, table, chain, now)
    return rows


def _wrap(store: TableStore, table: Table, chain: KeyChain, now: datetime) -> int:
    """Every id of the table under the pending key, in one commit; how many rows. All of them have changed."""
    from pyspark.sql import functions as F

    from wistlake.transforms.landing import pads_frame

    old = store.read(table)
    pads = pads_frame(store.spark, [k for k in (chain.pending,) if k])
    new = old.crossJoin(F.broadcast(pads)).withColumns(
        {c: F.expr(pseudonym.sql(c, 1)) for c in pseudonyms(table)} | {"built_at": F.lit(now)}
    )
    wrapped = new.select(*table.column_names)
    if set(pseudonyms(table)) & set(table.key):
        gone = old.select(*table.column_names).withColumn("_change", F.lit("removed"))
        changes: DataFrame = gone.unionByName(wrapped.withColumn("_change", F.lit("new")))
    else:
        changes = wrapped.withColumn("_change", F.lit("updated"))
    staged = store.stage(f"rotated_{table.layer}_{table.name}", changes)
    count = int(staged.where("_change <> 'removed'").count())
    if count:
        store.merge(replace(table, removal=Removal.DELETE), staged, "")
    return count


def _sign(spec: RunSpec, parts: LakeDependencies, chain: KeyChain) -> None:
    """What was built under the old epoch counts as built under the new one: it was wrapped, not changed."""
    ledger = parts.ledger
    signed = [
        (i, resigned(i, i, spec, chain.epoch, chain.epoch + 1))
        for i in ledger.intervals()
        if i.dataset != "gold"
    ]
    ledger.record(new for old, new in signed if new != old)
