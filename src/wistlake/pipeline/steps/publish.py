"""Last step: readers get what was built, and the run ends, whatever happened before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import structlog

from wistlake.pipeline.run.publish import advance, keep_shared
from wistlake.pipeline.run.result import FetchSummary, news, notice, refusals, tell
from wistlake.pipeline.run.select import retire
from wistlake.pipeline.run.spec import Dependencies, RunResult
from wistlake.pipeline.steps.handover import Planned, Verdicts, decode_verdicts, harvest_key, verdicts_key
from wistlake.pipeline.steps.ingest import read_harvest
from wistlake.pipeline.steps.lease import Shared, release, renew
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import MediaEntry, Watermark
from wistlake.planning.publishing import EVENTS
from wistlake.ports import Ledger, Publication, Run

log = structlog.get_logger()
_MOST_TEXT = 500  # characters of one error: a state carries few


@dataclass(frozen=True, slots=True)
class Failure:
    """What another step failed with: the error's name and words, and the media if it was about one."""

    error: str
    message: str
    media_id: str = ""

    def __str__(self) -> str:
        of = f"{self.media_id}: " if self.media_id else ""
        return f"{of}{self.error}: {self.message}"[:_MOST_TEXT]


@dataclass(frozen=True, slots=True)
class Published:
    """The run's result, what moved, and figures to watch."""

    result: RunResult
    intervals: int
    watermarks: int
    figures: Mapping[str, float] = field(default_factory=dict)


def publish_run(
    planned: Planned,
    parts: Dependencies,
    lease: Shared,
    wall: datetime,
    failed: Sequence[Failure],
    build_failed: Failure | None,
) -> Published:
    """Publish the verdicts unless the build failed; then end the run in the ledger, let the lease go, and
    tell. `wall` is the real time. LeaseHeld, and nothing is published, if the run has lost its lease."""
    spec, ledger = planned.spec, parts.ledger
    renew(lease, spec.run_id, wall)
    before = _marks(ledger)
    verdicts = None if build_failed else _verdicts(planned, parts)
    if verdicts is not None:
        _show(planned, ledger, verdicts)
    built = verdicts.built if verdicts else None
    result = RunResult(spec.run_id, spec.trigger)
    fetched = _fetched(planned, parts)
    tell(result, fetched, built, news(ledger, fetched))
    failures = (*failed, *((build_failed,) if build_failed else ()))
    result.errors = [*map(str, failures), *(f"{type(e).__name__}: {e}" for e in refusals(built))]
    result.status = "failed" if result.errors else "succeeded"
    _end(planned, parts, result, spec.window.now + (wall - planned.began))
    release(lease, spec.run_id)
    parts.notifier.notify(notice(result))
    moved = sum(before.get(key) != mark for key, mark in _marks(ledger).items())
    return Published(
        result,
        len(verdicts.intervals) if verdicts else 0,
        moved,
        _figures(ledger, result, built, failed, spec.window.now),
    )


def _verdicts(planned: Planned, parts: Dependencies) -> Verdicts:
    return decode_verdicts(parts.objects.get(verdicts_key(planned.spec.run_id)))


def _show(planned: Planned, ledger: Ledger, verdicts: Verdicts) -> None:
    """Tables first, then intervals, then watermarks: a crash in between leaves work to do, never a lie."""
    spec = planned.spec
    if verdicts.built is not None:
        ledger.publish(Publication(spec.run_id, spec.window.now, verdicts.built.tables))
        keep_shared(ledger, verdicts.built.shared)
    ledger.record(verdicts.intervals)
    left = [m for m in ledger.media() if m.media_id in planned.left]
    retire(spec, ledger, left)
    advance(spec, ledger, ledger.media(), ledger.intervals())


def _fetched(planned: Planned, parts: Dependencies) -> FetchSummary:
    whole = FetchSummary()
    for media_id in planned.fetches:
        whole.add(read_harvest(parts.objects, harvest_key(planned.spec.run_id, media_id)))
    return whole


def _end(planned: Planned, parts: Dependencies, result: RunResult, ended_at: datetime) -> None:
    spec = planned.spec
    parts.ledger.put_run(
        Run(
            spec.run_id,
            spec.trigger,
            spec.origin,
            result.status,
            spec.window.now,
            ended_at,
            "; ".join(result.errors),
            result.as_json(),
        )
    )
    log.info("run ended", run_id=spec.run_id, status=result.status)


def _marks(ledger: Ledger) -> dict[tuple[str, str], Watermark]:
    return {(w.dataset, w.media_id): w for w in ledger.watermarks()}


def _figures(
    ledger: Ledger, result: RunResult, built: BuildResult | None, failed: Sequence[Failure], now: datetime
) -> dict[str, float]:
    """What alarms watch."""
    lines = result.intervals
    hurt = {f.media_id for f in failed} | set(result.stopped) | {b["media_id"] for b in result.blocked}
    followed = [m for m in ledger.media() if m.retired_at is None]
    return {
        "RunFailed": float(result.status != "succeeded"),
        "MediaFailed": float(len(hurt - {""})),
        "DaysPublished": float(result.days_published),
        "RowsLanded": _sum(lines, "rows"),
        "Requests": _sum(lines, "requests"),
        "QuarantinedRows": _sum(lines, "quarantined"),
        "IdentitiesBroken": float(len(built.judgements) if built else 0),
        "DataAgeHours": data_age_hours(followed, ledger.watermarks(), now),
    }


def _sum(lines: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(sum(line[name] for line in lines))


def data_age_hours(media: Sequence[MediaEntry], marks: Sequence[Watermark], now: datetime) -> float:
    """Hours since the end of the last day that is published of the media furthest behind; 0 without media."""
    last = {w.media_id: w.last_date for w in marks if w.dataset == EVENTS}
    ends = (
        datetime.combine(last.get(m.media_id, m.first_day - timedelta(days=1)), time(), UTC)
        + timedelta(days=1)
        for m in media
    )
    return max(((now - end).total_seconds() / 3600 for end in ends), default=0.0)
