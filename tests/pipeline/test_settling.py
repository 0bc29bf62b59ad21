"""When a day has come to rest, what becomes of one that has not, and of one that moves afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import model, tampering
from support.lake import START, Lake, Scenario
from support.model import ModelLake
from support.tampering import Tampering
from wistia_simulator import Profile, ServerOptions, create_app, transport
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run.driver import RunFailed
from wistlake_soak.dying import Dying

CALM = replace(Profile.calm(), media=1, sessions_per_day=6.0, history_days=16)
DAY = timedelta(days=1)


def moment(day: int) -> datetime:
    """When the run of the n-th day is due."""
    return START + day * DAY


def tampered(lake: Lake, change: tampering.Change) -> None:
    """Let the lake's source pass through `change`."""
    app = create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake._source = Tampering(transport(app), change)


def counts(lake: Lake, change: Callable[[str, date], int]) -> tampering.Change:
    """Wistia's plays of a media's day, and its loads, with so many more."""

    def changed(request: httpx2.Request, body: Any) -> Any:
        if not request.url.path.endswith("/by_date"):
            return body
        media = request.url.path.split("/")[-2]
        for row in body:
            more = change(media, date.fromisoformat(row["date"]))
            row.update(load_count=row["load_count"] + more, play_count=row["play_count"] + more)
        return body

    return changed


@pytest.fixture
def without_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLake:
    """A lake of one quiet media, whose tables need no engine."""
    monkeypatch.setattr(build_step, "build_tables", model.build)
    return ModelLake(tmp_path / "lake", Scenario(CALM, settings={"lookback_days": 2}))


def certificate(lake: ModelLake, day: date) -> str:
    (gold,) = lake.ledger.intervals("gold", lake.lake.world.media_ids[0], day, day)
    return gold.reason


