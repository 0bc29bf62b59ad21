"""The ledger in two DynamoDB tables: watermarks, which others may read too, and everything else.

    watermarks   dataset | media_id -> last_date, updated_at, override_reason
    ledger       pk | sk
                 intervals#<media_id> | <dataset>#<day>        media | <media_id>
                 runs | <started_at>#<run_id>                   publications | <number>
                 facts | <name>                                 lease | <name>

A lease is an item with an end: it outlives the process that took it, so that the steps of one run, which are
processes of their own, hold it together under the run's id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained
from wistlake.adapters.aws.items import (
    Item,
    document,
    from_item,
    moment,
    number,
    read_document,
    text,
    to_item,
)
from wistlake.adapters.local.ledger import require_reason
from wistlake.errors import LeaseHeld, StoreBusy
from wistlake.planning.intervals import Interval, MediaEntry, Watermark
from wistlake.ports import Lease, Publication, Run, TableRef

BATCH = 100  # items that one transaction can write
_REFUSED = "ConditionalCheckFailedException"
_INTERVALS, _MEDIA, _RUNS, _PUBLICATIONS, _FACTS, _LEASE = (
    *("intervals#", "media", "runs", "publications", "facts", "lease"),
)
_ATTEMPTS = 20


class DynamoLedger:
    """Ledger in the tables called `ledger` and `watermarks`, by their full names."""

    def __init__(self, ledger: str, watermarks: str, dynamodb: Any = None) -> None:
        self._table, self._marks = ledger, watermarks
        self._db = dynamodb or client("dynamodb")

    # the lease

    def lease(
        self, name: str, owner: str, now: datetime, ttl_seconds: float
    ) -> AbstractContextManager[Lease]:
        """Hold the lease for the block; LeaseHeld names the other owner and since when."""
        return self._held(name, owner, now, ttl_seconds)

    @contextmanager
    def _held(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Iterator[Lease]:
        lease = self._take(name, owner, now, ttl_seconds, again=False)
        try:
            yield lease
        finally:
            self._let_go(name, "#owner = :owner AND #token = :token", owner, lease.token)

    def take(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Lease:
        """Take the lease for the steps that follow, until `release` or its end. Its owner may take it again."""
        return self._take(name, owner, now, ttl_seconds, again=True)

    def renew(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> None:
        """Hold the lease for longer; LeaseHeld if it is another's by now."""
        values = {":owner": text(owner), ":ends": text(moment(now + timedelta(seconds=ttl_seconds)))}
        if not self._update(_LEASE, name, "SET #ends = :ends", "#owner = :owner", values):
            raise LeaseHeld(self._who_holds(name))

    def release(self, name: str, owner: str) -> None:
        """Let go of the lease if it is the owner's; nothing otherwise."""
        self._let_go(name, "#owner = :owner", owner)

    def _take(self, name: str, owner: str, now: datetime, ttl_seconds: float, *, again: bool) -> Lease:
        free = "attribute_not_exists(#owner) OR #owner = :nobody OR #ends <= :now"
        values = {
            ":nobody": text(""),
            ":owner": text(owner),
            ":now": text(moment(now)),
            ":ends": text(moment(now + timedelta(seconds=ttl_seconds))),
            ":one": number(1),
        }
        change = "SET #owner = :owner, #since = :now, #ends = :ends ADD #token :one"
        taken = self._update(_LEASE, name, change, f"{free} OR #owner = :owner" if again else free, values)
        if not taken:
            raise LeaseHeld(self._who_holds(name))
        return Lease(name, owner, int(taken["token"]["N"]), now)

    def _let_go(self, name: str, condition: str, owner: str, token: int | None = None) -> None:
        # The item stays, so that tokens keep growing; without an owner nobody is named wrongly.
        values = {":nobody": text(""), ":owner": text(owner)}
        if token is not None:
            values[":token"] = number(token)
        self._update(_LEASE, name, "SET #owner = :nobody", condition, values)

    def _who_holds(self, name: str) -> str:
        found = self._get(_LEASE, name)
        owner, since = (found.get(k, {}).get("S", "") for k in ("owner", "since"))
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
        """Intervals by dataset, media and day (both ends included), ordered by their key."""
        first, last = start or date.min, end or date.max
        found = (
            self._scan(self._table, "begins_with(pk, :intervals)", {":intervals": text(_INTERVALS)})
            if media_id is None
            else self._query(f"{_INTERVALS}{media_id}", f"{dataset}#" if dataset else "")
        )
        intervals = (from_item(Interval, item) for item in found)
        return sorted(
            (i for i in intervals if dataset in (None, i.dataset) and first <= i.day <= last),
            key=lambda i: i.key,
        )

    def record(self, intervals: Iterable[Interval]) -> None:
        """Write the intervals, each replacing the one with its key; all or none per batch of 100."""
        self._write(
            {(f"{_INTERVALS}{i.media_id}", f"{i.dataset}#{i.day.isoformat()}"): to_item(i) for i in intervals}
        )

    # watermarks

    def watermarks(self) -> Sequence[Watermark]:
        """All watermarks, ordered by dataset and media."""
        found = (from_item(Watermark, item) for item in self._scan(self._marks))
        return sorted(found, key=lambda w: (w.dataset, w.media_id))

    def advance(self, watermark: Watermark) -> bool:
        """Set the watermark if it is greater than the stored one, atomically; whether it moved."""
        condition = "attribute_not_exists(last_date) OR last_date < :day"
        values = {":day": text(watermark.last_date.isoformat())}
        return self._put(self._marks, to_item(watermark), condition, values)

    def override(self, watermark: Watermark) -> None:
        """Set the watermark whatever it was. ConfigError without an `override_reason`."""
        require_reason(watermark)
        self._put(self._marks, to_item(watermark))

    # media, runs, publications, facts

    def media(self) -> Sequence[MediaEntry]:
        """Every media ever followed, ordered by id."""
        return [from_item(MediaEntry, item) for item in self._query(_MEDIA)]

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        """Write the entries, each replacing the one with its id."""
        self._write({(_MEDIA, e.media_id): to_item(e) for e in entries})

    def put_run(self, run: Run) -> None:
        """Write the run, replacing the one with its id (a run keeps the moment at which it started)."""
        self._write({(_RUNS, f"{moment(run.started_at)}#{run.run_id}"): to_item(run)})

    def runs(self, limit: int = 100) -> Sequence[Run]:
        """The newest runs first."""
        return [from_item(Run, item) for item in self._query(_RUNS, newest_first=True, limit=limit)]

    def publish(self, publication: Publication) -> None:
        """Make `publication` the one that readers follow. Older ones stay as history."""
        tables = {name: [ref.metadata_location, ref.snapshot_id] for name, ref in publication.tables.items()}
        item = {
            "run_id": text(publication.run_id),
            "published_at": text(moment(publication.published_at)),
            "tables": document(tables),
        }
        for _ in range(_ATTEMPTS):
            newest = next(iter(self._query(_PUBLICATIONS, newest_first=True, limit=1)), None)
            following = int(newest["sk"]["S"]) + 1 if newest else 1
            key = {"pk": text(_PUBLICATIONS), "sk": text(f"{following:012d}")}
            if self._put(self._table, {**key, **item}, "attribute_not_exists(pk)"):
                return
        raise StoreBusy(f"{self._table}: others publish without a pause: stop them, and run again")

    def publication(self) -> Publication | None:
        """The newest publication; None before the first."""
        found = self._query(_PUBLICATIONS, newest_first=True, limit=1)
        return next(map(_publication, found), None)

    def publications(self, since: datetime) -> Sequence[Publication]:
        """Every publication that readers may have followed at `since` or later, newest first."""
        found: list[Publication] = []
        for item in self._query(_PUBLICATIONS, newest_first=True):
            found.append(_publication(item))
            if found[-1].published_at <= since:  # it was still being followed then
                break
        return found

    def facts(self, name: str) -> Mapping[str, Any]:
        """A small named document; empty if never written."""
        found = self._get(_FACTS, name)
        empty: Mapping[str, Any] = {}
        return read_document(found["document"]) if found else empty

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Replace the named document."""
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
        """Whether the condition held, and the item is there."""
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            given["ExpressionAttributeValues"] = values
        with explained(table):
            try:
                self._db.put_item(TableName=table, Item=item, **given)
            except ClientError as e:
                if code_of(e) != _REFUSED:
                    raise
                return False
            return True

    def _update(self, pk: str, sk: str, change: str, condition: str, values: Mapping[str, Any]) -> Item:
        """The item as it is after the change; empty if the condition did not hold."""
        words = {w.strip("(),") for w in f"{change} {condition}".replace("(", " ").split()}
        with explained(self._table):
            try:
                changed: Item = self._db.update_item(
                    TableName=self._table,
                    Key={"pk": text(pk), "sk": text(sk)},
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={w: w[1:] for w in words if w.startswith("#")},
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                )["Attributes"]
            except ClientError as e:
                if code_of(e) != _REFUSED:
                    raise
                return {}
            return changed

    def _get(self, pk: str, sk: str) -> Item:
        with explained(self._table):
            found: Item = self._db.get_item(
                TableName=self._table, Key={"pk": text(pk), "sk": text(sk)}, ConsistentRead=True
            ).get("Item", {})
        return found

    def _query(
        self, pk: str, begins: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterator[Item]:
        """Items of one partition by their range key, at most `limit`."""
        condition, values = "pk = :pk", {":pk": text(pk)}
        if begins:
            condition, values = (
                f"{condition} AND begins_with(sk, :begins)",
                {**values, ":begins": text(begins)},
            )
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
        given = {"FilterExpression": condition, "ExpressionAttributeValues": values} if condition else {}
        pages = self._db.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **given)
        yield from self._items(table, pages)

    def _items(self, table: str, pages: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
        with explained(table):
            for page in pages:
                yield from page["Items"]


def _publication(item: Item) -> Publication:
    refs = {name: TableRef(*ref) for name, ref in read_document(item["tables"]).items()}
    return Publication(item["run_id"]["S"], datetime.fromisoformat(item["published_at"]["S"]), refs)
