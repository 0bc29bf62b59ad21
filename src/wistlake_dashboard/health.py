"""The state of the lake: what was fetched, certified, reconciled, refused and run, and how Wistia's counts moved."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from wistlake.quality.account import DAYS, TiedDay, tied
from wistlake.quality.scope import Scope
from wistlake_dashboard.reader import Row, extent, once, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

DONE, WAITING, FAILED, MISSING = "published", "waiting", "failed", "not there"
RUNS = 50
MOST = 1_000  # rows of a list that grows with the days: a page of more would take seconds
AHEAD = timedelta(days=31)


def calendar(query: "Query", scope: Scope) -> list[Row]:
    """dataset, day, intervals, failed, missing, waiting, and the state of the worst: one of failed,
    waiting (fetched, and not published yet), not there (Wistia answered 404), published."""
    counted = rows(
        query,
        "SELECT dataset, day, count(*) AS intervals, "
        "sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed, "
        "sum(CASE WHEN missing THEN 1 ELSE 0 END) AS missing, "
        "sum(CASE WHEN state NOT IN ('failed', 'published') THEN 1 ELSE 0 END) AS waiting "
        f"FROM ops.intervals WHERE dataset <> 'gold' AND {_fetched(query, scope).where('day')} "
        "GROUP BY dataset, day ORDER BY dataset, day",
    )
    return [r | {"state": _worst(r)} for r in counted]


def _fetched(query: "Query", scope: Scope) -> Scope:
    """With the newest published day also the days after it: they are fetched, and not published yet."""
    published = once(query, extent)
    return replace(scope, end=scope.end + AHEAD) if published and published[1] == scope.end else scope


def _worst(row: Row) -> str:
    if row["failed"]:
        return FAILED
    if row["waiting"]:
        return WAITING
    return MISSING if row["missing"] == row["intervals"] else DONE


def certificates(query: "Query", scope: Scope) -> list[Row]:
    """date, certificate, media_days."""
    return rows(
        query,
        "SELECT date, certificate, count(*) AS media_days FROM gold.fact_media_daily "
        f"WHERE {scope.where()} GROUP BY date, certificate ORDER BY date, certificate",
    )


def failures(query: "Query", scope: Scope) -> list[Row]:
    """Failed intervals: dataset, media_id, day, reason."""
    return rows(
        query,
        "SELECT dataset, media_id, day, reason FROM ops.intervals "
        f"WHERE state = 'failed' AND {_fetched(query, scope).where('day')} "
        f"ORDER BY day DESC, dataset, media_id LIMIT {MOST}",
    )


def not_in_plan(query: "Query", _scope: Scope) -> list[Row]:
    """The optional datasets that the account's plan lacks: dataset, said_at, asked_again_at."""
    return rows(query, "SELECT dataset, said_at, asked_again_at FROM ops.not_in_plan ORDER BY dataset")


def account(query: "Query", scope: Scope) -> list[TiedDay]:
    """The account's own totals beside those of all followed media, whichever are chosen; ascending days."""
    return [day for day in tied(rows(query, DAYS)) if scope.start <= day.date <= scope.end]


def quarantine(query: "Query", scope: Scope) -> list[Row]:
    """Refused records: dataset, reason, records, first_day, last_day."""
    return rows(
        query,
        "SELECT dataset, reason, count(*) AS records, min(dt) AS first_day, max(dt) AS last_day "
        f"FROM silver.quarantine WHERE {scope.where('dt')} GROUP BY dataset, reason ORDER BY 3 DESC, 1, 2",
    )


def runs(query: "Query", _scope: Scope) -> list[Row]:
    """The newest runs, whatever they were about: run_id, trigger, origin, status, started_at, seconds, error."""
    newest = rows(
        query,
        'SELECT run_id, "trigger", origin, status, started_at, ended_at, error '
        f"FROM ops.runs ORDER BY started_at DESC LIMIT {RUNS}",
    )
    return [{k: v for k, v in r.items() if k != "ended_at"} | {"seconds": _seconds(r)} for r in newest]


def _seconds(run: Row) -> float | None:
    ended = run["ended_at"]
    return (ended - run["started_at"]).total_seconds() if ended else None


def verdicts(query: "Query", scope: Scope) -> list[Row]:
    """Each identity: identity, blocking, holds, broken, not_applicable (media days)."""
    counted = ", ".join(
        f"sum(CASE WHEN verdict = '{v}' THEN 1 ELSE 0 END) AS {v}"
        for v in ("holds", "broken", "not_applicable")
    )
    return rows(
        query,
        f"SELECT identity, blocking, {counted} FROM ops.reconciliation WHERE {scope.where()} "
        "GROUP BY identity, blocking ORDER BY identity",
    )


def broken(query: "Query", scope: Scope) -> list[Row]:
    """Broken identities: identity, media_id, date, ours, theirs, lower, upper, newest day first."""
    return rows(
        query,
        "SELECT identity, media_id, date, ours, theirs, lower, upper FROM ops.reconciliation "
        f"WHERE verdict = 'broken' AND {scope.where()} "
        f"ORDER BY date DESC, identity, media_id LIMIT {MOST}",
    )


def revisions(query: "Query", scope: Scope) -> list[Row]:
    """How Wistia's counts of each media's day moved since they were first read: media_id, date, readings
    (different counts in a row, the first one included), first_plays, plays, first_loads, loads, moved_at (when
    a count last differed from the reading before, or None), restated (how often the modelled hours moved and
    the counts did not). The newest days first."""
    earlier = "{0} <> lag({0}) OVER (PARTITION BY media_id, date ORDER BY observed_at)"
    moved = " OR ".join(earlier.format(count) for count in ("load_count", "play_count"))
    counts = ", ".join(
        f"min_by({name}_count, observed_at) AS first_{name}s, max_by({name}_count, observed_at) AS {name}s"
        for name in ("play", "load")
    )
    # An observation is stored when anything in it changed: if not a count, then the modelled hours.
    return rows(
        query,
        f"SELECT media_id, date, 1 + sum(moved) AS readings, {counts}, "
        "max(CASE WHEN moved = 1 THEN observed_at END) AS moved_at, count(*) - 1 - sum(moved) AS restated "
        f"FROM (SELECT *, CASE WHEN {moved} THEN 1 ELSE 0 END AS moved "
        f"FROM silver.media_by_date_observations WHERE {scope.where()}) o "
        f"GROUP BY media_id, date ORDER BY date DESC, media_id LIMIT {MOST}",
    )
