"""Breakdowns of Wistia's analytics: what they cost, what comes of them, and accounts that have none."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.compare import differences
from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.contracts import SOURCES, table
from wistlake.contracts.breakdowns import SOURCES as BREAKDOWNS
from wistlake.pipeline.run.handover import Handover, begin
from wistlake.pipeline.run.ingest import ingest
from wistlake.pipeline.run.select import select
from wistlake.planning import optional
from wistlake.planning.optional import FACTS
from wistlake.quality.scope import Scope
from wistlake_dashboard.blocks import Table
from wistlake_dashboard.reader import Reader, extent
from wistlake_dashboard.sections import Section, analytics, view
from wistlake_soak.details import KEYS

pytestmark = pytest.mark.engine
NAMES = tuple(s.name for s in BREAKDOWNS)
PROFILE = replace(
    Profile.hostile(), media=3, sessions_per_day=9.0, history_days=9, lead_share=0.3
)  # the third is never played
DEFAULT = tuple(s.name for s in SOURCES if not s.optional)
DIMENSIONS = sum(len(s.dimensions) for s in BREAKDOWNS if s.most_days == 1)  # each a request a day


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
        pages = {media for route, media, _, _ in some(news) if route == "embed_locations_timeseries"}
        days = {(media, start) for route, media, start, _ in news if route in ("traffic", "languages")}
        assert days <= played(lake)
        assert pages == {media for media, _ in days}, "one request for all days of a media"
        assert len(days) <= 2 * (3 if day == 0 else 1), "the lookback, then a day each"
        assert news.total() == len(days) * DIMENSIONS + len(pages)
        lake.run_day(START + timedelta(days=day, minutes=30))
        assert asked(lake) == before + news, "once is enough"


def test_what_is_off_is_not_asked_for(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", datasets=DEFAULT)
    lake.run_day(START)
    assert asked(lake) == {}
    assert lake.rows("gold.traffic_daily") == []


@pytest.fixture(scope="module", params=range(1, 6))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two days of every optional dataset of a media."""
    folder = tmp_path_factory.mktemp("whole") / "lake"
    lake = lake_of(folder, request.param, (*DEFAULT, "analytics_daily", *NAMES, "conversions"))
    lake.run_days(2)
    return lake


def test_every_value_is_the_simulators(whole: Lake) -> None:
    lake = whole
    truth = lake.truth().tables()
    assert truth.keys() >= KEYS.keys()
    for name, rows in truth.items():
        assert differences(table(name), some(rows), lake.rows(name)) == [], name
    rates = [r["play_rate_analytics"] for r in truth["gold.fact_media_daily"]]
    assert any(rate is not None for rate in rates)
    verdicts = lake.sql("SELECT verdict FROM ops.reconciliation WHERE identity = 'traffic_and_plays'")
    assert {r["verdict"] for r in verdicts} == {"holds"}
    if lake.scenario.seed == 1:
        assert lake.changed_by_rebuild(START + timedelta(days=1)) == []


def shown(lake: Lake, section: Section) -> list[dict[str, Any]]:
    """The rows of a section's table: those that report and dashboard write."""
    query = DuckDBQuery(lake.ledger)
    first, last = extent(query) or pytest.fail("nothing is published")
    blocks = section.blocks(view(Reader(query), Scope(first, last)))
    (table,) = (b for b in blocks if isinstance(b, Table))
    return [{c.key: row[c.key] for c in table.columns} for row in table.rows]


def added(rows: list[dict[str, Any]], unnamed: str) -> dict[str, dict[str, Any]]:
    """By value: plays, share, loads and engagement, added up by hand."""
    of_value: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_value.setdefault(row["value"], []).append(row)
    whole = sum(row["plays"] for row in rows)
    found = {}
    for value, of in of_value.items():
        plays, loads = (sum(r[n] or 0 for r in of) for n in ("plays", "loads"))
        engagement = sum(r["plays"] * (r["engagement"] or 0) for r in of) / plays
        found[value or unnamed] = {
            "analytics_plays": plays,
            "share": pytest.approx(plays / whole),
            "analytics_loads": loads,
            "analytics_engagement": pytest.approx(engagement),
        }
    return found


