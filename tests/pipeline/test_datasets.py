"""Optional datasets, backfills, and media that come and go."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from support import truth
from support.compare import differences
from support.lake import START, Lake, Scenario, at
from wistia_simulator import MediaChange, Profile, World
from wistlake.contracts import SOURCES, table
from wistlake.planning.plan import gaps
from wistlake.wiring import laptop

pytestmark = pytest.mark.engine
PROFILE = replace(Profile.hostile(), media=3, sessions_per_day=10.0, history_days=12, returning_share=0.3)
ALL = tuple(s.name for s in SOURCES)


def scenario(**settings: object) -> Scenario:
    """A lake with a short lookback."""
    return Scenario(PROFILE, settings={"lookback_days": 2, **settings})


def test_visitors_are_the_accounts_whatever_media_are_followed(tmp_path: Path) -> None:
    ids = World(7, PROFILE, START).media_ids
    found = []
    for name, media in (("all", ("all",)), ("one", ids[:1])):
        lake = Lake(tmp_path / name, replace(scenario(datasets=ALL), media=media))
        lake.run_day(START)
        found.append(lake.rows("silver.visitors"))
    assert differences(table("silver.visitors"), *found) == []
    assert len(found[0]) == len(lake.world.truth.visitors())


def test_visitors_enrich_whom_we_know_also_when_no_session_moves(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", scenario())
    lake.run_day(START)
    assert {r["account_load_count"] for r in lake.rows("gold.dim_visitor")} == {None}
    lake.run_day(START + timedelta(minutes=1), datasets=("visitors",))
    loads = {r["visitor_id"]: r["load_count"] for r in lake.rows("silver.visitors")}
    known = lake.rows("gold.dim_visitor")
    assert known
    assert {r["visitor_id"]: r["account_load_count"] for r in known} == {
        r["visitor_id"]: loads[r["visitor_id"]] for r in known
    }


def test_without_analytics_a_run_succeeds_and_says_so(tmp_path: Path) -> None:
    profile = replace(PROFILE, analytics=False)
    lake = Lake(tmp_path / "lake", replace(scenario(datasets=ALL), profile=profile))
    result = lake.run_day(START)
    assert result.status == "succeeded"
    assert "analytics_daily" in result.unavailable
    assert lake.rows("silver.media_analytics_by_date") == []
    assert {r["play_rate_analytics"] for r in lake.rows("gold.fact_media_daily")} == {None}


def test_analytics_reach_gold_beside_the_estimate(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", scenario(datasets=ALL))
    lake.run_day(START)
    rates = {(r["media_id"], r["date"]): r["play_rate"] for r in lake.rows("silver.media_analytics_by_date")}
    rows = lake.rows("gold.fact_media_daily")
    assert {(r["media_id"], r["date"]): r["play_rate_analytics"] for r in rows} == {
        (r["media_id"], r["date"]): rates[r["media_id"], r["date"]] for r in rows
    }
    assert [r for r in rows if r["play_rate_analytics"] is not None]


def test_a_backfill_fills_older_days_and_disturbs_no_watermark(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", scenario())
    lake.run_day(START)
    marks = {(w.dataset, w.media_id): w.last_date for w in lake.ledger.watermarks()}
    recent = lake.rows("gold.fact_media_daily")
    first, last = START.date() - timedelta(days=9), START.date() - timedelta(days=7)
    lake.run_day(START + timedelta(hours=1), start=first, end=last, trigger="backfill")
    assert {(w.dataset, w.media_id): w.last_date for w in lake.ledger.watermarks()} == marks
    now = lake.rows("gold.fact_media_daily")
    assert differences(table("gold.fact_media_daily"), recent, [r for r in now if r["date"] > last]) == []
    assert {r["date"] for r in now if r["date"] <= last} == {first, first + timedelta(days=1)}
    for name, rows in truth.expected(lake).items():
        assert differences(table(name), rows, lake.rows(name)) == [], name


def test_media_that_leave_and_join_under_all(tmp_path: Path) -> None:
    """One is deleted, one is added: nothing is missing afterwards, and what was known stays."""
    changes = (
        MediaChange(1, at(date(2026, 3, 2), 12), "delete"),
        MediaChange(3, at(date(2026, 3, 2), 12), "add", "Newcomer"),
    )
    lake = Lake(tmp_path / "lake", replace(scenario(), profile=replace(PROFILE, changes=changes)))
    lake.run_days(4)
    gone, new = lake.world.media_ids[1], lake.world.media_ids[3]
    entries = {m.media_id: m for m in lake.ledger.media()}
    assert entries[gone].retired_at == START + timedelta(days=1)
    assert entries[new].retired_at is None
    deleted = {r["media_id"] for r in lake.rows("silver.dim_media") if r["is_deleted"]}
    assert deleted == {gone}
    window = laptop.window(lake.settings(), lake.world.now())
    assert gaps(SOURCES, lake.ledger.media(), lake.ledger.intervals(), window) == ()
    for name, rows in truth.expected(lake).items():
        assert differences(table(name), rows, lake.rows(name)) == [], name


def test_a_media_that_returns_is_followed_again(tmp_path: Path) -> None:
    """A tag was taken away for a day."""
    changes = (
        MediaChange(0, at(date(2026, 3, 1), 12), "retag", ("lesson",)),
        MediaChange(1, at(date(2026, 3, 1), 12), "retag", ("lesson",)),
        MediaChange(1, at(date(2026, 3, 2), 12), "retag", ()),
        MediaChange(1, at(date(2026, 3, 3), 12), "retag", ("lesson",)),
    )
    lake = Lake(
        tmp_path / "lake", replace(scenario(media_tag="lesson"), profile=replace(PROFILE, changes=changes))
    )
    followed = []
    for day in range(3):
        lake.run_day(START + timedelta(days=day))
        followed.append({m.media_id for m in lake.ledger.media() if m.retired_at is None})
    one, two = lake.world.media_ids[:2]
    assert followed == [{one, two}, {one}, {one, two}]
    assert not [r for r in lake.rows("silver.dim_media") if r["is_deleted"]]
