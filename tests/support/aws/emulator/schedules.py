"""EventBridge Scheduler: context attributes in a target's input, and time that passes when a test says so.

On the service's own clock a test would wait for the next minute, and a schedule would fire into the midst of any
test that runs when it is due. A moment a line in EMULATED_MOMENTS is one sweep at that moment.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.services import eventbridge, scheduler

NEEDS = (
    (eventbridge, ("_invoke_target",)),
    (scheduler, ("_ticker_loop", "_tick_schedules", "time", "_schedule_last_fired")),
)
_SECONDS_BETWEEN_LOOKS = 0.1


class _Clock:
    """What the scheduler takes for the module `time`."""

    moment: float | None = None

    def time(self) -> float:
        """The sweep's moment; outside of sweeps the real time, in which schedules are made."""
        return time.time() if self.moment is None else self.moment


def install() -> None:
    """Fill `<aws.scheduler.scheduled-time>` and its like, as the service does; sweep by the given moments."""
    scheduler.time, scheduler._ticker_loop = _Clock(), _sweep
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


def _sweep() -> None:
    for moment in _moments(Path(os.environ["EMULATED_MOMENTS"])):
        scheduler.time.moment = moment.timestamp()
        scheduler._tick_schedules()
        scheduler.time.moment = None


def _moments(file: Path) -> Iterator[datetime]:
    """Each moment of the file once, also those that are still to be written."""
    seen = 0
    while True:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        yield from map(datetime.fromisoformat, lines[seen:])
        seen = len(lines)
        time.sleep(_SECONDS_BETWEEN_LOOKS)
