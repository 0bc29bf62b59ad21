"""What a run did: its figures, its errors, and the notice that people get."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from wistlake.errors import ContractViolation, Unreconciled, WistlakeError
from wistlake.pipeline.run.fetched import FetchSummary
from wistlake.pipeline.run.record import PARTIAL, SUCCEEDED
from wistlake.pipeline.tables import BuildResult
from wistlake.ports import Notice
from wistlake.quality.checks import Effect
from wistlake.quality.reconciliation import Judgement, Verdict

MOST_WARNINGS = 10  # that a notice spells out
MOST_ERRORS = 50  # that a result spells out


@dataclass(slots=True)
class RunResult:
    """What a run did, as its JSON says it."""

    run_id: str
    trigger: str
    status: str = SUCCEEDED
    intervals: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    carried: dict[str, int] = field(
        default_factory=dict
    )  # snapshots of quiet media that still stand, by dataset
    drift: dict[str, list[str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    blocked: list[dict[str, str]] = field(default_factory=list)
    withdrawn: list[dict[str, str]] = field(default_factory=list)  # days of gold that can't be whole any more
    checks: dict[str, int] = field(default_factory=dict)  # by verdict
    warnings: list[str] = field(default_factory=list)  # what is broken and stops nothing
    failed_media: list[str] = field(default_factory=list)  # of which something is not as it should be
    days_published: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values, in the order of the fields."""
        return {name: getattr(self, name) for name in self.__slots__}


def describe(
    result: RunResult, fetched: FetchSummary, built: BuildResult | None, drift: dict[str, list[str]]
) -> None:
    """Write the figures into `result`."""
    result.unavailable, result.carried = dict(fetched.unavailable), dict(fetched.carried)
    result.drift = drift
    for (dataset, media_id, _), counts in (built.by_interval if built else {}).items():
        changes = ("new", "updated", "removed", "unchanged", "quarantined")
        fetched.line(dataset, media_id).add({name: counts.get(name, 0) for name in changes})
    result.intervals = [asdict(line) for line in fetched.lines.values()]
    if built is not None:
        result.tables = {name: dict(counts) for name, counts in built.counts.items()}
        result.stopped = {m: reason for (_, m, _), reason in built.stopped.items()}
        result.blocked = [{"media_id": m, "date": d.isoformat()} for m, d in sorted(built.blocked)]
        result.withdrawn = [{"media_id": m, "date": d.isoformat()} for m, d in sorted(built.withdrawn)]
        result.days_published = len(built.published)
        result.checks = dict(Counter(str(f.verdict) for f in built.findings))
        result.warnings = warnings(built)


def bounded(lines: list[str], where: str, most: int = MOST_ERRORS) -> list[str]:
    """At most `most` lines, then how many more there are, and where."""
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more: {where}"] if more > 0 else lines


def build_errors(built: BuildResult | None) -> list[WistlakeError]:
    """The errors of a build that concern single media."""
    if built is None:
        return []
    return [
        *(
            ContractViolation(f"{media_id}: {reason}")
            for (_, media_id, _), reason in sorted(built.stopped.items())
        ),
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
    """The message for people when a run has ended."""
    failed = result.status != SUCCEEDED
    failed_count = len(result.failed_media)
    media = (
        f"{failed_count:,} media could not be published whole; the others were\n"
        if result.status == PARTIAL
        else ""
    )
    moved = sum(counts.get("new", 0) for counts in result.tables.values())
    text = "\n".join(result.errors) if failed else f"{result.days_published} days published, {moved} new rows"
    drift = [f"{dataset} has new fields: {', '.join(keys)}" for dataset, keys in sorted(result.drift.items())]
    taken_back = bounded(withdrawals(result), "`wistlake gaps` lists the days")
    warned = bounded(result.warnings, "`wistlake status`", MOST_WARNINGS)
    text = "\n".join((f"{media}{text}", *taken_back, *warned, *drift))
    return Notice(
        f"wistlake run {result.status}",
        text,
        failed,
        {"run_id": result.run_id},
        routine=not (failed or taken_back),
    )


def unreconciled(built: BuildResult, media_id: str, day: date) -> Unreconciled:
    """Why a day stayed out of gold, and what to do about it."""
    broken = [
        j
        for j in built.judgements
        if (j.media_id, j.date) == (media_id, day) and j.blocking and j.verdict is Verdict.BROKEN
    ]
    reason = "; ".join(f"{j.identity}: {_figures(j)}" for j in broken) or "its gold breaks its contract"
    return Unreconciled(
        f"{media_id} on {day} does not reconcile ({reason}); gold was left as it was. Read the day anew: `wistlake "
        f"backfill --from {day} --to {day} --media {media_id}`; what Wistia says twice is believed"
    )


def warnings(built: BuildResult) -> list[str]:
    """Broken checks and identities that stop nothing, in words."""
    checks = [
        f"{f.scope}: {f.check} is broken by {f.violations} of {f.checked}. {f.detail}".rstrip(" .")
        for f in built.findings
        if f.is_broken and f.effect is Effect.WARN
    ]
    return checks + [
        f"{j.media_id} on {j.date}: {j.identity} is broken, {_figures(j)}"
        for j in built.judgements
        if j.verdict is Verdict.BROKEN and not j.blocking
    ]


def _figures(j: Judgement) -> str:
    return f"ours {j.ours:g}, theirs {j.theirs:g}" if None not in (j.ours, j.theirs) else "figures unknown"
