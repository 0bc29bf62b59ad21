"""The state of a lake: its last run, how far each dataset is complete, what is missing or failed."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from wistlake.insight.gaps import missing_days, still_failed
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning import optional
from wistlake.planning.compacted import Compacted, is_within
from wistlake.planning.lookback import learned
from wistlake.planning.plan import Window
from wistlake.planning.publishing import GOLD
from wistlake.ports import Ledger, Query
from wistlake.quality.account import DAYS, sentences, tied
from wistlake.quality.reconciliation import IDENTITIES

_RUN = ("run_id", "trigger", "status", "origin", "started_at", "ended_at", "error")
_WATERMARK = ("dataset", "media_id", "last_date")
_FAILURE = ("dataset", "media_id", "day", "reason")


def health(ledger: Ledger, window: Window) -> dict[str, Any]:
    """Plain values, ready for JSON."""
    view, runs = LedgerView.of(ledger), ledger.runs(1)
    summary = ledger.summary(runs[0]) if runs else {}
    missing = missing_days(ledger.media(), view, window)
    lookbacks = learned(view.all(), window.now, window.lookback_days, view.compacted)
    return {
        "last_run": {name: getattr(runs[0], name) for name in _RUN} if runs else None,
        "checks": dict(summary.get("checks", {})),
        "warnings": list(summary.get("warnings", ())),
        "watermarks": [{name: getattr(w, name) for name in _WATERMARK} for w in ledger.watermarks()],
        "certificates": dict(sorted(_certificates(view).items())),
        "lookback_learned": dict(sorted(lookbacks.items())),
        "not_in_plan": [asdict(r) for r in optional.refusals(ledger.facts(optional.FACTS))],
        "gaps": [{"dataset": d, "media_id": m, "day": day} for d, m, day in missing],
        "failed": [{name: getattr(i, name) for name in _FAILURE} for i in still_failed(view.all())],
    }


def _certificates(view: LedgerView) -> Counter[str]:
    """Days of gold by certificate."""
    gold = [i for i in view.intervals.values() if i.dataset == GOLD]
    count = Counter(i.reason for i in gold if i.reason)
    for of_media in view.compacted.values():
        for name, ranges in of_media.certificates.items():
            count[name] += sum((last - first).days + 1 for first, last in ranges)
    for i in gold:  # one that is open counts as it is now
        of_media = view.compacted.get(i.media_id, Compacted(i.media_id))
        count.subtract(n for n, ranges in of_media.certificates.items() if is_within(ranges, i.day))
    return +count


def verdicts(query: Query) -> list[dict[str, Any]]:
    """The identities with Wistia's figures, as last judged: how many media days keep each, and what it says."""
    counted = query.sql(
        "SELECT identity, count(*) FILTER (verdict = 'holds') AS holds,"
        " count(*) FILTER (verdict = 'broken') AS broken,"
        " count(*) FILTER (verdict = 'not_applicable') AS not_applicable"
        " FROM ops.reconciliation GROUP BY identity ORDER BY identity"
    ).to_pylist()
    return [row | {"says": IDENTITIES.get(row["identity"], "")} for row in counted]


def account(query: Query) -> list[str]:
    """What the followed media are of the whole account, in sentences."""
    return sentences(tied(query.sql(DAYS).to_pylist()))


def refused(query: Query) -> list[dict[str, Any]]:
    """The records in quarantine, by dataset and reason."""
    counted: list[dict[str, Any]] = query.sql(
        "SELECT dataset, reason, count(*) AS records FROM silver.quarantine GROUP BY 1, 2 ORDER BY 1, 2"
    ).to_pylist()
    return counted
