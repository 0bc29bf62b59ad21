"""Runs a script day by day: one scheduled run a day, retried while it fails, without manual help."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from wistia_simulator import Fault, ServerOptions, TrueSession, World, create_app, transport
from wistlake.contracts import SOURCES
from wistlake.errors import LeaseHeld, StoreError, WistlakeError
from wistlake.pipeline.jobs.media import followed
from wistlake.pipeline.jobs.rebuild import prepare
from wistlake.pipeline.run.driver import RunFailed, run
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies
from wistlake.ports import TableStore
from wistlake.settings import ArgumentsOnly, Settings
from wistlake.wiring import laptop_repair
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.spec import run_spec
from wistlake_soak.clock import WaitingTime
from wistlake_soak.dying import Died, Dying
from wistlake_soak.script import Death, Script

ATTEMPTS = 8
LOST = 90  # the number of the attempt that finds no catalog
CURE = "wistlake repair --catalog"
LATE = timedelta(hours=1)  # after the page was watched
RESTLESS = 3  # days on which a session grew
FIRST_GUESS = 120  # writes of a run, before one has been counted


@dataclass(slots=True)
class Lived:
    """What happened: injected faults by kind, requests, and the days on which no attempt succeeded."""

    injected: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    runs: int = 0
    failed_runs: int = 0
    unfinished_days: list[int] = field(default_factory=list)
    second_run_moved: int = 0  # rows that a repeated run changed although nothing was new
    broken: list[str] = field(default_factory=list)  # promises of the product that it broke


DATASETS = tuple(s.name for s in SOURCES if not s.account_wide)  # also those that an account may lack


class Week:
    """One lake, one world, one script."""

    def __init__(self, script: Script, lake: Path) -> None:
        self.script, self.lake = script, lake
        self.world = World(script.seed, script.profile, script.start)
        self.lived = Lived()
        self._writes = FIRST_GUESS

    def settings(self) -> Settings:
        """The settings of every run; this machine's environment takes no part."""
        return ArgumentsOnly(
            token=SecretStr("simulated"),
            media_ids=self.world.media_ids,
            lake=self.lake,
            account_timezone=self.script.zone,
            datasets=DATASETS,
        )

    def live(self, tell: Callable[[str], None]) -> Lived:
        """Live through all days. `tell` gets a line a day."""
        for day in range(self.script.days):
            if day == self.script.missed_day:
                self.lived.injected["missed_day"] += 1
                tell(f"day {day + 1}: nobody started a run")
                continue
            self._lose_the_catalog(day)
            lived = self._scaled_day if day == self.script.scaled_day else self._day
            tell(f"day {day + 1}: {lived(day)}")
        return self.lived

    def _scaled_day(self, day: int) -> str:
        """A day on which the source serves another unit: the run must publish none of it, and say why."""
        for attempt in range(ATTEMPTS):
            self.world.clock.set(self.script.moment(day, attempt))
            outcome = self._attempt(day, attempt, None)
            if isinstance(outcome, RunResult):
                self.lived.broken.append(f"day {day + 1}: percent_viewed from 0 to 100 was published")
                return "succeeded, and must not"
            if "quarantine" in str(outcome):
                self._check_advice(day, str(outcome))
                return "failed as it must: percent_viewed came from 0 to 100"
        self.lived.broken.append(f"day {day + 1}: no word of quarantine in: {outcome}")
        return f"failed {ATTEMPTS} times, last with: {outcome}"

    def _check_advice(self, day: int, text: str) -> None:
        if "bad_percent_viewed" not in text:
            self.lived.broken.append(f"day {day + 1}: the run does not say why records were refused: {text}")
        if "--accept-shrink" in text:
            self.lived.broken.append(f"day {day + 1}: the run advises to publish what is left: {text}")

    def _lose_the_catalog(self, day: int) -> None:
        """Remove the catalog between two runs: the next run must name the cure, and the cure must work."""
        due, catalog = self.script.lost_catalog_day, self.lake / "catalog.db"
        if due is None or day < due or self.lived.injected["lost_catalog"] or not self._has_published():
            return
        for path in self.lake.glob("catalog.db*"):
            path.unlink()
        self.lived.injected["lost_catalog"] += 1
        self.lived.runs += 1
        self.world.clock.set(self.script.moment(day, 0) - timedelta(minutes=10))
        self.lived.failed_runs += 1
        try:
            run(self._spec(f"day{day + 1}-lost"), self._parts(day, LOST)[0])
        except StoreError as e:
            outcome = str(e)
        else:
            outcome = "nothing"
        if CURE not in outcome:
            self.lived.broken.append(f"day {day + 1}: catalog.db was removed, and the run said {outcome}")
        laptop_repair.catalog(self._opened(), f"day{day + 1}-mended", self.world.clock.now())
        if not catalog.exists():
            self.lived.broken.append(f"day {day + 1}: `{CURE}` brought no catalog")

    def _has_published(self) -> bool:
        return (self.lake / "ledger.db").exists() and bool(
            self._opened().ledger(read_only=True).publication()
        )

    def _accidents(self, day: int, death: Death | None) -> list[Fault]:
        """Accidents that are due and have not happened; none in an attempt that dies, which would hide them."""
        if death is not None or day == self.script.scaled_day:
            return []
        return [
            accident.fault(kind, self.world.media_ids)
            for kind, accident in self.script.accidents
            if day >= accident.day and not self.lived.injected[kind]
        ]

    def _day(self, day: int) -> str:
        deaths, gone = list(self.script.deaths[day]), self.lived.injected["media_deleted"]
        for attempt in range(ATTEMPTS):
            self.world.clock.set(self.script.moment(day, attempt))
            death = deaths.pop(0) if deaths else None
            outcome = self._attempt(day, attempt, death)
            if isinstance(outcome, RunResult):
                if day == self.script.doubled_day:
                    self._again(day, attempt, learns=self.lived.injected["media_deleted"] - gone)
                return f"succeeded at attempt {attempt + 1}, {outcome.days_published} media days"
        self.lived.unfinished_days.append(day + 1)
        return f"failed {ATTEMPTS} times, last with: {outcome}"

    def _attempt(self, day: int, attempt: int, death: Death | None) -> RunResult | WistlakeError | Died:
        """One run: its result, or what it ended with."""
        dying = Dying(
            at=1 + int(death.place * self._writes) if death else None, after=bool(death and death.after)
        )
        parts, app = self._parts(day, attempt, self._accidents(day, death))
        if day == self.script.doubled_day and attempt == 0:
            parts = replace(parts, client=self._beside(parts, day))
        self.lived.runs += 1
        try:
            result = run(self._spec(f"day{day + 1}-{attempt + 1}"), mortal(parts, dying))
        except Died as e:
            self.lived.injected["process_death"] += 1
            return e
        except WistlakeError as e:
            self.lived.failed_runs += 1
            return e
        finally:
            self.lived.requests += app.state.requests.total()
            self.lived.injected.update(app.state.injected)
        self._writes = dying.calls
        return result

    def _again(self, day: int, attempt: int, *, learns: int) -> None:
        """The same run once more: nothing may change but the descriptions of media that were deleted during the first
        one, of which this one `learns`."""
        parts, app = self._parts(day, attempt + 50)
        self.lived.runs += 1
        result = run(self._spec(f"day{day + 1}-again"), parts)
        self.lived.requests += app.state.requests.total()
        self.lived.injected.update(app.state.injected)
        self.lived.injected["run_repeated"] += 1
        moved = sum(
            counts.get(kind, 0)
            for name, counts in result.tables.items()
            if not name.startswith("ops.")
            for kind in ("new", "updated", "removed")
        )
        described = result.tables.get("silver.dim_media", {}).get("updated", 0)
        self.lived.second_run_moved += moved - min(described, learns)

    def rebuild(self) -> None:
        """Build every landing anew, as `wistlake rebuild` does. It may only fail over lists in another unit, of a media
        that was deleted before they could be read once more."""
        lake, now = self._opened(), self.world.clock.now()
        ledger = lake.ledger()
        prepare(ledger, lake.objects(), "rebuilt", now)
        spec = run_spec(
            lake.settings,
            run_id="rebuilt",
            trigger="rebuild",
            now=now,
            media=followed(ledger),
            build_only=True,
        )
        self.lived.runs += 1
        try:
            run(spec, self._parts(0, ATTEMPTS)[0])
        except RunFailed as e:
            self.lived.failed_runs += 1
            if self.script.scaled_day is None or any(
                "were refused" not in line for line in str(e).splitlines()
            ):
                self.lived.broken.append(f"rebuild failed: {e}")

    def _beside(self, parts: Dependencies, day: int) -> Callable[[], Any]:
        """A client that starts a second run while its own is under way."""

        @asynccontextmanager
        async def connected() -> AsyncIterator[Any]:
            second, _ = self._parts(day, 99)
            try:
                run(self._spec(f"day{day + 1}-beside"), second)
            except LeaseHeld:
                self.lived.injected["started_twice"] += 1
            else:
                raise AssertionError("two runs wrote to one lake at the same time")
            async with parts.client() as client:
                yield client

        return connected

    def _spec(self, run_id: str) -> Any:
        now = self.world.clock.now()
        return run_spec(self.settings(), run_id=run_id, trigger="scheduled", now=now)

    def _parts(self, day: int, attempt: int, more: Sequence[Fault] = ()) -> tuple[Dependencies, Any]:
        waiting = WaitingTime()
        options = ServerOptions(token="simulated", monotonic=waiting.monotonic)  # noqa: S106
        app = create_app(self.world, options, self.script.faults(day, attempt, more))
        runtime = Runtime(
            self.world.clock.now,
            time.monotonic,
            transport(app),
            (("sleep", waiting.sleep), ("monotonic", waiting.monotonic)),
        )
        return LaptopLake(self.settings(), runtime).dependencies(pace=False), app

    def _opened(self) -> LaptopLake:
        return LaptopLake(self.settings(), Runtime(self.world.clock.now, time.monotonic))


