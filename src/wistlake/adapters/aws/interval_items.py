"""Intervals in the ledger's table. No question about a run's days reads more than the partitions of its media.

    pk                         sk
    intervals#<media_id>       <dataset>#<day>   an open interval
    months#<media_id>          <yyyy-mm>         the compacted ones of a month, column by column
    compacted                  <media_id>        what is known of all compacted ones of a media
    roster                     <media_id>        a media that has intervals

An open interval counts instead of a compacted one of the same key. Ledgers of older versions have open ones only, and
no roster: their media are those that the ledger follows.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from wistlake.adapters.aws.dynamo import BATCH, DynamoTable
from wistlake.adapters.aws.items import Attribute, Item, document, from_item, moment, plain, text, to_item
from wistlake.codec import DecodeError, decode, encode
from wistlake.contracts.form import ACCOUNT
from wistlake.errors import StoreDamaged
from wistlake.planning.compacted import Compacted, month_of
from wistlake.planning.intervals import Interval
from wistlake.pool import in_order

_OPEN, _MONTHS = "intervals#", "months#"
_COMPACTED, _ROSTER, _MEDIA = "compacted", "roster", "media"
_V = TypeVar("_V")
Columns = Mapping[str, Sequence[Any]]


class IntervalItems:
    """The intervals in `table`."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table
        self._rostered: set[str] | None = None
        self._lock = threading.Lock()

    def of(
        self, dataset: str | None, media_id: str | None, start: date | None, end: date | None
    ) -> Sequence[Interval]:
        """The intervals with this dataset, media and days, open or not, ordered by their key."""

        def of_media(one: str) -> list[Interval]:
            return list(self._of_media(one, dataset, start or date.min, end or date.max))

        media = self._media() if media_id is None else [media_id]
        by_media = in_order(of_media, media)
        return sorted((i for of_one in by_media for i in of_one), key=lambda i: i.key)

    def _of_media(self, media_id: str, dataset: str | None, start: date, end: date) -> Iterator[Interval]:
        first, last = (f"{dataset}#{day.isoformat()}" for day in (start, end)) if dataset else ("", "")
        # The open ones first: what is compacted between both reads is then seen twice, not missed.
        opened = [from_item(Interval, item) for item in self._table.query(f"{_OPEN}{media_id}", first, last)]
        by_key = {i.key: i for i in self._months(media_id, month_of(start), month_of(end))}
        by_key |= {i.key: i for i in opened}
        yield from (i for i in by_key.values() if dataset in (None, i.dataset) and start <= i.day <= end)

    def _months(self, media_id: str, first: str, last: str) -> Iterator[Interval]:
        for item in self._table.query(f"{_MONTHS}{media_id}", first, last):
            yield from _read(_from_columns, item["intervals"])

    def open(self, media_ids: Collection[str] | None) -> Sequence[Interval]:
        """The open intervals of these media, or of all, ordered by their key."""

        def of_media(media_id: str) -> list[Interval]:
            return [from_item(Interval, item) for item in self._table.query(f"{_OPEN}{media_id}")]

        by_media = in_order(of_media, self._media() if media_ids is None else sorted(media_ids))
        return sorted((i for of_one in by_media for i in of_one), key=lambda i: i.key)

    def columns(self, names: Sequence[str]) -> Iterable[Mapping[str, Sequence[Any]]]:
        """These fields of all intervals, open or not: what is stored as columns is read as such."""
        return [
            {name: columns[name] for name in names}
            for of_one in in_order(self._columns_of, self._media())
            for columns in of_one
        ]

    def _columns_of(self, media_id: str) -> list[Columns]:
        opened = [from_item(Interval, item) for item in self._table.query(f"{_OPEN}{media_id}")]
        keys = {(i.dataset, i.day.isoformat()) for i in opened}
        months = (
            _read(partial(_without, keys), item["intervals"])
            for item in self._table.query(f"{_MONTHS}{media_id}")
        )
        return [_to_columns(opened), *months]

    def record(self, intervals: Iterable[Interval]) -> None:
        """Write the intervals as open ones."""
        items = {_open_key(i): to_item(i) for i in intervals}
        with self._lock:
            new = {pk.removeprefix(_OPEN) for pk, _ in items} - self._rostered_media()
            self._table.write({(_ROSTER, media_id): {} for media_id in sorted(new)})
            self._rostered_media().update(new)
        self._table.write(items)

    def compacted(self, media_ids: Collection[str] | None) -> Mapping[str, Compacted]:
        """What is known of the compacted intervals."""
        if media_ids is None:
            items: Iterable[Item] = self._table.query(_COMPACTED)
        else:
            items = in_order(lambda media_id: self._table.get(_COMPACTED, media_id), sorted(media_ids))
        decoded = (_read(partial(decode, Compacted), item["document"]) for item in items if item)
        return {c.media_id: c for c in decoded}

    def compact(self, compacted: Compacted, intervals: Iterable[Interval]) -> None:
        """Move the intervals into the months of their media. What is known of them is written first: a day that is
        known to be compacted, and is open still, is read as open."""
        media_id = compacted.media_id
        summary = self._table.put_of(
            _COMPACTED, media_id, {"document": document(encode(Compacted, compacted))}
        )
        changes: list[Mapping[str, Any]] = [summary]
        ordered = sorted(intervals, key=lambda i: (i.day, i.dataset))
        for month, group in groupby(ordered, key=lambda i: month_of(i.day)):
            moving = list(group)
            together = {i.key: i for i in self._months(media_id, month, month)}
            while moving:
                part = moving[: BATCH - 1 - len(changes)]
                moving = moving[len(part) :]
                together |= {i.key: i for i in part}
                columns = document(_to_columns(sorted(together.values(), key=lambda i: i.key)))
                changes.append(self._table.put_of(f"{_MONTHS}{media_id}", month, {"intervals": columns}))
                self._table.transact([*changes, *(self._delete_of(i) for i in part)])
                changes = []
        if changes:
            self._table.transact(changes)

    def _delete_of(self, interval: Interval) -> Mapping[str, Any]:
        """The part of a transaction that deletes an open interval, unless it was recorded anew."""
        pk, sk = _open_key(interval)
        values = {":at": text(moment(interval.updated_at)), ":run": text(interval.run_id)}
        delete = {
            "TableName": self._table.name,
            "Key": {"pk": text(pk), "sk": text(sk)},
            "ConditionExpression": "updated_at = :at AND run_id = :run",
            "ExpressionAttributeValues": values,
        }
        return {"Delete": delete}

    def _media(self) -> list[str]:
        """Every media that may have intervals."""
        followed = (item["sk"]["S"] for item in self._table.query(_MEDIA))
        return sorted({ACCOUNT, *followed, *(item["sk"]["S"] for item in self._table.query(_ROSTER))})

    def _rostered_media(self) -> set[str]:
        if self._rostered is None:
            self._rostered = {item["sk"]["S"] for item in self._table.query(_ROSTER)}
        return self._rostered


