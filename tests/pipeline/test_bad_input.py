"""Input that is wrong in every way it was ever wrong: what a run makes of it, from the source to the tables."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from support import tampering, truth
from support.compare import differences
from support.lake import START, Lake, Scenario, at
from support.tampering import Tampering
from wistia_simulator import MediaChange, Profile, ServerOptions, World, create_app, transport
from wistlake.adapters.local_objects import LocalObjects
from wistlake.contracts import table
from wistlake.errors import ConfigError, SourceRefused, StoreError
from wistlake.pipeline.daily import RunFailed

CALM = replace(Profile.calm(), media=1, sessions_per_day=8.0, history_days=3)
SCENARIO = Scenario(CALM, settings={"lookback_days": 1})
TOMORROW = START + timedelta(days=1)


def tampered(folder: Path, change: tampering.Change, scenario: Scenario = SCENARIO) -> Lake:
    """A lake whose source is changed on the way."""
    lake = Lake(folder, scenario)
    app = create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake._source = Tampering(transport(app), change)
    return lake


def first_spoilt(change: dict[str, Any]) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """The first event of each page, changed."""
    return lambda page: [page[0] | change, *page[1:]] if page else page


def kept(lake: Lake) -> int:
    """Rows of fact_events."""
    return len(lake.rows("silver.fact_events"))


@pytest.mark.engine
class TestRecords:
    """A bad record is put aside by name, and the good ones are published."""

    def test_bad_records_are_quarantined_and_counted(self, tmp_path: Path) -> None:
        lake = tampered(tmp_path / "lake", tampering.events(first_spoilt({"percent_viewed": 1.5})))
        result = lake.run_day(START)
        refused = lake.rows("silver.quarantine")
        assert {r["reason"] for r in refused} == {"bad_percent_viewed"}
        assert len(refused) == 2
        assert sum(line["quarantined"] for line in result.intervals) == 2
        assert kept(lake) + len(refused) == sum(
            r["rows"] for r in result.intervals if r["dataset"] == "events"
        )
        assert result.status == "succeeded"

    def test_a_record_that_is_mended_leaves_quarantine(self, tmp_path: Path) -> None:
        spoilt = [first_spoilt({"received_at": "yesterday"})]

        def latest(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return spoilt[-1](page)

        lake = tampered(tmp_path / "lake", tampering.events(latest))
        lake.run_day(START)
        before = kept(lake)
        spoilt.append(first_spoilt({}))
        lake.run_day(START + timedelta(hours=1))
        assert lake.rows("silver.quarantine") == []
        assert kept(lake) == before + 2

    def test_an_unknown_field_is_told_once_and_kept_out(self, tmp_path: Path) -> None:
        lake = tampered(
            tmp_path / "lake", tampering.events(lambda page: [r | {"mood": "good"} for r in page])
        )
        assert lake.run_day(START).drift == {"events": ["mood"]}
        assert lake.run_day(TOMORROW).drift == {}
        assert "mood" not in lake.rows("silver.fact_events")[0]

    def test_duplicates_in_a_page_and_across_days_are_one_row(self, tmp_path: Path) -> None:
        """The same key on two days belongs to the later observation."""
        lake = tampered(tmp_path / "lake", tampering.events(lambda page: [*page, *page[:3]]))
        lake.run_day(START)
        keys = [r["event_key"] for r in lake.rows("silver.fact_events")]
        first, last = START.date() - timedelta(days=2), START.date() - timedelta(days=1)
        assert sorted(keys) == sorted(x.event_key for x in lake.world.truth.sessions(start=first, end=last))

    def test_a_line_that_was_damaged_on_disk_stops_its_day_only(self, tmp_path: Path) -> None:
        """Nothing is built from a landing that is not what its manifest promised; the other days are."""
        lake = Lake(tmp_path / "lake", SCENARIO)

        def spoil(parts):
            return replace(parts, objects=Spoiling(lake.folder))

        with pytest.raises(RunFailed, match="does not match its manifest"):
            lake.run_day(START, around=spoil)
        rows = lake.rows("silver.fact_events")
        assert {r["event_date"] for r in rows} == {START.date() - timedelta(days=1)}
        lake.run_day(START + timedelta(hours=1))
        assert {r["event_date"].day for r in lake.rows("silver.fact_events")} == {1, 28}


class Spoiling(LocalObjects):
    """A disk that turns a bit of the oldest day's events."""

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        super().put(key, data, if_absent=if_absent)
        if "events/dt=2026-02-28" in key and "part-" in key:
            super().put(key, data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.engine
class TestMedia:
    """Media that are deleted, or never were."""

    def test_deleted_between_two_requests(self, tmp_path: Path) -> None:
        """Nothing of what is known is removed because the source answers 404."""
        profile = replace(CALM, media=2, changes=(MediaChange(1, at(date(2026, 3, 2), 12), "delete"),))
        lake = Lake(
            tmp_path / "lake", replace(SCENARIO, profile=profile, media=World(7, profile, START).media_ids)
        )
        lake.run_day(START)
        before = {r["event_key"] for r in lake.rows("silver.fact_events")}
        result = lake.run_day(TOMORROW)
        assert result.status == "succeeded"
        rows = lake.rows("silver.fact_events")
        assert before <= {r["event_key"] for r in rows if r["removed_at"] is None}
        gone = lake.world.media_ids[1]
        assert {r["media_id"]: r["is_deleted"] for r in lake.rows("silver.dim_media")}[gone] is True

    def test_an_id_that_nobody_knows_is_said_and_leaves_no_row(self, tmp_path: Path) -> None:
        known = World(7, CALM, START).media_ids[0]
        lake = Lake(tmp_path / "lake", replace(SCENARIO, media=(known, "nosuchid99")))
        result = lake.run_day(START)
        assert "nosuchid99" in result.unavailable["media_metadata"]
        assert [r["media_id"] for r in lake.rows("silver.dim_media")] == [known]
        assert {r["media_id"] for r in lake.rows("gold.fact_media_daily")} == {known}


@pytest.mark.engine
class TestTime:
    """Clocks and dates that can't be."""

    def test_a_clock_that_jumps_back_takes_nothing_back(self, tmp_path: Path) -> None:
        """An older observation never replaces a newer one, and no watermark goes back."""
        profile = replace(Profile.hostile(), media=1, sessions_per_day=15.0, history_days=5, growing=1.0)
        lake = Lake(tmp_path / "lake", replace(SCENARIO, profile=profile))
        lake.run_day(START)
        lake.run_day(TOMORROW)
        rows, marks = lake.rows("silver.fact_events"), lake.ledger.watermarks()
        lake.run_day(START + timedelta(hours=5))
        assert differences(table("silver.fact_events"), rows, lake.rows("silver.fact_events")) == []
        assert [(w.dataset, w.last_date) for w in lake.ledger.watermarks()] == [
            (w.dataset, w.last_date) for w in marks
        ]
        lake.run_day(TOMORROW + timedelta(days=1))
        for name in ("silver.fact_events", "gold.fact_media_daily"):
            assert differences(table(name), truth.expected(lake)[name], lake.rows(name)) == []

    def test_reversed_and_future_dates_are_refused(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        with pytest.raises(ConfigError, match="after --to"):
            lake.run_day(START, start=date(2026, 3, 1), end=date(2026, 2, 1))
        with pytest.raises(ConfigError, match="future"):
            lake.run_day(START, start=date(2026, 4, 1))

    def test_days_beyond_the_horizon_are_not_asked_for(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        lake.run_day(START, start=date(2024, 2, 27), end=date(2024, 3, 4), trigger="backfill")
        days = {i.day for i in lake.ledger.intervals("events")}
        assert min(days) == START.date() - timedelta(days=731)


class TestSettingsAndLake:
    """What is wrong before anything is asked."""

    def test_no_media(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="MEDIA_IDS is empty"):
            Lake(tmp_path / "lake", replace(SCENARIO, media=())).run_day(START)

    def test_no_token(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="WISTIA_API_TOKEN is not set"):
            Lake(tmp_path / "lake", SCENARIO).run_day(START, changes={"token": None})

    def test_a_wrong_token(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        with pytest.raises(SourceRefused, match="token") as caught:
            lake.run_day(START, changes={"token": "somebody-elses"})
        assert "somebody-elses" not in str(caught.value)
        assert lake.ledger.runs(1)[0].status == "failed"

    @pytest.mark.parametrize(
        ("change", "cure"),
        [
            ({"layout": 999}, "upgrade"),
            ({"path": "/elsewhere"}, "move it back"),
            ({"zone": "UTC"}, "rebuild"),
        ],
    )
    def test_a_lake_that_is_another(self, tmp_path: Path, change: dict[str, Any], cure: str) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        lake.parts(lake.settings())
        marker = lake.folder / "lake.json"
        marker.write_text(json.dumps(json.loads(marker.read_text()) | change))
        with pytest.raises(ConfigError, match=cure):
            lake.run_day(START)

    def test_a_folder_that_nobody_can_write_to(self) -> None:
        with pytest.raises(StoreError, match="cannot make the lake"):
            Lake(Path("/proc/wistlake"), SCENARIO)

    def test_a_path_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "lake").write_text("")
        with pytest.raises(StoreError, match="cannot make the lake"):
            Lake(tmp_path / "lake", SCENARIO)


@pytest.mark.engine
def test_a_full_disk_fails_the_run_and_the_next_one_cures_it(tmp_path: Path) -> None:
    class Full(LocalObjects):
        def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
            if "/events/" in key:
                raise StoreError(f"cannot write {key}: No space left on device")
            super().put(key, data, if_absent=if_absent)

    lake = Lake(tmp_path / "lake", SCENARIO)
    with pytest.raises(RunFailed, match="No space left"):
        lake.run_day(START, around=lambda parts: replace(parts, objects=Full(lake.folder)))
    assert lake.ledger.runs(1)[0].status == "failed"
    assert lake.rows("silver.fact_events") == []
    assert lake.run_day(START + timedelta(minutes=1)).status == "succeeded"
    assert kept(lake) == len(truth.expected(lake)["silver.fact_events"]) > 0
