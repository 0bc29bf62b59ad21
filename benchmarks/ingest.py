"""How fast a backfill is read: 30 media x 40 days against a served simulator, as slow as Wistia and as strict.

    python benchmarks/ingest.py                # about two and a half minutes
    python benchmarks/ingest.py --scale 0.1    # a tenth of the days
    python benchmarks/ingest.py --one-list     # one list of sixty pages: half a minute
    python benchmarks/ingest.py --dlt          # also dlt's rest_api source, in a throw-away virtualenv

The account answers in 1.3 s a page and refuses more than 600 requests a minute; the client holds itself to
540. Printed: requests a minute against that ceiling, refusals, peak memory of this (the client's) process,
and the ratio to two opponents on the same server. What an opponent did not do in full is extrapolated, and
said to be. The exit code is 1 if a target is missed.
"""

import argparse
import asyncio
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
import structlog

from wistlake.adapters.local.budget import SqliteBudget
from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT
from wistlake.wistia import Connection, WistiaClient

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TOKEN = "benchmark"
LATENCY, LIMIT, PACE = 1.3, 600, 540
MEDIA, DAYS = 30, 40
SHARE_OF_CEILING, MOST_MB = 0.95, 150
SEQUENTIAL_PAGES = 10
DLT = "dlt==1.31.0"


@dataclass(frozen=True)
class Result:
    """One contender's run. `listings` are (media, day) pairs."""

    name: str
    listings: int
    requests: int
    seconds: float
    rows: int

    @property
    def per_minute(self) -> float:
        """Listings a minute."""
        return 60 * self.listings / self.seconds


def main() -> int:
    """Run everything; 1 if a target is missed."""
    options = _options()
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with _served(options) as base:
        if options.one_list:
            return _judge_list(base, options.concurrency)
        media, days = _work(base, options.scale)
        ours, throttled = asyncio.run(_ours(base, media, days, options.concurrency))
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        time.sleep(
            60 * (options.scale > 0.3)
        )  # the server's window forgets us: no opponent is refused for our sake
        opponents = [_sequential(base, media, days)]
        if options.dlt:
            opponents += _dlt(base, media, days, options.dlt_listings)
    return _judge(ours, throttled, megabytes, opponents, options.scale)


def _judge_list(base: str, concurrency: int) -> int:
    """One list, twice: as if it was never read, and with the length that it then had."""
    unknown = asyncio.run(_one_list(base, concurrency, 0))
    known = asyncio.run(_one_list(base, concurrency, unknown.rows))
    shares = [60 * r.requests / r.seconds / PACE for r in (unknown, known)]
    for result, share in zip((unknown, known), shares, strict=True):
        print(
            f"{result.name}: {result.listings} pages, {result.requests} requests in {result.seconds:.1f} s: "
            f"{share:.0%} of the ceiling of {PACE}/min"
        )
    print(
        f"  {'ok    ' if shares[1] >= SHARE_OF_CEILING else 'MISSED'} target {SHARE_OF_CEILING:.0%} where it is known"
    )
    return int(shares[1] < SHARE_OF_CEILING)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the days (default: 1.0)")
    parser.add_argument("--sessions", type=float, default=30.0, help="mean sessions per media and day")
    parser.add_argument("--concurrency", type=int, default=16, help="requests under way at once")
    parser.add_argument("--one-list", action="store_true", help="only: one list of sixty pages")
    parser.add_argument("--dlt", action="store_true", help="run dlt's rest_api source as well")
    parser.add_argument("--dlt-listings", type=int, default=32, help="how many listings dlt reads")
    return parser.parse_args()


