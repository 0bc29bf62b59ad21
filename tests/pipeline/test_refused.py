"""Records that are refused are not gone, and a listing that is refused for the most part is not taken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from support import tampering
from support.lake import START, Lake, Row, Scenario
from support.rebuilding import rebuild
from wistia_simulator import Profile
from wistlake.errors import ConfigError
from wistlake.insight import explain, gaps, quarantine
from wistlake.insight.status import health
from wistlake.pipeline.run.driver import RunFailed
from wistlake.pipeline.run.result import RunResult
from wistlake.planning.intervals import State
from wistlake.wiring import spec
from wistlake.wiring.laptop import query_folder

pytestmark = pytest.mark.engine
SCENARIO = Scenario(
    replace(Profile.calm(), media=1, sessions_per_day=48.0, history_days=3, account_timezone="UTC"),
    settings={"lookback_days": 1},
)
OLD, NEW = START.date() - timedelta(days=2), START.date() - timedelta(days=1)
LATER = START + timedelta(hours=1)
FACTS = ("silver.fact_events", "gold.fact_media_daily", "gold.fact_media_engagement", "gold.dim_visitor")
Page = list[dict[str, Any]]
SHAPES: tuple[dict[str, Any], ...] = (
    {"percent_viewed": None},
    {"visitor_key": ""},
    {"percent_viewed": 1.7},
    {"received_at": "yesterday"},
)


class Source:
    """A lake whose sessions pass through `change`, day by day and the older one first, however many days a page holds.
    It may be set between runs."""

    def __init__(self, folder: Path) -> None:
        self.change: Callable[[Page], Page] = list
        self.lake = tampering.lake(folder, tampering.events(self._changed), SCENARIO)

    def _changed(self, page: Page) -> Page:
        days = groupby(sorted(page, key=_day), key=_day)
        return [record for _, of_day in days for record in self.change(list(of_day))]

    def day(self, day: date, change: Callable[[Page], Page]) -> None:
        """Change one day only."""
        self.change = lambda page: change(page) if _day(page[0]) == str(day) else page


def _day(record: dict[str, Any]) -> str:
    """The UTC day of a session as it is served."""
    return str(record["received_at"])[:10]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "lake")


def facts(lake: Lake) -> dict[str, list[Row]]:
    """The tables that sessions make; what ages, and what Wistia restates, left out."""
    restless = ("certificate", "hours_watched_modelled", "built_at")
    return {
        name: sorted(({k: v for k, v in r.items() if k not in restless} for r in lake.rows(name)), key=str)
        for name in FACTS
    }


def sessions(lake: Lake, day: date) -> dict[str, Row]:
    """Rows of one UTC day by key."""
    return {r["event_key"]: r for r in lake.rows("silver.fact_events") if r["event_date"] == day}


def state(lake: Lake, day: date) -> tuple[State, str]:
    (found,) = lake.ledger.intervals("events", lake.world.media_ids[0], day, day)
    return found.state, found.reason


def in_percent(page: Page) -> Page:
    """The unit of the share has changed: what nobody had watched still is a share."""
    return [r | {"percent_viewed": 100 * r["percent_viewed"]} for r in page]


def refused_run(lake: Lake, **asked: Any) -> RunFailed:
    with pytest.raises(RunFailed) as failed:
        lake.run_day(LATER, **asked)
    return failed.value


def test_a_refused_update_is_no_deletion_and_a_session_that_is_gone_is(source: Source) -> None:
    lake = source.lake
    lake.run_day(START)
    before, gold = sessions(lake, NEW), lake.rows("gold.fact_media_daily")
    spoilt = dict(zip(sorted(before), SHAPES, strict=False))
    vanished = sorted(before)[-1]

    def change(page: Page) -> Page:
        return [r | spoilt.get(r["event_key"], {}) for r in page if r["event_key"] != vanished]

    source.day(NEW, change)
    result = lake.run_day(LATER)
    assert result.status == "succeeded"
    assert result.tables["silver.fact_events"].get("removed") == 1
    assert len(lake.rows("silver.quarantine")) == len(SHAPES)
    after = sessions(lake, NEW)
    assert {key: after[key] for key in spoilt} == {key: before[key] for key in spoilt}
    assert {key for key, row in after.items() if row["removed_at"]} == {vanished}
    moved = {r["date"]: r["sessions"] for r in lake.rows("gold.fact_media_daily")}
    assert moved == {r["date"]: r["sessions"] - (r["date"] == NEW) for r in gold}

    held = facts(lake)
    rebuild(lake, LATER + timedelta(hours=1))
    assert facts(lake) == held

    source.day(NEW, lambda page: [r for r in page if r["event_key"] not in (*spoilt, vanished)])
    lake.run_day(LATER + timedelta(hours=2))
    gone = {key for key, row in sessions(lake, NEW).items() if row["removed_at"]}
    assert gone == {*spoilt, vanished}


def test_a_record_without_a_key_may_be_any_session_of_its_day(source: Source) -> None:
    lake = source.lake
    lake.run_day(START)
    before = sessions(lake, NEW)
    source.day(NEW, lambda page: [page[0] | {"event_key": None}, *page[1:]])
    assert lake.run_day(LATER).status == "succeeded"
    assert sessions(lake, NEW) == before


def test_a_new_lake_does_not_publish_what_mass_refusal_left(source: Source) -> None:
    source.day(NEW, in_percent)
    failed = refused_run(source.lake)
    assert failed.exit_code == 65
    assert "bad_percent_viewed" in str(failed)
    assert "wistlake quarantine list" in str(failed)
    assert "shrink" not in str(failed)
    assert sessions(source.lake, NEW) == {}
    assert {r["date"] for r in source.lake.rows("gold.fact_media_daily")} == {OLD}
    assert state(source.lake, NEW)[0] is State.FAILED
    reasons = {r["reason"] for r in source.lake.rows("silver.quarantine")}
    assert reasons == {"bad_percent_viewed"}


def test_an_old_lake_keeps_what_it_had_and_no_acceptance_changes_that(source: Source) -> None:
    lake = source.lake
    lake.run_day(START)
    before, media = facts(lake), lake.world.media_ids[0]
    source.day(NEW, in_percent)
    for asked in ({}, {"accept_shrink": frozenset({media}), "trigger": "repair"}):
        failed = refused_run(lake, **asked)
        assert "bad_percent_viewed" in str(failed)
        assert "shrink" not in str(failed)
        assert "lost" not in str(failed)
        assert facts(lake) == before
        assert state(lake, NEW)[0] is State.FAILED
    with pytest.raises(RunFailed, match="bad_percent_viewed"):
        rebuild(lake, LATER)
    assert facts(lake) == before
    source.change = list
    assert lake.run_day(LATER + timedelta(hours=1)).status == "succeeded"
    assert lake.rows("silver.quarantine") == []
    assert facts(lake) == before


def test_a_session_that_moved_into_a_refused_day_is_not_lost(source: Source) -> None:
    lake = source.lake
    lake.run_day(START)
    before = sessions(lake, OLD)
    moved = sorted(before)[0]
    record: list[dict[str, Any]] = []

    def change(page: Page) -> Page:
        day = _day(page[0])
        if day == str(OLD):
            record[:] = [r for r in page if r["event_key"] == moved] or record
            return [r for r in page if r["event_key"] != moved]
        if day == str(NEW):
            return in_percent(page) + [r | {"received_at": f"{NEW}T00:00:01.000Z"} for r in record]
        return page

    source.change = change
    refused_run(lake, changes={"max_concurrency": 1})  # the old day is read first
    assert record
    assert len(sessions(lake, OLD)) == len(before)
    assert sessions(lake, OLD)[moved] == before[moved]


def test_a_session_that_two_days_list_stands_where_it_stood_when_the_later_list_is_refused(
    source: Source,
) -> None:
    """The earlier day is built along, from a list that is as new: the refused one still says who has the key."""
    lake, one_by_one = source.lake, {"max_concurrency": 1}  # the old day is read first
    both: list[dict[str, Any]] = []

    def twice(page: Page) -> Page:
        day = _day(page[0])
        if day == str(OLD):
            both[:] = page[:1]
        return page + [r | {"received_at": f"{NEW}T00:00:01.000Z"} for r in both if day == str(NEW)]

    source.change = twice
    lake.run_day(START, changes=one_by_one)
    key, before = both[0]["event_key"], facts(lake)
    assert key in sessions(lake, NEW)
    assert key not in sessions(lake, OLD)
    source.change = lambda page: in_percent(twice(page)) if _day(page[0]) == str(NEW) else twice(page)
    failed = refused_run(lake, changes=one_by_one)
    assert "bad_percent_viewed" in str(failed)
    assert facts(lake) == before
    assert lake.changed_by_rebuild(LATER + timedelta(hours=1)) == []


def test_every_reader_says_that_the_day_was_refused_and_why(source: Source) -> None:
    lake = source.lake
    source.day(NEW, in_percent)
    failed = refused_run(lake)
    result: RunResult = failed.result
    media, query = lake.world.media_ids[0], query_folder(lake.folder)
    records = quarantine.listed(query)
    window = spec.window(lake.settings(), LATER)
    told = {
        "the error": str(failed),
        "the run": result.stopped[media],
        "status": next(f["reason"] for f in health(lake.ledger, window)["failed"] if f["day"] == NEW),
        "gaps": next(i.reason for i in gaps.failed(lake.ledger.intervals(), lake.ledger.media())),
        "the ledger's table": lake.sql("SELECT reason FROM ops.intervals WHERE state = 'failed'")[0][
            "reason"
        ],
        "quarantine": quarantine.stopped(lake.ledger, records)[0].reason,
        "checks": lake.sql(
            f"SELECT detail FROM ops.quality_results WHERE scope = 'events {media} {NEW}' AND effect = 'stop'"
        )[0]["detail"],
    }
    with pytest.raises(ConfigError) as no_row:
        explain.explain(lake.ledger, lake.opened().objects(), query, media, NEW, lake.settings().tz)
    told["explain"] = str(no_row.value)
    assert {who for who, words in told.items() if "bad_percent_viewed" not in words} == set()
    assert {who for who, words in told.items() if "shrink" in words or "source" in words} == set()
