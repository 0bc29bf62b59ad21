"""Refused records: what they are, why they were refused, and where their source is."""

from collections.abc import Collection, Sequence
from typing import Any

from wistlake import bronze
from wistlake.errors import ConfigError
from wistlake.planning.intervals import Interval
from wistlake.ports import Ledger, ObjectStore, Query
from wistlake.quality.reasons import meaning

ID_LENGTH = 12  # characters of the record's hash: enough to tell refused records apart
_COLUMNS = f"substr(record_hash, 1, {ID_LENGTH}) AS id, dataset, media_id, dt AS day, line, reason"
Row = dict[str, Any]


def listed(query: Query, media: Collection[str] = (), reason: str | None = None) -> list[Row]:
    """One row a refused record, newest day first: id, dataset, media_id, day, line, reason."""
    conditions = [f"media_id IN ({', '.join(_quoted(m) for m in media)})"] if media else []
    conditions += [f"reason = {_quoted(reason)}"] if reason else []
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows: list[Row] = query.sql(
        f"SELECT {_COLUMNS}, landing_id FROM silver.quarantine {where} ORDER BY dt DESC, landing_id, line"
    ).to_pylist()
    return rows


def stopped(ledger: Ledger, rows: Sequence[Row]) -> tuple[Interval, ...]:
    """The days of which so much was refused that nothing of them was taken; their `reason` says it."""
    landings = {r["landing_id"] for r in rows}
    return tuple(i for i in ledger.open_intervals() if i.is_stopped and i.landing_id in landings)


def shown(query: Query, objects: ObjectStore, record_id: str) -> Row:
    """Everything that may be known of one refused record. ConfigError if the id fits none, or several."""
    if not (record_id.isalnum() and record_id.isascii()):
        raise ConfigError(f"{record_id[:40]!r} isn't an id: `wistlake quarantine list` has them")
    rows: list[Row] = query.sql(
        f"SELECT {_COLUMNS}, landing_id, record_length, payload, observed_at FROM silver.quarantine"
        f" WHERE starts_with(record_hash, {_quoted(record_id)}) ORDER BY landing_id, line"
    ).to_pylist()
    if not rows:
        raise ConfigError(f"no refused record begins with {record_id}: `wistlake quarantine list` has them")
    if len({r["id"] for r in rows}) > 1:
        raise ConfigError(f"{len(rows)} refused records begin with {record_id}: give more of the id")
    retained = objects.exists(bronze.manifest_key(rows[0]["landing_id"]))
    return rows[0] | {
        "meaning": meaning(rows[0]["reason"]),
        "source": "retained" if retained else "expired",
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
