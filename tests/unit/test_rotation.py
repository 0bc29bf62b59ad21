"""A rotation that ends what a crash left behind: what is wrapped is not wrapped twice, nor built again."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from support.memory import MemoryLedger, MemoryObjects
from support.model import MemoryTables
from wistlake.contracts import TABLES, source
from wistlake.contracts.form import Table
from wistlake.derive.pseudonym import pseudonyms
from wistlake.pipeline.jobs.rotate import FACTS, rotate
from wistlake.pipeline.run.pending import pending, signature
from wistlake.pipeline.run.spec import LakeDependencies, MediaChoice, RunSpec
from wistlake.planning.intervals import Interval, State
from wistlake.planning.plan import Window
from wistlake.ports import Publication, TableRef
from wistlake.privacy.keys import KeyChain

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 3)
SPEC = RunSpec(
    "turn", "manual", "live", "UTC", Window(NOW, UTC, 7), (source("events"),), MediaChoice(("m1",))
)
OLD, NEW = b"a" * 32, b"b" * 32


@dataclass
class Ring:
    """The key's home; `saved` is what was written, in order."""

    chain: KeyChain
    saved: list[KeyChain] = field(default_factory=list)

    def load(self) -> KeyChain:
        return self.chain

    def save(self, chain: KeyChain) -> None:
        self.chain = chain
        self.saved.append(chain)


class NothingToPurge:
    """Tables with two snapshots each, and seven files that nobody needs."""

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        return {t.full_name: [1, 2] for t in tables}

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        return {t.full_name: TableRef("rotated", 9) for t in tables}

    def sweep(self, tables: Iterable[Table]) -> int:
        return 7


def test_a_rotation_that_had_wrapped_everything_before_it_died_is_ended() -> None:
    ledger, ring = MemoryLedger(), Ring(KeyChain((OLD,), NEW))
    tables = MemoryTables()
    tables.ensure(TABLES)
    wrapped = [t.full_name for t in TABLES if pseudonyms(t)]
    assert "silver.fact_events" in wrapped
    assert "silver.dim_media" not in wrapped
    # The facts name each table's snapshot before it was wrapped: by now there is another one.
    ledger.put_facts(FACTS, {"epoch": 2, "before": dict.fromkeys(wrapped, "an older one")})
    plain = Interval("events", "m1", DAY, State.PUBLISHED, "r1", NOW, landing_id="x", observed_at=NOW)
    built = replace(plain, built_signature=signature(plain, SPEC, 1))
    waits = replace(plain, day=date(2026, 3, 4))
    gold = replace(built, dataset="gold", built_signature="UTC")
    ledger.record([built, waits, gold])
    ledger.publish(Publication("before", NOW, {}))

    @contextmanager
    def opened() -> Iterator[Any]:
        yield tables

    parts = LakeDependencies(MemoryObjects(), ledger, opened, lambda: (OLD,), lambda: NOW)
    done = rotate(SPEC, parts, ring, NothingToPurge())
    assert done == {
        "epoch": 2,
        "tables": {},
        "expired_snapshots": 2 * len(TABLES),
        "files_removed": 7,
    }
    assert ring.saved == [KeyChain((OLD,), NEW), KeyChain((OLD, NEW))]
    assert pending(ledger.intervals(), SPEC, 2) == (waits,)
    assert {i.day: i.built_signature for i in ledger.intervals("gold")} == {DAY: "UTC"}
    assert ledger.facts(FACTS) == {}
    published = ledger.publication()
    assert published is not None
    assert set(published.tables.values()) == {TableRef("rotated", 9)}
