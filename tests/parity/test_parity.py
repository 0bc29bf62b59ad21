"""Sail and Apache Spark, given the same landings, leave the same rows in every table."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from parity.stories import NEW_COLUMN, SCENARIO, tell
from support.compare import differences
from support.evolution import gained
from support.lake import Lake, Row
from support.processes import in_process
from wistlake.contracts import TABLES, fact_events
from wistlake.contracts.form import Table

pytestmark = [pytest.mark.engine, pytest.mark.spark, pytest.mark.timeout(600)]
NEVER_BUILT = {"ops.quality_results"}


@dataclass(frozen=True)
class Told:
    """What each engine left."""

    sail: dict[str, list[Row]]
    spark: dict[str, list[Row]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Both engines' tables after the same story."""
    folder = tmp_path_factory.mktemp("parity")
    assert in_process(tell, folder / "spark", SCENARIO.on("spark"), seconds=500) == 0
    tell(folder / "sail", SCENARIO)
    with gained(fact_events.TABLE, NEW_COLUMN):
        yield Told(Lake(folder / "sail", SCENARIO).tables(), Lake(folder / "spark", SCENARIO).tables())


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_every_row_is_the_same(told: Told, table: Table) -> None:
    assert differences(table, told.sail[table.full_name], told.spark[table.full_name]) == []


def test_no_table_agrees_for_being_empty(told: Told) -> None:
    empty = {name for name, rows in told.spark.items() if not rows}
    assert empty == NEVER_BUILT | {"silver.quarantine"}


@pytest.mark.parametrize("engine", ["sail", "spark"])
def test_a_new_column_reaches_old_tables(told: Told, engine: str) -> None:
    rows = getattr(told, engine)["silver.fact_events"]
    named = [r for r in rows if r[NEW_COLUMN.name] is not None]
    assert named, "rows that the third day built have it"
    assert len(named) < len(rows), "older rows keep their place, without it"
