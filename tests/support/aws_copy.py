"""A laptop's lake on the emulated account: the same published rows behind Athena, and the same ledger."""

from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog

from support.aws.mirror import Mirror
from support.emulated import REGION, Account
from support.lake import Lake
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.catalog import schema
from wistlake.contracts import table
from wistlake.planning import account as account_days
from wistlake.planning import optional
from wistlake.ports import Ledger, Publication, TableRef


def glue_catalog(account: Account) -> GlueCatalog:
    """PyIceberg's way to the account's tables."""
    access = {
        "access-key-id": "test",
        "secret-access-key": "test",
        "region": REGION,
        "endpoint": account.endpoint,
    }
    return GlueCatalog("glue", **{f"{s}.{n}": value for s in ("glue", "s3") for n, value in access.items()})


def workgroup(account: Account, name: str) -> None:
    """Make a workgroup of Athena's."""
    results = {"OutputLocation": f"s3://{account.bucket()}/results/"}
    account.client("athena").create_work_group(Name=name, Configuration={"ResultConfiguration": results})


class Copy:
    """The copy: its `database` and workgroup of one name, its `ledger`, and what a function is told of them."""

    def __init__(self, account: Account, lake: Lake) -> None:
        self.bucket = account.bucket()
        self.database = f"copy_{self.bucket[-6:]}"
        workgroup(account, self.database)
        marks = account.table("dataset", "media_id", "-copy")
        items = account.table("pk", "sk", "-copy")
        self.ledger = DynamoLedger(items, marks, account.client("dynamodb"))
        self.environment = {
            **account.environment(),
            "WISTLAKE_STAGE": "copy",
            "DDB_TABLE": marks,
            "LEDGER_TABLE": items,
            "GLUE_DATABASE": self.database,
            "ATHENA_WORKGROUP": self.database,
        }
        published = lake.ledger.publication()
        assert published
        catalog, query = glue_catalog(account), DuckDBQuery(lake.ledger)
        catalog.create_namespace(self.database)
        refs = {
            name: self._made(catalog, name, query.sql(f"SELECT * FROM {name}")) for name in published.tables
        }
        copy_ledger(lake.ledger, self.ledger)
        self.ledger.publish(Publication(published.run_id, published.published_at, refs))
        # The emulated Athena reads a folder; it is no other test's business what lies in it.
        Mirror(Path(account.folder) / "mirror").sync(account.client("s3"), [self.bucket])

    def _made(self, catalog: GlueCatalog, name: str, rows: pa.Table) -> TableRef:
        called = name.replace(".", "_")
        made = catalog.create_table(
            f"{self.database}.{called}",
            schema(table(name)),
            location=f"s3://{self.bucket}/warehouse/{called}",
        )
        if rows.num_rows:
            made.append(rows.cast(made.schema().as_arrow()))
        snapshot = made.current_snapshot()
        return TableRef(made.metadata_location, snapshot.snapshot_id if snapshot else None)


def copy_ledger(here: Ledger, there: Ledger) -> None:
    """What readers ask a ledger, but for its publications."""
    there.put_media(here.media())
    there.record(here.intervals())
    there.put_alerts(here.alerts())
    for run in here.runs():
        there.put_run(run)
    for name in (account_days.FACTS, optional.FACTS):
        there.put_facts(name, here.facts(name))
