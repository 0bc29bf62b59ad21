"""The state of the lake: what was fetched, certified, reconciled, refused and run, and how Wistia's counts moved."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from wistlake.quality.account import DAYS, TiedDay, tied
from wistlake.quality.scope import Scope
from wistlake_dashboard.reader import Row, extent, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

DONE, WAITING, FAILED, MISSING = "published", "waiting", "failed", "not there"
RUNS = 50
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
    published = extent(query)
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
        f"WHERE state = 'failed' AND {_fetched(query, scope).where('day')} ORDER BY day DESC, dataset, media_id",
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
        f"WHERE verdict = 'broken' AND {scope.where()} ORDER BY date DESC, identity, media_id",
    )


def revisions(query: "Query", scope: Scope) -> list[Row]:
    """How Wistia's counts of each media's day moved since they were first read: media_id, date, readings
    (different counts in a row, the first one included), first_plays, plays, first_loads, loads, moved_at (when
    a count last differed from the reading before, or None), restated (how often the modelled hours moved and
    the counts did not). Newest day first."""
    observations = rows(
        query,
        "SELECT media_id, date, observed_at, load_count, play_count "
        f"FROM silver.media_by_date_observations WHERE {scope.where()} ORDER BY media_id, date, observed_at",
    )
    of_day: dict[tuple[str, object], list[Row]] = {}
    for r in observations:
        of_day.setdefault((r["media_id"], r["date"]), []).append(r)
    return sorted(map(_moved, of_day.values()), key=lambda r: (-r["date"].toordinal(), r["media_id"]))


def _moved(observed: list[Row]) -> Row:
    first, last = observed[0], observed[-1]
    moves = [
        later["observed_at"]
        for earlier, later in itertools.pairwise(observed)
        if (earlier["load_count"], earlier["play_count"]) != (later["load_count"], later["play_count"])
    ]
    return {
        "media_id": first["media_id"],
        "date": first["date"],
        "readings": 1 + len(moves),
        "first_plays": first["play_count"],
        "plays": last["play_count"],
        "first_loads": first["load_count"],
        "loads": last["load_count"],
        "moved_at": moves[-1] if moves else None,
        # An observation is stored when anything in it changed: if not a count, then the modelled hours.
        "restated": len(observed) - 1 - len(moves),
    }
