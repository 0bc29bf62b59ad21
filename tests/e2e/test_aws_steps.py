"""The four steps on an emulated account: handlers in this process, the Glue script on Apache Spark."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.aws_lake import AwsLake, aws_lake
from support.compare import differences
from support.emulated import Account
from support.lake import START, Lake, Scenario
from wistia_simulator import Profile
from wistlake.contracts import TABLES

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.engine, pytest.mark.timeout(1200)]
SCENARIO = Scenario(Profile(media=2, sessions_per_day=10, history_days=4), settings={"lookback_days": 2})


@pytest.fixture
def lake(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsLake]:
    with aws_lake(account, SCENARIO, monkeypatch) as lake:
        yield lake


def test_two_days_are_the_laptops_row_by_row(lake: AwsLake, tmp_path: Path) -> None:
    said = [lake.run_day(f"day-{n}", START + timedelta(days=n)) for n in range(2)]
    assert [s["verdict"] for s in said] == ["succeeded", "succeeded"], said
    laptop = Lake(tmp_path, SCENARIO)
    laptop.run_days(2)
    for table in TABLES:
        assert differences(table, laptop.rows(table.full_name), lake.rows(table.full_name)) == []
    assert [(w.dataset, w.media_id, w.last_date) for w in lake.ledger.watermarks()] == [
        (w.dataset, w.media_id, w.last_date) for w in laptop.ledger.watermarks()
    ]
    before = lake.ledger.publication()
    again = lake.run_day("day-1-again", START + timedelta(days=1))
    assert again["verdict"] == "succeeded"
    assert again["published"]["watermarks"] == 0
    after = lake.ledger.publication()
    assert before
    assert after
    assert before.tables == after.tables
