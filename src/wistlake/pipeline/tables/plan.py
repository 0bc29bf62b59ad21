"""What a build is asked to do, and what it says it did."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from wistlake.bronze import Manifest
from wistlake.planning.shared import Shared
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Finding
from wistlake.quality.reconciliation import DEFAULT_BAND, Band, Judgement
from wistlake.transforms.channels import DEFAULT_RULES, Rule

Pair = tuple[str, date]
Key = tuple[str, str, date]


class Intend(Protocol):
    """Writes down, before a table is committed, what the next run must know if this one dies."""

    def __call__(self, pairs: set[Pair], shared: Collection[Shared] = ()) -> None:
        """Days of gold that silver leaves behind, and UTC days that turned out to share keys."""


def unsaid(pairs: set[Pair], shared: Collection[Shared] = ()) -> None:
    """For whoever can't die."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What one build is about.

    `publishable` are the (media, local day) pairs that may stand in gold after it, `refresh` those of them
    that must be computed though no row moved (a day became whole, or its certificate aged).
    `past_lookback` and `confirmed` are what certificates need of the ledger; `listed` are the pairs whose
    sessions could be listed, `said_twice` those whose counts two readings agree on, `reread` settled ones that
    the run has read again, `withdrawn` those that stand in gold and may not any more; `findings` is what was
    checked before the build.

    `listed_at` tells when each (media, UTC day) was last listed as silver has it, `read_at` when it was last
    read at all, `shared` which of them list the same keys. `rezoned` are those whose sessions can only get the
    local day of another zone where they stand: their raw pages are gone.
    """

    run_id: str
    started_at: datetime
    zone: str
    keys: tuple[bytes, ...] = field(repr=False)
    landings: tuple[Manifest, ...]
    publishable: frozenset[Pair]
    refresh: frozenset[Pair]
    past_lookback: frozenset[Pair] = frozenset()
    confirmed: frozenset[Pair] = frozenset()
    listed: frozenset[Pair] = frozenset()
    said_twice: frozenset[Pair] = frozenset()
    reread: frozenset[Pair] = frozenset()
    withdrawn: frozenset[Pair] = frozenset()
    listed_at: Mapping[Pair, datetime] = field(default_factory=dict)
    read_at: Mapping[Pair, datetime] = field(default_factory=dict)
    shared: frozenset[Shared] = frozenset()
    rezoned: frozenset[Pair] = frozenset()
    findings: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = DEFAULT_RULES
    band: Band = DEFAULT_BAND
    accept_shrink: frozenset[str] = frozenset()  # media whose losses somebody has looked at and accepted

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.landings or self.refresh or self.withdrawn or self.rezoned)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build did: rows by table and change; by landing, the rows it refused; verdicts and checks; the
    media it stopped; the days it published with their certificates, and those that it took back; the days that
    share keys now; and the state of every table."""

    counts: Mapping[str, Mapping[str, int]]
    by_interval: Mapping[tuple[str, str, date], Mapping[str, int]]
    judgements: tuple[Judgement, ...]
    stopped: Mapping[tuple[str, str, date], str]
    published: Mapping[Pair, Certificate]
    blocked: frozenset[Pair]
    tables: Mapping[str, TableRef]
    findings: tuple[Finding, ...] = ()
    withdrawn: frozenset[Pair] = frozenset()
    shared: frozenset[Shared] = frozenset()


def merged(results: Sequence[BuildResult]) -> BuildResult:
    """Several builds of one run as one: rows added up, the newest state of the tables."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        for name, of_table in result.counts.items():
            counts.setdefault(name, Counter()).update(of_table)
    return BuildResult(
        counts=counts,
        by_interval={k: v for r in results for k, v in r.by_interval.items()},
        judgements=tuple(j for r in results for j in r.judgements),
        stopped={k: v for r in results for k, v in r.stopped.items()},
        published={k: v for r in results for k, v in r.published.items()},
        blocked=frozenset(pair for r in results for pair in r.blocked),
        tables=results[-1].tables,
        findings=tuple(f for r in results for f in r.findings),
        withdrawn=frozenset(pair for r in results for pair in r.withdrawn),
        shared=results[-1].shared,
    )
