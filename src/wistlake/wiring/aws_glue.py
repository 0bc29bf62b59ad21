"""The parts of the Glue jobs. Imports nothing but pyspark and boto3: no settings, no HTTP client."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from wistlake.adapters.aws import logs as aws_logs
from wistlake.adapters.aws import secrets as aws_secrets
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.aws.table_files import S3TableFiles
from wistlake.adapters.table_files import FilesInspector
from wistlake.contracts import TABLES
from wistlake.contracts.form import Type
from wistlake.errors import explained
from wistlake.pipeline.jobs.request import Keeper
from wistlake.pipeline.run.spec import USUAL_ROWS, LakeDependencies
from wistlake.ports import LEASE, LEASE_SECONDS, TableStore
from wistlake.wiring import athena_views

if TYPE_CHECKING:
    from wistlake.adapters.aws.spark import GlueCatalog
    from wistlake.adapters.engine.tables import EngineTables

STAGING = "staging/builds"  # beside it lies what Glue keeps for itself
QUERY_RESULTS = "athena-results"  # answers of Athena: copies of rows
# Events of one build for each core of an executor, which has four gigabytes: more than a laptop's run may take.
ROWS_OF_A_CORE = 750_000


@dataclass(frozen=True, slots=True)
class Job:
    """The job's own arguments: names of what the stack has made."""

    bronze_bucket: str
    silver_bucket: str
    watermark_table: str
    ledger_table: str
    key_secret: str
    database: str
    execution: str = ""


def parsed(parser: ArgumentParser, argv: Sequence[str]) -> tuple[Namespace, Job]:
    """A script's arguments: those of `parser`, the run's id, and the job's own. Glue adds others, which are
    left aside."""
    own = [f.name for f in fields(Job)]
    for name in ("run_id", "stage", *own):
        parser.add_argument(f"--{name}", **({"default": ""} if name == "execution" else {"required": True}))
    given, _ = parser.parse_known_args(argv)
    return given, Job(**{name: getattr(given, name) for name in own})


def objects(job: Job) -> S3Objects:
    """The raw pages, and the documents of runs."""
    return S3Objects(job.bronze_bucket)


def ledger(job: Job) -> DynamoLedger:
    """The ledger, and the lease of the execution that has started the job, if one has."""
    return DynamoLedger(
        job.ledger_table,
        job.watermark_table,
        execution=job.execution,
        on_publication=athena_views.shown_in(job.database),
    )


def fence(job: Job, run_id: str, clock: Callable[[], datetime]) -> Callable[[], None]:
    """LeaseHeld, before a commit, once the lease is another's: called by a job that was given up and still runs."""
    held = ledger(job)
    return lambda: held.renew(LEASE, run_id, clock(), LEASE_SECONDS)


def require_free(job: Job, run_id: str, now: datetime) -> None:
    """LeaseHeld before an engine starts, for nothing is worth its minutes while a run is under way. A try of this very
    run that was killed holds the lease no longer."""
    held = ledger(job)
    held.take(LEASE, run_id, now, LEASE_SECONDS)
    held.release(LEASE, run_id)


def expire_logs(stage: str, days: int) -> None:
    """Let what the stage's jobs have logged go after so many days."""
    aws_logs.expire(stage, days)


def rows_per_build(workers: int, cores: int) -> int:
    """How many events one build of a job takes. One of the workers is the driver."""
    return ROWS_OF_A_CORE * cores * max(1, workers - 1)


def dependencies(
    job: Job, run_id: str, clock: Callable[[], datetime], rows: int = USUAL_ROWS
) -> LakeDependencies:
    """What the build of a run needs; each takes so many `rows`."""
    return LakeDependencies(
        objects=objects(job),
        ledger=ledger(job),
        tables=tables(job, run_id, fence(job, run_id, clock)),
        keys=lambda: aws_secrets.SecretKeys(job.key_secret).load().settled().keys,
        clock=clock,
        rows_per_build=rows,
    )


