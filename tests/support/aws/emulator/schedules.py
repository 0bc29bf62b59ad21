"""EventBridge Scheduler: context attributes in a target's input, and a sweep every second."""

from datetime import UTC, datetime
from typing import Any

from ministack.services import eventbridge, scheduler

NEEDS = ((eventbridge, ("_invoke_target",)), (scheduler, ("_SCHEDULE_TICK_INTERVAL",)))


def install() -> None:
    """Fill `<aws.scheduler.scheduled-time>` and its like, as the service does."""
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    invoke = eventbridge._invoke_target

    def invoke_filled(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> Any:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            moment = datetime.fromtimestamp(int(event["Time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            filled = (
                target["Input"]
                .replace("<aws.scheduler.scheduled-time>", moment)
                .replace("<aws.scheduler.execution-id>", event["EventId"])
                .replace("<aws.scheduler.schedule-arn>", event["Resources"][0])
            )
            target = {**target, "Input": filled}
        return invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_filled
