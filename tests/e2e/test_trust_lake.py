"""A lake that lived: what stops a day, what explains it, and what is no evidence."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.lake import Lake, Scenario
from wistia_simulator import Profile
from wistlake import bronze
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local_objects import LocalObjects
from wistlake.adapters.memory import Died, Dying
from wistlake.entrypoints.soak.judge import judge
from wistlake.entrypoints.soak.week import mortal
from wistlake.pipeline.daily import RunFailed
from wistlake.pipeline.evidence import Evidence, evidence
from wistlake.pipeline.explain import explain
from wistlake.wiring import laptop

pytestmark = pytest.mark.engine
SCENARIO = Scenario(profile=replace(Profile(), media=2, sessions_per_day=12, history_days=12))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", SCENARIO)


def _evidence(lake: Lake, days: int) -> Evidence:
    window = laptop.window(lake.settings(), lake.world.clock.now())
    return evidence(lake.ledger, DuckDBQuery(lake.ledger), window, days)


def test_scheduled_days_are_evidence_and_say_that_they_were_simulated(lake: Lake) -> None:
    lake.run_days(2)
    found = _evidence(lake, 2)
    assert found.passed, found
    assert all("(simulated)" in page.markdown() for page in found.days)


def test_a_manual_run_is_no_evidence(lake: Lake) -> None:
    lake.run_days(1)
    lake.run_day(SCENARIO.starts + timedelta(hours=1), trigger="manual")
    assert "by hand (manual)" in str(_evidence(lake, 1).days[0].problems)


def test_a_missed_day_is_no_evidence(lake: Lake) -> None:
    lake.run_days(1)
    lake.run_day(SCENARIO.starts + timedelta(days=2))
    assert _evidence(lake, 3).days[1].problems == ("no run was started",)


def test_a_landing_changed_by_hand_stops_its_day_and_leaves_gold_alone(lake: Lake) -> None:
    lake.run_days(1)
    before = lake.rows("gold.fact_media_daily")
    media, day = before[-1]["media_id"], before[-1]["date"]

    class Forged(LocalObjects):
        def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
            if f"media_by_date/dt={day}/media_id={media}/" in key and key.endswith(".gz"):
                lines = [r | {"play_count": 99_999} for _, r in bronze.decode_lines(data)]
                data = bronze.encode_lines(key.split("wistia/")[1].rpartition("/")[0], lines)
            super().put(key, data, if_absent=if_absent)

    with pytest.raises(RunFailed, match="wistlake backfill") as failed:
        lake.run_day(
            SCENARIO.starts + timedelta(hours=20), around=lambda p: replace(p, objects=Forged(lake.folder))
        )
    assert str(day) in str(failed.value)
    after = {(r["media_id"], r["date"]): r["plays"] for r in lake.rows("gold.fact_media_daily")}
    assert after[(media, day)] == before[-1]["plays"]


def test_a_run_that_dies_between_silver_and_gold_leaves_nothing_behind(lake: Lake) -> None:
    lake.run_days(1)
    merges = Dying(at=6, methods=("merge",))
    with pytest.raises(Died):
        lake.run_day(SCENARIO.starts + timedelta(days=1), around=lambda p: mortal(p, merges))
    lake.run_day(SCENARIO.starts + timedelta(days=1, minutes=30))
    found = judge(lake.world, lake.folder, lake.settings().tz, lake.sql)
    assert (found.lost, found.duplicated, found.wrong) == (0, 0, 0), found.said


def test_explain_names_counts_run_and_snapshot(lake: Lake) -> None:
    lake.run_days(2)
    row = max(lake.rows("gold.fact_media_daily"), key=lambda r: (r["date"], r["sessions"]))
    objects = LocalObjects(lake.folder)
    tz = lake.settings().tz
    found = explain(lake.ledger, objects, DuckDBQuery(lake.ledger), row["media_id"], row["date"], tz)
    true = lake.world.truth.sessions(row["media_id"])
    listed = sum(s.received_at.astimezone(tz).date() == row["date"] for s in true)
    assert found["sessions"]["listed"] == listed
    assert found["run_id"].startswith("run-")
    assert found["snapshot_id"]
    assert {x["dataset"] for x in found["landings"]} == {"events", "media_by_date"}
