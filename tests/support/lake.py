"""A lake in a folder, fed by a simulated Wistia, run in this process in virtual time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from support.twofold import Twofold, listed
from wistia_simulator import FaultPlan, Profile, ServerOptions, World, create_app, transport
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import TABLES
from wistlake.pipeline.jobs.labels import label
from wistlake.pipeline.run.driver import run
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.ports import Ledger
from wistlake.privacy.keys import KeyChain
from wistlake.settings import ArgumentsOnly, Settings
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.spec import run_spec
from wistlake_soak.rebuilt import changed_by_rebuild
from wistlake_soak.truth import Truth

KEY = b"an open secret, for tests alone."
START = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
Row = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A world and how it is followed; a value, so that another process can build the same.

    `settings` are further fields of `Settings` (such as `lookback_days`); `media` are ids or `("all",)`;
    `twofold`: some sessions are listed on two UTC days (`support.twofold`). `labels` are given to media, by their
    number, before the first run at that moment or later.
    """

    profile: Profile = field(default_factory=lambda: Profile(media=3, sessions_per_day=20, history_days=10))
    seed: int = 7
    starts: datetime = START
    media: tuple[str, ...] = ("all",)
    engine: str = "sail"
    faults: FaultPlan | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    twofold: bool = False
    labels: tuple[tuple[datetime, int, Mapping[str, str]], ...] = ()

    def world(self) -> World:
        """The world at the scenario's first moment."""
        return World(self.seed, self.profile, self.starts)

    def on(self, engine: str) -> "Scenario":
        """The same on another engine."""
        return replace(self, engine=engine)


class VirtualSeconds:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once, and let every other task run."""
        self.now += seconds
        await asyncio.sleep(0)

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self.now


class Lake:
    """One lake. `transport` replaces the simulator's own (recordings, hand-made answers)."""

    def __init__(self, folder: Path, scenario: Scenario | None = None, *, source: Any = None) -> None:
        self.scenario = scenario or Scenario()
        self.folder = folder
        self.world = self.scenario.world()
        self.orders = 0
        self._given = 0  # labels
        self._source = source
        self._query: DuckDBQuery | None = None
        LakeFolder(folder).make()
        LakeFolder(folder).write_keys(KeyChain((KEY,)))

    # running

    def settings(self, **changes: Any) -> Settings:
        """The settings of a run; nothing of this machine's environment takes part."""
        given = {
            "token": "simulated",
            "media_ids": self.scenario.media,
            "lake": self.folder,
            "engine": self.scenario.engine,
            "account_timezone": self.scenario.profile.account_timezone,
            **self.scenario.settings,
            **changes,
        }
        return ArgumentsOnly(**given)

    def parts(self, settings: Settings) -> Dependencies:
        """Everything a run needs: real adapters, but for the network and the passing of time."""
        seconds = VirtualSeconds()
        source = self._source or transport(create_app(self.world, _OPTIONS, self.scenario.faults))
        runtime = Runtime(
            self.world.clock.now,
            time.monotonic,
            Twofold(self.world, source) if self.scenario.twofold else source,
            (("sleep", seconds.sleep), ("monotonic", seconds.monotonic)),
        )
        return LaptopLake(settings, runtime).dependencies(pace=False)

    def opened(self, **changes: Any) -> LaptopLake:
        """The lake as commands have it, at the world's time."""
        return LaptopLake(self.settings(**changes), Runtime(self.world.clock.now, time.monotonic))

    def run_spec(self, now: datetime, settings: Settings | None = None, **asked: Any) -> RunSpec:
        """A run's order at `now`; `asked` are the further arguments of `run_spec`."""
        self.orders += 1
        given = {"run_id": f"run-{self.orders:04d}", "trigger": "scheduled", **asked}
        return run_spec(settings or self.settings(), now=now, **given)

    def run_day(
        self,
        now: datetime,
        *,
        around: Callable[[Dependencies], Dependencies] = lambda parts: parts,
        changes: Mapping[str, Any] | None = None,
        **asked: Any,
    ) -> RunResult:
        """One whole run at `now` (the world's clock goes there first). RunFailed as the product raises it.

        `around` may wrap the parts, `changes` are other settings, `asked` goes to `run_spec`
        (start, end, media, datasets, trigger, run_id, build_only).
        """
        self.world.clock.set(now)
        self._query = None
        settings = self.settings(**(changes or {}))
        parts = self.parts(settings)
        given, self._given = self._labels(now)[self._given :], len(self._labels(now))
        for at, number, labels in given:
            label(parts.ledger, {self.world.media_ids[number]: labels}, by="ada", run_id="label", now=at)
        with capture_logs():
            return run(self.run_spec(now, settings, **asked), around(parts))

    def _labels(self, until: datetime) -> list[tuple[datetime, int, Mapping[str, str]]]:
        return [given for given in self.scenario.labels if given[0] <= until]

    def run_days(self, days: int, first: datetime | None = None, **how: Any) -> list[RunResult]:
        """A run a day, `days` times, from `first` (default: the scenario's first moment)."""
        begin = first or self.scenario.starts
        return [self.run_day(begin + timedelta(days=n), **how) for n in range(days)]

    def changed_by_rebuild(self, now: datetime, **changes: Any) -> list[str]:
        """What a rebuild at `now` would change, in words. It is done."""
        self.world.clock.set(now)
        settings = self.settings(**changes)
        spec = self.run_spec(now, settings, run_id="rebuild", trigger="rebuild", build_only=True)
        with capture_logs():
            found = changed_by_rebuild(spec, self.parts(settings), self.tables)
        self._query = None
        return found

    # reading

    def truth(self, until: datetime | None = None, world: World | None = None) -> Truth:
        """What every table must hold, of what was read (by the moment `until`); `world` may replace the lake's."""
        true = world or self.world
        lists = partial(listed, true) if self.scenario.twofold else None
        given: dict[str, dict[str, tuple[str, datetime]]] = {}
        for at, number, labels in self._labels(until or self.world.clock.now()):
            given.setdefault(true.media_ids[number], {}).update((n, (v, at)) for n, v in labels.items())
        return Truth(true, self.folder, self.settings().tz, until=until, list_sessions=lists, labels=given)

    @property
    def ledger(self) -> Ledger:
        """The lake's ledger, read-only."""
        return SqliteLedger(LakeFolder(self.folder).ledger, read_only=True)

    def sql(self, text: str) -> list[Row]:
        """The rows of a SELECT over what is published."""
        if self._query is None:
            self._query = DuckDBQuery(self.ledger)
        rows: list[Row] = self._query.sql(text).to_pylist()
        return rows

    def rows(self, table: str) -> list[Row]:
        """All published rows of `layer.table`."""
        return self.sql(f"SELECT * FROM {table}")

    def reader(self, at: datetime) -> DuckDBQuery:
        """A reader that follows what the run of that moment has published."""
        ledger = SqliteLedger(LakeFolder(self.folder).ledger, read_only=True)
        published = next(p for p in ledger.publications(at) if p.published_at == at)
        return DuckDBQuery(ledger, publication=published)

    def tables(self, at: datetime | None = None) -> dict[str, list[Row]]:
        """All published rows of every table; `at`: as the run of that moment has published them."""
        query = self.reader(at) if at else DuckDBQuery(self.ledger)
        return {t.full_name: query.sql(f"SELECT * FROM {t.full_name}").to_pylist() for t in TABLES}


_OPTIONS = ServerOptions(token="simulated", basic=True, rate_limit_per_minute=None)


def at(day: date, hour: int = 2, minute: int = 15) -> datetime:
    """A moment of a UTC day; by default when the daily run is usually due."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
