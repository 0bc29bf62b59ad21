"""The lake of the settings. `open_lake` is the one place that chooses between this machine and AWS.

A command works with what both kinds of lake offer; what only a folder on this machine offers is behind `Lake.here`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wistlake.adapters.local import disk
from wistlake.ports import Query
from wistlake.settings import Settings
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime

if TYPE_CHECKING:
    from wistlake.wiring.aws_lake import AwsLake

    Lake = LaptopLake | AwsLake


def open_lake(settings: Settings, runtime: Runtime) -> "Lake":
    """The lake of the settings; nothing is read yet."""
    if settings.place == "aws":
        from wistlake.wiring.aws_lake import AwsLake  # boto3 is loaded for a lake on AWS only

        return AwsLake(settings, runtime)
    return LaptopLake(settings, runtime)


def disk_trouble(settings: Settings) -> str:
    """What keeps the lake's disk from being written to, with the cure; "" if nothing does."""
    return disk.trouble(settings.lake)


@dataclass(frozen=True, slots=True)
class Published:
    """The newest publication of a lake, for a reader that stays; `held` where all that it asks for are figures
    (`HeldQuery`)."""

    lake: "Lake"
    held: bool = False

    def version(self) -> str:
        """The publication, the newest run and the newest word on an alert, as one text."""
        ledger = self.lake.ledger(read_only=True)
        publication = ledger.publication()
        runs = [f"{r.run_id} {r.status}" for r in ledger.runs(1)]
        alerted = [max(a.withdrawn_at or a.told_at for a in alerts)] if (alerts := ledger.alerts()) else []
        return " ".join([publication.run_id if publication else "nothing", *runs, *map(str, alerted)])

    def open(self) -> Query:
        """SQL over it."""
        return self.lake.query(held=self.held)


@contextmanager
def read_only_catalog(lake: "Lake", port: int) -> Iterator[str]:
    """Serve what is published as an Iceberg REST catalog while the block runs; its URI."""
    from wistlake.adapters.local import rest_catalog
    from wistlake.adapters.local.published_catalog import PublishedCatalog

    published = PublishedCatalog(lake.ledger(read_only=True), lake.inspector())
    with rest_catalog.serve(published, port, read_only=True) as uri:
        yield uri
