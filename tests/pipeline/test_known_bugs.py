"""The bugs that pipelines of this kind are known for, each with the test that keeps it out.

`BUGS` names them; a test that is not in this file is given with its own.
"""

import re
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from support.lake import Lake, Scenario
from support.some import some
from unit.wistia.fakes import DAY, Paged, client, events, run
from wistia_simulator import Always, Fault, FaultPlan, Profile
from wistlake import bronze
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import source
from wistlake.errors import SourceRefused, StoreError
from wistlake.insight.status import health
from wistlake.pipeline.run.driver import RunFailed
from wistlake.planning.intervals import State
from wistlake.quality.metrics import definition, metric
from wistlake.transforms.channels import DEFAULT_RULES
from wistlake.wiring import spec
from wistlake_soak.judge import judge

TESTS = Path(__file__).parents[1]
SOURCES = TESTS.parent / "src" / "wistlake"

BUGS: dict[str, str] = {
    # seen in public pipelines
    "the job body runs twice": "test_a_second_run_changes_nothing",
    "AccessDenied looks like an empty day": "test_a_refused_token_is_no_empty_day",
    "a watermark that nothing reads": "unit/test_planning.py::TestWantedDays",
    "a branch that fails while the execution is green": "test_a_media_that_fails_fails_the_run",
    "page stop on a short page whose size was never asked for": "test_the_page_size_is_always_asked_for",
    "media id of the last loop variable on every row": "test_each_row_has_its_own_media",
    "percent divided by 100 twice": "test_shares_stay_shares",
    "a same-day re-run overwrites the first half": "test_each_run_lands_beside_the_others",
    "state read errors that start fresh": "test_a_ledger_that_can_not_be_read_is_no_fresh_start",
    'startswith("s3://") in domain code': "test_no_address_of_a_store_in_the_rooms_of_meaning",
    "max(name) and max(email) mix two people": "test_attributes_of_a_visitor_are_those_of_one_session",
    "a syntax error under a green CI": "test_every_module_compiles",
    # what real clients got wrong
    "ten visitors, the same for every media": "test_visitors_belong_to_the_account",
    "today's unfinished day": "unit/test_planning.py::test_nothing_is_asked_for_that_is_not_over_or_no_more_kept",
    "a strict received_at loses late and updated events": "test_late_and_grown_sessions_are_caught",
    "the run's own time as a watermark, in a date's place": "test_requests_name_plain_days",
    "a failed page is the end of the list": "test_a_failed_page_is_no_end_of_the_list",
    "the rest of the last day is lost": "test_the_truth_is_in_the_tables",
    "reversed ranges are asked for": "unit/wistia/test_endpoints.py::test_reversed_days_are_refused",
    "an endless loop on a page that keeps failing":
        "unit/wistia/test_retries.py::test_a_stream_of_refusals_ends_within_the_patience",
    "filtered rows are compared with the page size":
        "unit/wistia/test_pagination.py::test_walk_returns_exactly_the_list",
    "page caps": "test_more_pages_than_any_cap",
    "Retry-After is ignored": "unit/wistia/test_retries.py::test_throttling_is_honoured_for_the_whole_account",
    "patience shorter than the limit's minute":
        "unit/wistia/test_retries.py::test_what_may_pass_is_tried_for_more_than_a_minute",
    "files of a longer earlier run are read again": "test_parts_without_a_manifest_do_not_exist",
    "runs append": "test_a_second_run_changes_nothing",
    "naive local times against UTC": "test_times_know_their_zone",
    "verify=False": "test_certificates_are_always_checked",
    "modelled hours taken for watch time": "test_watch_time_is_not_the_model",
    "play rate recomputed as plays / loads": "test_plays_per_load_is_no_play_rate",
    "hours flip between integer and float": "test_hours_are_numbers_also_where_they_are_zero",
    "Facebook is labelled YouTube": "test_channels_are_not_swapped",
    "media, visitor and day as the key of a session": "test_a_visitor_may_come_twice_a_day",
    "a wrong path, taken for an endpoint that is gone": "unit/wistia/test_endpoints.py::test_request",
    "the token in the query": "unit/wistia/test_leaks.py::test_the_token_travels_in_one_header_only",
    "personal data and tokens in what is kept": "privacy/test_canary.py::test_no_mark_leaves_bronze",
    "tokens in logs": "unit/wistia/test_leaks.py::test_the_token_shows_nowhere",
    "zero days are dropped, quiet days alarm": "test_quiet_days_are_zeros_and_no_gaps",
    "a strict schema refuses new fields": "test_new_fields_are_told_once",
    # what users complain about
    "silent truncation when a page comes one short":
        "unit/wistia/test_pagination.py::test_pages_that_come_one_row_short_hide_nothing",
    "an endless last page": "unit/wistia/test_pagination.py::test_a_page_that_is_repeated_for_ever",
    "counts that change with the page size": "unit/wistia/test_pagination.py::test_a_lowered_page_size_hides_nothing",
    "state overwritten by a backfill": "test_a_backfill_moves_no_watermark",
    "rows with a null cursor never arrive": "unit/wistia/test_media_list.py::test_every_media_once",
    "late rows missed without a lookback": "test_late_and_grown_sessions_are_caught",
    "a sync dies on 429 and forgets what it read": "test_what_was_landed_before_a_failure_is_kept",
    "deleted people survive in old snapshots":
        "privacy/test_forget.py::test_a_person_is_gone_everywhere_and_stays_away",
    "average view duration identical every day": "test_watch_time_is_not_the_model",
    "total plays and play-rate plays differ": "test_plays_per_load_is_no_play_rate",
}  # fmt: skip


