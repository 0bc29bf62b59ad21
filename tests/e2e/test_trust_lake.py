"""A lake that lived: what stops a day, what explains it, and what is no evidence."""

from dataclasses import replace
from datetime import date, timedelta
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


class Forged(LocalObjects):
    """Raw pages, of which one day's counts are replaced on their way in."""

    def __init__(self, folder: Path, media: str, day: date, *, whole: bool) -> None:
        super().__init__(folder)
        self.place, self.whole = f"media_by_date/dt={day}/media_id={media}/", whole

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        if self.place in key and key.endswith(".gz"):
            lines = [r | {"play_count": 99_999} for _, r in bronze.decode_lines(data)]
            data = bronze.encode_lines(key.split("wistia/")[1].rpartition("/")[0], lines)
            self.part = bronze.Part(key, len(lines), len(data), bronze.sha256(data))
        elif self.place in key and self.whole:
            manifest = replace(bronze.decode_manifest(data), parts=(self.part,))
            data = bronze.encode_manifest(
                replace(manifest, payload_sha256=bronze.payload_hash(manifest.parts), content_hash="forged")
            )
        super().put(key, data, if_absent=if_absent)


@pytest.mark.parametrize("whole", [False, True], ids=["page changed", "page and manifest changed"])
def test_wrong_counts_put_into_a_landing_by_hand_stop_their_day(lake: Lake, whole: bool) -> None:
    """A changed page is not what its manifest says; where the manifest was changed too, the sessions tell."""
    lake.run_days(1)
    before = {(r["media_id"], r["date"]): r for r in lake.rows("gold.fact_media_daily")}
    media, day = max(before)
    forged = Forged(lake.folder, media, day, whole=whole)
    again = SCENARIO.starts + timedelta(hours=20)
    with pytest.raises(
        RunFailed, match=f"wistlake backfill --from {day} --to {day} --media {media}"
    ) as failed:
        lake.run_day(again, around=lambda p: replace(p, objects=forged))
    assert failed.value.exit_code == 65
    after = {(r["media_id"], r["date"]): r for r in lake.rows("gold.fact_media_daily")}
    assert after[(media, day)] == before[(media, day)]
    if whole:
        told = lake.sql("SELECT * FROM ops.reconciliation WHERE verdict = 'broken' AND blocking")
        assert [(r["media_id"], r["date"], r["theirs"]) for r in told] == [(media, day, 99_999)]
    cured = lake.run_day(again + timedelta(hours=1), start=day, end=day, media=(media,), trigger="backfill")
    assert cured.status == "succeeded"
    plays = {(r["media_id"], r["date"]): r["plays"] for r in lake.rows("gold.fact_media_daily")}
    assert plays[(media, day)] < 99_999


def test_a_landing_with_fewer_rows_than_it_promises_stops_its_day_alone(lake: Lake) -> None:
    class Short(LocalObjects):
        def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
            if key.endswith("manifest.json") and "events/" in key:
                manifest = bronze.decode_manifest(data)
                if manifest.rows and not hasattr(self, "short"):
                    self.short = manifest
                    more = tuple(replace(p, rows=p.rows + 1) for p in manifest.parts)
                    data = bronze.encode_manifest(replace(manifest, rows=manifest.rows + 1, parts=more))
            super().put(key, data, if_absent=if_absent)

    short = Short(lake.folder)
    with pytest.raises(RunFailed, match="promises") as failed:
        lake.run_day(SCENARIO.starts, around=lambda p: replace(p, objects=short))
    assert len(failed.value.result.errors) == 1
    days = {(r["media_id"], r["event_date"]) for r in lake.rows("silver.fact_events")}
    assert days
    assert (short.short.media_id, short.short.day) not in days


def test_every_check_of_a_run_is_kept(lake: Lake) -> None:
    (result,) = lake.run_days(1)
    found = lake.rows("ops.quality_results")
    assert {r["run_id"] for r in found} == {"run-0001"}
    names = {"unique_keys", "not_null", "in_range", "allowed_values", "row_rules", "references", "freshness"}
    assert {r["check_name"] for r in found} == names | {"volume", "readable_rows"}
    assert {r["effect"] for r in found} == {"stop", "quarantine", "warn"}
    assert not [r for r in found if r["verdict"] == "broken"]
    assert result.checks["holds"] == sum(r["verdict"] == "holds" for r in found) > 30
    counted = {r["scope"]: r["checked"] for r in found if r["check_name"] == "unique_keys"}
    assert counted["silver.fact_events"] == len(lake.rows("silver.fact_events"))


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
