"""Spark on the Glue catalog: the session of a Glue job, and the tables that it makes and looks up.

Imports nothing but pyspark and boto3: it runs inside Glue.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

from wistlake.adapters.aws.table_files import below
from wistlake.contracts.form import Table
from wistlake.derive.athena import table_name
from wistlake.derive.spark import columns_ddl, create_table, outdated
from wistlake.ports import TableRef

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
        # Encrypts shuffles and spills, and sends rows from Python (pseudonym pads among them) through a socket
        # instead of a file.
        "spark.io.encryption.enabled": "true",
    }


@contextmanager
def session(warehouse: str) -> Iterator[SparkSession]:
    """The job's session. The job's own settings (`--conf`) win over `settings`; if they define the catalog, none
    of our settings for it are mixed in."""
    from pyspark import SparkConf, SparkContext  # the client of Spark, which the tests have, is without them

    conf, catalog = SparkConf(), f"spark.sql.catalog.{CATALOG}"
    missing = {
        name: value
        for name, value in settings(warehouse).items()
        if not conf.contains(name) and not (conf.contains(catalog) and name.startswith(catalog))
    }
    SparkContext.getOrCreate(conf.setIfMissing("spark.app.name", "wistlake").setAll([*missing.items()]))
    spark = SparkSession.builder.getOrCreate()
    if spark.conf.get(catalog, None) is None:  # a context that existed already
        for name in (n for n in missing if n.startswith(catalog)):
            spark.conf.set(name, missing[name])
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield spark
    finally:
        spark.stop()


class GlueCatalog:
    """The lake's tables in one database of the Glue catalog: `<database>.<layer>_<table>`."""

    def __init__(self, spark: SparkSession, database: str, warehouse: str) -> None:
        self._spark, self._database, self._warehouse = spark, database, warehouse

    def name(self, table: Table) -> str:
        """The table's name in Spark."""
        return self._qualified(table.full_name)

    def location(self, table: Table) -> str:
        """The prefix of the table's files."""
        return f"{self._warehouse}/{table.layer}/{table.name}"

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create what is missing, and give the others what contracts have gained: columns, partitions, properties."""
        existing = {
            row["tableName"]
            for row in self._spark.sql(f"SHOW TABLES IN {CATALOG}.{self._database}").collect()
        }
        for table in tables:
            if table_name(table.full_name) in existing:
                self._evolve(table)
            else:
                self._spark.sql(create_table(table, self.name(table), self.location(table))).collect()

    def refs(self, full_names: Iterable[str]) -> dict[str, TableRef]:
        """The current state of the named tables: the newest metadata file and its snapshot."""
        selects = (
            f"SELECT '{name}' AS name, max_by(file, timestamp) AS file,"
            f" max_by(latest_snapshot_id, timestamp) AS snapshot_id FROM {self._qualified(name)}.metadata_log_entries"
            for name in full_names
        )
        rows = self._spark.sql(" UNION ALL ".join(selects)).collect()
        for row in rows:
            below(row["file"], f"{self._warehouse}/", row["name"])
        return {r["name"]: TableRef(r["file"], r["snapshot_id"]) for r in rows}

    def _qualified(self, full_name: str) -> str:
        return f"{CATALOG}.{self._database}.{table_name(full_name)}"

    def _evolve(self, table: Table) -> None:
        existing = set(self._spark.table(self.name(table)).columns)
        added = [c for c in table.columns if c.name not in existing]
        if added:
            self._spark.sql(f"ALTER TABLE {self.name(table)} ADD COLUMNS ({columns_ddl(added)})").collect()
        properties = self._spark.sql(f"SHOW TBLPROPERTIES {self.name(table)}").collect()
        if lacking := outdated({r.key: r.value for r in properties}):
            listed = ", ".join(f"'{k}'='{v}'" for k, v in lacking.items())
            self._spark.sql(f"ALTER TABLE {self.name(table)} SET TBLPROPERTIES ({listed})").collect()
        if table.partition and not self._is_partitioned(table):
            # Files of before are partitioned when a MERGE next writes them anew.
            self._spark.sql(f"ALTER TABLE {self.name(table)} ADD PARTITION FIELD {table.partition}").collect()

    def _is_partitioned(self, table: Table) -> bool:
        return "partition" in self._spark.table(f"{self.name(table)}.partitions").columns