def test_what_people_see_are_the_simulators_numbers(whole: Lake) -> None:
    truth = whole.truth().tables()
    days = sorted({r["date"] for r in truth["gold.fact_media_daily"]})
    rows = [r for r in some(truth["gold.traffic_daily"]) if days[0] <= r["date"] <= days[-1]]
    for section, dimension, unnamed in (
        (analytics.REFERRERS, "referrer_domain", analytics.UNKNOWN),
        (analytics.PAGES, "embed_page", analytics.OTHER_PAGES),
        (analytics.SCREENS, "viewer_screen_size", analytics.UNKNOWN),
    ):
        wanted = added([r for r in rows if r["dimension"] == dimension], unnamed)
        assert {row.pop("name"): row for row in some(shown(whole, section))} == wanted, dimension
    spoken = added([r for r in rows if r["dimension"] == "language"], analytics.UNKNOWN)
    for row in some(shown(whole, analytics.LANGUAGES)):
        wanted = spoken.pop(row["name"])
        assert {n: row[n] for n in ("analytics_plays", "share")} == {
            n: wanted[n] for n in ("analytics_plays", "share")
        }
    assert not spoken


def test_actions_that_people_see_are_the_simulators(whole: Lake) -> None:
    truth = whole.truth().tables()
    days = sorted({r["date"] for r in truth["gold.fact_media_daily"]})
    wanted: dict[str, list[int | None]] = {}
    for row in some(truth["gold.conversion_daily"]):
        later = timedelta(days=row["basis"] == "between_snapshots")  # a snapshot tells of the day before
        if days[0] + later <= row["date"] <= days[-1] + later:
            of_kind = wanted.setdefault(analytics.kind(row["kind"]), [None, None])
            for n, name in enumerate(("impressions", "actions")):
                if row[name] is not None:
                    of_kind[n] = (of_kind[n] or 0) + row[name]
    rows = some(shown(whole, analytics.ACTIONS))
    seen = {row["what"]: [row["impressions"], row["actions"]] for row in rows}
    assert seen == wanted
    assert {row["what"]: row["action_rate"] for row in rows if row["impressions"]} == {
        what: pytest.approx(taken / shows)
        for what, (shows, taken) in wanted.items()
        if shows and taken is not None
    }
    assert {"Calls to action", "Forms", "Forms, listed one by one"} <= seen.keys()


def test_campaigns_that_people_see_are_the_simulators_counted_twice(whole: Lake) -> None:
    of_lake = whole.truth()
    rows = [r for r in of_lake.tables()["gold.traffic_daily"] if (r["media_id"], r["date"]) in of_lake.days]
    seen = {(row["dimension"], row["value"]): row for row in some(shown(whole, analytics.CAMPAIGNS))}
    for dimension, title in (
        ("utm_source", "Source"),
        ("utm_medium", "Medium"),
        ("utm_campaign", "Campaign"),
    ):
        of_dimension = [r for r in rows if r["dimension"] == dimension]
        both = {(r["media_id"], r["date"]) for r in of_dimension}
        sessions = Counter(
            s[dimension] or ""
            for s in of_lake.published_sessions
            if s["conversion_type"] is None and (s["media_id"], s["event_date_local"]) in both
        )
        listed = Counter[str]()
        for row in of_dimension:
            listed[row["value"]] += row["plays"]
        for value in listed | sessions:
            row = seen.pop((title, value or analytics.UNKNOWN))
            assert row["analytics_plays"] == listed[value]
            assert row["plays_from_events"] == sessions[value]
            assert row["difference"] == listed[value] - sessions[value]
    assert not seen


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


def test_a_list_of_many_media_is_not_asked_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless they are named."""
    monkeypatch.setattr(optional, "MOST_LISTED", 20)
    many = replace(PROFILE, media=21, sessions_per_day=0.5, history_days=3)
    for media, is_asked in ((("all",), False), (World(7, many, START).media_ids, True)):
        lake = Lake(
            tmp_path / str(is_asked),
            Scenario(many, media=media, settings={"datasets": ("media_by_date", *NAMES)}),
        )
        lake._source = Counting(lake)
        read(lake, 0)
        assert bool(asked(lake)) is is_asked
