"""What a run says it did: figures by dataset and media, news about the payload, and what went wrong."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from wistlake.errors import ContractViolation, WistlakeError
from wistlake.foreign import shown_name
from wistlake.pipeline.run.ingest import Ingested
from wistlake.pipeline.run.spec import RunResult
from wistlake.pipeline.run.verdicts import unreconciled, warnings
from wistlake.pipeline.tables import BuildResult
from wistlake.ports import Ledger, Notice

log = structlog.get_logger()
DRIFT = "drift"
MOST_WARNINGS = 10  # that a notice spells out
_COUNTS = ("days", "pages", "requests", "rows", "new", "updated", "removed", "unchanged", "quarantined")
Line = dict[str, Any]


@dataclass(slots=True)
class FetchSummary:
    """What was fetched: a line a (dataset, media), what the source does not have, and its unknown keys."""

    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    unknown_keys: dict[str, set[str]] = field(default_factory=dict)

    def line(self, dataset: str, media_id: str) -> Line:
        """The line of the pair, begun with zeros."""
        zeros = {"dataset": dataset, "media_id": media_id, **dict.fromkeys(_COUNTS, 0), "seconds": 0.0}
        return self.lines.setdefault((dataset, media_id), zeros)

    def add(self, other: "FetchSummary") -> None:
        """Take in what another step fetched."""
        for pair, line in other.lines.items():
            mine = self.line(*pair)
            for name in (*_COUNTS, "seconds"):
                mine[name] = round(mine[name] + line[name], 3)
        self.unavailable |= other.unavailable
        for dataset, keys in other.unknown_keys.items():
            self.unknown_keys.setdefault(dataset, set()).update(keys)


def harvest(ingested: Ingested) -> FetchSummary:
    """The figures of one ingest."""
    found = FetchSummary(unavailable=dict(ingested.unavailable), unknown_keys=dict(ingested.unknown_keys))
    for (dataset, media_id, day), interval in sorted(ingested.intervals.items()):
        line = found.line(dataset, media_id)
        line["days"] += 1
        line["rows"] += interval.rows if (dataset, media_id, day) in ingested.manifests else 0
    for pair, line in found.lines.items():
        line["pages"] = ingested.pages.get(pair, 0)
        line["requests"] = ingested.requests.get(pair, 0)
        line["seconds"] = round(ingested.seconds.get(pair, 0.0), 3)
    return found


def tell(
    result: RunResult, fetched: FetchSummary, built: BuildResult | None, drift: dict[str, list[str]]
) -> None:
    """Write the figures into `result`."""
    result.unavailable = dict(fetched.unavailable)
    result.drift = drift
    for (dataset, media_id, _), counts in (built.by_interval if built else {}).items():
        line = fetched.line(dataset, media_id)
        for name in ("new", "updated", "removed", "unchanged", "quarantined"):
            line[name] += counts.get(name, 0)
    result.intervals = list(fetched.lines.values())
    if built is not None:
        result.tables = {name: dict(counts) for name, counts in built.counts.items()}
        result.stopped = {m: why for (_, m, _), why in built.stopped.items()}
        result.blocked = [{"media_id": m, "date": d.isoformat()} for m, d in sorted(built.blocked)]
        result.withdrawn = [{"media_id": m, "date": d.isoformat()} for m, d in sorted(built.withdrawn)]
        result.days_published = len(built.published)
        result.checks = dict(Counter(str(f.verdict) for f in built.findings))
        result.warnings = warnings(built)


def news(ledger: Ledger, fetched: FetchSummary) -> dict[str, list[str]]:
    """Keys that the payload has gained, each told once in the life of the lake."""
    told = {k: set(v) for k, v in drift(ledger).items()}
    found = {
        dataset: sorted(keys - told.get(dataset, set()))
        for dataset, keys in fetched.unknown_keys.items()
        if keys - told.get(dataset, set())
    }
    if found:
        for dataset, keys in found.items():
            told.setdefault(dataset, set()).update(keys)
            log.warning("payload has new fields", dataset=dataset, fields=keys)
        ledger.put_facts(DRIFT, {k: sorted(v) for k, v in told.items()})
    return found


def drift(ledger: Ledger) -> dict[str, list[str]]:
    """Every key that the payload has gained so far, by dataset. What older versions noted is shown as today."""
    return {k: sorted(set(map(shown_name, v))) for k, v in sorted(ledger.facts(DRIFT).items())}


def refusals(built: BuildResult | None) -> list[WistlakeError]:
    """The errors of a build that concern single media."""
    if built is None:
        return []
    return [
        *(ContractViolation(f"{media_id}: {why}") for (_, media_id, _), why in sorted(built.stopped.items())),
        *(unreconciled(built, *pair) for pair in sorted(built.blocked)),
    ]


def withdrawals(result: RunResult) -> list[str]:
    """The days of gold that were taken back, by media."""
    by_media: dict[str, list[str]] = {}
    for pair in result.withdrawn:
        by_media.setdefault(pair["media_id"], []).append(pair["date"])
    return [
        f"{media_id}: {', '.join(days)} stands in gold no more: the lake has not all of the UTC days that it touches "
        f"in this zone; `wistlake backfill --from {min(days)} --to {max(days)} --media {media_id}` fetches them"
        for media_id, days in by_media.items()
    ]


def notice(result: RunResult) -> Notice:
    """What people are told when a run has ended."""
    failed = result.status != "succeeded"
    moved = sum(counts.get("new", 0) for counts in result.tables.values())
    text = "\n".join(result.errors) if failed else f"{result.days_published} days published, {moved} new rows"
    drift = [f"{dataset} has new fields: {', '.join(keys)}" for dataset, keys in sorted(result.drift.items())]
    text = "\n".join((text, *withdrawals(result), *result.warnings[:MOST_WARNINGS], *drift))
    return Notice(f"wistlake run {result.status}", text, failed, {"run_id": result.run_id})
