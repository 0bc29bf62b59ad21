"""Spark on the Glue catalog: the session of a Glue job, and the tables that it makes and looks up.

Imports nothing but pyspark and boto3: it runs inside Glue.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wistlake.adapters.aws.table_files import below
from wistlake.contracts.form import Table
from wistlake.derive.spark import columns_ddl, create_table
from wistlake.ports import TableRef

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "lake"
_ICEBERG = "org.apache.iceberg"


def settings(warehouse: str) -> Mapping[str, str]:
    """Spark's settings for a lake whose tables lie below `warehouse`."""
    catalog = f"spark.sql.catalog.{CATALOG}"
    return {
        "spark.sql.extensions": f"{_ICEBERG}.spark.extensions.IcebergSparkSessionExtensions",
        catalog: f"{_ICEBERG}.spark.SparkCatalog",
        f"{catalog}.catalog-impl": f"{_ICEBERG}.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": f"{_ICEBERG}.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        f"{catalog}.cache-enabled": "false",
        # Shuffles and spills are encrypted, and rows from Python (the pseudonym pads among them) come by a
        # socket instead of a file.
        "spark.io.encryption.enabled": "true",
    }


@contextmanager
def session(warehouse: str) -> Iterator["SparkSession"]:
    """The job's session. What the job was started with (`--conf`) wins over `settings`; where it names a
    catalog of its own, none of ours is mixed in."""
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    given, catalog = SparkConf(), f"spark.sql.catalog.{CATALOG}"
    missing = {
        name: value
        for name, value in settings(warehouse).items()
        if not given.contains(name) and not (given.contains(catalog) and name.startswith(catalog))
    }
    SparkContext.getOrCreate(given.setIfMissing("spark.app.name", "wistlake").setAll([*missing.items()]))
    spark = SparkSession.builder.getOrCreate()
    if spark.conf.get(catalog, None) is None:  # a context that was there already
        for name in (n for n in missing if n.startswith(catalog)):
            spark.conf.set(name, missing[name])
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield spark
    finally:
        spark.stop()


class GlueCatalog:
    """The lake's tables in one database of the Glue catalog: `<database>.<layer>_<table>`."""

    def __init__(self, spark: "SparkSession", database: str, warehouse: str) -> None:
        self._spark, self._database, self._warehouse = spark, database, warehouse

    def name(self, table: Table) -> str:
        """What Spark calls the table."""
        return self._called(table.full_name)

    def location(self, table: Table) -> str:
        """Below which the table's files lie."""
        return f"{self._warehouse}/{table.layer}/{table.name}"

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and add the columns that contracts have gained."""
        known = {
            row["tableName"]
            for row in self._spark.sql(f"SHOW TABLES IN {CATALOG}.{self._database}").collect()
        }
        for table in tables:
            if table_name(table.full_name) in known:
                self._evolve(table)
            else:
                self._spark.sql(create_table(table, self.name(table), self.location(table))).collect()

    def refs(self, full_names: Iterable[str]) -> dict[str, TableRef]:
        """The current state of the named tables: the newest metadata file and its snapshot."""
        selects = (
            f"SELECT '{name}' AS name, max_by(file, timestamp) AS file,"
            f" max_by(latest_snapshot_id, timestamp) AS snapshot_id FROM {self._called(name)}.metadata_log_entries"
            for name in full_names
        )
        rows = self._spark.sql(" UNION ALL ".join(selects)).collect()
        for row in rows:
            below(row["file"], f"{self._warehouse}/", row["name"])
        return {r["name"]: TableRef(r["file"], r["snapshot_id"]) for r in rows}

    def _called(self, full_name: str) -> str:
        return f"{CATALOG}.{self._database}.{table_name(full_name)}"

    def _evolve(self, table: Table) -> None:
        have = set(self._spark.table(self.name(table)).columns)
        added = [c for c in table.columns if c.name not in have]
        if added:
            self._spark.sql(f"ALTER TABLE {self.name(table)} ADD COLUMNS ({columns_ddl(added)})").collect()


def table_name(full_name: str) -> str:
    """`layer.table` as the Glue catalog has it: one database holds all layers."""
    return full_name.replace(".", "_")
