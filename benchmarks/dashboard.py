"""Every page of the dashboard over two years of 100 media: its first drawing, and the next.

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
from wistlake_dashboard.app import PAGES

MEDIA, DAYS, SESSIONS, LIMIT = 100, 730, 10, 1.0
FIRST = date(2024, 11, 1)
NOW = datetime(2026, 11, 2, tzinfo=UTC)
DIMENSIONS: dict[str, dict[str, Sequence[Any]]] = {
    "gold.fact_media_daily": {},
    "gold.fact_media_engagement": {"visitor_id": []},
    "gold.channel_daily": {"channel": ("facebook", "youtube", "unclassified")},
    "gold.geo_daily": {"country": ("US", "GB", "CA", "DE", "AT", "BR")},
    "gold.device_daily": {"platform": ("iOS (iPhone)", "Android", "Windows", "macOS")},
    "gold.embed_daily": {"embed_host": ("www.example.com", "learn.example.org", "offers.example.net")},
    "ops.reconciliation": {"identity": ("events_and_plays", "gold_is_silver", "unique_event_keys")},
    "silver.media_by_date_observations": {"observed_at": (NOW, NOW + timedelta(days=1))},
}
TEXTS = {"certificate": "certified", "verdict": "holds"}


def rows(of: Table, dimension: dict[str, Sequence[Any]]) -> pa.Table:
    """A row for every media, day and value of the dimension; numbers in every number column."""
    pairs = MEDIA * DAYS
    name, values = next(iter(dimension.items()), ("", [None]))
    times = SESSIONS if name == "visitor_id" else len(values)
    count = pairs * times
    numbers = np.arange(count) % 97 + 1
    at = np.repeat(np.arange(pairs), times)
    columns = []
    for field in empty(of).schema:
        if field.name == "media_id":
            column: Any = [f"media{m:05d}" for m in at % MEDIA]
        elif field.name == "date":
            column = (np.datetime64(FIRST) + at // MEDIA).astype("datetime64[D]")
        elif field.name == "visitor_id":
            column = [f"{v:032x}" for v in np.random.default_rng(1).integers(0, count // 2, count)]
        elif field.name == name:
            column = list(values) * pairs
        elif pa.types.is_integer(field.type):
            column = numbers
        elif pa.types.is_floating(field.type):
            column = numbers / 100.0
        elif pa.types.is_timestamp(field.type):
            column = [NOW] * count
        elif pa.types.is_boolean(field.type):
            column = [False] * count
        else:
            column = [TEXTS.get(field.name, "")] * count
        columns.append(pa.array(column, field.type))
    return pa.table(columns, schema=empty(of).schema)


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


def lake(folder: Path) -> None:
    """A lake of that size, published."""
    marked = LakeFolder(folder)
    marked.open("UTC", NOW)
    catalog = LocalCatalog(folder)
    tables = [table(n) for n in (*DIMENSIONS, "silver.media_lifetime", "silver.dim_media")]
    catalog.ensure(tables)
    for name, dimension in DIMENSIONS.items():
        store(catalog, name, rows(table(name), dimension))
    lifetime = table("silver.media_lifetime")
    store(catalog, lifetime.full_name, pa.Table.from_pylist(list(snapshots()), schema=empty(lifetime).schema))
    titles = [
        {"media_id": f"media{m:05d}", "title": f"Media {m}", "channel": "unclassified", "is_deleted": False,
         "observed_at": NOW, "landing_id": "l", "built_at": NOW}
        for m in range(MEDIA)
    ]  # fmt: skip
    store(
        catalog,
        "silver.dim_media",
        pa.Table.from_pylist(titles, schema=empty(table("silver.dim_media")).schema),
    )
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
    show(Published(open_lake(Settings(lake=Path(folder)), runtime)), PAGES[number : number + 1])


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


def main(folder: Path) -> None:
    """Measure, print, and end with 1 where a page takes longer than the limit."""
    if not (folder / "lake.json").exists():
        lake(folder)
    print(f"{MEDIA} media, {DAYS} days; seconds passed (and worked)")
    print("opening the lake, once a publication: {:.2f} ({:.2f})".format(*timed(app_of(4, folder))))
    print(f"{'page':14} {'28 days':>13} {'2 years':>13} {'again':>13}")
    worst = 0.0
    for number, page in enumerate(PAGES):
        app = app_of(number, folder)
        turns = [timed(app)]
        app.query_params.from_dict(
            {"period": "custom", "from": str(FIRST), "to": str(FIRST + timedelta(days=DAYS - 1))}
        )
        turns += [timed(app), timed(app)]
        worst = max(worst, *(passed for passed, _ in turns))
        print(f"{page.title:14}", *(f"{passed:6.2f} ({worked:.2f})" for passed, worked in turns))
    print(f"limit {LIMIT} s")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name) / "lake" if len(sys.argv) < 2 else Path(sys.argv[1]))
