"""The ledger's record of a run: begun under the lease, ended with its result, or with what made it fail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from wistlake.errors import WistlakeError
from wistlake.pipeline.run.spec import RunSpec
from wistlake.ports import Ledger, Run

RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"
KILLED = "it was killed, or its machine stopped: the next run went on where it had ended"


def begin(ledger: Ledger, run: Run, wall: datetime) -> Run:
    """Record that `run` is running. Its process holds the lease, so no other run can be: whatever the ledger still
    calls running was killed, and is closed as failed at `wall`, the real time."""
    for dead in ledger.runs():
        if dead.status == RUNNING and dead.run_id != run.run_id:
            ended_at = max(wall, dead.started_at)
            ledger.put_run(replace(dead, status=FAILED, ended_at=ended_at, error=KILLED))
    ledger.put_run(run)
    return run


def record_of(spec: RunSpec) -> Run:
    """The record of a run that has just begun."""
    return Run(spec.run_id, spec.trigger, spec.origin, RUNNING, spec.window.now)


def end(
    ledger: Ledger, run: Run, ended_at: datetime, summary: Mapping[str, Any], errors: Sequence[str] = ()
) -> None:
    """Record the end of a run; `summary` is its result as JSON. It failed if there are `errors`."""
    status, error = (FAILED, "; ".join(errors)) if errors else (SUCCEEDED, "")
    ledger.put_run(replace(run, status=status, ended_at=ended_at, error=error, summary=summary))


def fail(ledger: Ledger, run: Run, ended_at: datetime, error: BaseException) -> None:
    """Record that a run ended with `error` before it had a result."""
    ledger.put_run(replace(run, status=FAILED, ended_at=ended_at, error=message_of(error)))


def message_of(error: BaseException) -> str:
    """What may be repeated of an error: the text of ours; of any other its name only, for its text may hold
    anything."""
    return str(error) if isinstance(error, WistlakeError) else type(error).__name__
