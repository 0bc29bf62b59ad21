"""What runs on AWS need and cost: an estimate from a run's fetches, assumed speeds and list prices.

Every assumption is a named number here. Free tiers (but that of dashboards: an account has three), taxes and egress are
left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT
from wistlake.planning import packing
from wistlake.planning.compacted import NONE, CompactedMedia
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
    "dynamodb storage": (0.25, "GB-month"),
    "dynamodb recovery": (0.20, "GB-month"),  # to any point in time
    "step functions": (0.025 / 1000, "transition"),
    "secrets": (0.40, "secret-month"),
    "kms key": (1.00, "key-month"),
    "alarms": (0.10, "alarm-month"),
    "metrics": (0.30, "metric-month"),
    "logs": (0.50 + 0.03, "GB"),  # written, and kept for a month
}

STAGES = 2  # dev and prod, each with its own lake
RUNS_A_MONTH, HOURS_A_MONTH = 30.4, 730
SECONDS_PER_ANSWER = 1.0  # of Wistia's, on average
FUNCTION_GB, FUNCTION_SECONDS = 0.5, 4.0  # memory; start, plan and bookkeeping of one call
FUNCTIONS_AT_ONCE = 4  # share the pace, and are paid for while they wait for each other
LANDED_SHARE = (
    0.4  # of the days that are asked for, those that say something new: only they are written and built
)
GLUE_DPUS = 2
BUILD_MINUTES = 4.0  # of any build: a session, the catalog, some twenty commits
MINUTES_PER_MILLION_ROWS, MINUTES_PER_THOUSAND_LANDINGS = 1.5, 0.5
UPKEEPS_A_MONTH, UPKEEP_MINUTES, UPKEEP_MINUTES_PER_GB = 4.3, 6.0, 0.2
QUERIES_A_DAY, QUERY_MB = 50, 10  # Athena bills 10 MB at least
BYTES_PER_EVENT, DAYS_STORED = 600, 760  # of all layers together, compressed
WRITES_PER_INTERVAL = 6  # planned, landed, published, each transactional
READS_PER_MEDIA = 30.0  # of a run: plan, build and publish read what is open, and a summary of all else
BYTES_PER_INTERVAL, DATASETS = 400, 4
OBJECTS_PER_LANDING, READS_PER_OBJECT, OBJECTS_PER_BUILD = 2, 3, 400
STEPS_PER_RUN, STEPS_PER_BATCH = 8, 4
SECRETS, ALARMS = 2, 13
METRICS, JOB_METRICS = 8, 60  # of a run, and of a Glue job: paid for in hours in which there are any
LOG_MB_PER_RUN, LOG_MB_PER_BATCH = 10.0, 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the bill: so many units a month."""

    what: str
    units: float
    unit: str
    dollars: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one run needs, and what a month of such runs costs in so many stages."""

    stages: int
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
    fetches: Sequence[Fetch],
    intervals: Iterable[Interval],
    *,
    per_minute: int,
    concurrency: int,
    stages: int = STAGES,
    compacted: CompactedMedia = NONE,
) -> Estimate:
    """The estimate for a run of `fetches` in each stage. The rows of a day of events are taken from the ledger's
    `intervals`, open and `compacted`; without any, they fill one page."""
    rows = packing.mean_rows(intervals, compacted)
    calls = sum(requests(f, rows) for f in fetches)
    media = len({m for f in fetches for m in f.media} - {ACCOUNT})
    functions = len(batches(fetches))
    days = sum(len(f.keys) for f in fetches)
    landings = LANDED_SHARE * days
    events = LANDED_SHARE * sum(_events(f, rows) for f in fetches)
    pace = calls / per_minute
    working = max(60 * pace, calls * SECONDS_PER_ANSWER / concurrency)
    waiting = working * min(FUNCTIONS_AT_ONCE, max(1, functions))
    gb_seconds = FUNCTION_GB * (waiting + FUNCTION_SECONDS * (functions + 2))
    stored = sum(rows.values()) * BYTES_PER_EVENT * DAYS_STORED / 1e9
    build = (
        BUILD_MINUTES
        + MINUTES_PER_MILLION_ROWS * events / 1e6
        + MINUTES_PER_THOUSAND_LANDINGS * landings / 1000
    )
    upkeep = UPKEEP_MINUTES + UPKEEP_MINUTES_PER_GB * stored
    scanned = QUERIES_A_DAY * RUNS_A_MONTH * QUERY_MB / 1e6  # TB
    objects = OBJECTS_PER_LANDING * landings + OBJECTS_PER_BUILD
    ledger_rows = DAYS_STORED * DATASETS * media  # intervals in the ledger
    monthly = {
        "lambda": gb_seconds * RUNS_A_MONTH,
        "glue": GLUE_DPUS * (build * RUNS_A_MONTH + upkeep * UPKEEPS_A_MONTH),
        "athena": scanned,
        "s3 storage": stored,
        "s3 writes": objects * RUNS_A_MONTH,
        "s3 reads": READS_PER_OBJECT * objects * RUNS_A_MONTH,
        "dynamodb writes": (WRITES_PER_INTERVAL * days + 2 * calls) * RUNS_A_MONTH,
        "dynamodb reads": READS_PER_MEDIA * media * RUNS_A_MONTH,
        "dynamodb storage": ledger_rows * BYTES_PER_INTERVAL / 1e9,
        "dynamodb recovery": ledger_rows * BYTES_PER_INTERVAL / 1e9,
        "step functions": (STEPS_PER_RUN + STEPS_PER_BATCH * functions) * RUNS_A_MONTH,
        "secrets": SECRETS,
        "kms key": 1,
        "alarms": ALARMS,
        "metrics": (METRICS + JOB_METRICS) * RUNS_A_MONTH / HOURS_A_MONTH,
        "logs": (LOG_MB_PER_RUN + LOG_MB_PER_BATCH * functions) * RUNS_A_MONTH / 1000,
    }
    return Estimate(
        stages,
        calls,
        working / 60,
        gb_seconds,
        GLUE_DPUS * build,
        scanned * 1000,
        tuple(_cost(what, stages * units) for what, units in monthly.items()),
    )


def _cost(what: str, units: float) -> Cost:
    price, unit = PRICES[what]
    return Cost(what, units, unit, units * price)


def requests(fetch: Fetch, rows: Mapping[str, float]) -> int:
    """How many requests a fetch takes: one, one a dimension, or the pages of a list of sessions and the proof that it
    stood still."""
    if fetch.dataset == EVENTS:
        return int(packing.requests(fetch.rows or _events(fetch, rows)))
    return len(source(fetch.dataset).dimensions) or 1


def _events(fetch: Fetch, rows: Mapping[str, float]) -> float:
    """Sessions that land from it."""
    return sum(rows.get(media_id, 0.0) for dataset, media_id, _ in fetch.keys if dataset == EVENTS)
