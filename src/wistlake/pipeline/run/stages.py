"""A run whose steps are processes of their own: plan, ingest (by batches, in rounds), `build.build_run`, publish.

The steps are those of `driver`. What one process knows and the next one needs lies below `runs/<run id>/`; the ledger
has what is done. Only `publish_run` moves what readers see.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import structlog

from wistlake.errors import ConfigError, SourceUnavailable, WistlakeError
from wistlake.pipeline.run import labels, outage, record
from wistlake.pipeline.run.fetched import FetchSummary
from wistlake.pipeline.run.handover import (
    Handover,
    RunPlan,
    add_summary,
    begin,
    decode_verdicts,
    encode_plan,
    of_plan,
    plan_key,
    read_summary,
    summary_key,
    verdicts_key,
)
from wistlake.pipeline.run.ingest import IngestContext, land, note_share
from wistlake.pipeline.run.lake import open_lake, require_same_origin
from wistlake.pipeline.run.outage import Outage
from wistlake.pipeline.run.outcome import Policy
from wistlake.pipeline.run.played import with_plays
from wistlake.pipeline.run.publish import publish
from wistlake.pipeline.run.result import RunResult, notice
from wistlake.pipeline.run.select import select
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import LANDED, Fetch, Interval, State
from wistlake.planning.packing import PLAYED, Batch, batches, due
from wistlake.planning.publishing import EVENTS
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, SharedLease
from wistlake.quality.checks import age_hours

log = structlog.get_logger()
RESERVE_SECONDS = 180.0  # no fetch begins with less than this left
LAST_SECONDS = 20.0  # what is still under way then is given up, and asked for again in the next round
_MOST_TEXT = 500  # characters of one error: a state carries few
Key = tuple[str, str, date]


def plan_run(spec: RunSpec, deps: Dependencies, lease: SharedLease, wall: datetime) -> RunPlan:
    """Take the lease, record the run as running, and put its plan among the objects. `wall` is the real
    time, whatever time the run is about. A plan that fails ends the run, and gives the lease back.
    ConfigError, before anything is taken, for a lake that the other kind of source filled."""
    require_same_origin(deps.ledger, spec.origin)
    lease.take(LEASE, spec.run_id, wall, LEASE_SECONDS)
    running = record.record_of(spec)
    try:
        open_lake(deps.ledger, spec.zone_name, spec.window.now)
        record.heard(deps, spec, wall)
        plan = asyncio.run(select(deps, begin(spec, wall))).plan
        deps.objects.put(plan_key(spec.run_id), encode_plan(plan))
    except BaseException as e:
        deps.listener.ended(record.fail(deps.ledger, running, deps.clock(), e), spec.sources, {})
        lease.release(LEASE, spec.run_id)
        raise
    return plan


def is_idle(plan: RunPlan, ledger: Ledger) -> bool:
    """Whether the run asks for nothing, and nothing of earlier runs waits for a build."""
    waits = labels.read(ledger).waiting or any(
        i.state is not State.PUBLISHED for i in ledger.open_intervals()
    )
    return not (plan.fetches or plan.absent or waits)


def end_idle(plan: RunPlan, deps: Dependencies, lease: SharedLease) -> None:
    """End a run that has nothing to do."""
    result = RunResult(plan.spec.run_id, plan.spec.trigger)
    ended = record.end(deps.ledger, record.record_of(plan.spec), deps.clock(), result.as_json())
    deps.listener.ended(ended, plan.spec.sources, {})
    lease.release(LEASE, plan.spec.run_id)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `left` fetches wait for the next one."""

    left: int
    landed: int
    requests: int


def ingest_round(
    plan: RunPlan,
    name: str,
    deps: Dependencies,
    seconds_left: Callable[[], float],
    wall: datetime,
    fence: Callable[[], None] = lambda: None,
) -> Round:
    """Land what the batch asks for and this run has not landed yet. `wall` is the real time: what another process has
    just found down is not asked for. `fence` is called before the ledger is written, and raises LeaseHeld if the run
    has lost its lease meanwhile.

    Raises when everything was tried and something failed (SourceUnavailable first, since it is worth another
    try), and when a whole round could not land anything. ConfigError if the plan has no such batch.
    """
    spec = plan.spec
    batch = _batch(plan, name)
    view = LedgerView.of(deps.ledger, batch.media)
    view.load(key for f in batch.fetches for key in f.keys)
    taken_now, carried = due(batch.fetches, view.all(), view.compacted)
    certain = [f for f in batch.fetches if not f.if_moved]
    played = [f for f in certain if f.dataset in PLAYED]
    with_any = with_plays(played, view, view.intervals.get, deps.objects, zone(spec.zone_name))
    wanted = [*(f for f in certain if f not in played), *with_any, *taken_now]
    if carried and not deps.objects.exists(summary_key(spec.run_id, name)):
        add_summary(deps.objects, spec.run_id, name, FetchSummary(carried=carried))
    waiting = _waiting(spec, wanted, view.intervals)
    if not waiting:
        return Round(0, 0, 0)
    context = replace(
        IngestContext.of(spec, deps),
        clock=_never_back(spec.window.now, view.all()),
        may_begin=lambda: seconds_left() >= RESERVE_SECONDS,
        outage=Outage(outage.told(deps.ledger, wall)),
        fence=fence,
    )
    seconds = max(0.0, seconds_left() - LAST_SECONDS)
    done = asyncio.run(land(deps, context, [replace(f, if_moved=False) for f in waiting], view, seconds))
    left = _waiting(spec, waiting, view.intervals | done.intervals, failed=False)
    note_share(deps.ledger, done)
    outage.tell(deps.ledger, context.outage.found, wall)
    add_summary(deps.objects, spec.run_id, name, FetchSummary.of(done))
    log.info("round", run_id=spec.run_id, batch=name, landed=len(done.manifests), left=len(left))
    if not left and done.errors:
        errors = list(done.errors.values())
        raise next((e for e in errors if isinstance(e, SourceUnavailable)), errors[0])
    if left and not done.intervals:
        raise SourceUnavailable(
            f"{name}: not one day of {len(left)} fetches could be landed in a whole round: "
            "give the function more time"
        )
    return Round(len(left), len(done.manifests), sum(done.requests.values()))


