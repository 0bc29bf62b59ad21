"""A run in one process: select, ingest, build, publish, under the lake's lease.

Backfill, repair and rebuild are runs with another spec. `stages` drives the same steps from one process each.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import structlog

from wistlake.errors import WistlakeError, reason
from wistlake.pipeline.run import record
from wistlake.pipeline.run.build import build
from wistlake.pipeline.run.handover import Handover, begin
from wistlake.pipeline.run.ingest import ingest
from wistlake.pipeline.run.lake import require_same_origin
from wistlake.pipeline.run.outcome import Policy
from wistlake.pipeline.run.publish import publish
from wistlake.pipeline.run.recover import recover
from wistlake.pipeline.run.result import RunResult, notice
from wistlake.pipeline.run.select import select
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.ports import LEASE, LEASE_SECONDS, Notice, Run

log = structlog.get_logger()


class RunFailed(WistlakeError):
    """Some media failed; the others were published. Carries the result, and the first error's exit code: another one
    if they were few."""

    PARTIAL = 3

    def __init__(self, first: WistlakeError, result: RunResult) -> None:
        super().__init__("\n".join(result.errors))
        self.exit_code = self.PARTIAL if result.status == record.PARTIAL else first.exit_code
        self.result = result


def run(spec: RunSpec, deps: Dependencies) -> RunResult:
    """Do what `spec` says under the lake's lease; what was done.

    A media that fails does not stop the others: they are built and published, the ledger says `failed`, and
    RunFailed has every error. What concerns the whole run (a refused token, a store) is raised at once.
    """
    if not deps.on_the_network:
        spec = replace(spec, origin="simulated")
    if not spec.build_only:
        require_same_origin(deps.ledger, spec.origin)
    with deps.trace("run", run_id=spec.run_id, trigger=spec.trigger):
        return _run(spec, deps)


def _run(spec: RunSpec, deps: Dependencies) -> RunResult:
    with deps.ledger.lease(LEASE, spec.run_id, spec.window.now, LEASE_SECONDS):
        with _recorded(spec, deps) as running:
            handover = _steps(begin(spec, spec.window.now), deps)
        result = handover.result
        ended = record.end(deps.ledger, running, deps.clock(), result.as_json(), result.errors)
    deps.listener.ended(ended, spec.sources, result.tables)
    log.info("run ended", run_id=spec.run_id, status=result.status)
    deps.notifier.notify(notice(result))
    if result.days_published or result.withdrawn:  # else there is nothing to look at
        deps.watch()
    if handover.errors:
        raise RunFailed(handover.errors[0], result)
    return result


@contextmanager
def _recorded(spec: RunSpec, deps: Dependencies) -> Iterator[Run]:
    """The run is in the ledger, also if the block raises."""
    running = record.heard(deps, spec, deps.clock())
    log.info("run started", run_id=spec.run_id, trigger=spec.trigger)
    try:
        yield running
    except BaseException as e:
        try:
            failed = record.fail(deps.ledger, running, deps.clock(), e)
            deps.listener.ended(failed, spec.sources, {})
        finally:
            if isinstance(e, Exception):  # whoever interrupts it by hand knows
                facts = {"run_id": spec.run_id}
                deps.notifier.notify(Notice("wistlake run failed", reason(e), failed=True, facts=facts))
        raise


def _steps(handover: Handover, deps: Dependencies) -> Handover:
    """The four steps. Readers get each build as soon as it is done."""
    timings = _Timings(deps.monotonic)
    if handover.plan.spec.build_only:
        recover(deps.ledger, deps.objects, handover.plan.spec.run_id)
    else:
        handover = asyncio.run(_fetch(handover, deps, timings))
    timings.end("ingest")
    with deps.trace("build"):
        handover = build(
            deps, handover, Policy.EACH_BUILD, progress=deps.progress, on_engine=lambda: timings.end("engine")
        )
    if "engine" in timings.seconds:
        timings.end("build")
    with deps.trace("publish"):
        handover = publish(deps, handover, Policy.EACH_BUILD)
    timings.end("publish")
    handover.result.seconds = timings.seconds
    return handover


async def _fetch(handover: Handover, deps: Dependencies, timings: "_Timings") -> Handover:
    """Both steps that ask Wistia, on one client."""
    async with deps.client() as client:
        connected = replace(deps, client=lambda: nullcontext(client))
        with deps.trace("select"):
            handover = await select(connected, handover)
        timings.end("plan")
        with deps.trace("ingest"):
            return await ingest(connected, handover)


class _Timings:
    """Seconds between moments, by name."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._at = monotonic()
        self.seconds: dict[str, float] = {}

    def end(self, name: str) -> None:
        """The time since the last call was spent on `name`."""
        now = self._monotonic()
        self.seconds[name] = round(now - self._at, 3)
        self._at = now
