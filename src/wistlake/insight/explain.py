"""Why a number is what it is, and how it came to be: landings, sessions, observations, run and snapshot."""

from dataclasses import fields
from datetime import date, tzinfo
from typing import Any

from wistlake.bronze import decode_manifest, manifest_key
from wistlake.contracts import source, table
from wistlake.errors import ConfigError
from wistlake.pipeline.run.spec import TRANSFORM_VERSION
from wistlake.planning.calendar import utc_days_of
from wistlake.planning.intervals import Interval, State
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD
from wistlake.ports import Ledger, ObjectStore, Query

DAILY = "fact_media_daily"
_OF_A_LANDING = ("dataset", "day", "landing_id", "observed_at", "rows", "state", "run_id", "reason")
_RUNS = 1_000  # years of daily runs


def explain(
    ledger: Ledger, objects: ObjectStore, query: Query, media_id: str, day: date, tz: tzinfo
) -> dict[str, Any]:
    """One row of `fact_media_daily` and its history, as plain values. ConfigError if gold has no such row.

    `late` sessions were first seen by a later listing than the day's first; `grown` ones changed since they
    were first seen; `removed` ones are no longer listed. `changes` has the same by reading and run.
    """
    where = f"media_id = '{media_id}' AND date = DATE '{day}'"
    rows = query.sql(f"SELECT * FROM gold.{DAILY} WHERE {where}").to_pylist()
    if not rows:
        failed = [i.reason for i in _intervals(ledger, media_id, day, tz) if i.state is State.FAILED]
        reasons = "; ".join(dict.fromkeys(failed)) or "`wistlake status` names the gaps"
        raise ConfigError(f"gold has no {media_id} on {day}: {reasons}")
    published = ledger.publication()
    ref = published.tables[f"gold.{DAILY}"] if published else None
    return {
        "row": rows[0],
        "sessions": _sessions(query, media_id, day),
        "changes": _changes(ledger, query, media_id, day),
        "observations": revisions(query, media_id, day),
        "landings": _landings(ledger, objects, media_id, day, tz),
        "verdicts": query.sql(
            f"SELECT identity, verdict, ours, theirs, lower, upper, run_id"
            f" FROM ops.reconciliation WHERE {where} ORDER BY identity"
        ).to_pylist(),
        "run_id": next((i.run_id for i in ledger.intervals(GOLD, media_id, day, day)), None),
        "snapshot_id": ref.snapshot_id if ref else None,
        "transform_version": TRANSFORM_VERSION,
        "contract_version": table(f"gold.{DAILY}").version,
        "source_versions": {name: source(name).version for name in (EVENTS, BY_DATE)},
    }


def _intervals(ledger: Ledger, media_id: str, day: date, tz: tzinfo) -> list[Interval]:
    """The landings that a day of gold is made from."""
    keys = [(EVENTS, d) for d in utc_days_of(day, tz)] + [(BY_DATE, day)]
    return [i for dataset, d in keys for i in ledger.intervals(dataset, media_id, d, d)]


def revisions(query: Query, media_id: str | None = None, day: date | None = None) -> list[dict[str, Any]]:
    """Every value that the source ever gave for a day, oldest first, and how it moved."""
    conditions = [f"media_id = '{media_id}'"] if media_id else []
    conditions += [f"date = DATE '{day}'"] if day else []
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    span = "OVER (PARTITION BY media_id, date ORDER BY observed_at)"
    return query.sql(  # type: ignore[no-any-return]
        "SELECT media_id, date, observed_at, load_count, play_count, hours_watched_modelled,"
        f" load_count - lag(load_count) {span} AS loads_moved,"
        f" play_count - lag(play_count) {span} AS plays_moved"
        f" FROM silver.media_by_date_observations {where} ORDER BY media_id, date, observed_at"
    ).to_pylist()


_COUNTED = (
    "count(*) FILTER (WHERE removed_at IS NULL) AS listed,"
    " count(*) FILTER (WHERE removed_at IS NOT NULL) AS removed,"
    " count(*) FILTER (WHERE first_observed_at > first) AS late,"
    " count(*) FILTER (WHERE removed_at IS NULL AND observed_at > first_observed_at) AS grown"
)


def _first_readings(where: str) -> str:
    """Sessions with the moment at which their media's UTC day was first read."""
    return (
        "(SELECT *, min(first_observed_at) OVER (PARTITION BY media_id, event_date) AS first"
        f" FROM silver.fact_events {where})"
    )


def _sessions(query: Query, media_id: str, day: date) -> dict[str, int]:
    where = f"WHERE media_id = '{media_id}' AND event_date_local = DATE '{day}'"
    counted = query.sql(f"SELECT {_COUNTED} FROM {_first_readings(where)}").to_pylist()
    return {name: int(count) for name, count in counted[0].items()}


def moved_sessions(query: Query, media_id: str | None = None) -> list[dict[str, Any]]:
    """The days on which sessions came late, grew or went since they were first read, and how many."""
    where = f"WHERE media_id = '{media_id}'" if media_id else ""
    return query.sql(  # type: ignore[no-any-return]
        f"SELECT * FROM (SELECT media_id, event_date_local AS date, {_COUNTED} FROM {_first_readings(where)}"
        " GROUP BY media_id, event_date_local) WHERE late + grown + removed > 0 ORDER BY media_id, date"
    ).to_pylist()


def _changes(ledger: Ledger, query: Query, media_id: str, day: date) -> list[dict[str, Any]]:
    """What each reading of the day's sessions changed, oldest first, and its run. A session that changed several
    times counts at its last change."""
    of_day = f"FROM silver.fact_events WHERE media_id = '{media_id}' AND event_date_local = DATE '{day}'"
    moved = "removed_at IS NULL AND observed_at > first_observed_at"
    changes: list[dict[str, Any]] = query.sql(
        "SELECT read_at, sum(added) AS added, sum(grown) AS grown, sum(removed) AS removed FROM ("
        f"SELECT first_observed_at AS read_at, 1 AS added, 0 AS grown, 0 AS removed {of_day}"
        f" UNION ALL SELECT observed_at, 0, 1, 0 {of_day} AND {moved}"
        f" UNION ALL SELECT removed_at, 0, 0, 1 {of_day} AND removed_at IS NOT NULL) GROUP BY read_at ORDER BY read_at"
    ).to_pylist()
    runs = sorted(ledger.runs(_RUNS), key=lambda r: r.started_at)
    return [
        {
            "read_at": c["read_at"],
            "run_id": next((r.run_id for r in reversed(runs) if r.started_at <= c["read_at"]), None),
            **{name: int(c[name]) for name in ("added", "grown", "removed")},
        }
        for c in changes
    ]


def _landings(
    ledger: Ledger, objects: ObjectStore, media_id: str, day: date, tz: tzinfo
) -> list[dict[str, Any]]:
    """The landings that the row is made from; pages are unknown once retention has removed the manifest."""
    names = [f.name for f in fields(Interval) if f.name in _OF_A_LANDING]
    landings = []
    for interval in _intervals(ledger, media_id, day, tz):
        key = manifest_key(interval.landing_id) if interval.landing_id else ""
        pages = decode_manifest(objects.get(key)).pages if key and objects.exists(key) else None
        landings.append({**{n: getattr(interval, n) for n in names}, "pages": pages})
    return landings
