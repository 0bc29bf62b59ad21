"""No personal mark leaves bronze: every byte of a lake is searched, after quarantine, failures and deaths."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import wistlake.contracts as contracts
from privacy.marking import Marking
from privacy.people import PEOPLE
from support.lake import START, Lake, Scenario
from support.memory import RecordingNotifier
from support.some import some
from wistia_simulator import ServerOptions, create_app, transport
from wistlake.adapters import lake_bytes
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.contracts.form import Privacy
from wistlake.errors import WistlakeError
from wistlake.pipeline.run.driver import run
from wistlake.pipeline.run.spec import Dependencies
from wistlake_dashboard.report import newest_scope, page

pytestmark = pytest.mark.engine
SCENARIO = Scenario(
    profile=replace(PEOPLE, sessions_per_day=30, conversion_share=0.1, lead_share=0.3, ipv6_share=0.2, canary=None),
    settings={
        "lookback_days": 1,
        "datasets": (
            "media_metadata", "media_stats", "media_engagement", "media_by_date", "events", "analytics_daily",
            "visitors", "traffic_daily", "languages_daily", "embed_locations_daily", "conversions",
        ),
    },
)  # fmt: skip


class Marked:
    """A lake that follows a marked Wistia, and keeps whatever is said about its runs beside its tables."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        scenario = replace(SCENARIO, settings={**SCENARIO.settings, **settings})
        world = scenario.world()
        options = ServerOptions(token="simulated", rate_limit_per_minute=None)
        self.wistia = Marking(transport(create_app(world, options)))
        self.lake = Lake(folder, scenario, source=self.wistia)
        self.lake.world = world
        self.said: list[str] = []

    def run(self, day: int, around: Any = lambda parts: parts) -> None:
        """One run; its log, notices, result and error are written into the lake's own folder."""
        lake, now = self.lake, START + timedelta(days=day)
        lake.world.clock.set(now)
        lake._query = None
        settings, notices = lake.settings(), RecordingNotifier()
        result: Any = None
        with capture_logs() as log:
            try:
                parts = replace(lake.parts(settings), notifier=notices)
                result = run(lake.run_spec(now, settings), around(parts)).as_json()
            except (WistlakeError, Died) as e:
                result = str(e)
        self.said.append(json.dumps([log, repr(notices.notices), result], default=str))
        (lake.folder / f"said-{len(self.said)}.log").write_text(self.said[-1])

    def report(self) -> None:
        query = DuckDBQuery(self.lake.ledger)
        (self.lake.folder / "report.html").write_text(page(query, newest_scope(query)))

    def places(self, *, with_bronze: bool = False) -> dict[str, set[str]]:
        """Where personal marks are."""
        found = self.wistia.found(lake_bytes.pieces(self.lake.folder))
        return {p: what for p, what in found.items() if with_bronze or not p.startswith("bronze/")}


class Died(BaseException):
    """The process ended here."""


def dying(parts: Dependencies) -> Dependencies:
    """The engine's process ends in the middle of its commits: what it has staged stays where it is."""

    @contextmanager
    def tables() -> Iterator[Any]:
        with parts.tables() as store:
            merges = count()
            commit = store.merge

            def merge(*args: Any) -> None:
                if next(merges) >= 2:
                    raise Died
                commit(*args)

            store.merge = merge  # type: ignore[method-assign]
            yield store

    return replace(parts, tables=tables)


def lived_through(folder: Path, **settings: Any) -> tuple[Marked, dict[str, set[str]]]:
    """A lake after a death, a retry, and a day on which one media fails; and what the dead left behind."""
    marked = Marked(folder, **settings)
    marked.run(0, dying)
    left = marked.places(with_bronze=bool(settings.get("bronze_redaction")))
    assert list((folder / "staging").rglob("*.parquet")), "the dead left nothing to search"
    marked.run(0)
    marked.wistia.refused = marked.lake.ledger.media()[1].media_id
    marked.run(1)
    marked.report()
    return marked, left


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Marked, dict[str, set[str]]]:
    return lived_through(tmp_path_factory.mktemp("canary") / "lake")