def _open_key(interval: Interval) -> tuple[str, str]:
    return f"{_OPEN}{interval.media_id}", f"{interval.dataset}#{interval.day.isoformat()}"


def _to_columns(intervals: Sequence[Interval]) -> dict[str, list[Any]]:
    """The intervals field by field: what is alike lies together, and takes little room when it is compressed."""
    rows = [encode(Interval, i) for i in intervals]
    return {f.name: [row[f.name] for row in rows] for f in fields(Interval)}


def _from_columns(columns: Mapping[str, Sequence[Any]]) -> list[Interval]:
    names = [
        f.name for f in fields(Interval) if f.name in columns
    ]  # an older version's months lack the newer ones
    rows = zip(*(columns[name] for name in names), strict=True)
    return [decode(Interval, dict(zip(names, row, strict=True))) for row in rows]


def _without(keys: Collection[tuple[str, str]], columns: Columns) -> Columns:
    """A month's columns without these datasets' days; those that an older version has not written have the default."""
    days = list(zip(columns["dataset"], columns["day"], strict=True))
    indexes = [n for n, key in enumerate(days) if key not in keys]
    whole = {f.name: columns.get(f.name) or [f.default] * len(days) for f in fields(Interval)}
    return (
        whole if len(indexes) == len(days) else {name: [of[n] for n in indexes] for name, of in whole.items()}
    )


def _read(read: Callable[[Any], _V], attribute: Attribute) -> _V:
    """The value that an attribute holds; StoreDamaged if it holds none."""
    try:
        return read(plain(attribute))
    except (ValueError, TypeError, LookupError, OSError, EOFError) as e:
        reason = e if isinstance(e, DecodeError) else type(e).__name__  # others might quote the value
        raise StoreDamaged(
            f"the ledger holds compacted intervals that wistlake never wrote ({reason}): "
            "restore the table to an earlier moment"
        ) from e
