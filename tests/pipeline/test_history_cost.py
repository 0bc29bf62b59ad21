"""What a daily run writes follows the days that changed, not the history behind them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from pyiceberg.table import StaticTable

from support.lake import START, Lake, Row, Scenario
from wistia_simulator import Profile
from wistlake.contracts import TABLES, table
from wistlake.contracts.form import Table

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
HISTORY = 75  # days: partitions by month are four then
SCENARIO = Scenario(
    replace(
        Profile.hostile(),
        media=2,
        sessions_per_day=4.0,
        history_days=HISTORY + 5,
        growing=0.5,
        late=0.1,
        vanishing=0.02,
        returning_share=0.3,
    ),
    settings={"lookback_days": 2},
)
# One row a media or a version of it: these are small, and their files are written anew.
SMALL = {"silver.dim_media", "silver.dim_media_history", "gold.dim_media_label"}
ONLY_ADDED_TO = "ops.quality_results"
NAMES = [t.full_name for t in TABLES if t.partition]


@dataclass(frozen=True)
class Lived:
    """A lake with a history, before and after one more daily run: data files with their partition, and rows."""

    files: tuple[Mapping[str, Mapping[str, int]], Mapping[str, Mapping[str, int]]]
    rows: tuple[Mapping[str, list[Row]], Mapping[str, list[Row]]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """75 days of history, then one more day."""
    lake = Lake(tmp_path_factory.mktemp("history") / "lake", SCENARIO)
    lake.run_day(START, start=START.date() - timedelta(days=HISTORY), end=START.date() - timedelta(days=1))
    lake.run_day(START + timedelta(days=1))  # a second reading, on another day, confirms them
    files, rows = [], []
    for turn in range(2):
        if turn:
            lake.run_day(START + timedelta(days=2))
        files.append(_files(lake))
        rows.append(lake.tables())
    return Lived((files[0], files[1]), (rows[0], rows[1]))


def _files(lake: Lake) -> dict[str, dict[str, int]]:
    published = lake.ledger.publication()
    assert published is not None
    found: dict[str, dict[str, int]] = {}
    for name in (*NAMES, ONLY_ADDED_TO):
        ref = published.tables[name]
        found[name] = {}
        if ref.snapshot_id is not None:
            scan = StaticTable.from_metadata(ref.metadata_location).scan()
            files = [f.file for f in scan.plan_files()]
            found[name] = {f.file_path: f.partition[0] if len(f.partition) else 0 for f in files}
    return found


def _partition(table: Table, row: Row) -> int:
    """The number by which Iceberg knows the partition of a row."""
    day: date = row[table.day_column or table.moment_column]
    if table.partition.startswith("months("):
        return (day.year - 1970) * 12 + day.month - 1
    return (day - date(1970, 1, 1)).days


def _changed(table: Table, before: Iterable[Row], after: Iterable[Row]) -> set[int]:
    """Partitions of the rows that only one of the two has, as it has them."""

    def told(rows: Iterable[Row]) -> dict[str, int]:
        return {repr([row[c] for c in table.column_names]): _partition(table, row) for row in rows}

    old, new = told(before), told(after)
    return {
        part for rows, others in ((old, new), (new, old)) for row, part in rows.items() if row not in others
    }


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_rewritten_outside_changed_partitions(lived: Lived, name: str) -> None:
    before, after = (files[name] for files in lived.files)
    moved = {part for path, part in {**before, **after}.items() if (path in before) != (path in after)}
    assert moved <= _changed(table(name), *(rows[name] for rows in lived.rows))


def test_the_history_is_long_and_most_of_it_stays(lived: Lived) -> None:
    before, after = (files["silver.fact_events"] for files in lived.files)
    assert len(set(before.values())) > HISTORY - 5
    assert len(before.keys() - after.keys()) < 6
    months, later = (files["gold.fact_media_daily"] for files in lived.files)
    assert len(set(months.values())) >= 3
    assert months.keys() & later.keys()


def test_every_table_that_grows_is_partitioned() -> None:
    assert {t.full_name for t in TABLES if not t.partition} == {*SMALL, ONLY_ADDED_TO}


def test_a_visitor_who_comes_back_leaves_the_old_month_and_the_others_stay(lived: Lived) -> None:
    visitors = table("gold.dim_visitor")
    told = [rows["gold.dim_visitor"] for rows in lived.rows]
    before, after = ({r["visitor_id"]: _partition(visitors, r) for r in rows} for rows in told)
    assert len(after) == len(told[1])
    came_back = {who for who, month in before.items() if after[who] > month}
    assert came_back
    left = {month for who, month in before.items() if who in came_back}
    assert {before[who] for who in before} > left, "the day touched every month: it shows nothing"
    old, new = (files["gold.dim_visitor"] for files in lived.files)
    assert {path for path, month in old.items() if month not in {*left, max(after.values())}} <= new.keys()


def test_what_runs_only_add_to_keeps_its_files(lived: Lived) -> None:
    before, after = (files[ONLY_ADDED_TO] for files in lived.files)
    assert before.keys() < after.keys()
