"""One publication, and how it is read."""

from collections.abc import Callable, Hashable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from wistlake.foreign import one_line

if TYPE_CHECKING:
    from wistlake.ports import Query

T = TypeVar("T")
Row = dict[str, Any]
CACHED = 512


class Source(Protocol):
    """The published tables, wherever they are: the laptop's lake, or Athena."""

    def version(self) -> str:
        """Changes with every publication and every run; cheap, because every click of the app reads it."""

    def open(self) -> "Query":
        """SQL over the newest publication, which stays the same however long it is used."""


class Reader:
    """Figures of one publication: one query at a time, each figure read once and shared by all sessions. Figures that
    are made of others get it as their query (`once`)."""

    def __init__(self, query: "Query") -> None:
        self.sql = query.sql
        self._lock = RLock()
        self._cached = lru_cache(maxsize=CACHED)(self._read)

    def __call__(self, figure: Callable[..., T], *arguments: Hashable) -> T:
        """`figure(query, *arguments)`. Callers never change the value: others get the same one."""
        with self._lock:
            value: T = self._cached(figure, *arguments)
        return value

    def _read(self, figure: Callable[..., Any], *arguments: Hashable) -> Any:
        return figure(self, *arguments)


def once(query: "Query", figure: Callable[..., T], *arguments: Hashable) -> T:
    """`figure(query, *arguments)`, of a Reader only once."""
    return query(figure, *arguments) if isinstance(query, Reader) else figure(query, *arguments)


def rows(query: "Query", text: str) -> list[Row]:
    """A query's rows as dicts, texts fit to be shown. Sums of integers are integers: one engine returns decimals."""
    return plain(query.sql(text).to_pylist())


def plain(listed: list[Row]) -> list[Row]:
    """The same rows, texts fit to be shown."""
    return [{k: _plain(v) for k, v in row.items()} for row in listed]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return one_line(value) if isinstance(value, str) else value


def extent(query: "Query") -> tuple[date, date] | None:
    """First and last published day; None while there is none."""
    (row,) = rows(query, "SELECT min(date) AS first, max(date) AS last FROM gold.fact_media_daily")
    return (row["first"], row["last"]) if row["last"] else None


def titles(query: "Query") -> dict[str, str]:
    """media_id to title, ordered by title; the id also of media that have numbers and no description."""
    media = rows(
        query,
        "SELECT d.media_id, m.title FROM "
        "(SELECT DISTINCT media_id FROM gold.fact_media_daily UNION SELECT media_id FROM silver.dim_media) d "
        "LEFT JOIN silver.dim_media m ON m.media_id = d.media_id ORDER BY m.title, d.media_id",
    )
    return {r["media_id"]: r["title"] or r["media_id"] for r in media}
