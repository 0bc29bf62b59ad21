"""The ledger in two DynamoDB tables: watermarks, which other programs may read too, and everything else.

    watermarks   dataset | media_id -> last_date, updated_at, override_reason
    ledger       pk | sk
                 intervals#<media_id> | <dataset>#<day>        media | <media_id>        labels | <media_id>
                 runs | <started_at>#<run_id>                   publications | <number>
                 facts | <name>                                 lease | <name>

A lease is an item that outlives the process that took it, because the steps of one run are separate processes that
hold it one after the other, under the run's id. If an execution of a state machine holds it, it is free as soon as
that execution is over, and no sooner: Step Functions knows. Otherwise it has an end, which a block that holds it
puts off for as long as it runs.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from wistlake.adapters.aws import executions
from wistlake.adapters.aws.client import client, conditionally, explained
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
from wistlake.planning.intervals import Interval, MediaEntry, Watermark, require_reason
from wistlake.planning.labels import MediaLabels
from wistlake.ports import Lease, Ledger, Publication, Run, followed_since

BATCH = 100  # items that one transaction can write
_INTERVALS, _MEDIA, _LABELS, _RUNS = "intervals#", "media", "labels", "runs"
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
        if not self._update(_LEASE, name, "SET #ends = :ends", "#owner = :owner", values):
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
        taken = self._update(_LEASE, name, change, f"{free} OR #owner = :owner" if again else free, values)
        if not taken and (dead := self._left_by_the_dead(name)):
            values = {k: v for k, v in values.items() if k != ":nobody"} | {":dead": dead}
            taken = self._update(_LEASE, name, change, "#token = :dead", values)
        if not taken:
            raise LeaseHeld(self._who_holds(name))
        return Lease(name, owner, int(taken["token"]["N"]), now)

    def _left_by_the_dead(self, name: str) -> Attribute | None:
        """The token of a lease whose execution is over; None if it is none, or held by somebody else."""
        held = self._get(_LEASE, name)
        execution = held.get("execution", {}).get("S", "")
        return held["token"] if execution and executions.is_over(execution, self._states) else None

    def _free(self, name: str, condition: str, owner: str, token: int | None = None) -> None:
        # The item stays, so that tokens keep growing. Its owner goes: it would be named as the holder.
        values = {":nobody": text(""), ":owner": text(owner)}
        if token is not None:
            values[":token"] = number(token)
        self._update(_LEASE, name, "SET #owner = :nobody", condition, values)

    def _who_holds(self, name: str) -> str:
        lease = self._get(_LEASE, name)
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
        first, last = start or date.min, end or date.max
        items = (
            self._scan(self._table, "begins_with(pk, :intervals)", {":intervals": text(_INTERVALS)})
            if media_id is None
            else self._query(f"{_INTERVALS}{media_id}", f"{dataset}#" if dataset else "")
        )
        intervals = (from_item(Interval, item) for item in items)
        return sorted(
            (i for i in intervals if dataset in (None, i.dataset) and first <= i.day <= last),
            key=lambda i: i.key,
        )

    def record(self, intervals: Iterable[Interval]) -> None:
        self._write(
            {(f"{_INTERVALS}{i.media_id}", f"{i.dataset}#{i.day.isoformat()}"): to_item(i) for i in intervals}
        )

    # watermarks

    def watermarks(self) -> Sequence[Watermark]:
        watermarks = (from_item(Watermark, item) for item in self._scan(self._marks))
        return sorted(watermarks, key=lambda w: (w.dataset, w.media_id))

    def advance(self, watermark: Watermark) -> bool:
        condition = "attribute_not_exists(last_date) OR last_date < :day"
        values = {":day": text(watermark.last_date.isoformat())}
        return self._put(self._marks, to_item(watermark), condition, values)

    def override(self, watermark: Watermark) -> None:
        require_reason(watermark)
        self._put(self._marks, to_item(watermark))

    # media, labels, runs, publications, facts

    def media(self) -> Sequence[MediaEntry]:
        return [from_item(MediaEntry, item) for item in self._query(_MEDIA)]

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        self._write({(_MEDIA, e.media_id): to_item(e) for e in entries})

    def labels(self) -> Sequence[MediaLabels]:
        return [from_item(MediaLabels, item) for item in self._query(_LABELS)]

    def put_labels(self, entries: Iterable[MediaLabels]) -> None:
        self._write({(_LABELS, e.media_id): to_item(e) for e in entries})

    def put_run(self, run: Run) -> None:
        self._write({(_RUNS, f"{moment(run.started_at)}#{run.run_id}"): to_item(run)})

    def runs(self, limit: int = 100) -> Sequence[Run]:
        return [from_item(Run, item) for item in self._query(_RUNS, newest_first=True, limit=limit)]

    def publish(self, publication: Publication) -> None:
        self._make_newest(publication)
        self._on_publication(publication)

    def _make_newest(self, publication: Publication) -> None:
        item = to_item(publication)
        for _ in range(_ATTEMPTS):
            newest = next(iter(self._query(_PUBLICATIONS, newest_first=True, limit=1)), None)
            if newest and from_item(Publication, newest) == publication:
                return
            following = int(newest["sk"]["S"]) + 1 if newest else 1
            key = {"pk": text(_PUBLICATIONS), "sk": text(f"{following:012d}")}
            if self._put(self._table, {**key, **item}, "attribute_not_exists(pk)"):
                return
        raise StoreBusy(f"{self._table}: others publish all the time: stop them, and run again")

    def publication(self) -> Publication | None:
        newest = self._query(_PUBLICATIONS, newest_first=True, limit=1)
        return next((from_item(Publication, item) for item in newest), None)

    def publications(self, since: datetime) -> Sequence[Publication]:
        items = self._query(_PUBLICATIONS, newest_first=True)
        return followed_since((from_item(Publication, item) for item in items), since)

    def facts(self, name: str) -> Mapping[str, Any]:
        item = self._get(_FACTS, name)
        facts: Mapping[str, Any] = plain(item["document"]) if item else {}
        return facts

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        self._write({(_FACTS, name): {"document": document(facts)}})

    # DynamoDB

    def _write(self, items: Mapping[tuple[str, str], Item]) -> None:
        puts = [
            {"Put": {"TableName": self._table, "Item": {"pk": text(pk), "sk": text(sk), **item}}}
            for (pk, sk), item in items.items()
        ]
        for first in range(0, len(puts), BATCH):
            with explained(self._table):
                self._db.transact_write_items(TransactItems=puts[first : first + BATCH])

    def _put(
        self, table: str, item: Item, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> bool:
        """Write the item if the condition holds; whether it did."""
        options: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            options["ExpressionAttributeValues"] = values
        with explained(table):
            return conditionally(self._db.put_item, TableName=table, Item=item, **options) is not None

    def _update(self, pk: str, sk: str, change: str, condition: str, values: Mapping[str, Any]) -> Item:
        """The item after the change; empty if the condition does not hold."""
        names = set(re.findall(r"#\w+", f"{change} {condition}"))
        with explained(self._table):
            response = conditionally(
                self._db.update_item,
                TableName=self._table,
                Key={"pk": text(pk), "sk": text(sk)},
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: name[1:] for name in names},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        return response["Attributes"] if response else {}

    def _get(self, pk: str, sk: str) -> Item:
        with explained(self._table):
            item: Item = self._db.get_item(
                TableName=self._table, Key={"pk": text(pk), "sk": text(sk)}, ConsistentRead=True
            ).get("Item", {})
        return item

    def _query(
        self, pk: str, begins: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterator[Item]:
        """Items of one partition in the order of their range keys, at most `limit`."""
        condition, values = "pk = :pk", {":pk": text(pk)}
        if begins:
            condition = f"{condition} AND begins_with(sk, :begins)"
            values[":begins"] = text(begins)
        pages = self._db.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit, "PageSize": limit} if limit else {},
        )
        yield from self._items(self._table, pages)

    def _scan(
        self, table: str, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> Iterator[Item]:
        """Items of the whole table."""
        options = {"FilterExpression": condition, "ExpressionAttributeValues": values} if condition else {}
        pages = self._db.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **options)
        yield from self._items(table, pages)

    def _items(self, table: str, pages: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
        with explained(table):
            for page in pages:
                yield from page["Items"]
