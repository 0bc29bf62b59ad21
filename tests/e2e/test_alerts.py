"""Alerts behind simulated runs: evaluated on what was published, told once, and an idle run asks nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.lake import START, Lake, Scenario
from support.receiver import Receiver
from wistia_simulator import Profile
from wistlake.pipeline.run.spec import Dependencies

pytestmark = pytest.mark.engine
RULES = [{"name": "fifty", "kind": "goal", "goal": 50, "every": "week"}]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    profile = Profile.calm()
    scenario = Scenario(profile=replace(profile, media=2, sessions_per_day=20, history_days=20))
    return Lake(tmp_path / "lake", replace(scenario, settings={"lookback_days": 10, "alerts": RULES}))


def test_a_run_tells_what_it_published_and_the_next_ones_do_not_tell_it_again(lake: Lake) -> None:
    looked: list[bool] = []

    def counted(parts: Dependencies) -> Dependencies:
        def watch() -> None:
            looked.append(True)
            parts.watch()

        return replace(parts, watch=watch)

    with Receiver().listening() as receiver:
        changes = {"notify_webhook": receiver.url}
        lake.run_day(START, changes=changes, around=counted)
        _, told = receiver.received
        lake.run_day(START + timedelta(minutes=5), changes=changes, around=counted)
    assert told["title"].startswith("wistlake alerts: ")
    kept = lake.rows("ops.alerts")
    assert [line.partition(":")[0] for line in told["text"].split("\n")] == ["fifty"] * len(kept)
    for alert in kept:
        (sums,) = lake.sql(
            "SELECT sum(plays)::BIGINT AS plays FROM gold.fact_media_daily "
            f"WHERE date BETWEEN DATE '{alert['day']}' - {alert['days'] - 1} AND DATE '{alert['day']}'"
        )
        assert alert["value"] == sums["plays"] >= 50
    assert kept
    assert looked == [True], "the second run published nothing"
    assert [n["title"] for n in receiver.received if "alerts" in n["title"]] == [told["title"]]


def test_a_lake_whose_alerts_fail_has_run_all_the_same(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wistlake.pipeline.jobs.watch.evaluation", lambda *_: 1 / 0)
    assert lake.run_day(START).status == "succeeded"
    assert lake.rows("ops.alerts") == []
