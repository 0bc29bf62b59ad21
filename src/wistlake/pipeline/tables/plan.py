"""What one build is to do, and what it did."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from wistlake.bronze import Manifest
from wistlake.planning.labels import Labels
from wistlake.planning.shared_keys import SharedDays
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Finding, together
from wistlake.quality.reconciliation import DEFAULT_BAND, Band, Judgement
from wistlake.transforms.channels import DEFAULT_RULES, Rule

Pair = tuple[str, date]
Key = tuple[str, str, date]


def interval_key(manifest: Manifest) -> Key:
    """The ledger's key of the interval that the landing belongs to."""
    return (manifest.dataset, manifest.media_id, manifest.day)


class Intend(Protocol):
    """Writes down, before a table is committed, what the next run must know if this one dies."""

    def __call__(self, pairs: set[Pair], shared: Collection[SharedDays] = ()) -> None:
        """`pairs`: days of gold that silver leaves behind; `shared`: UTC days that turned out to share keys."""


class VisitorScope(StrEnum):
    """Whose rows of `dim_visitor` a build makes."""

    PUBLISHED = "published"  # everybody in the days that it publishes
    NOBODY = "nobody"  # a later build of the run makes them all
    ALL = "all"


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The inputs of one build: landings, keys, and what the ledger knows of the days.

    (media, local day) pairs:
    - `publishable` may be in gold after it; `refresh` are those of them that must be computed though no row changed
      (a day is complete now, or its certificate is due); `withdrawn` are in gold and may not be any more.
    - Certificates need `past_lookback` and `confirmed` (the newest two readings agree). `listed`: their sessions
      could be listed. `counts_confirmed`: two readings agree on Wistia's counts. `reread`: settled ones that this
      run has read again.

    (media, UTC day) pairs:
    - `listed_at` is when silver's listing was read, `read_at` the newest reading, also one that changed nothing.
    - `rezoned` ones only get the local day of another zone: their raw pages are gone.

    `shared` are days that list the same keys, `findings` what was checked before the build, `earlier` what the earlier
    builds of the run have found. `rules` begin with the channels that `labels` give; the tables get the labels of those
    media that are `waiting` for it.
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
    counts_confirmed: frozenset[Pair] = frozenset()
    reread: frozenset[Pair] = frozenset()
    withdrawn: frozenset[Pair] = frozenset()
    listed_at: Mapping[Pair, datetime] = field(default_factory=dict)
    read_at: Mapping[Pair, datetime] = field(default_factory=dict)
    shared: frozenset[SharedDays] = frozenset()
    rezoned: frozenset[Pair] = frozenset()
    findings: tuple[Finding, ...] = ()
    earlier: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = DEFAULT_RULES
    keep_city: bool = False  # of sessions, in silver
    clears_cities: bool = False  # that it has kept until now
    labels: Labels = field(default_factory=Labels)
    band: Band = DEFAULT_BAND
    accept_shrink: frozenset[str] = frozenset()  # media whose losses a person has accepted
    visitors: VisitorScope = VisitorScope.PUBLISHED
    visitor_days: int = 750_000  # rows of `fact_media_engagement` that ALL of them are made of at once

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(
            self.landings
            or self.refresh
            or self.withdrawn
            or self.rezoned
            or self.labels.waiting
            or self.clears_cities
            or self.visitors is VisitorScope.ALL
        )


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build did.

    `counts`: rows by table and change. `by_interval`: rows by landing, and those that went to quarantine. `stopped`:
    intervals that nothing was taken of, and why. `published`: days with their certificates; `blocked` and
    `withdrawn`: days that were held or taken back. `shared`: days that list the same keys now. `labelled`: which labels
    the tables have, as `Labels.signatures`.
    """

    counts: Mapping[str, Mapping[str, int]]
    by_interval: Mapping[Key, Mapping[str, int]]
    judgements: tuple[Judgement, ...]
    stopped: Mapping[Key, str]
    published: Mapping[Pair, Certificate]
    blocked: frozenset[Pair]
    tables: Mapping[str, TableRef]
    findings: tuple[Finding, ...] = ()
    withdrawn: frozenset[Pair] = frozenset()
    shared: frozenset[SharedDays] = frozenset()
    labelled: Mapping[str, str] = field(default_factory=dict)


def merged(results: Sequence[BuildResult]) -> BuildResult:
    """Several builds of one run as one: rows added up, the latest word on each day, the newest state of the tables."""
    counts: dict[str, Counter[str]] = {}
    published: dict[Pair, Certificate] = {}
    blocked: set[Pair] = set()
    for result in results:
        for name, of_table in result.counts.items():
            counts.setdefault(name, Counter()).update(of_table)
        published = {p: c for p, c in published.items() if p not in result.blocked} | {**result.published}
        blocked = (blocked | result.blocked) - result.published.keys()
    judgements = {(j.identity, j.media_id, j.date): j for r in results for j in r.judgements}
    return BuildResult(
        counts=counts,
        by_interval={k: v for r in results for k, v in r.by_interval.items()},
        judgements=tuple(judgements.values()),
        stopped={k: v for r in results for k, v in r.stopped.items()},
        published=published,
        blocked=frozenset(blocked),
        tables=results[-1].tables,
        findings=tuple(together(f for r in results for f in r.findings)),
        withdrawn=frozenset(pair for r in results for pair in r.withdrawn),
        shared=results[-1].shared,
        labelled=results[-1].labelled,
    )
