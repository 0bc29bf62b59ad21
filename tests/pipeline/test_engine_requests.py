"""How often a day's build asks the engine: each request costs as much as a small table's work."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql.connect.client.core import SparkConnectClient

from support.lake import START, Lake, Scenario
from wistia_simulator import Profile

pytestmark = pytest.mark.engine
SCENARIO = Scenario(replace(Profile.calm(), media=2, sessions_per_day=20.0), settings={"lookback_days": 2})
WORK, QUESTIONS = "_execute_and_fetch", "_analyze"


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The client's requests to the engine, counted by kind."""
    counted: Counter[str] = Counter()

    def count(name: str) -> None:
        real = getattr(SparkConnectClient, name)

        def noting(*args: object, **kwargs: object) -> object:
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(SparkConnectClient, name, noting)

    count(WORK)
    count(QUESTIONS)
    return counted


def test_a_days_build_asks_for_work_only_and_rarely(tmp_path: Path, requests: Counter[str]) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO)
    lake.run_day(START)
    requests.clear()
    result = lake.run_day(START + timedelta(days=1))
    assert result.tables["silver.fact_events"]["new"] > 0
    assert requests[WORK] <= 73  # a MERGE, as of the visitors, is two: its view and itself
    assert requests[QUESTIONS] == 0, "a schema that is known was asked for"
