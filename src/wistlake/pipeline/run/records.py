"""The ledger's record of a run: begun under the lease, and closed by the next one if nobody else could."""

from dataclasses import replace
from datetime import datetime

from wistlake.ports import Ledger, Run

RUNNING = "running"
KILLED = "it was killed, or its machine stopped: the next run went on where it had ended"


def begun(ledger: Ledger, run: Run, wall: datetime) -> Run:
    """Write down that `run` is running, whose process holds the lease. So no other one is: what the ledger still
    calls running ended before it could say so, and is closed as failed. `wall` is when."""
    for dead in ledger.runs():
        if dead.status == RUNNING and dead.run_id != run.run_id:
            ended = max(wall, dead.started_at)
            ledger.put_run(replace(dead, status="failed", ended_at=ended, error=KILLED))
    ledger.put_run(run)
    return run