@pytest.mark.parametrize("where", sorted(set(BUGS.values())))
def test_every_named_bug_has_its_test(where: str) -> None:
    path, _, name = where.rpartition("::")
    text = (TESTS / path if path else Path(__file__)).read_text()
    assert re.search(rf"^(async )?(def|class) {name}\b", text, re.MULTILINE), where


STORY = Profile(
    media=3, sessions_per_day=24, history_days=8, growing=0.6, moving=0.3, late=0.1, late_days=2,
    vanishing=0.06, duplicated=0.08, returning_share=0.4, conversion_share=0.04, embed_query_share=0.5,
    privacy_mode_share=0.1, account_timezone="UTC-5", schema_addition_from=date(2026, 3, 2),
)  # fmt: skip
SCENARIO = Scenario(STORY, seed=11)
engine = pytest.mark.engine


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Four mornings of an account on which everything moves."""
    made = Lake(tmp_path_factory.mktemp("known") / "lake", SCENARIO)
    made.results = made.run_days(4)  # type: ignore[attr-defined]
    return made


@engine
def test_the_truth_is_in_the_tables(lake: Lake) -> None:
    found = judge(lake.world, lake.folder, lake.settings().tz, lake.sql, lake.settings().lookback_days)
    assert (found.lost, found.duplicated, found.wrong) == (0, 0, 0), found.findings
    assert sum(r["removed_at"] is not None for r in lake.rows("silver.fact_events")) > 0


@engine
def test_late_and_grown_sessions_are_caught(lake: Lake) -> None:
    rows = lake.rows("silver.fact_events")
    first = min(r["first_observed_at"] for r in rows)
    late = [
        r
        for r in rows
        if r["first_observed_at"] > first and (r["first_observed_at"].date() - r["event_date"]).days > 1
    ]
    grown = [r for r in rows if r["observed_at"] > r["first_observed_at"] and r["removed_at"] is None]
    assert late
    assert grown
    truth = {s.event_key: s.percent_viewed for s in lake.world.truth.sessions()}
    listed = some(r for r in grown if r["event_key"] in truth)
    assert all(r["percent_viewed"] == truth[r["event_key"]] for r in listed)


@engine
def test_each_row_has_its_own_media(lake: Lake) -> None:
    truth = {s.event_key: s.media_id for s in lake.world.truth.ever()}
    rows = lake.rows("silver.fact_events")
    assert len({r["media_id"] for r in rows}) > 1
    assert all(truth[r["event_key"]] == r["media_id"] for r in some(rows))


@engine
def test_shares_stay_shares(lake: Lake) -> None:
    shares = [r["percent_viewed"] for r in lake.rows("silver.fact_events")]
    assert max(shares) == 1.0
    assert 0.2 < sum(shares) / len(shares) < 0.8


@engine
def test_a_visitor_may_come_twice_a_day(lake: Lake) -> None:
    visits, days = lake.rows("gold.fact_media_engagement"), lake.rows("gold.fact_media_daily")
    assert max(r["sessions"] for r in visits) > 1
    for theirs, ours in (("sessions", "sessions"), ("play_count", "plays_from_events")):
        assert sum(r[theirs] for r in visits) == sum(r[ours] for r in days)


@engine
def test_attributes_of_a_visitor_are_those_of_one_session(lake: Lake) -> None:
    names = ("country", "region", "browser", "platform", "is_mobile")
    seen = defaultdict(set)
    for r in lake.rows("silver.fact_events"):
        seen[r["visitor_id"]].add(tuple(r[n] for n in names))
    assert all(
        tuple(r[n] for n in names) in seen[r["visitor_id"]] for r in some(lake.rows("gold.dim_visitor"))
    )


@engine
def test_quiet_days_are_zeros_and_no_gaps(lake: Lake) -> None:
    days = defaultdict(list)
    for r in lake.rows("gold.fact_media_daily"):
        days[r["media_id"]].append(r)
    (quiet,) = (rows for rows in days.values() if not any(r["sessions"] for r in rows))
    assert len(quiet) == max(len(rows) for rows in days.values())
    assert all((r["loads"] is not None, r["plays"]) == (True, 0) for r in quiet)
    window = spec.window(lake.settings(), lake.world.clock.now())
    assert health(lake.ledger, window)["gaps"] == []


@engine
def test_hours_are_numbers_also_where_they_are_zero(lake: Lake) -> None:
    hours = [r["hours_watched_modelled"] for r in lake.rows("silver.fact_media_by_date")]
    assert 0.0 in hours
    assert max(hours) > 0.0
    assert {type(h) for h in hours} == {float}


@engine
def test_watch_time_is_not_the_model(lake: Lake) -> None:
    busy = [r for r in lake.rows("gold.fact_media_daily") if r["plays"] and r["sessions"] > 3]
    media = max({r["media_id"] for r in busy}, key=lambda m: sum(r["media_id"] == m for r in busy))
    mine = [r for r in busy if r["media_id"] == media]
    modelled = {round(r["hours_watched_modelled"] / r["plays"], 6) for r in mine}
    watched = {round(r["watch_milliseconds"] / r["sessions"]) for r in mine}
    assert len(watched) == len(mine) > 3
    assert len(modelled) < len(mine)  # the same for every day that was read at the same moment
    assert "never a daily trend" in definition("hours_watched_modelled")


@engine
def test_plays_per_load_is_no_play_rate(lake: Lake) -> None:
    rows = [r for r in lake.rows("gold.fact_media_daily") if r["loads"]]
    assert all(r["play_rate_estimated"] == r["unique_viewers"] / r["loads"] for r in some(rows))
    assert any(r["unique_viewers"] != r["plays"] for r in rows)
    assert metric("plays_per_load").of_day() != metric("play_rate_estimated").of_day()
    assert "Loads are not unique loads" in definition("play_rate_estimated")


@engine
def test_new_fields_are_told_once(lake: Lake) -> None:
    told = [result.drift for result in lake.results]  # type: ignore[attr-defined]
    assert [d for d in told if d] == [{"events": told[0]["events"], **told[0]}]
    assert set(lake.ledger.facts("drift")) == set(told[0])
    assert {r["check_name"] for r in lake.rows("ops.quality_results") if r["verdict"] == "broken"} == set()


@engine
def test_times_know_their_zone(lake: Lake) -> None:
    rows = lake.sql("SELECT received_at, event_date, event_date_local FROM silver.fact_events")
    assert all(r["received_at"].utcoffset() == timedelta(0) for r in some(rows))
    assert all((r["received_at"] - timedelta(hours=5)).date() == r["event_date_local"] for r in rows)
    assert any(r["event_date"] != r["event_date_local"] for r in rows)


@engine
def test_each_run_lands_beside_the_others(lake: Lake) -> None:
    runs = defaultdict(set)
    for key in LocalObjects(lake.folder).list(f"{bronze.ROOT}/events/"):
        place, _, run_id = key.rpartition("/run_id=")
        runs[place].add(run_id.split("/")[0])
    assert max(len(of_day) for of_day in runs.values()) > 1


@engine
def test_parts_without_a_manifest_do_not_exist(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake", SCENARIO)
    media, day = made.world.media_ids[0], SCENARIO.starts.date() - timedelta(days=2)
    left_over = bronze.landing_id("events", media, day, "run-0001")
    stray = [{"event_key": "stray", "media_id": media, "received_at": f"{day}T01:00:00.000Z"}]
    made.parts(made.settings())  # an empty lake: raw pages alone are one that has lost the rest
    LocalObjects(made.folder).put(bronze.part_key(left_over, 99), bronze.encode_lines(left_over, stray))
    made.run_days(1)
    assert made.sql("SELECT * FROM silver.fact_events WHERE event_key = 'stray'") == []
    assert made.sql("SELECT * FROM silver.quarantine") == []


@engine
def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake", SCENARIO)
    made.run_days(1)
    before = made.rows("silver.fact_events"), made.rows("gold.fact_media_daily")
    again = made.run_day(SCENARIO.starts, run_id="again")
    counts = {n: c for n, c in again.tables.items() if not n.startswith("ops.")}
    assert counts == {}, "what nothing has changed is not computed"
    assert (made.rows("silver.fact_events"), made.rows("gold.fact_media_daily")) == before


@engine
def test_a_backfill_moves_no_watermark(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake", SCENARIO)
    made.run_days(1)
    before = {(w.dataset, w.media_id): w.last_date for w in made.ledger.watermarks()}
    early = SCENARIO.starts.date() - timedelta(days=4)
    made.run_day(SCENARIO.starts + timedelta(hours=1), start=early, end=early, trigger="backfill")
    assert {(w.dataset, w.media_id): w.last_date for w in made.ledger.watermarks()} == before


def _failing(tmp_path: Path, *faults: Fault) -> Lake:
    return Lake(tmp_path / "lake", Scenario(STORY, faults=FaultPlan(3, faults)))


def test_a_refused_token_is_no_empty_day(tmp_path: Path) -> None:
    made = _failing(tmp_path, Fault("token_revoked", "events", when=Always()))
    with pytest.raises(SourceRefused):
        made.run_days(1)
    assert [i for i in some(made.ledger.intervals("events")) if i.landing_id] == []
    assert made.ledger.watermarks() == []


@engine
def test_a_failed_page_is_no_end_of_the_list(tmp_path: Path) -> None:
    made = _failing(tmp_path, Fault("http500", "events", when=Always()))
    with pytest.raises(RunFailed) as failed:
        made.run_days(1)
    assert failed.value.exit_code == 75
    assert {i.state for i in made.ledger.intervals("events")} == {State.FAILED}
    assert [w for w in some(made.ledger.watermarks()) if w.dataset == "events"] == []
    assert made.rows("gold.fact_media_daily") == []


@engine
def test_a_media_that_fails_fails_the_run(tmp_path: Path) -> None:
    made = _failing(tmp_path, Fault("http500", "events", when=Always()))
    with pytest.raises(RunFailed):
        made.run_days(1)
    assert made.ledger.runs(1)[0].status == "failed"


@engine
def test_what_was_landed_before_a_failure_is_kept(tmp_path: Path) -> None:
    made = _failing(tmp_path, Fault("http500", "events", when=Always()))
    with pytest.raises(RunFailed):
        made.run_days(1)
    assert len(DuckDBQuery(made.ledger).sql("SELECT * FROM silver.fact_media_by_date")) == 3 * 7
    assert {i.state for i in made.ledger.intervals("media_by_date")} == {State.PUBLISHED}


def test_a_ledger_that_can_not_be_read_is_no_fresh_start(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake", SCENARIO)
    made.parts(made.settings())
    from wistlake.adapters.local.lake_folder import LakeFolder

    LakeFolder(made.folder).ledger.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        made.run_day(SCENARIO.starts)


def test_the_page_size_is_always_asked_for() -> None:
    from wistlake.wistia.endpoints import ENDPOINTS, Shape

    asked = []

    def answer(request):  # type: ignore[no-untyped-def]
        asked.append(dict(request.url.params))
        return Paged([])(request)

    for name, how in ENDPOINTS.items():
        if how.shape is Shape.PAGES:
            run(client(answer), lambda c, name=name: c.fetch(source(name), "m1", DAY, DAY))
    assert len(asked) == 2
    assert {params["per_page"] for params in asked} == {"100"}


def test_more_pages_than_any_cap() -> None:
    listing = run(client(Paged(events(5_301))), lambda c: c.fetch(source("events"), "m1", DAY, DAY))
    assert len({r["event_key"] for r in listing.records}) == 5_301
    assert listing.pages == 54


def test_requests_name_plain_days() -> None:
    paged = Paged(events(1))
    listing = run(client(paged), lambda c: c.fetch(source("events"), "m1", DAY, DAY))
    said = str(listing.request)
    assert f"'{DAY}'" in said or f"={DAY}" in said
    assert f"{DAY}T" not in said


def test_visitors_belong_to_the_account() -> None:
    assert source("visitors").account_wide
    assert "media_id" not in {f.path for f in source("visitors").fields}


def test_channels_are_not_swapped() -> None:
    def channel(field: str, text: str) -> str:
        return next(r.channel for r in DEFAULT_RULES if r.field == field and re.search(r.pattern, text))

    for name, host in (("facebook", "m.facebook.com"), ("youtube", "www.youtube.com")):
        assert channel("embed_host", host) == name
        assert channel("utm_source", name) == name
        assert channel("title", f"teaser for {name}") == name


def test_no_address_of_a_store_in_the_rooms_of_meaning() -> None:
    rooms = ("contracts", "derive", "planning", "pipeline", "quality", "transforms", "privacy", "wistia")
    files = [path for room in rooms for path in (SOURCES / room).rglob("*.py")]
    assert len(files) > 50
    assert [p.name for p in files if "s3://" in p.read_text()] == []


def test_certificates_are_always_checked() -> None:
    assert [p for p in some(SOURCES.rglob("*.py")) if re.search(r"verify\s*=\s*False", p.read_text())] == []


def test_every_module_compiles() -> None:
    for path in some(SOURCES.parent.rglob("*.py")):
        compile(path.read_text(), str(path), "exec")
