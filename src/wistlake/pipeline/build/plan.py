"""What a build is asked to do, and what it says it did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from wistlake.bronze import Manifest
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Finding
from wistlake.quality.reconciliation import DEFAULT_BAND, Band, Judgement
from wistlake.transforms.channels import DEFAULT_RULES, Rule

Pair = tuple[str, date]
Key = tuple[str, str, date]


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What one build is about.

    `publishable` are the (media, local day) pairs that may stand in gold after it, `refresh` those of them
    that must be computed though no row moved (a day became whole, or its certificate aged).
    `past_lookback` and `confirmed` are what certificates need of the ledger; `listed` are the pairs whose
    sessions could be listed, `findings` what was checked before the build.
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
    findings: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = DEFAULT_RULES
    band: Band = DEFAULT_BAND
    accept_shrink: frozenset[str] = frozenset()  # media whose losses somebody has looked at and accepted


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build did: rows by table and change; by landing, the rows it refused; verdicts and checks; the
    media it stopped; the days it published with their certificates; and the state of every table."""

    counts: Mapping[str, Mapping[str, int]]
    by_interval: Mapping[tuple[str, str, date], Mapping[str, int]]
    judgements: tuple[Judgement, ...]
    stopped: Mapping[tuple[str, str, date], str]
    published: Mapping[Pair, Certificate]
    blocked: frozenset[Pair]
    tables: Mapping[str, TableRef]
    findings: tuple[Finding, ...] = ()


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
    )
