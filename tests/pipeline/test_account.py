"""The account's own totals: one request a run, the share that the followed media make up, and what is not there."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import model, tampering
from support.lake import START, Lake, Scenario
from support.model import ModelLake
from support.some import some
from support.tampering import Tampering
from wistia_simulator import Fault, FaultPlan, Profile, ServerOptions, create_app, transport
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.insight.status import account as sentences
from wistlake.pipeline.run import account as step
from wistlake.pipeline.run import build as build_step
from wistlake.planning import account
from wistlake.planning.account import AccountDay
from wistlake.quality.account import DAYS, Standing, TiedDay, tied
from wistlake_soak.dying import Dying

# The simulator's last media is never played: three have plays.
PLAYED = Scenario(Profile(media=4, sessions_per_day=40, history_days=10), settings={"lookback_days": 6})


def changed(lake: Lake, change: tampering.Change) -> Tampering:
    """The lake's simulator, whose answers `change` makes others of."""
    app = create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    return Tampering(transport(app), change)


def totals(change: Callable[[Any], Any]) -> tampering.Change:
    """A change of the account's totals by day."""
    return lambda request, body: change(body) if request.url.path.endswith("account/by_date") else body


def compared(lake: Lake) -> dict[Standing, list[TiedDay]]:
    """The days of the lake's readers, by verdict."""
    found: dict[Standing, list[TiedDay]] = {}
    for day in tied(lake.sql(DAYS)):
        found.setdefault(day.standing, []).append(day)
    return found


# Without an engine: what a run asks, notes, and does without


@pytest.fixture
def _tables_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_step, "build_tables", model.build)


def noted(lake: ModelLake) -> list[AccountDay]:
    return list(account.read(lake.ledger.facts(account.FACTS)).values())


@pytest.mark.usefixtures("_tables_without_an_engine")
def test_a_run_asks_once_for_the_days_of_its_media_and_notes_the_truth(tmp_path: Path) -> None:
    lake = ModelLake(tmp_path / "lake", PLAYED)
    app = create_app(lake.lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake.lake._source = transport(app)
    for run in (1, 2):
        now = START + timedelta(days=run - 1)
        lake.run(now, Dying())
        assert app.state.requests["account_by_date"] == run
        asked = {i.day for i in lake.ledger.intervals("media_by_date") if i.observed_at == now}
        truth = lake.lake.world.truth.account_by_date(min(asked), max(asked), at=now)
        assert [d for d in noted(lake) if d.observed_at == now] == [
            AccountDay(day, row["load_count"], row["play_count"], now, follows_all=True)
            for day, row in zip(sorted(asked), truth, strict=True)
        ]
    assert [d.date for d in noted(lake)] == sorted({i.day for i in lake.ledger.intervals("media_by_date")})


@pytest.mark.usefixtures("_tables_without_an_engine")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("http404", "404"), ("http500", "500"), ("http503", "503"), ("hang", "ReadTimeout"),
     ("html200", "instead of JSON")],
)  # fmt: skip
def test_a_run_goes_on_at_once_where_the_account_has_no_totals(
    tmp_path: Path, kind: Any, reason: str
) -> None:
    faults = FaultPlan(faults=(Fault(kind, "account_by_date", seconds=600),))
    lake = ModelLake(tmp_path / "lake", replace(PLAYED, faults=faults))
    result = lake.run(START, Dying())
    assert (result.status, result.errors, result.warnings) == ("succeeded", [], [])
    assert {(d.loads, d.plays, d.observed_at) for d in some(noted(lake))} == {(None, None, None)}
    assert all(reason in d.reason for d in noted(lake))


@pytest.mark.usefixtures("_tables_without_an_engine")
@pytest.mark.parametrize(
    "odd",
    [[], [{"date": "2026-03-01"}], [{"date": "2026-03-01", "load_count": "5", "play_count": 1}], [5], {}],
)
def test_an_answer_of_another_form_is_none(tmp_path: Path, odd: Any) -> None:
    lake = ModelLake(tmp_path / "lake", PLAYED)
    lake.lake._source = changed(lake.lake, totals(lambda _: odd))
    assert lake.run(START, Dying()).status == "succeeded"
    assert all(d.reason and d.plays is None for d in some(noted(lake)))


