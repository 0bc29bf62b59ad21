"""What the pipeline needs of the outside world, as small protocols. The docstring is the promise;
`tests/ports` holds every implementation, the in-memory ones included, to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wistlake.contracts.form import Table
from wistlake.planning.intervals import Interval, MediaEntry, Watermark

if TYPE_CHECKING:  # Lambda never loads Spark
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


class ObjectStore(Protocol):
    """Bytes under keys. Writes are atomic: a reader sees the whole object or none."""

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Store `data`; with `if_absent`, StoreBusy if the key is taken: exactly one of many wins."""

    def get(self, key: str) -> bytes:
        """The object's bytes; StoreDamaged naming the key if there is none."""

    def exists(self, key: str) -> bool:
        """Whether the key is taken."""

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, ascending."""

    def delete(self, keys: Iterable[str]) -> int:
        """Remove the objects, with every older version; absent ones are no error. How many were there."""

    def uri(self, key: str) -> str:
        """Where an engine reads the object: an absolute path, or s3://bucket/key."""


class Budget(Protocol):
    """The account's request budget, shared by every process that asks Wistia."""

    def reserve(self, requests: int = 1) -> float:
        """Take `requests` from the budget; the seconds to wait before sending them (0 or more)."""

    def pause(self, seconds: float) -> None:
        """Wistia said stop: nobody may send for `seconds` from now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to the lake. `token` grows with every holder and fences off older ones."""

    name: str
    owner: str
    token: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger remembers it. `trigger` is scheduled, manual, backfill, repair or rebuild;
    `origin` is live or simulated; `summary` is the run's JSON result."""

    run_id: str
    trigger: str
    origin: str
    status: str  # running, succeeded, failed
    started_at: datetime
    ended_at: datetime | None = None
    error: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)


class TableRef(NamedTuple):
    """One state of one table. `snapshot_id` is None for a table without rows yet."""

    metadata_location: str
    snapshot_id: int | None


@dataclass(frozen=True, slots=True)
class Publication:
    """What readers see: the state of each table by its full name, all of one moment."""

    run_id: str
    published_at: datetime
    tables: Mapping[str, TableRef]


def followed_since(newest_first: Iterable[Publication], since: datetime) -> list[Publication]:
    """The publications that readers may have followed at `since` or later, newest first."""
    followed = []
    for publication in newest_first:
        followed.append(publication)
        if publication.published_at <= since:  # it was still the newest then, and older ones were not
            break
    return followed


LEASE, LEASE_SECONDS = "lake", 6 * 3600.0  # whoever writes to the lake holds it, a run's steps one by one


class Ledger(Protocol):
    """What happened, what is done, and who may write. Every write is atomic and survives a crash."""

    def lease(
        self, name: str, owner: str, now: datetime, ttl_seconds: float
    ) -> AbstractContextManager[Lease]:
        """Hold the lease for the block, however it ends; LeaseHeld names the other owner and since when."""

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        """Intervals by dataset, media and day (both ends included), ordered by their key."""

    def record(self, intervals: Iterable[Interval]) -> None:
        """Write the intervals, each replacing the one with its key; all or none per batch of 100."""

    def watermarks(self) -> Sequence[Watermark]:
        """All watermarks, ordered by dataset and media."""

    def advance(self, watermark: Watermark) -> bool:
        """Set the watermark if it is greater than the stored one, atomically; whether it moved."""

    def override(self, watermark: Watermark) -> None:
        """Set the watermark whatever it was. ConfigError without an `override_reason`."""

    def media(self) -> Sequence[MediaEntry]:
        """Every media ever followed, ordered by id."""

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        """Write the entries, each replacing the one with its id."""

    def put_run(self, run: Run) -> None:
        """Write the run, replacing the one with its id."""

    def runs(self, limit: int = 100) -> Sequence[Run]:
        """The newest runs first."""

    def publish(self, publication: Publication) -> None:
        """Make `publication` the one that readers follow."""

    def publication(self) -> Publication | None:
        """The newest publication; None before the first."""

    def facts(self, name: str) -> Mapping[str, Any]:
        """A small named document (`lake`, `drift`, ...); empty if never written."""

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Replace the named document."""


class TableStore(Protocol):
    """Iceberg tables behind one engine. One snapshot a merge."""

    @property
    def spark(self) -> "SparkSession":
        """The engine's session; its time zone is UTC."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and add columns that a contract has gained."""

    def read(self, table: Table) -> "DataFrame":
        """The table's current rows, columns in contract order."""

    def merge(self, table: Table, changes: "DataFrame", prune: str | None) -> None:
        """Apply `changes` (contract columns and `_change`) in one commit. `prune` is a SQL boolean over the
        target's columns, in literals, that holds for every row that `changes` may match; None where every
        change is new and can match no row."""

    def lines(self, uris: Iterable[str]) -> "DataFrame":
        """The lines of text objects, by their URIs, as column `value`."""

    def stage(self, name: str, rows: "DataFrame", schema: str | None = None) -> "DataFrame":
        """Compute `rows` once and keep them inside the lake for this run; the frame that reads them back.
        `schema` (DDL), where it is known, saves asking the engine for it."""

    def refs(self) -> Mapping[str, TableRef]:
        """The current state of every table, by full name."""


class Query(Protocol):
    """Read-only SQL over the published state."""

    def sql(self, text: str) -> "pa.Table":
        """The rows of a SELECT over `layer.table`s, under distinct names; ConfigError with the engine's words if
        it can't run."""


@dataclass(frozen=True, slots=True)
class Notice:
    """News for people. `failed` decides the channel's tone, `facts` go along as key and value."""

    title: str
    text: str
    failed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """Somewhere that people read."""

    def notify(self, notice: Notice) -> None:
        """Deliver the notice; a failure to deliver is logged and never fails the run."""
