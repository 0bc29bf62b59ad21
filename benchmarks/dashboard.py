"""Every page of the dashboard and the report over two years of 100 media: the first drawing, and the next.

python benchmarks/dashboard.py

The pages run as Streamlit runs them, without a browser. The first drawing asks every question anew, over the
usual 28 days and over the two years; the next one is what a second visitor, or a click back, waits for.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from streamlit.testing.v1 import AppTest

from wistlake.adapters.duckdb_query import empty
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.contracts import table
from wistlake.contracts.form import Table
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Publication, Run
from wistlake.settings import Settings
from wistlake.wiring.lake import open_lake
from wistlake.wiring.runtime import Runtime
from wistlake_dashboard.app import PAGES
from wistlake_dashboard.report import newest_scope, page

MEDIA, DAYS, SESSIONS = 100, 730, 10
PAGE, COLD, REPORT = (
    1.0,
    5.0,
    3.0,
)  # limits, in seconds: a page, opening the lake and the first page, the report
FIRST = date(2024, 11, 1)
NOW = datetime(2026, 11, 2, tzinfo=UTC)
DIMENSIONS: dict[str, dict[str, Sequence[Any]]] = {
    "gold.fact_media_daily": {},
    "gold.fact_media_engagement": {"visitor_id": []},
    "gold.channel_daily": {"channel": ("facebook", "youtube", "unclassified")},
    "gold.geo_daily": {"country": ("US", "GB", "CA", "DE", "AT", "BR")},
    "gold.device_daily": {"platform": ("iOS (iPhone)", "Android", "Windows", "macOS")},
    "gold.embed_daily": {"embed_host": ("www.example.com", "learn.example.org", "offers.example.net")},
    "silver.fact_events": {"visitor_id": []},
    "ops.reconciliation": {"identity": ("events_and_plays", "gold_is_silver", "unique_event_keys")},
    "silver.media_by_date_observations": {"observed_at": (NOW, NOW + timedelta(days=1))},
}
TEXTS = {"certificate": "certified", "verdict": "holds"}
# What sessions are told apart by; the numbers of values have no common divisor, so all combinations occur.
WAYS: dict[str, Sequence[Any]] = {
    "channel": DIMENSIONS["gold.channel_daily"]["channel"],
    "utm_source": ("fb", "newsletter", "google", None, "linkedin"),
    "utm_medium": ("social", "email"),
    "utm_campaign": ("spring-sale", "summer", "webinar", "launch", "retarget", "brand", None),
    "embed_host": ("www.example.com",),
    "embed_path": tuple(f"/page-{n}" for n in range(11)),
    "country": DIMENSIONS["gold.geo_daily"]["country"],
}


def rows(of: Table, dimension: dict[str, Sequence[Any]]) -> pa.Table:
    """A row for every media, day and value of the dimension; numbers in every number column."""
    pairs = MEDIA * DAYS
    name, values = next(iter(dimension.items()), ("", [None]))
    times = SESSIONS if name == "visitor_id" else len(values)
    at = np.repeat(np.arange(pairs), times)
    columns = [
        pa.array(list(values) * pairs if field.name == name and values else cells(field, at), field.type)
        for field in empty(of).schema
    ]
    return pa.table(columns, schema=empty(of).schema)


def cells(field: pa.Field, at: Any) -> Any:
    """A column's values; `at` numbers the pairs of media and day."""
    count = len(at)
    named = {
        "media_id": lambda: [f"media{m:05d}" for m in at % MEDIA],
        "visitor_id": lambda: [f"{v:032x}" for v in np.random.default_rng(1).integers(0, count // 2, count)],
        "event_key": lambda: [f"event{n}" for n in range(count)],
        "removed_at": lambda: [None] * count,  # it is still there
    }
    if field.name in named:
        return named[field.name]()
    if field.name in WAYS:
        ways = WAYS[field.name]
        return [ways[n % len(ways)] for n in range(count)]
    if pa.types.is_date(field.type):
        return (np.datetime64(FIRST) + at // MEDIA).astype("datetime64[D]")
    if pa.types.is_integer(field.type):
        return np.arange(count) % 97 + 1
    if pa.types.is_floating(field.type):
        return (np.arange(count) % 97 + 1) / 100.0
    if pa.types.is_timestamp(field.type):
        return [NOW] * count
    if pa.types.is_boolean(field.type):
        return [False] * count
    return [TEXTS.get(field.name, "")] * count


def snapshots() -> Iterator[dict[str, Any]]:
    """A lifetime snapshot a month and media, with a curve of 300 seconds."""
    for month in range(25):
        for m in range(MEDIA):
            curve = [(month + 1) * 100 * (300 - s) // 300 for s in range(300)]
            yield {
                "media_id": f"media{m:05d}", "snapshot_date": FIRST + timedelta(days=30 * month),
                "play_count": (month + 1) * 100, "engagement": 0.5, "engagement_data": curve,
                "duration_seconds": 300.0, "original_asset": "a", "observed_at": NOW, "landing_id": "l",
                "built_at": NOW,
            }  # fmt: skip


def watched() -> Iterator[dict[str, Any]]:
    """What was watched between two snapshots, a month and media."""
    for month in range(1, 25):
        for m in range(MEDIA):
            day = FIRST + timedelta(days=30 * month)
            yield {
                "media_id": f"media{m:05d}", "date": day, "previous_date": day - timedelta(days=30),
                "verdict": "comparable", "views": [100 * (300 - s) // 300 for s in range(300)],
                "rewatches": [s % 3 for s in range(300)], "built_at": NOW,
            }  # fmt: skip


def labelled() -> Iterator[dict[str, Any]]:
    """Two labels a media."""
    for m in range(MEDIA):
        for label, value in (("campaign", f"campaign {m % 9}"), ("audience", ("new", "known")[m % 2])):
            yield {
                "media_id": f"media{m:05d}", "label": label, "value": value, "labelled_at": NOW, "built_at": NOW,
            }  # fmt: skip


def lake(folder: Path) -> None:
    """A lake of that size, published."""
    marked = LakeFolder(folder)
    marked.open("UTC", NOW)
    catalog = LocalCatalog(folder)
    titles = [
        {"media_id": f"media{m:05d}", "title": f"Media {m}", "channel": "unclassified", "is_deleted": False,
         "duration_seconds": 300.0, "folder": f"Folder {m % 5}", "observed_at": NOW, "landing_id": "l",
         "built_at": NOW}
        for m in range(MEDIA)
    ]  # fmt: skip
    others = {
        "silver.media_lifetime": snapshots(), "gold.media_retention_daily": watched(),
        "gold.dim_media_label": labelled(), "silver.dim_media": titles,
    }  # fmt: skip
    tables = [table(n) for n in (*DIMENSIONS, *others)]
    catalog.ensure(tables)
    for name, dimension in DIMENSIONS.items():
        store(catalog, name, rows(table(name), dimension))
    for name, found in others.items():
        store(catalog, name, pa.Table.from_pylist(list(found), schema=empty(table(name)).schema))
    ledger = SqliteLedger(marked.ledger)
    ledger.record(
        Interval(dataset, f"media{m:05d}", FIRST + timedelta(days=d), State.PUBLISHED, "benchmark", NOW)
        for dataset in ("events", "media_by_date") for d in range(DAYS) for m in range(MEDIA)
    )  # fmt: skip
    ledger.put_run(Run("benchmark", "scheduled", "simulated", "succeeded", NOW, NOW))
    ledger.publish(Publication("benchmark", NOW, catalog.refs([t.full_name for t in tables])))


def store(catalog: LocalCatalog, name: str, found: pa.Table) -> None:
    """Append to one table."""
    stored = catalog.load(name)
    stored.append(found.cast(stored.schema().as_arrow()))


def one_page(number: int, folder: str) -> None:
    """Streamlit runs this function's text: it stands alone."""
    import time
    from datetime import UTC, datetime
    from pathlib import Path

    from wistlake.settings import Settings
    from wistlake.wiring.lake import Published, open_lake
    from wistlake.wiring.runtime import Runtime
    from wistlake_dashboard.app import PAGES, show

    runtime = Runtime(lambda: datetime.now(UTC), time.monotonic)
    show(Published(open_lake(Settings(lake=Path(folder)), runtime), held=True), PAGES[number : number + 1])


def app_of(number: int, folder: Path) -> AppTest:
    """A visitor of one page."""
    return AppTest.from_function(one_page, args=(number, str(folder)), default_timeout=120)


def timed(app: AppTest) -> tuple[float, float]:
    """Seconds of one turn: that passed, and that the processor worked."""
    began, worked = time.perf_counter(), time.process_time()
    app.run()
    if app.exception:
        raise SystemExit(str(app.exception))
    return time.perf_counter() - began, time.process_time() - worked


def report(folder: Path) -> tuple[float, float]:
    """Seconds of a report of a week, from opening the lake on."""
    runtime = Runtime(lambda: datetime.now(UTC), time.monotonic)
    began, worked = time.perf_counter(), time.process_time()
    query = open_lake(Settings(lake=folder), runtime).query()
    page(query, newest_scope(query))
    return time.perf_counter() - began, time.process_time() - worked


def main(folder: Path) -> None:
    """Measure, print, and end with 1 where something takes longer than its limit."""
    if not (folder / "lake.json").exists():
        lake(folder)
    print(f"{MEDIA} media, {DAYS} days; seconds passed (and worked)")
    over = [say("the first page, and opening the lake, once a publication", timed(app_of(0, folder)), COLD)]
    print(f"{'page':14} {'28 days':>13} {'2 years':>13} {'again':>13}")
    for number, shown in enumerate(PAGES):
        app = app_of(number, folder)
        turns = [timed(app)]
        app.query_params.update(
            {"period": "custom", "from": str(FIRST), "to": str(FIRST + timedelta(days=DAYS - 1))}
        )
        turns += [timed(app), timed(app)]
        over.append(max(passed for passed, _ in turns) > PAGE)
        print(f"{shown.title:14}", *(f"{passed:6.2f} ({worked:.2f})" for passed, worked in turns))
    print(f"limit of a page {PAGE} s")
    over.append(say("report of a week", report(folder), REPORT))
    sys.exit(any(over))


def say(what: str, seconds: tuple[float, float], limit: float) -> bool:
    """Print a figure; whether it is over its limit."""
    print("{}: {:.2f} ({:.2f}), limit {} s".format(what, *seconds, limit))
    return seconds[0] > limit


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name) / "lake" if len(sys.argv) < 2 else Path(sys.argv[1]))