def test_a_day_that_moved_when_it_was_last_read_is_read_until_it_rests(without_an_engine: ModelLake) -> None:
    """Its sessions are read as 0.2, 0.2 and, at the end of the lookback, 0.3; the source goes on to 0.7."""
    lake, world = without_an_engine, without_an_engine.lake.world
    shares = [0.2, 0.2, 0.3, 0.5, 0.7, 0.7, 0.7, 0.7]
    at_rest = 5  # the second reading of 0.7
    settles = 7  # the end of the lookback that its late moves have taught
    utc_day = START.date() - DAY
    local_day = utc_day - DAY  # the older one of the two that it touches, which is published first

    def growing(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        share = shares[(world.clock.now().date() - START.date()).days]
        return [
            row | {"percent_viewed": share} if row["received_at"].startswith(str(utc_day)) else row
            for row in page
        ]

    tampered(lake.lake, tampering.events(growing))
    for n, share in enumerate(shares):
        lake.run(moment(n), Dying())
        rows = lake.tables.states[model.EVENTS][-1].values()
        assert {r["share"] for r in rows if r["day"] == utc_day} == {share}
        assert certificate(lake, local_day) == ("certified" if n >= settles else "provisional"), n
    asked = [i for i in lake.ledger.intervals("events") if i.day == utc_day]
    assert [i.run_id for i in asked] == [f"run-{at_rest + 1:04d}"]  # nobody has asked since


def test_a_day_settles_although_its_hours_are_restated_at_every_reading(without_an_engine: ModelLake) -> None:
    lake, seen = without_an_engine, set()
    day = START.date() - 2 * DAY
    for n in range(5):
        lake.run(moment(n), Dying())
        (counted,) = lake.ledger.intervals("media_by_date", lake.lake.world.media_ids[0], day, day)
        seen.add(counted.content_hash)
    assert len(seen) == 3  # as often as it was read
    assert counted.confirmations == 2
    assert certificate(lake, day) == "certified"


def test_a_day_that_was_first_read_long_after_it_was_over_needs_a_second_reading(
    without_an_engine: ModelLake,
) -> None:
    lake, old = without_an_engine, START.date() - 9 * DAY
    lake.run(moment(0), Dying(), start=old, end=old, trigger="backfill")
    assert certificate(lake, old) == "provisional"
    lake.run(moment(1), Dying())
    assert certificate(lake, old) == "certified"


@pytest.fixture
def settled(tmp_path: Path) -> Lake:
    """A lake whose old days have settled: each was read twice."""
    settings = {"lookback_days": 1, "start_date": (START - 12 * DAY).date()}
    lake = Lake(tmp_path / "lake", Scenario(CALM, settings=settings))
    lake.run_days(2)
    return lake


def by_day(lake: Lake, column: str) -> dict[date, Any]:
    return {r["date"]: r[column] for r in lake.rows("gold.fact_media_daily")}


@pytest.mark.engine
def test_a_settled_day_that_moves_is_found_recorded_and_settles_anew(settled: Lake) -> None:
    lake, old = settled, (START - 5 * DAY).date()
    before = by_day(lake, "certificate")
    assert {c for day, c in before.items() if day < old} == {"certified"}
    tampered(lake, counts(lake, lambda _, day: 2 * (day < old)))
    result = lake.run_day(moment(2))
    verdicts = {
        r["date"]: r["verdict"]
        for r in lake.rows("ops.reconciliation")
        if r["identity"] == "settled_counts_stay" and r["verdict"] != "not_applicable"
    }
    moved = {day for day, verdict in verdicts.items() if verdict == "broken"}
    assert len(verdicts) == 3  # a sample, not all of them
    assert moved == {day for day in verdicts if day < old} != set()
    after = by_day(lake, "certificate")
    assert {day for day in before if day < old and after[day] != before[day]} == moved
    observed = lake.sql(
        "SELECT date, max(play_count) - min(play_count) AS moved FROM silver.media_by_date_observations"
        " GROUP BY date"
    )
    assert {r["date"] for r in observed if r["moved"] == 2 and r["date"] < old} == moved
    noted = lake.sql("SELECT day FROM ops.intervals WHERE dataset = 'media_by_date' AND day < "
                     f"DATE '{old}' AND moved_at IS NOT NULL")  # fmt: skip
    assert {r["day"] for r in noted} == moved
    told = [w for w in result.warnings if "settled" in w]
    assert len(told) == 1 + len(moved)
    assert f"{lake.world.media_ids[0]} {min(moved)}" in " ".join(told)

    lake.run_day(moment(3))
    learned = [i.day for i in lake.ledger.intervals("media_by_date") if i.run_id == "run-0004"]
    assert set(learned) >= {min(moved) + n * DAY for n in range((START.date() - min(moved)).days)}
    again = by_day(lake, "certificate")
    assert {again[day] for day in moved if day < min(learned)} <= {"certified"}
    assert lake.changed_by_rebuild(moment(3)) == []


@pytest.mark.engine
def test_a_settled_day_that_stays_is_proved_by_a_second_look(settled: Lake) -> None:
    settled.run_day(moment(2))
    kept = [r for r in settled.rows("ops.reconciliation") if r["identity"] == "settled_counts_stay"]
    assert [r["verdict"] for r in kept if r["verdict"] != "not_applicable"] == ["holds"] * 3
    certificates = by_day(settled, "certificate")
    assert {certificates[r["date"]] for r in kept if r["verdict"] == "holds"} == {"certified"}


@pytest.mark.engine
def test_a_media_that_is_always_played_far_more_than_listed_fails_one_run_and_no_other(
    tmp_path: Path,
) -> None:
    """Its plays are in podcast apps, and they keep moving: no two readings of a day are equal."""
    profile = replace(CALM, media=2)
    lake = Lake(tmp_path / "lake", Scenario(profile, settings={"lookback_days": 1}))
    podcast, usual = lake.world.media_ids

    def plays(media: str, day: date) -> int:
        reading = (lake.world.clock.now().date() - day).days
        return (480 + 9 * reading) * (media == podcast)

    tampered(lake, counts(lake, plays))
    with pytest.raises(RunFailed, match="plausible_plays"):
        lake.run_day(moment(0))
    assert {r["media_id"] for r in lake.rows("gold.fact_media_daily")} == {usual}
    for n in (1, 2):
        assert lake.run_day(moment(n)).status == "succeeded", n
    published = lake.rows("gold.fact_media_daily")
    rows = [r for r in published if r["media_id"] == podcast]
    assert [r["date"] for r in rows if r["date"] >= START.date()] != []
    assert {r["date"] for r in rows} == {r["date"] for r in published if r["media_id"] == usual}
    assert all(r["plays"] > 480 > 40 * r["sessions"] for r in rows)
