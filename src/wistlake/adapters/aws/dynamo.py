"""One DynamoDB table of items with the keys `pk` and `sk`, as the ledger uses it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wistlake.adapters.aws.client import conditionally, explained
from wistlake.adapters.aws.items import Item, text
from wistlake.pool import in_order

BATCH = 100  # items that one transaction can write


class DynamoTable:
    """Items of the table called `name`. Reads see every write that has ended."""

    def __init__(self, name: str, dynamodb: Any) -> None:
        self.name, self._db = name, dynamodb

    def get(self, pk: str, sk: str) -> Item:
        """The item; empty if there is none."""
        with explained(self.name):
            item: Item = self._db.get_item(
                TableName=self.name, Key={"pk": text(pk), "sk": text(sk)}, ConsistentRead=True
            ).get("Item", {})
        return item

    def query(
        self,
        pk: str,
        first: str = "",
        last: str = "",
        *,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Item]:
        """Items of one partition in the order of their range keys, from `first` to `last`, at most `limit`."""
        condition, values = "pk = :pk", {":pk": text(pk)}
        if last:
            condition = f"{condition} AND sk BETWEEN :first AND :last"
            values |= {":first": text(first), ":last": text(last)}
        pages = self._db.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit, "PageSize": limit} if limit else {},
        )
        with explained(self.name):
            for page in pages:
                yield from page["Items"]

    def write(self, items: Mapping[tuple[str, str], Item]) -> None:
        """Put the items, each batch of them in one transaction."""
        puts = [self.put_of(pk, sk, item) for (pk, sk), item in items.items()]
        batches = [puts[first : first + BATCH] for first in range(0, len(puts), BATCH)]
        in_order(self.transact, batches)

    def put_of(self, pk: str, sk: str, item: Item) -> Mapping[str, Any]:
        """The part of a transaction that puts an item."""
        return {"Put": {"TableName": self.name, "Item": {"pk": text(pk), "sk": text(sk), **item}}}

    def transact(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """All changes, or none: StoreBusy if a condition does not hold, or another writer met one of the items."""
        with explained(self.name):
            self._db.transact_write_items(TransactItems=changes)

    def put_new(self, pk: str, sk: str, item: Item) -> bool:
        """Put the item if its key is free; whether it was."""
        with explained(self.name):
            put = conditionally(
                self._db.put_item,
                TableName=self.name,
                Item={"pk": text(pk), "sk": text(sk), **item},
                ConditionExpression="attribute_not_exists(pk)",
            )
        return put is not None

    def update(self, pk: str, sk: str, change: str, condition: str, values: Mapping[str, Any]) -> Item:
        """The item after the change; empty if the condition does not hold."""
        names = set(re.findall(r"#\w+", f"{change} {condition}"))
        with explained(self.name):
            response = conditionally(
                self._db.update_item,
                TableName=self.name,
                Key={"pk": text(pk), "sk": text(sk)},
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: name[1:] for name in names},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        return response["Attributes"] if response else {}
