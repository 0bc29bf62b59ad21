"""How the lake is: the last run, how far each dataset has come, what is missing or failed."""

from collections import Counter
from typing import Any

from wistlake.contracts import SOURCES
from wistlake.planning.intervals import State
from wistlake.planning.plan import Window, gaps
from wistlake.planning.publishing import GOLD
from wistlake.ports import Ledger, Query


def verdicts(query: Query) -> dict[str, Any]:
    """What was last proved of the published days, by identity and verdict; refused records by reason."""
    judged = query.sql(
        "SELECT identity, verdict, count(*) AS days FROM ops.reconciliation GROUP BY ALL ORDER BY ALL"
    )
    refused = query.sql(
        "SELECT dataset, reason, count(*) AS records FROM silver.quarantine GROUP BY ALL ORDER BY ALL"
    )
    return {"reconciliation": judged.to_pylist(), "quarantine": refused.to_pylist()}


def health(ledger: Ledger, window: Window) -> dict[str, Any]:
    """Plain values, ready for JSON."""
    intervals = ledger.intervals()
    runs = ledger.runs(1)
    have = {i.dataset for i in intervals}
    sources = [s for s in SOURCES if s.name in have]
    missing = gaps(sources, ledger.media(), intervals, window)
    certificates = Counter(i.reason for i in intervals if i.dataset == GOLD)
    return {
        "last_run": {
            "run_id": runs[0].run_id,
            "trigger": runs[0].trigger,
            "status": runs[0].status,
            "origin": runs[0].origin,
            "started_at": runs[0].started_at,
            "ended_at": runs[0].ended_at,
            "error": runs[0].error,
        }
        if runs
        else None,
        "watermarks": [
            {"dataset": w.dataset, "media_id": w.media_id, "last_date": w.last_date}
            for w in ledger.watermarks()
        ],
        "certificates": dict(sorted(certificates.items())),
        "gaps": [{"dataset": d, "media_id": m, "day": day} for d, m, day in missing],
        "failed": [
            {"dataset": i.dataset, "media_id": i.media_id, "day": i.day, "reason": i.reason}
            for i in intervals
            if i.state is State.FAILED
        ],
    }
