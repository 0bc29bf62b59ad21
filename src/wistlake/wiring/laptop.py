"""A lake on this machine: a folder, sqlite, Sail or Spark, and DuckDB for readers."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from wistlake import machine
from wistlake.adapters import lake_bytes
from wistlake.adapters.local import damage
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.adapters.local.scratch import SCRATCH, sweep
from wistlake.adapters.table_files import FilesInspector
from wistlake.insight import doctor
from wistlake.insight.doctor import Check
from wistlake.insight.preview import Inputs
from wistlake.pipeline.jobs.forget import Search, Who, ask_source, forget, reapply
from wistlake.pipeline.jobs.maintain import maintain
from wistlake.pipeline.jobs.rotate import rotate
from wistlake.pipeline.jobs.watch import watch_after_run
from wistlake.pipeline.run.lake import LAKE
from wistlake.pipeline.run.spec import Dependencies, LakeDependencies, RunSpec
from wistlake.ports import LEASE, LEASE_SECONDS, ObjectStore, Query
from wistlake.privacy.keys import KeyChain
from wistlake.privacy.scan import Piece
from wistlake.quality.views import views
from wistlake.settings import Settings
from wistlake.wiring import laptop_engine, source, spec
from wistlake.wiring.lineage import listener
from wistlake.wiring.notifiers import notifier
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.tracing import trace
from wistlake.wistia import WistiaClient

if TYPE_CHECKING:
    from wistlake.adapters.local.history import LocalPurge, LocalUpkeep

Receipt = Mapping[str, Any]


class KeyFile:
    """The owner-only key file as a rotation needs it."""

    def __init__(self, folder: LakeFolder) -> None:
        self._folder = folder

    def load(self) -> KeyChain:
        """The chain, a pending key included."""
        return self._folder.key_chain(rotating=True)

    def save(self, chain: KeyChain) -> None:
        """Replace it at once."""
        self._folder.write_keys(chain)


@dataclass(frozen=True, slots=True)
class LaptopLake:
    """The lake in the folder of the settings."""

    settings: Settings
    runtime: Runtime
    builds_here: ClassVar[bool] = True  # the tables

    @property
    def label(self) -> str:
        """Where the lake is, for people."""
        return str(self.settings.lake)

    def here(self) -> "LaptopLake":
        """This lake, with what only this machine can do."""
        return self

    @property
    def folder(self) -> LakeFolder:
        """Its folder. ConfigError if no lake can lie at that path."""
        return LakeFolder(self.settings.lake)

    # Stores

    def ledger(self, *, read_only: bool = False) -> SqliteLedger:
        """Its ledger; the lake must be there, for writers all of it."""
        self.folder.require_readable()
        if not read_only:
            self.folder.require_complete()
        return SqliteLedger(self.folder.ledger, read_only=read_only)

    def objects(self) -> LocalObjects:
        """Its raw pages."""
        return LocalObjects(self.settings.lake)

    def inspector(self) -> FilesInspector:
        """Looks at the files of its tables."""
        return damage.inspector(self.folder)

    def query(self, *, held: bool = False) -> Query:
        """SQL over its published tables; `held` for a reader of many figures (`HeldQuery`)."""
        return query_folder(self.settings.lake, held=held)

    def plan_inputs(self) -> Inputs:
        """What a plan depends on, of its ledger; nothing where there is no lake yet."""
        return Inputs() if self.folder.is_new() else Inputs.of(self.ledger(read_only=True))

    # What a run needs

    def client(self, *, pace: bool = True) -> WistiaClient:
        """The source client, on the lake's own request budget."""
        target = source.connection(self.settings)
        self.folder.make()
        budget = (
            SqliteBudget(self.folder.budget, target.account, self.settings.requests_per_minute)
            if pace
            else source.NoBudget()
        )
        return source.client(target, budget, self.runtime)

    def dependencies(self, *, pace: bool = True) -> Dependencies:
        """Everything that a run needs. Checks the lake; ConfigError with the cure if it is not this one."""
        folder = self.folder
        machine.open_enough_files()
        described = folder.open(self.settings.account_timezone, self.runtime.clock())
        sweep(folder.root.parent, SCRATCH)
        folder.key_chain()  # made, or refused, before anything is asked

        @cache
        def keys() -> tuple[bytes, ...]:
            """Read when they are needed, under the lease: a rotation may have ended meanwhile."""
            return folder.key_chain().keys

        ledger = SqliteLedger(folder.ledger)
        if ledger.facts(LAKE) != described:  # `wistlake repair --marker` reads this copy
            ledger.put_facts(LAKE, described)
        people = notifier(self.settings, self.runtime.environment)
        return Dependencies(
            objects=LocalObjects(folder.root),
            ledger=ledger,
            tables=laptop_engine.tables(folder, self.settings.engine),
            client=lambda: self.client(pace=pace),
            notifier=people,
            keys=keys,
            clock=self.runtime.clock,
            monotonic=self.runtime.monotonic,
            redact=source.redaction(self.settings, keys),
            warm=laptop_engine.load if self.settings.engine == "sail" else lambda: None,
            watch=lambda: watch_after_run(
                self.settings.alerts, self.query, ledger, people, self.runtime.clock()
            ),
            on_the_network=self.runtime.transport is None,
            listener=listener(self.settings),
            trace=trace(self.runtime.environment),
        )

    def rotation_dependencies(self) -> LakeDependencies:
        """What a rotation needs, also while an earlier one is unfinished."""
        self.folder.open(self.settings.account_timezone, self.runtime.clock())
        ring = self.key_ring()
        return LakeDependencies(
            objects=self.objects(),
            ledger=self.ledger(),
            tables=laptop_engine.tables(self.folder, self.settings.engine),
            keys=lambda: ring.load().keys,
            clock=self.runtime.clock,
        )

    def key_ring(self) -> KeyFile:
        """Where the pseudonym keys are kept."""
        return KeyFile(self.folder)

    def purge(self) -> "LocalPurge":
        """Removes the history of the tables, and the report, which shows titles and figures of then."""
        from wistlake.adapters.local.history import LocalPurge

        return LocalPurge(self.settings.lake, (self.folder.report,))

    def search(self) -> Search:
        """Looks for texts in every byte of the lake."""
        return partial(lake_bytes.search, self.settings.lake)

    def upkeep(self) -> "LocalUpkeep":
        """What maintains the tables."""
        from wistlake.adapters.local.history import LocalUpkeep

        return LocalUpkeep(self.folder.root)

    # Jobs on the whole lake

    def whole_lake(self, run_id: str, trigger: str, now: datetime) -> RunSpec:
        """A specification about everything that the lake holds. ConfigError if there is no lake."""
        return spec.whole_lake(self.settings, self.ledger(read_only=True), run_id, trigger, now)

    def forget(self, run_id: str, now: datetime, who: Who, *, dry_run: bool) -> Receipt:
        """Forget a person; the receipt. Wistia is asked first, with this machine's token."""
        run = self.whole_lake(run_id, "forget", now)
        dependencies = self.dependencies()
        visitors = asyncio.run(ask_source(dependencies.client, who))
        with damage.explained(self.folder):
            return forget(
                run, dependencies, who, self.purge(), self.search(), visitors=visitors, dry_run=dry_run
            )

    def forget_again(self, run_id: str, now: datetime) -> Receipt:
        """Erase everybody whom a tombstone names once more; the receipt."""
        run = self.whole_lake(run_id, "forget", now)
        dependencies = self.dependencies()
        with damage.explained(self.folder):
            return reapply(run, dependencies, self.purge(), self.search())

    def key_chain(self) -> KeyChain:
        """The pseudonym keys, a pending one included."""
        self.folder.require_readable()
        return self.key_ring().load()

    def rotate(self, run_id: str, now: datetime) -> Receipt:
        """Begin a new epoch of pseudonyms; what was done."""
        from wistlake.adapters.local.history import LocalPurge

        run = self.whole_lake(run_id, "rotate", now)
        dependencies = self.rotation_dependencies()
        with damage.explained(self.folder):
            return rotate(run, dependencies, self.key_ring(), LocalPurge(self.settings.lake))

    def maintain(self, run_id: str, now: datetime) -> Receipt:
        """Upkeep of the tables; what was done."""
        self.ledger(read_only=True)
        self.key_chain().settled()  # an unfinished rotation must find the tables as it left them
        folder = self.folder
        with damage.explained(folder):
            done = maintain(
                self.ledger(),
                self.objects(),
                self.upkeep(),
                run_id=run_id,
                now=now,
                retention_days=self.settings.bronze_retention_days,
            )
            sweep(folder.root.parent, SCRATCH)
            return asdict(done)

    def backup(self, target: Path, run_id: str, now: datetime) -> int:
        """Copy the lake to a folder or tar, under its lease; the copy's bytes."""
        from wistlake.adapters.local import lake_archive

        self.ledger(read_only=True)
        with self.ledger().lease(LEASE, run_id, now, LEASE_SECONDS):
            return lake_archive.backup(self.folder.root, target)

    def zone(self) -> str:
        """The zone that the lake's days are in, whatever the settings say."""
        return str(self.folder.described()["zone"])

    def change_zone(self) -> None:
        """Let the lake's days be in the settings' zone. The caller holds the lease."""
        self.folder.write_marker({**self.folder.described(), "zone": self.settings.account_timezone})

    # What `wistlake doctor` looks at

    def examine(self) -> Iterator[Check]:
        """The lake itself, its engine and its disk."""
        folder = self.folder
        yield doctor.folder(folder, self.settings.account_timezone, self.runtime.clock())
        yield from doctor.engine(self.settings.engine)
        yield doctor.disk(folder.root)

    def look_deep(self) -> Iterator[Check]:
        """Every file of the lake against what was recorded of it."""
        self.folder.require_readable()
        yield from doctor.deep_folder(self.folder, self.objects())

    def clean_pieces(self, objects: ObjectStore) -> Iterator[Piece]:
        """Every byte of the lake that should hold no personal data, unpacked. The key file is a secret itself."""
        for piece in lake_bytes.pieces(self.settings.lake):
            if piece.place != self.folder.key_file.name and doctor.must_be_clean(objects, piece.place):
                yield piece

    def look_for_people(self) -> Iterator[Check]:
        """What personal data and secrets seem to be where they should not, a check for each kind."""
        if not self.folder.exists():
            yield doctor.NO_LAKE
            return
        objects = self.objects()
        yield from doctor.personal_data(self.clean_pieces(objects), objects, self.settings.secrets())
        yield doctor.owner_only(self.settings.lake)


def query_folder(path: Path, *, held: bool = False) -> Query:
    """SQL over the published tables of the lake in a folder; the settings take no part."""
    from wistlake.adapters.duckdb_query import DuckDBQuery
    from wistlake.adapters.held_query import HeldQuery

    folder = LakeFolder(path)
    folder.require_readable()
    kind = HeldQuery if held else DuckDBQuery
    return kind(SqliteLedger(folder.ledger, read_only=True), views(), inspector=damage.inspector(folder))