@pytest.mark.usefixtures("_tables_without_an_engine")
def test_a_run_waits_no_longer_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Tampering):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith("account/by_date"):
                await asyncio.Event().wait()
            return await super().handle_async_request(request)

    monkeypatch.setattr(step, "SECONDS", 0.01)
    lake = ModelLake(tmp_path / "lake", PLAYED)
    app = create_app(lake.lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake.lake._source = Silent(transport(app), lambda _, body: body)
    assert lake.run(START, Dying()).status == "succeeded"
    assert {d.reason for d in some(noted(lake))} == {"no answer within 0 s"}


@pytest.mark.usefixtures("_tables_without_an_engine")
def test_figures_stay_where_a_later_request_fails_and_say_so(tmp_path: Path) -> None:
    lake = ModelLake(tmp_path / "lake", PLAYED)
    lake.run(START, Dying())
    before = {d.date: d for d in noted(lake)}
    lake.lake.scenario = replace(PLAYED, faults=FaultPlan(faults=(Fault("http500", "account_by_date"),)))
    lake.run(START + timedelta(days=1), Dying())
    *again, new = noted(lake)
    assert all(d == replace(before[d.date], reason=d.reason) for d in some(again))
    assert {bool(d.reason) for d in again[1:]} == {True}
    assert (new.plays, bool(new.reason)) == (None, True)


@pytest.mark.usefixtures("_tables_without_an_engine")
def test_whether_all_is_followed_is_what_the_account_lists_and_no_filter(tmp_path: Path) -> None:
    def follows(name: str, **settings: Any) -> set[bool]:
        lake = ModelLake(tmp_path / name, replace(PLAYED, settings={**PLAYED.settings, **settings}))
        lake.run(START, Dying())
        return {d.follows_all for d in some(noted(lake))}

    world = PLAYED.world()
    assert follows("all") == {True}
    assert follows("folder", media_folder=world.truth.medias()[0].folder) == {False}
    assert follows("ids", media_ids=world.media_ids[:2]) == {False}


# On the engine: what readers are told


@pytest.mark.engine
def test_two_of_three_media_are_the_share_that_they_have(tmp_path: Path) -> None:
    world = PLAYED.world()
    followed = world.media_ids[:2]
    lake = Lake(tmp_path / "lake", replace(PLAYED, media=followed))
    lake.run_day(START)
    found = compared(lake)
    assert found.keys() == {Standing.AGREES, Standing.YOUNG}
    days = [d for of_one in found.values() for d in of_one]
    span = (min(d.date for d in days), max(d.date for d in days))

    def plays(rows: list[dict[str, Any]]) -> int:
        return sum(r["play_count"] for r in rows)

    truth = lake.world.truth
    ours = sum(plays(truth.by_date(m, *span)) for m in followed)
    share = 100 * ours / plays(truth.account_by_date(*span))
    assert 20 < share < 95
    first, second = sentences(DuckDBQuery(lake.ledger))
    assert f"The followed media are {share:.1f} % of the account's plays" in first
    assert second.startswith("Nothing followed is missing or counted twice")


@pytest.mark.engine
def test_a_media_that_the_list_leaves_out_is_missed_and_a_total_that_is_too_small_is_noticed(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path / "lake", PLAYED)
    left_out = lake.world.media_ids[1]

    def without(request: httpx2.Request, body: Any) -> Any:
        return (
            [m for m in body if m["hashed_id"] != left_out] if request.url.path.endswith("/medias") else body
        )

    lake._source = changed(lake, without)
    assert lake.run_day(START).status == "succeeded"
    assert compared(lake).keys() == {Standing.LESS, Standing.YOUNG}
    assert "something is missing" in " ".join(sentences(lake._query))  # type: ignore[arg-type]

    lake._source = changed(
        lake, totals(lambda rows: [r | {"play_count": r["play_count"] // 4} for r in rows])
    )
    lake.run_day(START + timedelta(days=1))
    assert Standing.MORE in compared(lake)
    assert "something is counted twice" in " ".join(sentences(lake._query))  # type: ignore[arg-type]


@pytest.mark.engine
def test_status_says_that_the_totals_are_not_available(tmp_path: Path) -> None:
    faults = FaultPlan(faults=(Fault("http500", "account_by_date"),))
    lake = Lake(tmp_path / "lake", replace(PLAYED, faults=faults))
    assert lake.run_day(START).status == "succeeded"
    assert compared(lake).keys() == {Standing.UNAVAILABLE}
    (line,) = sentences(DuckDBQuery(lake.ledger))
    assert line.startswith("The account's own totals are not available (/stats/account/by_date")
