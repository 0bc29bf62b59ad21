"""The request budget that every function of one account shares: GCRA over one DynamoDB item.

Every change is conditional on the booking that it was computed from: of several writers one wins, the others
compute anew. What this process booked last is tried first, so that a lone writer pays one round trip.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained
from wistlake.adapters.aws.items import Item, number, text
from wistlake.adapters.local.budget import BURST, Booking, Pace, microseconds, pause
from wistlake.errors import StoreError

_SECOND = 1_000_000
_ATTEMPTS = 500
_SKEW = _SECOND  # how far the clocks of two functions may lie apart
_REFUSED = "ConditionalCheckFailedException"
_FIELDS = ("booked", "paused", "seen")


class DynamoBudget:
    """Budget of `account` in the ledger's table; `wall` gives seconds since 1970."""

    def __init__(
        self,
        table: str,
        account: str,
        per_minute: int,
        burst: int | None = None,
        wall: Callable[[], float] = time.time,
        dynamodb: Any = None,
    ) -> None:
        self._pace = Pace(per_minute, min(BURST, per_minute) if burst is None else burst)
        self._table = table
        self._key: Item = {"pk": text("budget"), "sk": text(account)}
        self._wall = wall
        self._db = dynamodb or client("dynamodb")
        self._last: Booking | None = None

    def reserve(self, requests: int = 1) -> float:
        """Take `requests` from the budget; the seconds to wait before sending them (0 or more)."""
        return self._change(lambda booking, now: self._pace.book(booking, requests, now)) / _SECOND

    def pause(self, seconds: float) -> None:
        """Nobody may send for `seconds` from now; those who have reserved already are not called back."""
        self._change(lambda booking, now: (pause(booking, seconds, now), 0))

    def _change(self, change: Callable[[Booking, int], tuple[Booking, int]]) -> int:
        for _ in range(_ATTEMPTS):
            before = self._last or self._stored()
            after, wait = change(before, self._now(before))
            if self._replace(before, after):
                self._last = after
                return wait
            self._last = None
        raise StoreError(f"{self._table}: the request budget is contended: lower the number of functions")

    def _now(self, before: Booking) -> int:
        """The clock. One that is a little behind the last writer's was not set back: it is another machine's."""
        now = microseconds(self._wall())
        return before.seen if 0 < before.seen - now < _SKEW else now

    def _stored(self) -> Booking:
        with explained(self._table):
            item = self._db.get_item(TableName=self._table, Key=self._key, ConsistentRead=True).get("Item")
        return Booking(*(int(item[f]["N"]) for f in _FIELDS)) if item else Booking()

    def _replace(self, before: Booking, after: Booking) -> bool:
        """Whether nobody else was faster."""
        same = " AND ".join(f"{f} = :{f}" for f in _FIELDS)
        condition = same if before != Booking() else "attribute_not_exists(pk)"
        values = {f":{f}": number(getattr(before, f)) for f in _FIELDS} if before != Booking() else None
        with explained(self._table):
            try:
                self._db.put_item(
                    TableName=self._table,
                    Item={**self._key, **{f: number(getattr(after, f)) for f in _FIELDS}},
                    ConditionExpression=condition,
                    **({"ExpressionAttributeValues": values} if values else {}),
                )
            except ClientError as e:
                if code_of(e) != _REFUSED:
                    raise
                return False
            return True
