"""The daily run as a whole process: seconds, processor time, memory, and what a year of history adds.

    python benchmarks/daily_run.py [--history 365] [--repeat 3]

A simulated Wistia is served on this machine without latency. For each history the lake is filled once (by a
backfill without HTTP and pace), then the same day is run `--repeat` times, each from a fresh copy,
alternating between them; medians are printed. What history adds is told by processor time, so that a machine that
does something else too does not count: beside a lake of a day, and beside one of a month, which reads a sample of
settled days as any older one does.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette

from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistia_simulator.main import running
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.pipeline.run.driver import run
from wistlake.settings import Settings
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.spec import run_spec

MONTH = 30
DAY = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)
MEDIA, SESSIONS = 2, 125.0  # the lookback of eight days makes 2,000 events
LIMITS = {"seconds": 3.0, "megabytes": 350.0, "nothing new": 1.2, "history": 1.1, "commit": 0.1}


class Taken(NamedTuple):
    """One command: its JSON, its wall and processor seconds, and the peak megabytes of it or of its engine, whichever
    took more."""

    said: dict[str, Any]
    seconds: float
    cpu: float
    megabytes: float


def wistlake(lake: Path, url: str, *arguments: str) -> Taken:
    """One command in a process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("WISTIA_", "WISTLAKE_", "MEDIA_IDS"))}
    env |= {
        "WISTIA_API_TOKEN": "simulated",
        "WISTIA_BASE_URL": f"{url}/modern",
        "WISTLAKE_LAKE": str(lake),
        "MEDIA_IDS": "all",
    }
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", *arguments, "--json"],
        env=env, cwd=lake.parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    spent = time.perf_counter() - begin
    if status:
        raise SystemExit(f"wistlake {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return Taken(json.loads(said.splitlines()[-1]), spent, used.ru_utime + used.ru_stime, _peak(used))


def _peak(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def filled(place: Path, days: int, history: int) -> Path:
    """A lake that was run the day before, with `days` of history: by a process of its own, so that the engine's
    memory is not in this one's."""
    lake = place / f"history-{days}" / "lake"
    lake.parent.mkdir()
    command = [sys.executable, __file__, "--fill", str(lake), str(days), "--history", str(history)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return lake


def fill(lake: Path, days: int, world: World) -> None:
    """The simulator in this process and no pace to keep: a year takes a minute or two. Days settle by a second reading
    on another day, the run after that one puts them to rest, and then there is upkeep, as in a lake that has a year
    behind it."""
    days_before = [DAY - timedelta(days=n) for n in (3, 2, 1)]
    settings = Settings(token="simulated", media_ids=("all",), lake=lake)
    runtime = Runtime(world.clock.now, time.monotonic, transport(served(world)))
    for at in days_before:
        is_first = at == days_before[0]
        start = (at - timedelta(days=days)).date() if is_first else None
        world.clock.set(at)
        spec = run_spec(
            settings,
            run_id=f"{at:%Y%m%d}",
            trigger="backfill" if is_first else "scheduled",
            now=at,
            start=start,
        )
        run(spec, LaptopLake(settings, runtime).dependencies(pace=False))
    LaptopLake(settings, runtime).maintain("maintain", days_before[-1])


def served(world: World) -> Starlette:
    """Wistia as the world has it, without limits."""
    return create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))


def files(lake: Path) -> dict[str, str]:
    """Data files of every table's current snapshot, with their partition."""
    catalog = LocalCatalog(lake).sql
    found = {}
    for namespace in catalog.list_namespaces():
        for name in catalog.list_tables(namespace):
            table = catalog.load_table(name)
            if table.current_snapshot():
                for entry in table.scan().plan_files():
                    path = entry.file.file_path.partition("/warehouse/")[2]
                    found[path] = path.rpartition("/")[0]
    return found


def once(lake: Path, place: Path, url: str) -> tuple[Taken, set[str]]:
    """The day's run on a copy of `lake`; also the partitions in which a file was replaced."""
    copy = place / f"copy-{time.monotonic_ns()}" / "lake"
    copy.parent.mkdir()
    lake_archive.restore(lake, copy)
    before = files(copy)
    taken = wistlake(copy, url, "run", "--now", DAY.isoformat())
    after = files(copy)
    return taken, {before[p] for p in before.keys() - after.keys()}


def commit_seconds(lake: Path) -> float:
    """The median of five appends of one row to the lake's largest table."""
    table = LocalCatalog(lake).load("silver.fact_events")
    row = table.scan(limit=1).to_arrow()
    spent = []
    for _ in range(5):
        begin = time.perf_counter()
        table.append(row)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)


def main() -> None:
    """Measure, print, and end with 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, default=365)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--fill", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    profile = Profile(media=MEDIA, sessions_per_day=SESSIONS, history_days=asked.history + 10)
    world = World(7, profile, DAY)
    if asked.fill:
        fill(Path(asked.fill[0]), int(asked.fill[1]), world)
        return
    with tempfile.TemporaryDirectory() as name, running(served(world)) as url:
        place = Path(name)
        lakes = {days: filled(place, days, asked.history) for days in (1, MONTH, asked.history)}
        world.clock.set(DAY)
        taken: dict[int, list[Taken]] = {d: [] for d in lakes}
        replaced: set[str] = set()
        for _ in range(asked.repeat):
            for days, lake in lakes.items():
                one, replaced = once(lake, place, url)  # the last is the long history's
                taken[days].append(one)
        medians = {d: statistics.median(t.seconds for t in runs) for d, runs in taken.items()}
        cpu = {d: statistics.median(t.cpu for t in runs) for d, runs in taken.items()}
        wistlake(lakes[1], url, "run", "--now", DAY.isoformat())
        again = wistlake(lakes[1], url, "run", "--now", DAY.isoformat())
        figures = {
            "seconds": medians[1],
            "megabytes": max(t.megabytes for runs in taken.values() for t in runs),
            "nothing new": again.seconds,
            "history": cpu[asked.history] / cpu[1],
            "commit": commit_seconds(lakes[asked.history]),
        }
    intervals = taken[1][0].said["intervals"]
    events = sum(line["rows"] for line in intervals if line["dataset"] == "events")
    print(f"{events:,} events listed")
    for days, runs in taken.items():
        hops = {
            hop: statistics.median(t.said["seconds"][hop] for t in runs) for hop in runs[0].said["seconds"]
        }
        told = ", ".join(f"{hop} {seconds:.2f} s" for hop, seconds in hops.items())
        print(f"{days} days of history: {medians[days]:.2f} s, processor {cpu[days]:.2f} s; {told}")
    print(
        f"{asked.history} days of history: {cpu[asked.history] / cpu[MONTH]:.2f} times {MONTH} days, by processor time"
    )
    print(f"nothing new: {again.said['days_published']} days published, processor {again.cpu:.2f} s")
    print(f"partitions with a replaced file: {', '.join(sorted(replaced))}")
    for figure, value in figures.items():
        verdict = "ok" if value <= LIMITS[figure] else "OVER"
        print(f"{figure:>12} {value:8.2f}  limit {LIMITS[figure]:g}  {verdict}")
    sys.exit(any(value > LIMITS[f] for f, value in figures.items()))


if __name__ == "__main__":
    main()
