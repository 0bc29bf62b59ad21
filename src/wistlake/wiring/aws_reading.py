"""Readers of a lake on AWS, from a laptop that is signed in."""

from wistlake.adapters.aws.query import AthenaQuery, open_s3
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.table_files import FilesInspector
from wistlake.errors import ConfigError
from wistlake.ports import Query
from wistlake.quality.metrics import views
from wistlake.settings import Settings
from wistlake.wiring import aws


def query(settings: Settings) -> Query:
    """SQL over the published tables: by DuckDB straight from S3, or by Athena."""
    ledger = aws.ledger(settings)
    if settings.query == "duckdb":
        return DuckDBQuery(
            ledger, views(), prepare=open_s3, inspector=FilesInspector(aws.table_files(settings))
        )
    missing = [
        f"{variable} is not set: the stack's outputs name it"
        for variable, value in (
            ("GLUE_DATABASE", settings.glue_database),
            ("ATHENA_WORKGROUP", settings.athena_workgroup),
        )
        if not value
    ]
    if missing:
        raise ConfigError(missing)
    return AthenaQuery(ledger, settings.glue_database, settings.athena_workgroup, views())