def _batch(plan: RunPlan, name: str) -> Batch:
    batch = next((b for b in batches(plan.fetches) if b.name == name), None)
    if batch is None:
        raise ConfigError(
            f"the plan of {plan.spec.run_id} has no batch {name}: name one that `plan` returned"
        )
    return batch


def _waiting(
    spec: RunSpec, fetches: Sequence[Fetch], intervals: Mapping[Key, Interval], *, failed: bool = True
) -> list[Fetch]:
    """Fetches that this run has not landed: those it has not tried yet, then (with `failed`) those that failed."""
    states = [(fetch, _states(spec, fetch, intervals)) for fetch in fetches]
    fresh = [f for f, of_days in states if not of_days <= {*LANDED, State.FAILED}]
    again = [f for f, of_days in states if of_days <= {*LANDED, State.FAILED} and State.FAILED in of_days]
    return fresh + (again if failed else [])


def _states(spec: RunSpec, fetch: Fetch, intervals: Mapping[Key, Interval]) -> set[State]:
    """How far this run has come with the fetch's days; what other runs did counts as planned."""
    of_days = (intervals.get(key) for key in fetch.keys)
    return {i.state if i and i.run_id == spec.run_id else State.PLANNED for i in of_days}


def _never_back(now: datetime, intervals: Iterable[Interval]) -> Callable[[], datetime]:
    """The run's own time, or the newest observation of the media where that is later: a run that is started
    anew with the time for which it was planned must not land something older than what is there."""
    moment = max((now, *(i.observed_at for i in intervals if i.observed_at)))
    return lambda: moment


class StepFailed(WistlakeError):
    """What another process of the run failed with: the error's name and text, and the batch if it was about one."""

    def __init__(self, error: str, message: str, batch: str = "") -> None:
        self.batch = batch
        self.concerns_the_run = not batch
        of_batch = f"{batch}: " if batch else ""
        super().__init__(f"{of_batch}{error}: {message}"[:_MOST_TEXT])


@dataclass(frozen=True, slots=True)
class Published:
    """The run's result, how many intervals and watermarks moved, and figures to watch."""

    result: RunResult
    intervals: int
    watermarks: int
    figures: Mapping[str, float] = field(default_factory=dict)


def publish_run(
    plan: RunPlan,
    deps: Dependencies,
    lease: SharedLease,
    wall: datetime,
    failed: Sequence[StepFailed],
    build_failed: StepFailed | None,
) -> Published:
    """Publish the verdicts unless the build failed; then end the run in the ledger, give the lease back, and notify.

    `wall` is the real time. LeaseHeld, and nothing is published, if the run has lost its lease.
    """
    spec, ledger = plan.spec, deps.ledger
    lease.renew(LEASE, spec.run_id, wall, LEASE_SECONDS)
    before = set(ledger.watermarks())
    handover = publish(deps, _handover(plan, deps, failed, build_failed), Policy.AT_THE_END)
    result, verdicts = handover.result, handover.verdicts
    ended_at = spec.window.now + (wall - plan.began)
    ended = record.end(ledger, record.record_of(spec), ended_at, result.as_json(), result.errors)
    deps.listener.ended(ended, spec.sources, result.tables)
    log.info("run ended", run_id=spec.run_id, status=result.status)
    deps.notifier.notify(notice(result))
    moved = len(set(ledger.watermarks()) - before)
    built = verdicts.built if verdicts else None
    done = Published(
        result, len(verdicts.intervals) if verdicts else 0, moved, _figures(ledger, result, built, plan)
    )
    lease.release(LEASE, spec.run_id)  # last: until here the whole step may be tried again
    return done


def _handover(
    plan: RunPlan, deps: Dependencies, failed: Sequence[StepFailed], build_failed: StepFailed | None
) -> Handover:
    """What the processes before this one have left."""
    run_id = plan.spec.run_id
    fetched = FetchSummary()
    for batch in batches(plan.fetches):
        fetched.add(read_summary(deps.objects, run_id, batch.name))
    handover = of_plan(plan)
    handover = replace(handover, fetched=fetched, errors=(*handover.errors, *failed))
    if build_failed:
        return replace(handover, errors=(*handover.errors, build_failed))
    return replace(handover, verdicts=decode_verdicts(deps.objects.get(verdicts_key(run_id))))


def _figures(ledger: Ledger, result: RunResult, built: BuildResult | None, plan: RunPlan) -> dict[str, float]:
    """What alarms watch."""
    lines = result.intervals
    last = {w.media_id: w.last_date for w in ledger.watermarks() if w.dataset == EVENTS}
    followed = (m for m in ledger.media() if m.retired_at is None)
    last_days = [last.get(m.media_id, m.first_day - timedelta(days=1)) for m in followed]
    return {
        "RunFailed": float(result.status == record.FAILED),
        "MediaFailed": float(len(result.failed_media)),
        "DaysPublished": float(result.days_published),
        "RowsLanded": float(sum(line["rows"] for line in lines)),
        "Requests": float(sum(line["requests"] for line in lines)),
        "QuarantinedRows": float(sum(line["quarantined"] for line in lines)),
        "IdentitiesBroken": float(len(built.judgements) if built else 0),
        "DataAgeHours": age_hours(last_days, plan.spec.window.now),
    }
