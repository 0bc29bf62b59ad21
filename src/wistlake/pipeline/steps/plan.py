"""First step: take the lease, decide what the run asks for, write it down."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from wistlake.errors import ConfigError, WistlakeError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.run.records import RUNNING, begun
from wistlake.pipeline.run.recover import adopt
from wistlake.pipeline.run.select import ask, choose
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.pipeline.steps.handover import Planned, by_media, encode_plan, plan_key
from wistlake.pipeline.steps.lease import Shared, release, take
from wistlake.planning.intervals import State
from wistlake.ports import Ledger, Run

log = structlog.get_logger()
LAKE = "lake"  # the ledger's document about the lake itself
LAYOUT = 1


def plan_run(spec: RunSpec, parts: Dependencies, lease: Shared, wall: datetime) -> Planned:
    """Take the lease, record the run as running, and put its plan among the objects. `wall` is the real
    time, whatever time the run is about. A plan that fails ends the run, and lets the lease go."""
    take(lease, spec.run_id, wall)
    record = Run(spec.run_id, spec.trigger, spec.origin, RUNNING, spec.window.now)
    try:
        open_lake(parts.ledger, spec.zone_name, spec.window.now)
        begun(parts.ledger, record, wall)
        planned = asyncio.run(_planned(spec, parts, wall))
        parts.objects.put(plan_key(spec.run_id), encode_plan(planned))
    except BaseException as e:
        said = str(e) if isinstance(e, WistlakeError) else type(e).__name__
        parts.ledger.put_run(replace(record, status="failed", ended_at=parts.clock(), error=said))
        release(lease, spec.run_id)
        raise
    log.info("planned", run_id=spec.run_id, media=len(planned.fetches))
    return planned


def is_idle(planned: Planned, ledger: Ledger) -> bool:
    """Whether the run asks for nothing, and nothing of earlier runs waits for a build."""
    return not planned.fetches and all(i.state is State.PUBLISHED for i in ledger.intervals())


def close_idle(planned: Planned, parts: Dependencies, lease: Shared) -> None:
    """End a run that has nothing to do."""
    spec = planned.spec
    parts.ledger.put_run(
        Run(spec.run_id, spec.trigger, spec.origin, "succeeded", spec.window.now, parts.clock())
    )
    release(lease, spec.run_id)


def open_lake(ledger: Ledger, zone_name: str, now: datetime) -> None:
    """Check the lake, or begin one. ConfigError, with the cure, if it is newer, or of another zone."""
    found = ledger.facts(LAKE)
    if not found:
        ledger.put_facts(LAKE, {"layout": LAYOUT, "zone": zone_name, "created_at": now.isoformat()})
        return
    problems = []
    if found["layout"] > LAYOUT:
        problems.append(
            f"the lake has layout {found['layout']}, newer than this program's {LAYOUT}: deploy anew"
        )
    if found["zone"] != zone_name:
        problems.append(
            f"this lake's days are in {found['zone']}, WISTLAKE_ACCOUNT_TIMEZONE says {zone_name}: set it back"
        )
    if problems:
        raise ConfigError(problems)


async def _planned(spec: RunSpec, parts: Dependencies, wall: datetime) -> Planned:
    chosen = await _chosen(spec, parts)
    tombstone_home.reload(parts.objects, parts.ledger)
    adopt(parts.ledger, parts.objects, spec.run_id)
    asked = ask(spec, parts.ledger, chosen, parts.ledger.intervals())
    return Planned(spec, by_media(asked.fetches), tuple(m.media_id for m in asked.left), wall)


async def _chosen(spec: RunSpec, parts: Dependencies) -> Sequence[str]:
    if not spec.choice.is_listed:
        return spec.choice.ids
    async with parts.client() as client:
        return await choose(spec.choice, client)
