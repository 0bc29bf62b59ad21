"""DynamoDB in memory, as far as the ledger asks it: what is stored, what is made up as it is read, and what it took.

The ledger's suite runs against the emulator; this one is for lakes that no emulator could hold.
"""

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

PAGE_BYTES = 1 << 20  # of items that one answer holds
Item = Mapping[str, Mapping[str, Any]]


def size(item: Item) -> int:
    """Bytes of an item, as DynamoDB counts them."""
    return sum(len(name) + (1 if "BOOL" in of else len(next(iter(of.values())))) for name, of in item.items())


class Twin:
    """A client of DynamoDB over one table. `made` gives the items of partitions that are not stored."""

    def __init__(self, made: Callable[[str], Iterable[Item]] = lambda _: ()) -> None:
        self._made = made
        self._stored: dict[str, dict[str, Item]] = {}
        self.requests: Counter[str] = Counter()
        self.read: Counter[str] = Counter()  # items by the kind of their partition
        self.bytes_read = 0
        self.largest = 0

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()
        self.read.clear()
        self.bytes_read = 0

    def keep(self, *pks: str) -> None:
        """Make up these partitions now, and never again."""
        for pk in pks:
            self._stored[pk] = self._partition(pk)

    def _partition(self, pk: str) -> dict[str, Item]:
        if pk in self._stored:
            return self._stored[pk]
        return {item["sk"]["S"]: item for item in self._made(pk)}

    def _count(self, pk: str, items: Iterable[Item]) -> list[Item]:
        counted = list(items)
        self.read[pk.partition("#")[0]] += len(counted)
        self.bytes_read += sum(map(size, counted))
        return counted

    def get_item(self, *, Key: Any, **_: Any) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        self.requests["get"] += 1
        pk = Key["pk"]["S"]
        item = self._partition(pk).get(Key["sk"]["S"])
        return {"Item": self._count(pk, [item])[0]} if item else {}

    def get_paginator(self, operation: str) -> "Pages":
        """Only queries and scans have pages."""
        return Pages(self, operation)

    def pages(self, operation: str, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The answers to one query, each of a request."""
        if operation == "scan":
            self.requests["scan"] += 1
            yield {"Items": []}
            return
        values = asked["ExpressionAttributeValues"]
        pk = values[":pk"]["S"]
        partition = self._partition(pk)
        keys = sorted(partition)
        if ":last" in values:
            first = bisect.bisect_left(keys, values[":first"]["S"])
            keys = keys[first : bisect.bisect_right(keys, values[":last"]["S"])]
        if not asked["ScanIndexForward"]:
            keys.reverse()
        keys = keys[: asked["PaginationConfig"].get("MaxItems")]
        page: list[Item] = []
        held = 0
        for key in keys:
            if held > PAGE_BYTES:
                self.requests["query"] += 1
                yield {"Items": self._count(pk, page)}
                page, held = [], 0
            page.append(partition[key])
            held += size(partition[key])
        self.requests["query"] += 1
        yield {"Items": self._count(pk, page)}

    def transact_write_items(self, *, TransactItems: Any) -> None:  # noqa: N803 - AWS's name
        assert len(TransactItems) <= 100
        self.requests["transaction"] += 1
        for change in TransactItems:
            ((action, of),) = change.items()
            self.requests[action.lower()] += 1
            if action == "Put" and "pk" in of["Item"]:
                self._put(of["Item"])
            elif action == "Delete":
                partition = self._stored.setdefault(
                    of["Key"]["pk"]["S"], self._partition(of["Key"]["pk"]["S"])
                )
                partition.pop(of["Key"]["sk"]["S"], None)

    def _put(self, item: Item) -> None:
        pk = item["pk"]["S"]
        self.largest = max(self.largest, size(item))
        self._stored.setdefault(pk, dict(self._partition(pk)))[item["sk"]["S"]] = item


class Pages:
    """A paginator."""

    def __init__(self, twin: Twin, operation: str) -> None:
        self._twin, self._operation = twin, operation

    def paginate(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        return self._twin.pages(self._operation, asked)
