"""Whole processes for the tests of locks and races: `python workers.py <job> <path> <arguments>`."""

import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.errors import StoreError
from wistlake.planning.intervals import Interval, State, Watermark

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def hold_lease(path: Path, owner: str) -> None:
    """Take the lease, say so, and keep it until killed."""
    with SqliteLedger(path).lease("lake", owner, NOW, 900):
        print("held", flush=True)
        sys.stdin.read()


def put_once(path: Path, writer: str) -> None:
    """Race for one key; print whether this process won."""
    sys.stdin.readline()
    try:
        LocalObjects(path).put("race/manifest.json", writer.encode(), if_absent=True)
        print("won")
    except StoreError:
        print("lost")


def advance(path: Path, offset: str) -> None:
    """Race the watermark through every third day from `offset`, backwards and forwards."""
    ledger = SqliteLedger(path)
    sys.stdin.readline()
    days = list(range(1 + int(offset), 29, 3))
    for day in [*days[::2], *days[::-1]]:
        ledger.advance([Watermark("events", "abcdef1234", date(2026, 11, day), NOW)])


def record_forever(path: Path, run_id: str) -> None:
    """Write batches of 100 intervals of one run after the other until killed."""
    ledger = SqliteLedger(path)
    print("ready", flush=True)
    for number in range(100_000):
        ledger.record(
            Interval("events", f"media{n:05}", date(2026, 11, 1), State.LANDED, f"{run_id}{number}", NOW)
            for n in range(100)
        )


def spend(path: Path, requests: str) -> None:
    """Reserve so many requests, and print when each request would have gone out."""
    read: list[float] = []

    def wall() -> float:
        read.append(time.time())
        return read[-1]

    budget = SqliteBudget(path, "account", 540, wall=wall)
    sys.stdin.readline()
    sent: list[str] = []
    for _ in range(int(requests)):
        wait = budget.reserve()
        sent.append(f"{read[-1] + wait:.6f}")
    print("\n".join(sent))


JOBS = {job.__name__: job for job in (hold_lease, put_once, advance, record_forever, spend)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
