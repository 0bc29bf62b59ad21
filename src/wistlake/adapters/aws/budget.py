"""The request budget that every function of one account shares: one DynamoDB item.

Every write is conditional on the booking that it was computed from: one of several writers wins, the others read
and compute again. A process tries its own last booking first, so that a single writer needs one round trip.
"""

import time
from collections.abc import Callable
from typing import Any

from wistlake.adapters.aws.client import client, conditionally, explained
from wistlake.adapters.aws.items import Item, from_item, text, to_item
from wistlake.errors import StoreError
from wistlake.planning.pacing import SECOND, Booking, Change, PacedBudget

_ATTEMPTS = 500
_SKEW = SECOND  # how far the clocks of two functions may lie apart


class DynamoBudget(PacedBudget):
    """Budget of `account` in the ledger's table."""

    def __init__(
        self,
        table: str,
        account: str,
        per_minute: int,
        burst: int | None = None,
        wall: Callable[[], float] = time.time,
        dynamodb: Any = None,
    ) -> None:
        super().__init__(per_minute, burst, wall)
        self._table = table
        self._key: Item = {"pk": text("budget"), "sk": text(account)}
        self._db = dynamodb or client("dynamodb")
        self._last: Booking | None = None

    def _change(self, change: Change) -> int:
        for _ in range(_ATTEMPTS):
            before = self._last or self._stored()
            after, wait = change(before, self._now_after(before))
            if self._replace(before, after):
                self._last = after
                return wait
            self._last = None
        raise StoreError(f"{self._table}: the request budget is contended: lower the number of functions")

    def _now_after(self, before: Booking) -> int:
        """The time. A clock slightly behind the last writer's was not set back: it is another machine's clock."""
        now = self._now()
        return before.seen if 0 < before.seen - now < _SKEW else now

    def _stored(self) -> Booking:
        with explained(self._table):
            item = self._db.get_item(TableName=self._table, Key=self._key, ConsistentRead=True).get("Item")
        return from_item(Booking, item) if item else Booking()

    def _replace(self, before: Booking, after: Booking) -> bool:
        """Write the booking unless another process has changed it since; whether it was written."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before != Booking():
            stored = to_item(before)
            condition["ConditionExpression"] = " AND ".join(f"{name} = :{name}" for name in stored)
            condition["ExpressionAttributeValues"] = {f":{name}": value for name, value in stored.items()}
        item = {**self._key, **to_item(after)}
        with explained(self._table):
            return conditionally(self._db.put_item, TableName=self._table, Item=item, **condition) is not None
