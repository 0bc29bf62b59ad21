"""After ten days of everything that can happen at the source, every table equals the simulator's truth."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from support import truth
from support.compare import differences
from support.lake import Lake, Scenario
from wistia_simulator import MediaChange, Profile
from wistlake.contracts import table

pytestmark = pytest.mark.engine
FIRST = date(2026, 3, 2)  # America's clocks go forward on the 8th
DAYS = 10


def moment(day: int, hour: int) -> datetime:
    """`hour` UTC of the n-th day of the story."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, hour, tzinfo=UTC) + timedelta(days=day)


STORY = replace(
    Profile.hostile(),
    media=3,
    sessions_per_day=25.0,
    history_days=12,
    growing=0.6,
    late=0.08,
    late_days=4.0,
    duplicated=0.03,
    moving=0.5,
    vanishing=0.04,
    conversion_share=0.03,
    embed_query_share=0.4,
    privacy_mode_share=0.1,
    returning_share=0.2,
    changes=(
        MediaChange(0, moment(3, 12), "rename", "A new name"),
        MediaChange(1, moment(4, 12), "duration", 200.5),
        MediaChange(0, moment(6, 12), "retag", ("facebook", "vsl")),
        MediaChange(3, moment(2, 12), "add", "Added YouTube talk"),
        MediaChange(1, moment(7, 12), "delete"),
    ),
)


@pytest.mark.parametrize(("hour", "minute"), [(2, 15), (9, 15)])
def test_every_table_equals_the_truth(tmp_path, hour, minute):
    start = moment(0, hour) + timedelta(minutes=minute)
    lake = Lake(tmp_path / "lake", Scenario(STORY, starts=start))
    results = lake.run_days(DAYS)
    assert {r.status for r in results} == {"succeeded"}
    wanted = truth.expected(lake)
    for name, rows in wanted.items():
        assert rows, name
        found = lake.rows(name)
        if name == "gold.fact_media_daily":
            assert {r["certificate"] for r in found} <= {"provisional", "settled", "certified"}
        assert differences(table(name), rows, found) == [], name
