"""What runs on AWS need and cost: an estimate from a run's fetches, measured speeds and list prices.

Every assumption is a named number here. Free tiers, taxes and egress are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wistlake.contracts.form import ACCOUNT
from wistlake.planning import packing
from wistlake.planning.intervals import Fetch, Interval
from wistlake.planning.packing import batches
from wistlake.planning.publishing import EVENTS

REGION, AS_OF = "us-east-1", "January 2025"  # list prices in US dollars: look them up before relying on them
PRICES: Mapping[str, tuple[float, str]] = {
    "lambda": (0.0000166667, "GB-second"),
    "glue": (0.44 / 60, "DPU-minute"),
    "athena": (5.00, "TB scanned"),
    "s3 storage": (0.023, "GB-month"),
    "s3 writes": (0.005 / 1000, "request"),
    "s3 reads": (0.0004 / 1000, "request"),
    "dynamodb writes": (0.625 / 1e6, "write unit"),
    "dynamodb reads": (0.125 / 1e6, "read unit"),
    "step functions": (0.025 / 1000, "transition"),
    "secrets": (0.40, "secret-month"),
    "kms key": (1.00, "key-month"),
    "alarms": (0.10, "alarm-month"),
    "metrics": (0.30, "metric-month"),
}

RUNS_A_MONTH = 30.4
SECONDS_PER_ANSWER = 1.0  # of Wistia's, on average
FUNCTION_GB, FUNCTION_SECONDS = 0.5, 4.0  # memory; start, plan and bookkeeping of one call
GLUE_DPUS, GLUE_START_MINUTES, MINUTES_PER_MILLION_EVENTS = 2, 2.0, 1.5
UPKEEPS_A_MONTH, UPKEEP_MINUTES = 4.3, 6.0  # starting not included
QUERIES_A_DAY, QUERY_MB = 50, 10  # Athena bills 10 MB at least
BYTES_PER_EVENT, DAYS_STORED = 600, 760  # of all layers together, compressed
WRITES_PER_INTERVAL, READS_PER_INTERVAL = 6, 1.0  # planned, landed, published, each transactional
STEPS_PER_RUN, STEPS_PER_BATCH, WRITES_PER_BUILD = 8, 4, 400
SECRETS, ALARMS, METRICS = 2, 11, 8


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the bill: so many units a month."""

    what: str
    units: float
    unit: str
    dollars: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one run needs, and what a month of such runs costs."""

    requests: int
    minutes: float
    lambda_gb_seconds: float
    glue_dpu_minutes: float
    athena_gb_a_month: float
    costs: tuple[Cost, ...]

    @property
    def dollars_a_month(self) -> float:
        """The whole bill."""
        return sum(c.dollars for c in self.costs)


def estimate(
    fetches: Sequence[Fetch], intervals: Iterable[Interval], *, per_minute: int, concurrency: int
) -> Estimate:
    """The estimate for a run of `fetches`. The rows of a day of events are taken from the ledger's `intervals`;
    without any, they fill one page."""
    rows = packing.mean_rows(intervals)
    calls = sum(requests(f, rows) for f in fetches)
    media = len({m for f in fetches for m in f.media} - {ACCOUNT})
    functions = len(batches(fetches))
    days = sum(len(f.keys) for f in fetches)
    events = sum(_events(f, rows) for f in fetches)
    pace = calls / per_minute
    working = max(60 * pace, calls * SECONDS_PER_ANSWER / concurrency)
    gb_seconds = FUNCTION_GB * (working + FUNCTION_SECONDS * (functions + 2))
    build = GLUE_START_MINUTES + MINUTES_PER_MILLION_EVENTS * events / 1e6
    upkeep = GLUE_START_MINUTES + UPKEEP_MINUTES
    scanned = QUERIES_A_DAY * RUNS_A_MONTH * QUERY_MB / 1e6  # TB
    stored = sum(rows.values()) * BYTES_PER_EVENT * DAYS_STORED / 1e9
    monthly = {
        "lambda": gb_seconds * RUNS_A_MONTH,
        "glue": GLUE_DPUS * (build * RUNS_A_MONTH + upkeep * UPKEEPS_A_MONTH),
        "athena": scanned,
        "s3 storage": stored,
        "s3 writes": (3 * days + WRITES_PER_BUILD) * RUNS_A_MONTH,
        "s3 reads": 10 * (3 * days + WRITES_PER_BUILD) * RUNS_A_MONTH,
        "dynamodb writes": (WRITES_PER_INTERVAL * days + 2 * calls) * RUNS_A_MONTH,
        "dynamodb reads": READS_PER_INTERVAL * DAYS_STORED * 3 * media * RUNS_A_MONTH,
        "step functions": (STEPS_PER_RUN + STEPS_PER_BATCH * functions) * RUNS_A_MONTH,
        "secrets": SECRETS,
        "kms key": 1,
        "alarms": ALARMS,
        "metrics": METRICS,
    }
    return Estimate(
        calls,
        working / 60,
        gb_seconds,
        GLUE_DPUS * build,
        scanned * 1000,
        tuple(Cost(what, units, PRICES[what][1], units * PRICES[what][0]) for what, units in monthly.items()),
    )


def requests(fetch: Fetch, rows: Mapping[str, float]) -> int:
    """How many requests a fetch takes: one, or the pages of a list of sessions and the proof that it stood still."""
    return int(packing.requests(fetch.rows or _events(fetch, rows))) if fetch.dataset == EVENTS else 1


def _events(fetch: Fetch, rows: Mapping[str, float]) -> float:
    """Sessions that land from it."""
    return sum(rows.get(media_id, 0.0) for dataset, media_id, _ in fetch.keys if dataset == EVENTS)
