"""The laptop's ledger: one sqlite file, and lock files that the system frees when their process ends."""

import contextlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar, get_origin, get_type_hints

from wistlake.adapters.local.database import Database, Upgrades
from wistlake.adapters.local.locks import lock, open_private
from wistlake.codec import decode, encode
from wistlake.errors import LeaseHeld, StoreError
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, Watermark, require_reason
from wistlake.planning.labels import MediaLabels
from wistlake.ports import Lease, Ledger, Publication, Run, followed_since
from wistlake.quality.alert_history import Alert

_V = TypeVar("_V")
_LEASE_NAME = re.compile(r"[a-z0-9_-]{1,40}")

# Released entries are never edited: lakes with every version of the schema exist.
UPGRADES: Upgrades = (
    (
        """
        CREATE TABLE intervals (
            dataset TEXT NOT NULL, media_id TEXT NOT NULL, day TEXT NOT NULL, state TEXT NOT NULL,
            run_id TEXT NOT NULL, updated_at TEXT NOT NULL, reason TEXT NOT NULL, landing_id TEXT NOT NULL,
            observed_at TEXT, content_hash TEXT NOT NULL, rows INTEGER NOT NULL, finished INTEGER NOT NULL,
            missing INTEGER NOT NULL, confirmations INTEGER NOT NULL, built_signature TEXT NOT NULL,
            published_at TEXT,
            PRIMARY KEY (dataset, media_id, day)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX intervals_by_media ON intervals (media_id, day)",
        "CREATE INDEX intervals_by_day ON intervals (day)",
        """
        CREATE TABLE watermarks (
            dataset TEXT NOT NULL, media_id TEXT NOT NULL, last_date TEXT NOT NULL,
            updated_at TEXT NOT NULL, override_reason TEXT NOT NULL,
            PRIMARY KEY (dataset, media_id)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE media (
            media_id TEXT NOT NULL PRIMARY KEY, first_day TEXT NOT NULL, added_at TEXT NOT NULL,
            retired_at TEXT, reason TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE runs (
            run_id TEXT NOT NULL PRIMARY KEY, trigger TEXT NOT NULL, origin TEXT NOT NULL,
            status TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, error TEXT NOT NULL,
            summary TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX runs_by_start ON runs (started_at, run_id)",
        """
        CREATE TABLE publications (
            number INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, published_at TEXT NOT NULL,
            tables TEXT NOT NULL
        )
        """,
        "CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE leases (
            name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, since TEXT NOT NULL, token INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ),
    (
        "ALTER TABLE intervals ADD COLUMN steady_hash TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE intervals ADD COLUMN moved_at TEXT",
    ),
    ("ALTER TABLE intervals ADD COLUMN changed_at TEXT",),
    ("CREATE TABLE labels (media_id TEXT NOT NULL PRIMARY KEY, changes TEXT NOT NULL) WITHOUT ROWID",),
    (
        # Compacted intervals stay where they are: only the open ones are in the index that a run reads.
        "ALTER TABLE intervals ADD COLUMN compacted INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX open_intervals ON intervals (dataset, media_id, day) WHERE compacted = 0",
        "CREATE TABLE compacted (media_id TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        """
        CREATE TABLE alerts (
            rule TEXT NOT NULL, subject TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, metric TEXT NOT NULL,
            last_day TEXT NOT NULL, days INTEGER NOT NULL, value REAL NOT NULL, expected REAL NOT NULL,
            early INTEGER NOT NULL, told_at TEXT NOT NULL, withdrawn_at TEXT,
            PRIMARY KEY (day, rule, subject)
        ) WITHOUT ROWID
        """,
    ),
)


class SqliteLedger(Ledger):
    """Ledger in the sqlite file at `path`; its folder also holds the lock files of leases.

    With `read_only`, it reads while another process writes. ConfigError if a newer wistlake wrote the file;
    StoreError if it is damaged: a damaged ledger is never replaced by an empty one.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._database = Database(
            path,
            UPGRADES,
            if_damaged="restore it from a backup; don't delete it, nothing else knows what is done",
            read_only=read_only,
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def lease(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Iterator[Lease]:
        """Hold the lease during the block. `ttl_seconds` has no effect: the system frees the lock with the process."""
        if not _LEASE_NAME.fullmatch(name):
            raise StoreError(
                f"{name[:40]!r} isn't a name of a lease: lower-case letters, digits, - and _ only"
            )
        with self._database.explained():
            file = open_private(self._database.path.with_name(f"lease.{name}.lock"))
        with file:
            with self._database.explained():
                free = lock(file)
            if not free:
                raise LeaseHeld(self._who_holds(name))
            try:
                yield self._sign(name, owner, now)
            finally:
                # The row stays, so that tokens keep growing. Its owner goes: it would be named as the holder.
                with contextlib.suppress(StoreError), self._database.writing() as connection:
                    connection.execute("UPDATE leases SET owner = '' WHERE name = ?", (name,))

    def _sign(self, name: str, owner: str, now: datetime) -> Lease:
        with self._database.writing() as connection:
            (token,) = connection.execute(
                "INSERT INTO leases VALUES (?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET "
                "owner = excluded.owner, since = excluded.since, token = token + 1 RETURNING token",
                (name, owner, encode(datetime, now)),
            ).fetchone()
        return Lease(name, owner, token, now)

    def _who_holds(self, name: str) -> str:
        sql = "SELECT owner, since FROM leases WHERE name = ?"
        owner, since = next(iter(self._database.rows(sql, (name,), tuple)), ("", ""))
        who = f"{owner} has held it since {since}" if owner else "another process has just taken it"
        return f"the lease `{name}` of {self._database.path.parent} is taken: {who}. Wait for it, or stop it"

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        filters = {"dataset = ?": dataset, "media_id = ?": media_id}
        if start or end:  # sqlite uses an index over days for a closed range only
            filters["day >= ?"] = (start or date.min).isoformat()
            filters["day <= ?"] = (end or date.max).isoformat()
        return self._read(_INTERVALS, "dataset, media_id, day", filters)

    def open_intervals(self, media_ids: Collection[str] | None = None) -> Sequence[Interval]:
        # Named, because sqlite has too few figures about the table to choose it by itself.
        sql = f"{_INTERVALS.select} INDEXED BY open_intervals WHERE compacted = 0"
        if media_ids is not None:
            sql = f"{sql} AND media_id IN (SELECT value FROM json_each(?))"
        values = [] if media_ids is None else [json.dumps(list(media_ids))]
        return self._database.rows(f"{sql} ORDER BY dataset, media_id, day", values, _INTERVALS.value)

    def interval_columns(self, names: Sequence[str]) -> Iterable[Mapping[str, Sequence[Any]]]:
        lists = ", ".join(f"json_group_array({name})" for name in names)
        sql = f"SELECT {lists} FROM intervals GROUP BY dataset"  # a text of sqlite's has an end
        return self._database.rows(sql, (), lambda row: dict(zip(names, map(json.loads, row), strict=True)))

    def record(self, intervals: Iterable[Interval]) -> None:
        self._write(_INTERVALS, intervals)  # a row that replaces another one is not compacted

    def compacted(self, media_ids: Collection[str] | None = None) -> Mapping[str, Compacted]:
        sql, values = "SELECT document FROM compacted", []
        if media_ids is not None:
            sql, values = (
                f"{sql} WHERE media_id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(media_ids))],
            )
        compacted = self._database.rows(sql, values, lambda row: decode(Compacted, json.loads(row[0])))
        return {c.media_id: c for c in compacted}

    def compact(self, changes: Iterable[tuple[Compacted, Sequence[Interval]]]) -> None:
        unchanged = "dataset = ? AND media_id = ? AND day = ? AND updated_at = ? AND run_id = ?"
        with self._database.writing() as connection:
            for compacted, intervals in changes:
                document = json.dumps(encode(Compacted, compacted))
                keys = [
                    (*i.key[:2], i.day.isoformat(), encode(datetime, i.updated_at), i.run_id)
                    for i in intervals
                ]
                connection.execute(
                    "INSERT OR REPLACE INTO compacted VALUES (?, ?)", (compacted.media_id, document)
                )
                connection.executemany(f"UPDATE intervals SET compacted = 1 WHERE {unchanged}", keys)

    def watermarks(self) -> Sequence[Watermark]:
        return self._read(_WATERMARKS, "dataset, media_id")

    def advance(self, watermarks: Iterable[Watermark]) -> Sequence[Watermark]:
        sql = (
            f"{_WATERMARKS.insert} ON CONFLICT (dataset, media_id) DO UPDATE SET "
            "last_date = excluded.last_date, updated_at = excluded.updated_at, "
            "override_reason = excluded.override_reason WHERE excluded.last_date > last_date"
        )
        with self._database.writing() as connection:
            return [w for w in watermarks if connection.execute(sql, _WATERMARKS.row(w)).rowcount == 1]

    def override(self, watermark: Watermark) -> None:
        require_reason(watermark)
        self._write(_WATERMARKS, [watermark])

    def media(self) -> Sequence[MediaEntry]:
        return self._read(_MEDIA, "media_id")

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        self._write(_MEDIA, entries)

    def labels(self) -> Sequence[MediaLabels]:
        return self._read(_LABELS, "media_id")

    def put_labels(self, entries: Iterable[MediaLabels]) -> None:
        self._write(_LABELS, entries)

    def alerts(self) -> Sequence[Alert]:
        return self._read(_ALERTS, "day, rule, subject")

    def put_alerts(self, entries: Iterable[Alert]) -> None:
        self._write(_ALERTS, entries)

    def put_run(self, run: Run, summary: Mapping[str, Any] | None = None) -> None:
        summary_sql = "coalesce(?, (SELECT summary FROM runs WHERE run_id = ?), '{}')"
        document = None if summary is None else json.dumps(summary, default=dict)
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO runs ({_RUNS.names}, summary) VALUES ({_RUNS.places}, {summary_sql})",
                [*_RUNS.row(run), document, run.run_id],
            )

    def runs(self, limit: int = 100) -> Sequence[Run]:
        sql = f"{_RUNS.select} ORDER BY started_at DESC, run_id DESC LIMIT ?"
        return self._database.rows(sql, (limit,), _RUNS.value)

    def summary(self, run: Run) -> Mapping[str, Any]:
        sql = "SELECT summary FROM runs WHERE run_id = ?"
        documents = self._database.rows(sql, (run.run_id,), lambda row: json.loads(row[0]))
        return documents[0] if documents else {}

    def publish(self, publication: Publication) -> None:
        if self.publication() == publication:
            return
        with self._database.writing() as connection:
            connection.execute(_PUBLICATIONS.insert, _PUBLICATIONS.row(publication))

    def publication(self) -> Publication | None:
        sql = f"{_PUBLICATIONS.select} ORDER BY number DESC LIMIT 1"
        return next(iter(self._database.rows(sql, (), _PUBLICATIONS.value)), None)

    def publications(self, since: datetime) -> Sequence[Publication]:
        return followed_since(self._read(_PUBLICATIONS, "number DESC"), since)

    def facts(self, name: str) -> Mapping[str, Any]:
        sql = "SELECT document FROM facts WHERE name = ?"
        documents = self._database.rows(sql, (name,), lambda row: json.loads(row[0]))
        return documents[0] if documents else {}

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(facts, default=dict))
            )

    def _read(
        self, shape: "_RowCodec[_V]", order: str, filters: Mapping[str, str | None] | None = None
    ) -> Sequence[_V]:
        return self._database.rows(*shape.query(order, filters or {}), shape.value)

    def _write(self, shape: "_RowCodec[_V]", values: Iterable[_V]) -> None:
        rows = [shape.row(value) for value in values]
        with self._database.writing() as connection:
            connection.executemany(shape.replace, rows)


class _RowCodec(Generic[_V]):
    """Dataclasses as rows: the codec's JSON, a field a column of the same name."""

    def __init__(self, kind: type[_V], table: str) -> None:
        types = get_type_hints(kind)
        names = ", ".join(types)
        self._kind, self._names = kind, tuple(types)
        # Sqlite stores booleans as integers, and documents as text.
        self._booleans = [name for name, of in types.items() if of is bool]
        self._documents = [name for name, of in types.items() if get_origin(of) in (Mapping, tuple)]
        self.names, self.places = names, ", ".join("?" * len(types))
        self.select = f"SELECT {names} FROM {table}"
        self.insert = f"INSERT INTO {table} ({names}) VALUES ({self.places})"
        self.replace = self.insert.replace("INSERT", "INSERT OR REPLACE", 1)

    def query(self, order: str, filters: Mapping[str, str | None]) -> tuple[str, list[str]]:
        """The SELECT with the filters that have a value: `? IS NULL OR ...` would keep sqlite from using an index."""
        active = {condition: value for condition, value in filters.items() if value is not None}
        where = f" WHERE {' AND '.join(active)}" if active else ""
        return f"{self.select}{where} ORDER BY {order}", list(active.values())

    def value(self, row: Iterable[Any]) -> _V:
        """The value that `row` holds."""
        plain = dict(zip(self._names, row, strict=True))
        for name in self._booleans:
            plain[name] = bool(plain[name])
        for name in self._documents:
            plain[name] = json.loads(plain[name])
        return decode(self._kind, plain)

    def row(self, value: _V) -> list[Any]:
        """The row that holds `value`."""
        plain = encode(self._kind, value)
        for name in self._documents:
            plain[name] = json.dumps(plain[name], default=dict)
        return list(plain.values())


_INTERVALS = _RowCodec(Interval, "intervals")
_WATERMARKS = _RowCodec(Watermark, "watermarks")
_MEDIA = _RowCodec(MediaEntry, "media")
_ALERTS = _RowCodec(Alert, "alerts")
_LABELS = _RowCodec(MediaLabels, "labels")
_RUNS = _RowCodec(Run, "runs")
_PUBLICATIONS = _RowCodec(Publication, "publications")
