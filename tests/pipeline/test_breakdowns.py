"""Breakdowns of Wistia's analytics: what they cost, what comes of them, and accounts that have none."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from support.compare import differences
from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.contracts import SOURCES, table
from wistlake.contracts.breakdowns import SOURCES as BREAKDOWNS
from wistlake.pipeline.run.handover import Handover, begin
from wistlake.pipeline.run.ingest import ingest
from wistlake.pipeline.run.select import select
from wistlake.planning.optional import FACTS
from wistlake_soak.details import KEYS

pytestmark = pytest.mark.engine
NAMES = tuple(s.name for s in BREAKDOWNS)
PROFILE = replace(
    Profile.hostile(), media=3, sessions_per_day=9.0, history_days=9, lead_share=0.3
)  # the third is never played
DEFAULT = tuple(s.name for s in SOURCES if not s.optional)
DIMENSIONS = sum(len(s.dimensions) for s in BREAKDOWNS)


class Counting(httpx2.AsyncBaseTransport):
    """The simulator, counting what its analytics are asked for: (route, media, day, dimension)."""

    def __init__(self, lake: Lake, **options: bool) -> None:
        served = ServerOptions(token="simulated", rate_limit_per_minute=None, **options)
        self.inner = transport(create_app(lake.world, served))
        self.asked: Counter[tuple[str, ...]] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if "/analytics/" in request.url.path:
            *_, media, route = request.url.path.split("/")
            asked = request.url.params
            self.asked[route, media, asked["start_date"], asked.get("group_by", "")] += 1
        return await self.inner.handle_async_request(request)


def lake_of(
    folder: Path, seed: int = 7, datasets: tuple[str, ...] = (*DEFAULT, *NAMES), **options: bool
) -> Lake:
    lake = Lake(folder, Scenario(PROFILE, seed, settings={"lookback_days": 2, "datasets": datasets}))
    lake._source = Counting(lake, **options)
    return lake


def asked(lake: Lake) -> Counter[tuple[str, ...]]:
    assert isinstance(lake._source, Counting)
    return lake._source.asked


def played(lake: Lake) -> set[tuple[str, str]]:
    rows = lake.sql("SELECT media_id, date FROM silver.fact_media_by_date WHERE play_count > 0")
    return {(r["media_id"], r["date"].isoformat()) for r in rows}


def test_each_day_with_plays_is_asked_for_once_by_each_dimension(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake")
    for day in range(3):
        before = asked(lake).copy()
        assert lake.run_day(START + timedelta(days=day)).status == "succeeded"
        news = asked(lake) - before
        days = {(media, start) for _, media, start, _ in some(news)}
        assert days <= played(lake)
        assert len(days) <= 2 * (3 if day == 0 else 1), "the lookback, then a day each"
        assert news.total() == len(days) * DIMENSIONS
        lake.run_day(START + timedelta(days=day, minutes=30))
        assert asked(lake) == before + news, "once is enough"


def test_what_is_off_is_not_asked_for(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", datasets=DEFAULT)
    lake.run_day(START)
    assert asked(lake) == {}
    assert lake.rows("gold.traffic_daily") == []


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_value_is_the_simulators(seed: int, tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", seed, (*DEFAULT, "analytics_daily", *NAMES, "conversions"))
    lake.run_days(2)
    truth = lake.truth().tables()
    assert truth.keys() >= KEYS.keys()
    for name, rows in truth.items():
        assert differences(table(name), some(rows), lake.rows(name)) == [], name
    rates = [r["play_rate_analytics"] for r in truth["gold.fact_media_daily"]]
    assert any(rate is not None for rate in rates)
    verdicts = lake.sql("SELECT verdict FROM ops.reconciliation WHERE identity = 'traffic_and_plays'")
    assert {r["verdict"] for r in verdicts} == {"holds"}
    if seed == 1:
        assert lake.changed_by_rebuild(START + timedelta(days=1)) == []


def read(lake: Lake, day: int) -> Handover:
    """A run up to its landings."""
    now = START + timedelta(days=day)
    lake.world.clock.set(now)
    settings = lake.settings()
    deps, spec = lake.parts(settings), lake.run_spec(now, settings)

    async def steps() -> Handover:
        return await ingest(deps, await select(deps, begin(spec, now)))

    return asyncio.run(steps())


def test_a_plan_without_them_is_green_asked_once_and_told_once_a_week(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", plan_allows_analytics=False)
    told = []
    for day in range(9):
        before = asked(lake).total()
        handover = read(lake, day)
        assert not handover.errors
        told.append((sorted(handover.fetched.unavailable), asked(lake).total() - before))
        assert all("not in your plan" in said for said in handover.fetched.unavailable.values())
    assert told == [(sorted(NAMES), 3), *[([], 0)] * 6, (sorted(NAMES), 3), ([], 0)]
    lake._source = Counting(lake)
    assert not read(lake, 14).fetched.unavailable
    assert asked(lake)
    assert lake.ledger.facts(FACTS) == {}


def test_a_list_of_many_media_is_not_asked_for_them(tmp_path: Path) -> None:
    """Unless they are named."""
    many = replace(PROFILE, media=201, sessions_per_day=0.5, history_days=3)
    for media, is_asked in ((("all",), False), (World(7, many, START).media_ids, True)):
        lake = Lake(
            tmp_path / str(is_asked),
            Scenario(many, media=media, settings={"datasets": ("media_by_date", *NAMES)}),
        )
        lake._source = Counting(lake)
        read(lake, 0)
        assert bool(asked(lake)) is is_asked
