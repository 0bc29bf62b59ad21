"""Lambda `ingest`: lands one batch, as far as the time goes."""

from typing import Any

from wistlake.entrypoints.aws import events
from wistlake.pipeline.run.handover import decode_plan
from wistlake.pipeline.run.stages import ingest_round
from wistlake.ports import LEASE, LEASE_SECONDS
from wistlake.settings import Settings
from wistlake.wiring import aws


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """See the package's docstring for what goes in and comes out."""
    events.configure_logs()
    settings = Settings()
    batch = events.text(event, "batch")
    planned = decode_plan(aws.objects(settings).get(events.text(event, "plan_key")))
    now = planned.spec.window.now
    ledger = aws.ledger(settings)

    def fence() -> None:
        ledger.renew(LEASE, planned.spec.run_id, events.wall(), LEASE_SECONDS)

    fence()
    done = ingest_round(
        planned,
        batch,
        aws.dependencies(settings, events.outside(lambda: now)),
        lambda: context.get_remaining_time_in_millis() / 1000,
        events.wall(),
        fence,
    )
    number = (event.get("continuation") or {}).get("round", 0) + 1
    return {
        "batch": batch,
        "done": not done.left,
        "continuation": {"round": number, "left": done.left} if done.left else None,
        "landed": done.landed,
        "requests": done.requests,
    }
