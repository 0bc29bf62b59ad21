"""Lambda `publish`: readers get what Glue built; the run ends."""

from typing import Any

from wistlake.entrypoints.aws import events
from wistlake.pipeline.run.handover import decode_plan
from wistlake.pipeline.run.stages import StepFailed, publish_run
from wistlake.settings import Settings
from wistlake.wiring import aws

_MOST_ERRORS = 10


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """See the package's docstring for what goes in and comes out."""
    events.configure_logs()
    settings = Settings()
    planned = decode_plan(aws.objects(settings).get(events.text(event, "plan_key")))
    now = planned.spec.window.now
    done = publish_run(
        planned,
        aws.dependencies(settings, events.outside(lambda: now)),
        aws.ledger(settings),
        events.wall(),
        [StepFailed(f["error"], f["message"], f["batch"]) for f in event.get("failed") or ()],
        StepFailed(f["error"], f["message"]) if (f := event.get("build_failed")) else None,
    )
    aws.emit_metrics(done.figures, settings.stage)
    return {
        "run_id": planned.spec.run_id,
        "published": {
            "days": done.result.days_published,
            "rows": sum(line["rows"] for line in done.result.intervals),
            "intervals": done.intervals,
            "watermarks": done.watermarks,
        },
        "failed": int(done.figures["MediaFailed"]),
        "verdict": done.result.status,
        "errors": done.result.errors[:_MOST_ERRORS],
    }