@contextmanager
def _served(options: argparse.Namespace) -> Iterator[str]:
    """The simulator in a process of its own; gives the API's base URL."""
    command = [
        *(sys.executable, "-m", "wistia_simulator", "--port", "0", "--now", NOW.isoformat()),
        *("--latency", str(LATENCY), "--rate-limit", str(LIMIT), "--token", TOKEN),
        *("--media", str(MEDIA), "--sessions-per-day", str(options.sessions), "--profile", "calm"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip() + "/modern"
        finally:
            server.terminate()


def _work(base: str, scale: float) -> tuple[list[str], list[date]]:
    """Media ids and days. The last media of a simulated account is never played; it is read all the same."""
    answer = httpx2.get(f"{base}/medias", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    days = [NOW.date() - timedelta(days=n + 1) for n in range(max(1, round(DAYS * scale)))]
    return [media["hashed_id"] for media in answer.raise_for_status().json()], days


async def _ours(base: str, media: list[str], days: list[date], concurrency: int) -> tuple[Result, int]:
    """The client on the laptop's own budget. Rows are counted and let go, as a run does once they have landed."""
    with tempfile.TemporaryDirectory() as folder:
        budget = SqliteBudget(Path(folder) / "budget.sqlite", "benchmark", PACE)
        connection = Connection(TOKEN, base_url=base, max_concurrency=concurrency)
        async with WistiaClient(connection, budget) as client:

            async def rows(one: str, day: date) -> int:
                return len((await client.fetch(source("events"), one, day, day)).records)

            began = time.monotonic()
            counts = await asyncio.gather(*(rows(one, day) for one in media for day in days))
            seconds = time.monotonic() - began
        budget.close()
    result = Result("wistlake", len(counts), client.stats.requests, seconds, sum(counts))
    return result, client.stats.throttled


async def _one_list(base: str, concurrency: int, rows: int) -> Result:
    """One list of some sixty pages: of the account, a week. `rows` is what the ledger knows of its length."""
    end = NOW.date() - timedelta(days=1)
    first = end - timedelta(days=6)
    with tempfile.TemporaryDirectory() as folder:
        budget = SqliteBudget(Path(folder) / "budget.sqlite", "benchmark", PACE)
        connection = Connection(TOKEN, base_url=base, max_concurrency=concurrency)
        async with WistiaClient(connection, budget) as client:
            began = time.monotonic()
            listing = await client.fetch(source("events"), ACCOUNT, first, end, rows=rows)
            seconds = time.monotonic() - began
        budget.close()
    name = f"one list, its length {'known' if rows else 'unknown'}"
    return Result(name, listing.pages, listing.requests, seconds, len(listing.records))


def _sequential(base: str, media: list[str], days: list[date]) -> Result:
    """What most scripts do: one page after the other."""
    pairs = [(one, day.isoformat()) for one in media for day in days][:SEQUENTIAL_PAGES]
    rows = 0
    with httpx2.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        began = time.monotonic()
        for one, day in pairs:
            params = {"media_id": one, "start_date": day, "end_date": day, "per_page": "100", "page": "1"}
            rows += len(client.get(f"{base}/stats/events", params=params).raise_for_status().json())
        seconds = time.monotonic() - began
    return Result(f"sequential client, {len(pairs)} pages", len(pairs), len(pairs), seconds, rows)


def _dlt(base: str, media: list[str], days: list[date], listings: int) -> list[Result]:
    """dlt's rest_api source with its page-number paginator, extract step only: as it comes, and in parallel."""
    work = [(one, day.isoformat()) for day in days for one in media][:listings]
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", DLT], check=True)
        script = Path(folder) / "opponent.py"
        script.write_text(_DLT_SCRIPT, encoding="utf-8")
        found = []
        for workers in (0, 16):
            order = json.dumps({"base": base, "token": TOKEN, "work": work, "workers": workers})
            done = subprocess.run(
                [python, script], input=order, capture_output=True, text=True, check=True, cwd=folder
            )
            seconds, rows = json.loads(done.stdout.splitlines()[-1])
            how = f"dlt rest_api, {workers} workers" if workers else "dlt rest_api, as it comes"
            # Its paginator has no notion of a short page: every listing costs the empty page as well.
            found.append(Result(f"{how}, {len(work)} listings", len(work), 2 * len(work), seconds, rows))
    return found


_DLT_SCRIPT = """
import json, os, sys, time
order = json.load(sys.stdin)
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
if order["workers"]:
    os.environ["EXTRACT__WORKERS"] = str(order["workers"])
    os.environ["EXTRACT__MAX_PARALLEL_ITEMS"] = str(order["workers"])
import dlt
from dlt.sources.rest_api import rest_api_source

PAGES = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None,
         "stop_after_empty_page": True}

def resource(number, media, day):
    params = {"media_id": media, "start_date": day, "end_date": day, "per_page": 100}
    return {"name": f"events_{number}", "parallelized": bool(order["workers"]),
            "endpoint": {"path": "stats/events", "params": params, "data_selector": "$"}}

source = rest_api_source({
    "client": {"base_url": order["base"] + "/", "auth": {"type": "bearer", "token": order["token"]},
               "paginator": PAGES},
    "resources": [resource(n, *pair) for n, pair in enumerate(order["work"])],
})
pipeline = dlt.pipeline("opponent", pipelines_dir="state", destination="filesystem", dataset_name="x")
began = time.monotonic()
info = pipeline.extract(source)
seconds = time.monotonic() - began
rows = sum(m.items_count for step in info.metrics.values() for part in step
           for name, m in part["resource_metrics"].items() if name.startswith("events_"))
print(json.dumps([seconds, rows]))
"""


def _judge(ours: Result, throttled: int, megabytes: float, opponents: list[Result], scale: float) -> int:
    ceiling = 60 * ours.requests / PACE
    share = ceiling / ours.seconds
    print(
        f"work: {ours.listings} listings (media x day), {LATENCY} s a page, server refuses beyond {LIMIT}/min"
    )
    print(
        f"wistlake: {ours.requests} requests, {ours.rows} rows in {ours.seconds:.1f} s = "
        f"{60 * ours.requests / ours.seconds:.0f} requests/min"
    )
    checks = [
        (
            f"{share:.1%} of the ceiling of {PACE}/min (target {SHARE_OF_CEILING:.0%})",
            share >= SHARE_OF_CEILING,
        ),
        (f"{throttled} refusals (target 0)", throttled == 0),
        (f"{megabytes:.0f} MB peak memory (target {MOST_MB})", megabytes <= MOST_MB),
    ]
    for text, met in checks:
        print(f"  {'ok    ' if met else 'MISSED'} {text}")
    if scale < 1.0:
        print("  (a short run: filling and emptying the pipe weighs more than in the full one)")
    for other in opponents:
        whole = ours.listings / other.per_minute
        print(
            f"against {other.name}: {other.requests} requests in {other.seconds:.1f} s; extrapolated to all "
            f"{ours.listings} listings: {whole:.1f} min; ratio {ours.per_minute / other.per_minute:.1f}"
        )
    return 0 if all(met for _text, met in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