def test_the_run_went_through_everything(marked: tuple[Marked, dict[str, set[str]]]) -> None:
    """Otherwise the search below would be about nothing."""
    lake = marked[0].lake
    reasons = {r["reason"] for r in lake.rows("silver.quarantine")}
    assert {"wrong_media", "missing_visitor_key", "bad_percent_viewed", "bad_received_at"} <= reasons
    assert len(reasons) >= 5
    assert [r["status"] for r in lake.rows("ops.runs")].count("failed") == 3  # the dead one too
    assert any("request failed" in text for text in marked[0].said)
    assert any("422 a body of" in text for text in marked[0].said)
    assert lake.rows("silver.visitors")
    assert lake.rows("gold.dim_visitor")
    assert {r["dimension"] for r in lake.rows("gold.traffic_daily")} >= {
        "referrer_domain",
        "language",
        "embed_page",
    }
    assert lake.rows("silver.conversions_by_date")


def test_what_may_leave_bronze_is_seen_by_the_search(marked: tuple[Marked, dict[str, set[str]]]) -> None:
    pieces = (p for p in lake_bytes.pieces(marked[0].lake.folder) if not p.place.startswith("bronze/"))
    expected = {"event_key", "country", "name", "media_name", "user_agent_details.browser", "tags.name"}
    assert marked[0].wistia.kept(pieces) >= expected - {"media_name"} | {
        "embed_url, its host, path and campaign"
    }
    raw = set().union(*marked[0].places(with_bronze=True).values())
    assert raw >= {"ip", "email", "lat", "lon", "org", "city", "visitor_key", "conversion_data.email"}
    assert raw >= {"first_name", "last_name", "utm_campaign", "referrer_domain", "embed_path", "language"}
    assert raw >= {"visitor_identity.name", "a field that nobody announced", "iframe_heatmap_url"}


def test_no_mark_leaves_bronze(marked: tuple[Marked, dict[str, set[str]]]) -> None:
    lake, left_by_the_dead = marked
    assert left_by_the_dead == {}
    assert lake.places() == {}


def test_with_redaction_there_is_none_in_bronze_either(tmp_path: Path) -> None:
    lake, left_by_the_dead = lived_through(tmp_path / "lake", bronze_redaction=True)
    assert left_by_the_dead == {}
    assert lake.places(with_bronze=True) == {}
    assert lake.lake.rows("silver.fact_events")


@pytest.mark.parametrize("redaction", [False, True])
def test_a_city_that_is_kept_is_all_that_leaves_and_for_one_table(tmp_path: Path, redaction: bool) -> None:
    lake, left_by_the_dead = lived_through(tmp_path / "lake", keep_city=True, bronze_redaction=redaction)
    found = {**left_by_the_dead, **lake.places(with_bronze=redaction)}
    assert {what for whats in found.values() for what in whats} == {"city"}
    elsewhere = ("bronze/wistia/events/", "warehouse/silver/fact_events/", "staging/")
    assert [place for place in some(found) if not place.startswith(elsewhere)] == []


@pytest.mark.parametrize("path", ["email", "lat"])
def test_one_field_in_the_wrong_class_is_found(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = contracts.source("events")
    wrong = tuple(replace(f, privacy=Privacy.NONE) if f.path == path else f for f in events.fields)
    mutant = replace(events, fields=wrong)
    sources = tuple(mutant if s.name == "events" else s for s in contracts.SOURCES)
    monkeypatch.setattr(contracts, "SOURCES", sources)
    lake = Marked(tmp_path / "lake")
    lake.wistia.classes = {s.name: s for s in contracts.SOURCES}
    lake.run(0, dying)
    assert {what for whats in lake.places().values() for what in whats} == {path}


def test_unpacking_sees_what_compression_hides(marked: tuple[Marked, dict[str, set[str]]]) -> None:
    lake = marked[0].lake
    row = lake.rows("silver.fact_events")[0]
    assert any(p.endswith(".parquet") for p in lake_bytes.search(lake.folder, [row["event_key"]]))
    assert any(p.endswith(".avro") for p in lake_bytes.search(lake.folder, ["added_snapshot_id"]))
    assert any(p.endswith(".gz") for p in lake_bytes.search(lake.folder, ["_landing"]))
