"""Optional datasets, backfills, upkeep, columns to come, and media that come and go."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest

from support.compare import differences
from support.evolution import gained
from support.lake import START, Lake, Scenario, at
from support.some import some
from support.tampering import Tampering
from wistia_simulator import MediaChange, Profile, ServerOptions, World, create_app, transport
from wistlake.adapters.local.history import LocalUpkeep
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import SOURCES, fact_media_by_date, table
from wistlake.contracts.form import Column, Privacy, Type
from wistlake.pipeline.jobs.maintain import maintain
from wistlake.planning.calendar import days
from wistlake.planning.plan import gaps
from wistlake.wiring import spec

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
    # Stamped as described here; the other tests that read analytics have the stamp that was observed.
    profile = replace(PROFILE, timeseries_stamp="described")
    lake = Lake(tmp_path / "lake", replace(scenario(datasets=ALL), profile=profile))
    lake.run_day(START)
    served = lake.rows("silver.media_analytics_by_date")
    rates = {(r["media_id"], r["date"]): r["play_rate"] for r in served}
    figures, epoch = lake.world.figures, date(1970, 1, 1)
    for row in some(served):
        index = lake.world.media_ids.index(row["media_id"])
        real = figures.real_day(index, (row["date"] - epoch).days, int(START.timestamp()))
        assert (row["plays"], row["played_seconds"]) == ((real.plays, real.seconds) if real else (None, None))
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
    assert {r["date"] for r in now if r["date"] <= last} == {*days(first, last)}  # the last one too
    for name, rows in lake.truth().tables().items():
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
    window = spec.window(lake.settings(), lake.world.now())
    assert gaps(SOURCES, lake.ledger.media(), lake.ledger.intervals(), window) == ()
    for name, rows in lake.truth().tables().items():
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
    assert not [r for r in some(lake.rows("silver.dim_media")) if r["is_deleted"]]


def test_an_archived_media_is_kept_and_marked(tmp_path: Path) -> None:
    changes = (MediaChange(1, at(date(2026, 3, 2), 12), "archive"),)
    lake = Lake(tmp_path / "lake", replace(scenario(), profile=replace(PROFILE, changes=changes)))
    lake.run_days(2)
    archived = lake.world.media_ids[1]
    assert {r["media_id"] for r in lake.rows("silver.dim_media") if r["archived"]} == {archived}
    versions = [r["archived"] for r in lake.rows("silver.dim_media_history") if r["media_id"] == archived]
    assert sorted(versions) == [False, True]
    assert archived in {m.media_id for m in lake.ledger.media() if m.retired_at is None}
    for name, rows in lake.truth().tables().items():
        assert differences(table(name), rows, lake.rows(name)) == [], name


@pytest.mark.parametrize(("kind", "followed"), [("Image", False), ("PdfDocument", False), ("Audio", True)])
def test_what_can_be_played_is_followed_and_nothing_else(tmp_path: Path, kind: str, followed: bool) -> None:
    lake = Lake(tmp_path / "lake", scenario())
    other = lake.world.media_ids[1]

    def change(request: httpx2.Request, body: Any) -> Any:
        media = body if isinstance(body, list) else [body]
        for one in media:
            if "/medias" in request.url.path and one.get("hashed_id") == other:
                one["type"] = kind
        return body

    app = create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake._source = Tampering(transport(app), change)
    assert lake.run_day(START).status == "succeeded"
    expected = set(lake.world.media_ids[:3]) - (set() if followed else {other})
    assert {m.media_id for m in lake.ledger.media()} == expected
    assert {r["media_id"] for r in lake.rows("silver.dim_media")} == expected
    assert {r["media_id"] for r in lake.rows("gold.fact_media_daily")} == expected


def test_a_new_column_reaches_tables_that_are_there(tmp_path: Path) -> None:
    column = Column("landing_dt", Type.DATE, Privacy.NONE, "The day that was asked for.")
    lake = Lake(tmp_path / "lake", scenario())
    for day in range(4):  # what is read alike on two days is not asked for again
        begun = START + timedelta(days=day)
        lake.run_day(begun, start=START.date() - timedelta(days=5), end=START.date() - timedelta(days=1))
    with gained(fact_media_by_date.TABLE, column):
        lake.run_day(START + timedelta(days=4))
        after = lake.rows("silver.fact_media_by_date")
    rebuilt = {r["date"]: r["landing_dt"] for r in after if r["landing_dt"]}
    assert rebuilt, "rows that the second run built have it"
    assert all(day == said for day, said in rebuilt.items())
    old = [r for r in after if r["date"] <= START.date() - timedelta(days=5)]
    assert old, "older rows keep their place, without it"
    assert {r["landing_dt"] for r in old} == {None}


def test_maintain_while_a_reader_asks_breaks_nothing(tmp_path: Path) -> None:
    """The reader follows the publication of the day before; what is older is let go meanwhile."""
    lake = Lake(tmp_path / "lake", scenario())
    lake.run_days(3)
    yesterday = lake.reader(START + timedelta(days=1))
    wanted, today = yesterday.sql(_ASKED).to_pylist(), lake.sql(_ASKED)
    stop = Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set() or not asked:
            fresh = lake.reader(START + timedelta(days=1))
            assert fresh.sql(_ASKED).to_pylist() == wanted
            assert yesterday.sql(_ASKED).to_pylist() == wanted
            asked += 1
        return asked

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        done = maintain(
            SqliteLedger(LakeFolder(lake.folder).ledger),
            LocalObjects(lake.folder),
            LocalUpkeep(lake.folder),
            run_id="upkeep",
            now=START + timedelta(days=2, hours=1),
            retention_days=30,
        )
        stop.set()
        assert asking.result(120) > 0
    assert done.snapshots_expired > 0
    assert yesterday.sql(_ASKED).to_pylist() == wanted
    assert Lake(lake.folder, lake.scenario).sql(_ASKED) == today


_ASKED = """
    SELECT e.media_id, count(*) AS sessions, sum(d.plays) AS plays FROM silver.fact_events e
    JOIN gold.fact_media_daily d ON d.media_id = e.media_id AND d.date = e.event_date_local
    GROUP BY ALL ORDER BY ALL
"""
