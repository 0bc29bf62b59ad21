"""Tables of older versions get the partitions of their contract."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.history import LocalUpkeep
from wistlake.contracts.dim_visitor import TABLE

NAME = TABLE.full_name
SEEN = {f"v{n}": datetime(2026, 1 + n % 3, 5, tzinfo=UTC) for n in range(9)}


def _rows(catalog: LocalCatalog) -> pa.Table:
    columns = catalog.load(NAME).schema().as_arrow()
    return pa.Table.from_pylist(
        [{"visitor_id": who, "last_seen_at": at} for who, at in SEEN.items()], schema=columns
    )


def _parts(catalog: LocalCatalog) -> dict[str, int]:
    files = [task.file for task in catalog.load(NAME).scan().plan_files()]
    return {Path(f.file_path).parent.name: f.record_count for f in files}


def test_rows_of_before_are_written_by_month_in_one_commit(tmp_path: Path) -> None:
    catalog = LocalCatalog(tmp_path)
    catalog.ensure([replace(TABLE, partition="")])
    catalog.load(NAME).append(_rows(catalog))
    assert _parts(catalog) == {"data": 9}
    before = catalog.load(NAME).metadata_location
    catalog.ensure([TABLE])
    loaded = catalog.load(NAME)
    assert _parts(catalog) == {f"last_seen_at_month=2026-0{month}": 3 for month in (1, 2, 3)}
    assert {r["visitor_id"]: r["last_seen_at"] for r in loaded.scan().to_arrow().to_pylist()} == SEEN
    assert [entry.metadata_file for entry in loaded.metadata.metadata_log][-1] == before
    catalog.ensure([TABLE])
    assert catalog.load(NAME).metadata_location == loaded.metadata_location


def test_a_table_without_rows_is_partitioned_too(tmp_path: Path) -> None:
    catalog = LocalCatalog(tmp_path)
    catalog.ensure([replace(TABLE, partition="")])
    catalog.ensure([TABLE])
    assert [f.name for f in catalog.load(NAME).spec().fields] == ["last_seen_at_month"]


def test_the_small_files_of_a_month_become_one(tmp_path: Path) -> None:
    catalog = LocalCatalog(tmp_path)
    catalog.ensure([TABLE])
    rows = _rows(catalog)
    for _ in range(5):
        catalog.load(NAME).append(rows.slice(0, 1))
    catalog.load(NAME).append(rows.slice(1))
    assert LocalUpkeep(tmp_path).compact(TABLE) == 5
    assert _parts(catalog) == {
        "last_seen_at_month=2026-01": 7,
        **{f"last_seen_at_month=2026-0{m}": 3 for m in (2, 3)},
    }
