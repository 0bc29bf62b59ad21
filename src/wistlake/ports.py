"""What the pipeline needs of the outside world, as small protocols. A method's docstring is its contract:
`tests/ports` checks every implementation against it, also the in-memory ones of the tests.

Dates are days in the account's zone, moments have a zone. Every call may raise StoreError, or StoreBusy where a
retry may help; other errors are named.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wistlake.contracts.form import Source, Table
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, Watermark
from wistlake.planning.labels import MediaLabels
from wistlake.quality.alert_history import Alert

if TYPE_CHECKING:  # Lambda never loads Spark
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


class ObjectStore(Protocol):
    """Bytes under keys (`object_keys`). Writes are atomic: a reader sees the whole object or none."""

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Store `data`; with `if_absent`, StoreBusy if the key is taken: exactly one of many wins."""

    def get(self, key: str) -> bytes:
        """The object's bytes; StoreDamaged naming the key if there is none."""

    def exists(self, key: str) -> bool:
        """Whether the key is taken."""

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, in ascending order."""

    def delete(self, keys: Iterable[str]) -> int:
        """Remove the objects with all their versions; how many existed. Absent keys are no error."""

    def uri(self, key: str) -> str:
        """The object's address for engines: an absolute path, or s3://bucket/key."""


class Budget(Protocol):
    """The account's request budget, shared by all processes that call Wistia."""

    def reserve(self, requests: int = 1) -> float:
        """Take `requests` from the budget; the seconds to wait before sending them (0 or more)."""

    def pause(self, seconds: float) -> None:
        """Let no process send for `seconds` from now: Wistia has refused a request as one too many."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to the lake. `token` is greater than that of every earlier holder."""

    name: str
    owner: str
    token: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One run in the ledger. `trigger` is scheduled, manual, backfill, repair or rebuild; `origin` is live or
    simulated. Its result, which may be long, is asked for by itself (`Ledger.summary`)."""

    run_id: str
    trigger: str
    origin: str
    status: str  # running, succeeded, partial (a few media failed), failed
    started_at: datetime
    ended_at: datetime | None = None
    error: str = ""


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


LEASE = "lake"  # held by every writer to the lake; a run's steps hold it in turn
LEASE_SECONDS = (
    15 * 60.0
)  # how long a holder that nobody can ask about is believed to be alive without a word


class Ledger(Protocol):
    """The state of all work on a lake, and its lease. Every write is atomic and survives a crash."""

    def lease(
        self, name: str, owner: str, now: datetime, ttl_seconds: float
    ) -> AbstractContextManager[Lease]:
        """Hold the lease during the block, however long it takes, and for at most `ttl_seconds` after the process has
        died. LeaseHeld names the other owner and the moment it took the lease."""

    def intervals(
        self,
        dataset: str | None = None,
        media_id: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Sequence[Interval]:
        """The intervals with this dataset, media and days (both ends included), ordered by their key. Without a media
        it reads the whole ledger: for jobs about all of a lake, never for a run."""

    def open_intervals(self, media_ids: Collection[str] | None = None) -> Sequence[Interval]:
        """The intervals of these media, or of all, that are not compacted, ordered by their key: as many as are new or
        unsettled, however long the history is."""

    def interval_columns(self, names: Sequence[str]) -> Iterable[Mapping[str, Sequence[Any]]]:
        """These fields of all intervals, in any order: lists of plain values as the codec writes them (1 may stand for
        true), in several parts. For readers of the whole ledger: an object an interval would take them far longer."""

    def record(self, intervals: Iterable[Interval]) -> None:
        """Write the intervals, each replacing the one with the same key; atomic per batch of 100. They are open then,
        also those that were compacted."""

    def compacted(self, media_ids: Collection[str] | None = None) -> Mapping[str, Compacted]:
        """What is known of the compacted intervals of these media, or of all that have some."""

    def compact(self, changes: Iterable[tuple[Compacted, Sequence[Interval]]]) -> None:
        """Let open intervals, each time of one media, be compacted ones, and what goes with them be what is known of
        those. Interrupted, some of them stay open; one that was recorded anew since it was read stays open too, and
        is a StoreBusy where that is noticed."""

    def watermarks(self) -> Sequence[Watermark]:
        """All watermarks, ordered by dataset and media."""

    def advance(self, watermarks: Iterable[Watermark]) -> Sequence[Watermark]:
        """Set each watermark if its `last_date` is later than the stored one, atomically; those that were set."""

    def override(self, watermark: Watermark) -> None:
        """Set the watermark to any date, also an earlier one. ConfigError without an `override_reason`."""

    def media(self) -> Sequence[MediaEntry]:
        """Every media ever followed, ordered by id."""

    def put_media(self, entries: Iterable[MediaEntry]) -> None:
        """Write the entries, each replacing the one with the same id."""

    def labels(self) -> Sequence[MediaLabels]:
        """Every media that has, or ever had, a label, ordered by id."""

    def put_labels(self, entries: Iterable[MediaLabels]) -> None:
        """Write the entries, each replacing the one of the same media; atomic per batch of 100."""

    def alerts(self) -> Sequence[Alert]:
        """Every alert that was ever told, ordered by day, rule and subject."""

    def put_alerts(self, entries: Iterable[Alert]) -> None:
        """Write the entries, each replacing the one of the same day, rule and subject; atomic per batch of 100."""

    def put_run(self, run: Run, summary: Mapping[str, Any] | None = None) -> None:
        """Write the run, replacing the one with the same id; its `started_at` never changes. With a `summary`, its
        result as JSON, that too; without, the one it has stays."""

    def runs(self, limit: int = 100) -> Sequence[Run]:
        """The newest runs first."""

    def summary(self, run: Run) -> Mapping[str, Any]:
        """The run's result as JSON; empty if it has none."""

    def publish(self, publication: Publication) -> None:
        """Make `publication` the one that readers follow. Older ones are kept; one that they follow already is not
        written again."""

    def publication(self) -> Publication | None:
        """The newest publication; None before the first."""

    def publications(self, since: datetime) -> Sequence[Publication]:
        """Every publication that readers may have followed at `since` or later, newest first."""

    def facts(self, name: str) -> Mapping[str, Any]:
        """A small named document (`lake`, `drift`, ...); empty if never written."""

    def put_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Replace the named document."""


class SharedLease(Protocol):
    """A lease that outlives the process that took it: a run whose steps are processes of their own holds it under the
    run's id. A run in one process, and every other job, holds it by `Ledger.lease`."""

    def take(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Lease:
        """Hold it until `release`, or its end; the owner may take it again. LeaseHeld if another holds it and, as far
        as can be told, still works."""

    def renew(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> None:
        """Hold it for longer; LeaseHeld if it is another's by now. Called before each commit, so that nobody whose
        lease was taken over changes anything any more."""

    def release(self, name: str, owner: str) -> None:
        """Give it back, if it is the owner's."""


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

    def records(self, uris: Iterable[str], schema: str) -> "DataFrame":
        """The JSON objects of text objects, one a line, as columns of `schema` (DDL). Every value has its type, or
        is null or absent: what becomes of another one depends on the engine."""

    def stage(self, name: str, rows: "DataFrame", schema: str | None = None) -> "DataFrame":
        """Compute `rows` once, store them inside the lake for this run, and return a frame that reads them. `schema`
        (DDL), if given, saves a request to the engine."""

    def refs(self) -> Mapping[str, TableRef]:
        """The current state of every table that was ensured, by full name."""


class Query(Protocol):
    """Read-only SQL over the published state."""

    @property
    def published(self) -> Publication | None:
        """The publication that it reads; None before the first."""

    def sql(self, text: str) -> "pa.Table":
        """The rows of a SELECT over `layer.table`s, under distinct column names. ConfigError with the engine's message
        if it can't run."""

    def limited(self, text: str, rows: int, seconds: float) -> "pa.Table":
        """As `sql`, the first `rows` rows at most. StoreError if it takes longer than `seconds`: it is ended."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for people. `failed` marks bad news, `routine` no news at all; `facts` are shown as keys and values."""

    title: str
    text: str
    failed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    routine: bool = False


class Notifier(Protocol):
    """Delivers notices to people."""

    def notify(self, notice: Notice) -> bool:
        """Deliver the notice; whether anybody took it, or nobody wants it. Errors are logged, and never raised."""


class RunListener(Protocol):
    """Hears of runs, for catalogs of lineage. A call takes seconds at most; errors are logged, and never raised."""

    def began(self, run: Run, sources: Sequence[Source]) -> None:
        """A run that reads these sources has begun."""

    def ended(self, run: Run, sources: Sequence[Source], changes: Mapping[str, Mapping[str, int]]) -> None:
        """A run has ended; `changes` are the numbers of changed rows of each table that it built, by full name."""
