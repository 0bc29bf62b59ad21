"""The parts of the Glue job. Imports nothing but pyspark and boto3: no settings, no HTTP client."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from wistlake.adapters import aws_secrets
from wistlake.adapters.aws_ledger import DynamoLedger
from wistlake.adapters.aws_objects import S3Objects
from wistlake.ports import TableStore

STAGING = "staging/builds"  # beside it lies what Glue keeps for itself


@dataclass(frozen=True, slots=True)
class Job:
    """The job's own arguments: names of what the stack has made."""

    bronze_bucket: str
    silver_bucket: str
    watermark_table: str
    ledger_table: str
    key_secret: str
    database: str


def objects(job: Job) -> S3Objects:
    """The raw pages, and the documents of runs."""
    return S3Objects(job.bronze_bucket)


def ledger(job: Job) -> DynamoLedger:
    """The ledger."""
    return DynamoLedger(job.ledger_table, job.watermark_table)


def keys(job: Job) -> tuple[bytes, ...]:
    """The pseudonym keys of all epochs."""
    return aws_secrets.read_keys(job.key_secret).keys


def tables(job: Job, run_id: str) -> Callable[[], AbstractContextManager[TableStore]]:
    """Starts Spark on the Glue catalog. What the run stages goes with it, and what dead runs left before it:
    the caller holds the lease."""

    @contextmanager
    def started() -> Iterator[TableStore]:
        from wistlake.adapters import aws_spark
        from wistlake.adapters.engine_tables import EngineTables

        silver = S3Objects(job.silver_bucket)
        silver.clear(f"{STAGING}/")
        warehouse, staging = (
            f"s3://{job.silver_bucket}/warehouse",
            f"s3://{job.silver_bucket}/{STAGING}/{run_id}",
        )
        with aws_spark.session(warehouse) as spark:
            catalog = aws_spark.GlueCatalog(spark, job.database, warehouse)
            yield EngineTables(spark, catalog, staging, catalog.name)
        silver.clear(f"{STAGING}/")

    return started
