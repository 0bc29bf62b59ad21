"""Lambda `plan`: takes the lease, decides what the run asks for, and writes it down."""

from collections.abc import Iterable
from typing import Any

import structlog

from wistlake.entrypoints.aws import events
from wistlake.pipeline.run.handover import plan_key
from wistlake.pipeline.run.stages import end_idle, is_idle, plan_run
from wistlake.planning.intervals import Fetch
from wistlake.planning.packing import MOST_MEDIA, batches
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
        most=events.count(event, "most_media"),
    )
    structlog.get_logger().info("asked", run_id=spec.run_id, reason=event.get("reason") or "")
    deps = aws.dependencies(settings, events.outside(lambda: now))
    lease = aws.ledger(settings, str(event.get("execution") or ""))
    planned = plan_run(spec, deps, lease, events.wall())
    idle = is_idle(planned, deps.ledger)
    if idle:
        end_idle(planned, deps, lease)
    return {
        "run_id": spec.run_id,
        "plan_key": plan_key(spec.run_id),
        "batches": shown(planned.fetches),
        "nothing_to_do": idle,
    }


def shown(fetches: Iterable[Fetch]) -> list[dict[str, Any]]:
    """The batches as the console shows them; of one that is about many media, only how many."""
    return [
        {
            "batch": b.name,
            "phase": b.phase,
            "datasets": b.datasets,
            "medias": b.media if len(b.media) <= MOST_MEDIA else (f"{len(b.media)} media",),
        }
        for b in batches(fetches)
    ]
