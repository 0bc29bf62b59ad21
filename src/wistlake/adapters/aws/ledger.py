"""The ledger in two DynamoDB tables: watermarks, which other programs may read too, and everything else.

    watermarks   dataset | media_id -> last_date, updated_at, override_reason
    ledger       pk | sk
                 media | <media_id>                             labels | <media_id>
                 alerts | <day>#<rule>#<subject>
                 runs | <started_at>#<run_id>                   summaries | <started_at>#<run_id>
                 publications | <number>
                 facts | <name>                                 lease | <name>
                 and the intervals: see `interval_items`

A lease is an item that outlives the process that took it, because the steps of one run are separate processes that
hold it one after the other, under the run's id. If an execution of a state machine holds it, it is free as soon as
that execution is over, and no sooner: Step Functions knows. Otherwise it has an end, which a block that holds it
puts off for as long as it runs.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from wistlake.adapters.aws import executions
from wistlake.adapters.aws.client import client, conditionally, explained
from wistlake.adapters.aws.dynamo import BATCH, DynamoTable
from wistlake.adapters.aws.interval_items import IntervalItems
from wistlake.adapters.aws.items import (
    Attribute,
    Item,
    document,
    from_item,
    moment,
    number,
    plain,
    text,
    to_item,
)
from wistlake.errors import LeaseHeld, StoreBusy, StoreError
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, Watermark, require_reason
from wistlake.planning.labels import MediaLabels
from wistlake.pool import in_order
from wistlake.ports import Lease, Ledger, Publication, Run, followed_since
from wistlake.quality.alert_history import Alert

_MEDIA, _LABELS, _ALERTS, _RUNS, _SUMMARIES = "media", "labels", "alerts", "runs", "summaries"
_PUBLICATIONS, _FACTS, _LEASE = "publications", "facts", "lease"
_ATTEMPTS = 20


class DynamoLedger(Ledger):
    """Ledger in the tables called `ledger` and `watermarks`, by their full names. `execution` is the ARN of the
    execution that this process works for: it holds the leases that are taken here. `on_publication` tells readers who
    don't ask the ledger; after a failure it is tried again with the publication."""

    def __init__(
        self,
        ledger: str,
        watermarks: str,
        dynamodb: Any = None,
        *,
        execution: str = "",
        states: Any = None,
        on_publication: Callable[[Publication], None] = lambda _: None,
    ) -> None:
        self._table, self._marks = ledger, watermarks
        self._db = dynamodb or client("dynamodb")
        self._items = DynamoTable(ledger, self._db)
        self._intervals = IntervalItems(self._items)
        self._execution, self._states = execution, states
        self._on_publication = on_publication

    # the lease

    @contextmanager
    def lease(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Iterator[Lease]:
        lease = self.take(name, owner, now, ttl_seconds, again=False)
        over = threading.Event()
        beat = threading.Thread(target=self._keep_alive, args=(lease, ttl_seconds, over), daemon=True)
        beat.start()
        try:
            yield lease
        finally:
            over.set()
            beat.join()
            self._free(name, "#owner = :owner AND #token = :token", owner, lease.token)

    def _keep_alive(self, lease: Lease, ttl_seconds: float, over: threading.Event) -> None:
        """Renew the lease until `over`. If it is another's by now, the renewal before the next commit says so."""
        began = time.monotonic()
        while not over.wait(ttl_seconds / 3):
            now = lease.since + timedelta(seconds=time.monotonic() - began)
            try:
                self.renew(lease.name, lease.owner, now, ttl_seconds)
            except LeaseHeld:
                return
            except StoreError:
                continue  # there is time for two more

    def renew(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> None:
        """Extend the lease; LeaseHeld if another owner has taken it since."""
        values = {":owner": text(owner), ":ends": text(moment(now + timedelta(seconds=ttl_seconds)))}
        if not self._items.update(_LEASE, name, "SET #ends = :ends", "#owner = :owner", values):
            raise LeaseHeld(self._who_holds(name))

    def release(self, name: str, owner: str) -> None:
        """Free the lease if `owner` holds it; nothing otherwise."""
        self._free(name, "#owner = :owner", owner)

    def take(self, name: str, owner: str, now: datetime, ttl_seconds: float, *, again: bool = True) -> Lease:
        """Take the lease for all steps of a run, until `release` or its end. Its owner may take it `again`; from an
        execution that is over, anybody may."""
        ended = "#ends <= :now AND attribute_not_exists(#execution)"
        free = f"attribute_not_exists(#owner) OR #owner = :nobody OR ({ended})"
        values = {
            ":nobody": text(""),
            ":owner": text(owner),
            ":now": text(moment(now)),
            ":ends": text(moment(now + timedelta(seconds=ttl_seconds))),
            ":one": number(1),
        }
        change = "SET #owner = :owner, #since = :now, #ends = :ends"
        if self._execution:
            change, values[":execution"] = f"{change}, #execution = :execution", text(self._execution)
        else:
            change = f"{change} REMOVE #execution"
        change = f"{change} ADD #token :one"
        taken = self._items.update(
            _LEASE, name, change, f"{free} OR #owner = :owner" if again else free, values
        )
        if not taken and (dead := self._left_by_the_dead(name)):
            values = {k: v for k, v in values.items() if k != ":nobody"} | {":dead": dead}
            taken = self._items.update(_LEASE, name, change, "#token = :dead", values)
        if not taken:
            raise LeaseHeld(self._who_holds(name))
        return Lease(name, owner, int(taken["token"]["N"]), now)

    def _left_by_the_dead(self, name: str) -> Attribute | None:
        """The token of a lease whose execution is over; None if it is none, or held by somebody else."""
        held = self._items.get(_LEASE, name)
        execution = held.get("execution", {}).get("S", "")
        return held["token"] if execution and executions.is_over(execution, self._states) else None

    def _free(self, name: str, condition: str, owner: str, token: int | None = None) -> None:
        # The item stays, so that tokens keep growing. Its owner goes: it would be named as the holder.
        values = {":nobody": text(""), ":owner": text(owner)}
        if token is not None:
            values[":token"] = number(token)
        self._items.update(_LEASE, name, "SET #owner = :nobody", condition, values)

    def _who_holds(self, name: str) -> str:
        lease = self._items.get(_LEASE, name)
        owner, since = (lease.get(k, {}).get("S", "") for k in ("owner", "since"))
        who = f"{owner} has held it since {since}" if owner else "another process has just held it"
        return f"the lease `{name}` of {self._table} is taken: {who}. Wait for it, or stop it"

    # intervals

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        return self._intervals.of(dataset, media_id, start, end)

    def open_intervals(self, media_ids: Collection[str] | None = None) -> Sequence[Interval]:
        return self._intervals.open(media_ids)

    def interval_columns(self, names: Sequence[str]) -> Iterable[Mapping[str, Sequence[Any]]]:
        return self._intervals.columns(names)

    def record(self, intervals: Iterable[Interval]) -> None:
        self._intervals.record(intervals)

    def compacted(self, media_ids: Collection[str] | None = None) -> Mapping[str, Compacted]:
        return self._intervals.compacted(media_ids)

    def compact(self, changes: Iterable[tuple[Compacted, Sequence[Interval]]]) -> None:
        in_order(lambda change: self._intervals.compact(*change), changes)

    # watermarks

    def watermarks(self) -> Sequence[Watermark]:
        pages = self._db.get_paginator("scan").paginate(TableName=self._marks, ConsistentRead=True)
        with explained(self._marks):  # the table has nothing else
            watermarks = [from_item(Watermark, item) for page in pages for item in page["Items"]]
        return sorted(watermarks, key=lambda w: (w.dataset, w.media_id))

    def advance(self, watermarks: Iterable[Watermark]) -> Sequence[Watermark]:
        latest = {(w.dataset, w.media_id): w for w in sorted(watermarks, key=lambda w: w.last_date)}
        later = [latest[key] for key in sorted(latest)]
        batches = [later[first : first + BATCH] for first in range(0, len(later), BATCH)]
        return [w for of_batch in in_order(self._advance, batches) for w in of_batch]

    def _advance(self, batch: Sequence[Watermark]) -> Sequence[Watermark]:
        """In one transaction; one by one if any of them is later already, or somebody else writes too."""
        if len(batch) > 1:
            with contextlib.suppress(StoreBusy), explained(self._marks):
                self._db.transact_write_items(TransactItems=[{"Put": self._forward(w)} for w in batch])
                return batch
        return [w for w in batch if self._advance_one(w)]

    def _advance_one(self, watermark: Watermark) -> bool:
        with explained(self._marks):
            return conditionally(self._db.put_item, **self._forward(watermark)) is not None

    def _forward(self, watermark: Watermark) -> dict[str, Any]:
        """The request that sets a watermark if it is later."""
        return {
            "TableName": self._marks,
            "Item": to_item(watermark),
            "ConditionExpression": "attribute_not_exists(last_date) OR last_date < :day",
            "ExpressionAttributeValues": {":day": text(watermark.last_date.isoformat())},
        }

    def override(self, watermark: Watermark) -> None:
        require_reason(watermark)
        with explained(self._marks):
            self._db.put_item(TableName=self._marks, Item=to_item(watermark))

    # media, labels, alerts, runs, publications, facts

    def media(self) -> Sequence[MediaEntry]:
        return [from_item(MediaEntry, item) for item in self._items.query(_MEDIA)]

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        self._items.write({(_MEDIA, e.media_id): to_item(e) for e in entries})

    def labels(self) -> Sequence[MediaLabels]:
        return [from_item(MediaLabels, item) for item in self._items.query(_LABELS)]

    def put_labels(self, entries: Iterable[MediaLabels]) -> None:
        self._items.write({(_LABELS, e.media_id): to_item(e) for e in entries})

    def alerts(self) -> Sequence[Alert]:
        return sorted((from_item(Alert, i) for i in self._items.query(_ALERTS)), key=lambda a: a.key)

    def put_alerts(self, entries: Iterable[Alert]) -> None:
        self._items.write({(_ALERTS, f"{a.day}#{a.rule}#{a.subject}"): to_item(a) for a in entries})

    def put_run(self, run: Run, summary: Mapping[str, Any] | None = None) -> None:
        items: dict[tuple[str, str], Item] = {(_RUNS, _sk(run)): to_item(run)}
        if summary is not None:
            items[(_SUMMARIES, _sk(run))] = {"summary": document(summary)}
        self._items.write(items)

    def runs(self, limit: int = 100) -> Sequence[Run]:
        return [from_item(Run, item) for item in self._items.query(_RUNS, newest_first=True, limit=limit)]

    def summary(self, run: Run) -> Mapping[str, Any]:
        # Older versions kept it with the run.
        item = self._items.get(_SUMMARIES, _sk(run)) or self._items.get(_RUNS, _sk(run))
        summary: Mapping[str, Any] = plain(item["summary"]) if "summary" in item else {}
        return summary

    def publish(self, publication: Publication) -> None:
        self._make_newest(publication)
        self._on_publication(publication)

    def _make_newest(self, publication: Publication) -> None:
        item = to_item(publication)
        for _ in range(_ATTEMPTS):
            newest = next(iter(self._items.query(_PUBLICATIONS, newest_first=True, limit=1)), None)
            if newest and from_item(Publication, newest) == publication:
                return
            following = int(newest["sk"]["S"]) + 1 if newest else 1
            if self._items.put_new(_PUBLICATIONS, f"{following:012d}", item):
                return
        raise StoreBusy(f"{self._table}: others publish all the time: stop them, and run again")

    def publication(self) -> Publication | None:
        newest = self._items.query(_PUBLICATIONS, newest_first=True, limit=1)
        return next((from_item(Publication, item) for item in newest), None)

    def publications(self, since: datetime) -> Sequence[Publication]:
        items = self._items.query(_PUBLICATIONS, newest_first=True)
        return followed_since((from_item(Publication, item) for item in items), since)

    def facts(self, name: str) -> Mapping[str, Any]:
        item = self._items.get(_FACTS, name)
        facts: Mapping[str, Any] = plain(item["document"]) if item else {}
        return facts

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        self._items.write({(_FACTS, name): {"document": document(facts)}})


def _sk(run: Run) -> str:
    return f"{moment(run.started_at)}#{run.run_id}"
