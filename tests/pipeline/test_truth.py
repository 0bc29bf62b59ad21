"""After ten days of everything that can happen at the source, every table equals the simulator's truth."""

from pathlib import Path

import pytest

from support import truth
from support.compare import differences
from support.lake import Lake, Scenario
from support.stories import DAYS, HOSTILE, moment
from wistlake.contracts import table

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("hour", "minute"), [(2, 15), (9, 15)])
def test_every_table_equals_the_truth(tmp_path: Path, hour: int, minute: int) -> None:
    lake = Lake(tmp_path / "lake", Scenario(HOSTILE, starts=moment(0, hour, minute)))
    results = lake.run_days(DAYS)
    assert {r.status for r in results} == {"succeeded"}
    for name, rows in truth.expected(lake).items():
        assert rows, name
        found = lake.rows(name)
        if name == "gold.fact_media_daily":
            assert {r["certificate"] for r in found} <= {"provisional", "settled", "certified"}
        assert differences(table(name), rows, found) == [], name