def tables(
    job: Job, run_id: str, before_commit: Callable[[], None]
) -> Callable[[], AbstractContextManager[TableStore]]:
    """Starts Spark on the Glue catalog. What the run stages goes with it, and what dead runs left before it:
    the caller holds the lease."""

    @contextmanager
    def started() -> Iterator[TableStore]:
        silver = S3Objects(job.silver_bucket)
        silver.hide(silver.list(f"{STAGING}/"))
        with _damage_named(job), _engine(job, run_id, before_commit) as (store, _):
            yield store
        silver.hide(silver.list(f"{STAGING}/"))

    return started


def _damage_named(job: Job) -> AbstractContextManager[None]:
    """Whatever fails in the block while a published table is damaged, as the StoreError that says so."""
    files = FilesInspector(S3TableFiles(job.silver_bucket, S3Objects(job.silver_bucket)))
    return explained(lambda: files.damaged(ledger(job).publication))


@contextmanager
def _engine(
    job: Job, run_id: str, before_commit: Callable[[], None]
) -> "Iterator[tuple[EngineTables, GlueCatalog]]":
    from wistlake.adapters.aws import spark as aws_spark
    from wistlake.adapters.engine.tables import EngineTables

    warehouse = f"s3://{job.silver_bucket}/warehouse"
    with aws_spark.session(warehouse) as spark:
        catalog = aws_spark.GlueCatalog(spark, job.database, warehouse)
        staging = f"s3://{job.silver_bucket}/{STAGING}/{run_id}"
        yield EngineTables(spark, catalog, staging, catalog.name, before_commit=before_commit), catalog


@contextmanager
def keeping(
    job: Job, run_id: str, clock: Callable[[], datetime], retention_days: int
) -> Iterator[tuple[LakeDependencies, Keeper]]:
    """Parts for work on the whole lake; one Spark for all of it. Nothing is written before the work has the lease: it
    creates the tables that it needs itself."""
    from wistlake.adapters.aws.history import GluePurge, GlueUpkeep

    silver, raw = S3Objects(job.silver_bucket), objects(job)
    ring = aws_secrets.SecretKeys(job.key_secret)
    held = fence(job, run_id, clock)
    with _damage_named(job), _engine(job, run_id, held) as (store, catalog):
        parts = replace(
            dependencies(job, run_id, clock), tables=lambda: nullcontext(store), keys=lambda: ring.load().keys
        )
        scratch = (f"{STAGING}/", f"{QUERY_RESULTS}/")
        yield (
            parts,
            Keeper(
                ring=ring,
                purge=GluePurge(store.spark, catalog, silver, held, scratch, raw),
                upkeep=GlueUpkeep(store.spark, catalog, silver, held),
                search=partial(search, store, {"bronze": raw, "silver": silver}),
                retention_days=retention_days,
            ),
        )


def search(store: TableStore, buckets: Mapping[str, S3Objects], texts: Iterable[str]) -> Mapping[str, int]:
    """Where the texts are: in which rows of any table, and in which version of any object as it lies there."""
    from wistlake.adapters import lake_bytes

    searched = [t for t in texts if t]
    lying = (
        piece
        for name, bucket in buckets.items()
        for key, read in bucket.contents()
        for piece in lake_bytes.plain(f"{name}/{key}", read())
    )
    return {**_rows_with(store, searched), **lake_bytes.hits(lying, searched)}


def _rows_with(store: TableStore, texts: list[str]) -> dict[str, int]:
    from pyspark.sql import functions as F

    # As rows, never in the plan: Spark's log tells the filters that it pushes down.
    searched = F.broadcast(store.spark.createDataFrame([(t,) for t in texts], "_text string"))
    counts = {}
    for table in TABLES:
        columns = [F.col(c.name) for c in table.columns if c.type in (Type.STRING, Type.STRINGS)]
        rows = store.read(table).select(F.concat_ws("\n", *columns).alias("_row"))
        if count := rows.join(searched, F.expr("contains(_row, _text)"), "left_semi").count():
            counts[table.full_name] = int(count)
    return counts
