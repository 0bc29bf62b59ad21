"""Lambda `plan`: takes the lease, decides what the run asks for, and writes it down."""

from typing import Any

import structlog

from wistlake.entrypoints.aws import events
from wistlake.pipeline.run.handover import plan_key
from wistlake.pipeline.run.stages import end_idle, is_idle, plan_run
from wistlake.settings import Settings
from wistlake.wiring import aws
from wistlake.wiring.spec import run_spec


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """See the package's docstring for what goes in and comes out."""
    events.configure_logs()
    settings = Settings()
    now = events.moment(event, "scheduled_time")
    spec = run_spec(
        settings,
        run_id=events.text(event, "run_id"),
        trigger=events.trigger(event),
        now=now,
        start=events.day(event, "from"),
        end=events.day(event, "to"),
        media=tuple(event.get("medias") or ()),
    )
    structlog.get_logger().info("asked", run_id=spec.run_id, reason=event.get("reason") or "")
    deps, lease = aws.dependencies(settings, events.outside(lambda: now)), aws.ledger(settings)
    planned = plan_run(spec, deps, lease, events.wall())
    idle = is_idle(planned, deps.ledger)
    if idle:
        end_idle(planned, deps, lease)
    return {
        "run_id": spec.run_id,
        "plan_key": plan_key(spec.run_id),
        "medias": [{"media_id": media_id} for media_id in planned.fetches],
        "nothing_to_do": idle,
    }
