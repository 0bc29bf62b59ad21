"""A gold query over two years of 100 media in DuckDB, on monthly Iceberg files as a lake has them.

python benchmarks/gold_query.py
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from wistlake.adapters.duckdb_query import DuckDBQuery, empty
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.contracts import table
from wistlake.ports import Publication

MEDIA, DAYS, LIMIT = 100, 730, 0.2
DAILY = table("gold.fact_media_daily")
QUERY = (
    "SELECT date_trunc('month', date) AS month, media_id, sum(plays) AS plays, "
    "sum(watch_milliseconds) / 3600000 AS hours FROM gold.fact_media_daily GROUP BY ALL ORDER BY plays DESC"
)


def rows() -> pa.Table:
    """A row for every media and day; numbers in every number column."""
    first = date(2024, 11, 1)
    pairs = [(f"media{m:05d}", first + timedelta(days=d)) for d in range(DAYS) for m in range(MEDIA)]
    columns = []
    for field in empty(DAILY).schema:
        if field.name == "media_id":
            values: list[object] = [m for m, _ in pairs]
        elif field.name == "date":
            values = [d for _, d in pairs]
        elif pa.types.is_integer(field.type):
            values = [n % 997 for n in range(len(pairs))]
        elif pa.types.is_timestamp(field.type):
            values = [datetime(2026, 11, 1, tzinfo=UTC)] * len(pairs)
        elif pa.types.is_string(field.type):
            values = ["certified"] * len(pairs)
        else:
            values = [None] * len(pairs)
        columns.append(pa.array(values, field.type))
    return pa.table(columns, schema=empty(DAILY).schema)


def main() -> None:
    """Measure, print, and end with 1 over the limit."""
    with tempfile.TemporaryDirectory() as name:
        catalog = LocalCatalog(Path(name))
        catalog.ensure([DAILY])
        stored = catalog.load(DAILY.full_name)
        stored.append(rows().cast(stored.schema().as_arrow()))
        now = datetime(2026, 11, 1, tzinfo=UTC)
        published = Publication("benchmark", now, catalog.refs([DAILY.full_name]))
        query = DuckDBQuery(None, publication=published)
        query.sql("SELECT 1")
        spent = []
        for _ in range(5):
            begin = time.perf_counter()
            found = query.sql(QUERY)
            spent.append(time.perf_counter() - begin)
    seconds = statistics.median(spent)
    print(f"{MEDIA * DAYS:,} rows, {found.num_rows:,} in the answer: {seconds:.3f} s, limit {LIMIT}")
    sys.exit(seconds > LIMIT)


if __name__ == "__main__":
    main()
