"""Lambda `plan`: takes the lease, decides what the run asks for, and writes it down."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from wistlake.entrypoints.aws import events
from wistlake.pipeline.run.handover import RunPlan, items_key, plan_key
from wistlake.pipeline.run.stages import end_idle, is_idle, plan_run
from wistlake.planning.intervals import Fetch
from wistlake.planning.packing import MOST_MEDIA, batches
from wistlake.ports import ObjectStore
from wistlake.settings import Settings
from wistlake.wiring import aws
from wistlake.wiring.spec import run_spec

# More, and each batch is an execution of its own: the history of one execution ends at 25,000 events.
INLINE_MEDIA, INLINE_BATCHES = 500, 200
Shown = dict[str, Any]


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
    shown_batches = shown(planned.fetches)
    items = []
    if not idle and (event.get("distributed") or are_many(planned, shown_batches)):
        items = written(shown_batches, spec.run_id, deps.objects)
    return {
        "run_id": spec.run_id,
        "plan_key": plan_key(spec.run_id),
        "batches": [] if items else shown_batches,
        "items": items,
        "nothing_to_do": idle,
    }


def are_many(planned: RunPlan, shown_batches: Sequence[Shown]) -> bool:
    """Whether the batches are too many for the history and the states of one execution."""
    media = {media_id for fetch in planned.fetches for media_id in fetch.media}
    return len(media) > INLINE_MEDIA or len(shown_batches) > INLINE_BATCHES


def written(shown_batches: Sequence[Shown], run_id: str, objects: ObjectStore) -> list[str]:
    """Put the batches where the machine reads them from, a document for each phase that has any; the keys, in order."""
    keys = []
    for phase in sorted({b["phase"] for b in shown_batches}):
        keys.append(items_key(run_id, phase))
        of_phase = [b for b in shown_batches if b["phase"] == phase]
        objects.put(keys[-1], json.dumps(of_phase, separators=(",", ":")).encode())
    return keys


def shown(fetches: Iterable[Fetch]) -> list[Shown]:
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
