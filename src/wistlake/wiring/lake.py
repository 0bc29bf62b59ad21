"""The lake of the settings. `open_lake` is the one place that chooses between this machine and AWS."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from wistlake.adapters.local import disk
from wistlake.adapters.table_files import FilesInspector
from wistlake.insight.doctor import Check
from wistlake.planning.intervals import Interval, MediaEntry
from wistlake.ports import Ledger, ObjectStore, Query
from wistlake.privacy.keys import KeyChain
from wistlake.settings import Settings
from wistlake.wiring.laptop import LaptopLake, Receipt
from wistlake.wiring.runtime import Runtime

if TYPE_CHECKING:
    from wistlake.pipeline.jobs.forget import Who


class Lake(Protocol):
    """What a command may do with a lake, wherever it is. What only a folder on this machine offers is behind
    `here`."""

    @property
    def settings(self) -> Settings:
        """What it was opened with."""

    @property
    def runtime(self) -> Runtime:
        """The clock and the network of this process."""

    @property
    def label(self) -> str:
        """Where the lake is, for people."""

    @property
    def builds_here(self) -> bool:
        """Whether this machine builds its tables."""

    def here(self) -> LaptopLake:
        """The lake as a folder on this machine. ConfigError if it is on AWS, where the stack does the work."""

    def ledger(self, *, read_only: bool = False) -> Ledger:
        """Its ledger. ConfigError or StoreError, with the cure, if the lake is not there or not whole."""

    def objects(self) -> ObjectStore:
        """Its raw pages."""

    def inspector(self) -> FilesInspector:
        """Looks at the files of its tables."""

    def query(self) -> Query:
        """SQL over its published tables."""

    def media_and_intervals(self) -> tuple[Sequence[MediaEntry], Sequence[Interval]]:
        """What its ledger holds; nothing where there is no lake yet."""

    def forget(self, run_id: str, now: datetime, who: "Who", *, dry_run: bool) -> Receipt:
        """Forget a person; the receipt. Wistia is asked from here, with this machine's token."""

    def key_chain(self) -> KeyChain:
        """The pseudonym keys, a pending one included."""

    def rotate(self, run_id: str, now: datetime) -> Receipt:
        """Begin a new epoch of pseudonyms; what was done."""

    def maintain(self, run_id: str, now: datetime) -> Receipt:
        """Upkeep of the tables; what was done."""

    def examine(self) -> Iterator[Check]:
        """The checks of the lake, and of what this machine needs to work on it."""

    def look_deep(self) -> Iterator[Check]:
        """Every file of the lake against what was recorded of it."""

    def look_for_people(self) -> Iterator[Check]:
        """What personal data and secrets seem to be where they should not, a check for each kind."""


def open_lake(settings: Settings, runtime: Runtime) -> Lake:
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
    """What the dashboard reads: the newest publication of a lake."""

    lake: Lake

    def version(self) -> str:
        """The publication and the newest run, as one text."""
        ledger = self.lake.ledger(read_only=True)
        publication = ledger.publication()
        runs = [f"{r.run_id} {r.status}" for r in ledger.runs(1)]
        return " ".join([publication.run_id if publication else "nothing", *runs])

    def open(self) -> Query:
        """SQL over it."""
        return self.lake.query()


@contextmanager
def read_only_catalog(lake: Lake, port: int) -> Iterator[str]:
    """Serve what is published as an Iceberg REST catalog while the block runs; its URI."""
    from wistlake.adapters.local import rest_catalog
    from wistlake.adapters.local.published_catalog import PublishedCatalog

    published = PublishedCatalog(lake.ledger(read_only=True), lake.inspector())
    with rest_catalog.serve(published, port, read_only=True) as uri:
        yield uri
