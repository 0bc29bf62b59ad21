"""The ledger's record of a run: begun under the lease, ended with its result, or with what made it fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from wistlake.contracts.form import ACCOUNT
from wistlake.errors import reason
from wistlake.pipeline.run.fetched import FetchLine
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.ports import Ledger, Run

RUNNING, SUCCEEDED, PARTIAL, FAILED = "running", "succeeded", "partial", "failed"
MOST_LINES = 2_000  # of a summary's lines by media and dataset: an item of a ledger holds 400 KB
MOST_LISTED = 2_000  # of what else a summary lists
KILLED = "it was killed, or its machine stopped: the next run went on where it had ended"


def begin(
    ledger: Ledger, run: Run, wall: datetime, on_closed: Callable[[Run], None] = lambda _run: None
) -> Run:
    """Record that `run` is running. Its process holds the lease, so no other run can be: whatever the ledger still
    calls running was killed, and is closed as failed at `wall`, the real time; `on_closed` hears of it."""
    for dead in ledger.runs():
        if dead.status == RUNNING and dead.run_id != run.run_id:
            ended_at = max(wall, dead.started_at)
            closed = replace(dead, status=FAILED, ended_at=ended_at, error=KILLED)
            ledger.put_run(closed)
            on_closed(closed)
    ledger.put_run(run)
    return run


def record_of(spec: RunSpec) -> Run:
    """The record of a run that has just begun."""
    return Run(spec.run_id, spec.trigger, spec.origin, RUNNING, spec.window.now)


def end(
    ledger: Ledger, run: Run, ended_at: datetime, summary: Mapping[str, Any], errors: Sequence[str] = ()
) -> Run:
    """Record the end of a run; `summary` is its result as JSON, which says its status where there are `errors`."""
    status = str(summary.get("status", FAILED)) if errors else SUCCEEDED
    error = "; ".join(errors)
    ended = replace(run, status=status, ended_at=ended_at, error=error)
    ledger.put_run(ended, kept(summary))
    return ended


def kept(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a summary: lines of a run over very many media are added up by dataset, and long lists
    end early. The ledger's intervals know each media day."""
    short = {
        k: v[:MOST_LISTED] if isinstance(v, list) and k != "intervals" else v for k, v in summary.items()
    }
    lines = summary.get("intervals", [])
    if len(lines) > MOST_LINES:
        by_dataset: dict[str, FetchLine] = {}
        for line in lines:
            total = by_dataset.setdefault(line["dataset"], FetchLine(line["dataset"], ACCOUNT))
            total.add({name: count for name, count in line.items() if name not in ("dataset", "media_id")})
        short["intervals"] = [asdict(total) for total in by_dataset.values()]
    return short


def fail(ledger: Ledger, run: Run, ended_at: datetime, error: BaseException) -> Run:
    """Record that a run ended with `error` before it had a result."""
    failed = replace(run, status=FAILED, ended_at=ended_at, error=reason(error))
    ledger.put_run(failed)
    return failed


def heard(deps: Dependencies, spec: RunSpec, wall: datetime) -> Run:
    """`begin` for a run of `spec`, of which the listener hears, and of those that were killed."""
    running = begin(deps.ledger, record_of(spec), wall, lambda dead: deps.listener.ended(dead, (), {}))
    deps.listener.began(running, spec.sources)
    return running
