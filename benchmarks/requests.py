"""How many requests a daily run takes, and one without news, beside what it can't do without and the first version.

    python benchmarks/requests.py                  # 2 and 20 media; --media 2,20,200,1000 for all
    python benchmarks/requests.py --media 200 --sessions 0.1,1
    python benchmarks/requests.py --media 10 --sessions 30 --days 27

A simulated account of so many media and sessions a media and day is read for three runs: the first one, the next
day's, and that one again. Nothing is built: requests are made before that. Counts are exact; the simulator answers in
this process, and the lake is kept in memory where the machine has a folder for that.

The bound is what no client can do without: the pages of sessions, the pages of the media list, and one request a media
for its daily counts. Lifetime figures and curves exist per media only, so two requests a media that moved are shown
apart. `before`: one listing a media and day, metadata and snapshots of every media every day.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import httpx2
import structlog

from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.pipeline.run.handover import Handover, begin
from wistlake.pipeline.run.ingest import ingest
from wistlake.pipeline.run.select import select
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.planning.packing import PER_PAGE
from wistlake.settings import Settings
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.spec import run_spec

FIRST = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
MOST = 1.3, 10  # times the bound, plus
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Counted:
    """The requests of one run: those for lifetime figures and curves apart."""

    what: str
    requests: int
    snapshots: int
    rows: int
    media: int
    before: int

    @property
    def bound(self) -> int:
        """The fewest requests that tell as much, snapshots left out."""
        return self.rows // PER_PAGE + 1 + ceil(self.media / PER_PAGE) + self.media

    def line(self) -> str:
        """The columns after those of the account."""
        own = self.requests - self.snapshots
        figures = f"{self.what:<10} {self.rows:>8,} {self.bound:>6,} {own:>8,} {own / self.bound:>6.2f}"
        return f"{figures} {self.snapshots:>9,} {self.before:>7,}{'' if self.is_within else '  MISSED'}"

    @property
    def is_within(self) -> bool:
        """Whether the run keeps to the limit."""
        return self.requests - self.snapshots <= MOST[0] * self.bound + MOST[1]


class Counting(httpx2.AsyncBaseTransport):
    """The simulator, counting what it is asked."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.inner = inner
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.paths.append(request.url.path)
        return await self.inner.handle_async_request(request)

    def snapshots(self) -> int:
        """Requests for lifetime figures and curves."""
        of_stats = [p.partition("/stats/medias/")[2] for p in self.paths if "/stats/medias/" in p]
        return sum(not rest.endswith("/by_date") for rest in of_stats)


async def _read(deps: Dependencies, spec: RunSpec) -> Handover:
    return await ingest(deps, await select(deps, begin(spec, spec.window.now)))


def counted(media: int, sessions: float, days: int, folder: Path) -> Iterator[Counted]:
    """The first run of an account, of so many days, the next day's, and that one again."""
    calm = replace(Profile.calm(), media=media, sessions_per_day=sessions, history_days=days + 1)
    world = World(7, calm, FIRST)
    source = Counting(
        transport(create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None)))
    )
    settings = Settings(
        token="simulated",
        media_ids="all",
        lake=folder,
        account_timezone=calm.account_timezone,
        start_date=FIRST.date() - timedelta(days=days),
    )
    for number, (what, at) in enumerate(
        (
            ("first run", FIRST),
            ("next day", FIRST + timedelta(days=1)),
            ("again", FIRST + timedelta(days=1, hours=1)),
        )
    ):
        world.clock.set(at)
        source.paths.clear()
        deps = LaptopLake(settings, Runtime(world.clock.now, time.monotonic, source)).dependencies(pace=False)
        spec = run_spec(settings, run_id=f"run-{number}", trigger="scheduled", now=at)
        handover = asyncio.run(_read(deps, spec))
        if handover.errors:
            raise SystemExit(f"{what}: {handover.errors[0]}")
        read_now = [i for i in deps.ledger.intervals("events") if i.run_id == spec.run_id]
        pages = [i.rows // PER_PAGE + 1 for i in read_now]
        empty = {i.media_id for i in read_now if not i.rows}
        before = 2 + 4 * media + len(empty) + sum(n + (2 if n > 1 else 0) for n in pages)
        rows = sum(i.rows for i in read_now)
        yield Counted(what, len(source.paths), source.snapshots(), rows, media, before)


def numbers(text: str) -> list[float]:
    """Comma-separated numbers."""
    return [float(part) for part in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a run takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--media", type=numbers, default=[2.0, 20.0], help="how many media (default: 2,20)")
    parser.add_argument(
        "--sessions", type=numbers, default=[0.1, 1.0, 30.0], help="a media and day (default: 0.1,1,30)"
    )
    parser.add_argument("--days", type=int, default=8, help="of the first run (default: 8)")
    options = parser.parse_args(arguments)
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"{'media':>6} {'a day':>6} {'run':<10} {'rows':>8} {'bound':>6} {'requests':>8} {'ratio':>6}"
          f" {'snapshots':>9} {'before':>7}")  # fmt: skip
    missed = 0
    for media in map(int, options.media):
        for sessions in options.sessions:
            with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
                for c in counted(media, sessions, options.days, Path(place) / "lake"):
                    missed += not c.is_within
                    print(f"{media:>6} {sessions:>6g} {c.line()}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
