"""Refused records: what they are, where their source is, and how they come home."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wistlake import bronze
from wistlake.errors import ConfigError
from wistlake.pipeline.jobs.rebuild import REBUILD
from wistlake.planning.intervals import Interval
from wistlake.ports import Ledger, ObjectStore, Query
from wistlake.quality.reasons import meaning

ID_LENGTH = 12  # of the record's hash: enough to tell refused records apart
_COLUMNS = "substr(record_hash, 1, 12) AS id, dataset, media_id, dt AS day, line, reason"
Row = dict[str, Any]


def listed(query: Query, media: Collection[str] = (), reason: str | None = None) -> list[Row]:
    """One row a refused record, newest day first: id, dataset, media_id, day, line, reason."""
    chosen = [f"media_id IN ({', '.join(_quoted(m) for m in media)})"] if media else []
    chosen += [f"reason = {_quoted(reason)}"] if reason else []
    where = f"WHERE {' AND '.join(chosen)}" if chosen else ""
    found: list[Row] = query.sql(
        f"SELECT {_COLUMNS}, landing_id FROM silver.quarantine {where} ORDER BY dt DESC, landing_id, line"
    ).to_pylist()
    return found


def stopped(ledger: Ledger, rows: Sequence[Row]) -> tuple[Interval, ...]:
    """The days of which so much was refused that nothing of them was taken; their `reason` says it."""
    landings = {r["landing_id"] for r in rows}
    return tuple(i for i in ledger.intervals() if i.is_stopped and i.landing_id in landings)


def shown(query: Query, objects: ObjectStore, record_id: str) -> Row:
    """Everything that may be known of one refused record. ConfigError if the id fits none, or several."""
    if not (record_id.isalnum() and record_id.isascii()):
        raise ConfigError(f"{record_id[:40]!r} is no id: `wistlake quarantine list` has them")
    found: list[Row] = query.sql(
        f"SELECT {_COLUMNS}, landing_id, record_length, payload, observed_at FROM silver.quarantine"
        f" WHERE starts_with(record_hash, {_quoted(record_id)}) ORDER BY landing_id, line"
    ).to_pylist()
    if not found:
        raise ConfigError(f"no refused record begins with {record_id}: `wistlake quarantine list` has them")
    if len({r["id"] for r in found}) > 1:
        raise ConfigError(f"{len(found)} refused records begin with {record_id}: give more of the id")
    retained = objects.exists(bronze.manifest_key(found[0]["landing_id"]))
    return found[0] | {
        "meaning": meaning(found[0]["reason"]),
        "source": "retained" if retained else "expired",
    }


@dataclass(frozen=True, slots=True)
class Replay:
    """Which refused records can be read again. `expired` are those whose raw pages are gone."""

    intervals: tuple[Interval, ...]
    rows: int
    expired: tuple[Row, ...]


def replayable(ledger: Ledger, objects: ObjectStore, rows: Sequence[Row]) -> Replay:
    """The landings that refused rows came from, as far as bronze still has them."""
    landings = {r["landing_id"] for r in rows}
    retained = {x for x in landings if objects.exists(bronze.manifest_key(x))}
    intervals = tuple(i for i in ledger.intervals() if i.landing_id in retained)
    return Replay(
        intervals,
        sum(r["landing_id"] in retained for r in rows),
        tuple(r for r in rows if r["landing_id"] not in retained),
    )


def build_anew(ledger: Ledger, intervals: Collection[Interval]) -> None:
    """Make these landings pending again: the next build reads them by today's contract."""
    ledger.record(replace(i, built_signature=REBUILD) for i in intervals)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
