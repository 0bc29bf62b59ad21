"""The ports in memory, held to the same promises as the others."""

import bisect
import copy
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from wistlake.codec import encode
from wistlake.errors import LeaseHeld, StoreBusy, StoreDamaged
from wistlake.object_keys import check_key, check_prefix
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, Watermark, require_reason
from wistlake.planning.labels import MediaLabels
from wistlake.planning.pacing import Booking, Change, PacedBudget
from wistlake.ports import Lease, Ledger, Notice, Notifier, ObjectStore, Publication, Run, followed_since
from wistlake.quality.alert_history import Alert


class MemoryObjects(ObjectStore):
    """ObjectStore in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        with self._lock:
            if if_absent and check_key(key) in self._objects:
                raise StoreBusy(f"{key} is already there, and is written only once")
            self._objects[check_key(key)] = bytes(data)

    def get(self, key: str) -> bytes:
        try:
            return self._objects[check_key(key)]
        except KeyError:
            raise StoreDamaged(f"there is no object {key} in memory") from None

    def exists(self, key: str) -> bool:
        return check_key(key) in self._objects

    def list(self, prefix: str) -> Iterator[str]:
        with self._lock:
            keys = sorted(self._objects)
        first = bisect.bisect_left(keys, check_prefix(prefix))
        return (key for key in keys[first:] if key.startswith(prefix))

    def delete(self, keys: Iterable[str]) -> int:
        with self._lock:
            return sum(self._objects.pop(check_key(key), None) is not None for key in keys)

    def uri(self, key: str) -> str:
        return f"memory:///{check_key(key)}"


class MemoryLedger(Ledger):
    """Ledger in dictionaries. Leases end with their block, or `ttl_seconds` after they began."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._leases: dict[str, tuple[Lease, datetime]] = {}
        self._tokens: dict[str, int] = {}
        self._intervals: dict[tuple[str, str, date], Interval] = {}
        self._watermarks: dict[tuple[str, str], Watermark] = {}
        self._media: dict[str, MediaEntry] = {}
        self._labels: dict[str, MediaLabels] = {}
        self._alerts: dict[tuple[date, str, str], Alert] = {}
        self._compacted: dict[str, Compacted] = {}
        self._closed: set[tuple[str, str, date]] = set()
        self._runs: dict[str, Run] = {}
        self._summaries: dict[str, str] = {}
        self._publications: list[Publication] = []
        self._facts: dict[str, str] = {}

    @contextmanager
    def lease(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Iterator[Lease]:
        with self._lock:
            held, until = self._leases.get(name, (None, now))
            if held and now < until:
                raise LeaseHeld(
                    f"the lease `{name}` is taken: {held.owner} has held it since {held.since.isoformat()}. "
                    "Wait for it, or stop it"
                )
            self._tokens[name] = self._tokens.get(name, 0) + 1
            lease = Lease(name, owner, self._tokens[name], now)
            self._leases[name] = (lease, now + timedelta(seconds=ttl_seconds))
        try:
            yield lease
        finally:
            with self._lock:
                if self._leases.get(name, (None, now))[0] is lease:
                    del self._leases[name]

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        with self._lock:
            return [
                self._intervals[key]
                for key in sorted(self._intervals)
                if dataset in (None, key[0])
                and media_id in (None, key[1])
                and (start or date.min) <= key[2] <= (end or date.max)
            ]

    def open_intervals(self, media_ids: Collection[str] | None = None) -> Sequence[Interval]:
        with self._lock:
            return [
                self._intervals[key]
                for key in sorted(self._intervals.keys() - self._closed)
                if media_ids is None or key[1] in media_ids
            ]

    def interval_columns(self, names: Sequence[str]) -> Iterable[Mapping[str, Sequence[Any]]]:
        rows = [encode(Interval, i) for i in self.intervals()]
        return [{name: [row[name] for row in rows] for name in names}]

    def record(self, intervals: Iterable[Interval]) -> None:
        changes = {interval.key: interval for interval in intervals}
        with self._lock:
            self._intervals |= changes
            self._closed -= changes.keys()

    def compacted(self, media_ids: Collection[str] | None = None) -> Mapping[str, Compacted]:
        with self._lock:
            return {m: c for m, c in self._compacted.items() if media_ids is None or m in media_ids}

    def compact(self, changes: Iterable[tuple[Compacted, Sequence[Interval]]]) -> None:
        with self._lock:
            for compacted, intervals in changes:
                self._compacted[compacted.media_id] = compacted
                self._closed |= {i.key for i in intervals if self._intervals.get(i.key) == i}

    def watermarks(self) -> Sequence[Watermark]:
        with self._lock:
            return [self._watermarks[key] for key in sorted(self._watermarks)]

    def advance(self, watermarks: Iterable[Watermark]) -> Sequence[Watermark]:
        moved = []
        with self._lock:
            for watermark in watermarks:
                key = (watermark.dataset, watermark.media_id)
                stored = self._watermarks.get(key)
                if stored is None or watermark.last_date > stored.last_date:
                    self._watermarks[key] = watermark
                    moved.append(watermark)
        return moved

    def override(self, watermark: Watermark) -> None:
        require_reason(watermark)
        with self._lock:
            self._watermarks[(watermark.dataset, watermark.media_id)] = watermark

    def media(self) -> Sequence[MediaEntry]:
        with self._lock:
            return [self._media[media_id] for media_id in sorted(self._media)]

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        changes = {entry.media_id: entry for entry in entries}
        with self._lock:
            self._media |= changes

    def labels(self) -> Sequence[MediaLabels]:
        with self._lock:
            return [self._labels[media_id] for media_id in sorted(self._labels)]

    def put_labels(self, entries: Iterable[MediaLabels]) -> None:
        changes = {entry.media_id: entry for entry in entries}
        with self._lock:
            self._labels |= changes

    def alerts(self) -> Sequence[Alert]:
        with self._lock:
            return [self._alerts[key] for key in sorted(self._alerts)]

    def put_alerts(self, entries: Iterable[Alert]) -> None:
        changes = {entry.key: entry for entry in entries}
        with self._lock:
            self._alerts |= changes

    def put_run(self, run: Run, summary: Mapping[str, Any] | None = None) -> None:
        document = None if summary is None else _document(summary)
        with self._lock:
            self._runs[run.run_id] = run
            if document is not None:
                self._summaries[run.run_id] = document

    def runs(self, limit: int = 100) -> Sequence[Run]:
        with self._lock:
            newest = sorted(self._runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
        return newest[:limit]

    def summary(self, run: Run) -> Mapping[str, Any]:
        with self._lock:
            document: Mapping[str, Any] = json.loads(self._summaries.get(run.run_id, "{}"))
        return document

    def publish(self, publication: Publication) -> None:
        with self._lock:
            if self._publications and self._publications[-1] == publication:
                return
            self._publications.append(replace(publication, tables=dict(publication.tables)))

    def publications(self, since: datetime) -> Sequence[Publication]:
        with self._lock:
            return followed_since(copy.deepcopy(self._publications[::-1]), since)

    def publication(self) -> Publication | None:
        with self._lock:
            return copy.deepcopy(self._publications[-1]) if self._publications else None

    def facts(self, name: str) -> Mapping[str, Any]:
        with self._lock:
            document: Mapping[str, Any] = json.loads(self._facts.get(name, "{}"))
        return document

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        document = _document(facts)
        with self._lock:
            self._facts[name] = document


def _document(facts: Mapping[str, Any]) -> str:
    # Text, as in the other ledgers: callers can't change it, and tuples come back as lists.
    return json.dumps(facts, default=dict)


class MemoryBudget(PacedBudget):
    """Budget of one process."""

    def __init__(
        self, per_minute: int, burst: int | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__(per_minute, burst, wall)
        self._lock = threading.Lock()
        self._booking = Booking()

    def _change(self, change: Change) -> int:
        with self._lock:
            self._booking, wait = change(self._booking, self._now())
        return wait


class RecordingNotifier(Notifier):
    """Collects the notices, oldest first."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def notify(self, notice: Notice) -> bool:
        self.notices.append(notice)
        return True