def mortal(parts: Dependencies, death: Dying) -> Dependencies:
    """`parts` whose every write is counted, and of which one may be the last."""

    @contextmanager
    def tables() -> Iterator[TableStore]:
        with parts.tables() as store:
            yield death.around(store)

    return replace(
        parts,
        objects=death.around(parts.objects),
        ledger=death.around(parts.ledger),
        notifier=death.around(parts.notifier),
        tables=tables,
    )


def moved(world: World, script: Script) -> dict[str, int]:
    """How many sessions the source itself changed during the script, by kind of change."""
    sessions = world.truth.ever()
    grown, shifted = set(), set()
    restless: Counter[str] = Counter()
    before: dict[str, TrueSession] = {}
    for day in range(script.days):
        now = {s.event_key: s for s in world.truth.ever(at=script.moment(day, 0))}
        pairs = [(before[key], now[key]) for key in before.keys() & now.keys()]
        growing = {new.event_key for old, new in pairs if new.percent_viewed > old.percent_viewed}
        grown |= growing
        restless.update(growing)
        shifted |= {new.event_key for old, new in pairs if new.received_at != old.received_at}
        before = now
    return {
        "late_session": sum((s.first_listed_at - s.received_at) > LATE for s in sessions),
        "growing_session": len(grown),
        "moving_session": len(shifted),
        "vanished_session": sum(s.vanished_at is not None and s.vanished_at > script.start for s in sessions),
        "doubled_session": sum(s.listed_twice for s in sessions),
        "straddling_session": sum(s.straddles for s in sessions),
        "restless_session": sum(days >= RESTLESS for days in restless.values()),
    }
