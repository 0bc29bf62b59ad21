"""Commands that hand a job on: what they ask for, and what they say when it is done. The jobs themselves are stood in
for: no engine, no source."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.commands import call
from support.handmade import HandMade
from support.published import Published
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.table_repair import Repaired
from wistlake.contracts.form import ACCOUNT
from wistlake.entrypoints.cli import (
    demo,
    explore,
    quarantine,
    repair,
    repair_store,
    runs,
    trust,
)
from wistlake.errors import SourceUnavailable
from wistlake.insight import preview
from wistlake.pipeline.jobs.quarantine import Replay
from wistlake.pipeline.jobs.rebuild_ledger import RebuiltLedger
from wistlake.pipeline.run import driver
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import RunSpec
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.ports import Run
from wistlake.wiring import laptop_repair
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.spec import oldest_day
from wistlake_soak.judge import Judgement
from wistlake_soak.report import Outcome
from wistlake_soak.script import write
from wistlake_soak.week import Lived

MEDIA, RETIRED = "abcdef1234", "retired001"
AT = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
NOW = ("--now", "2026-03-05T02:15:00+00:00")
Capture = pytest.CaptureFixture[str]


def lines(capsys: Capture) -> list[str]:
    """What was printed, blanks taken together."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip()]


@dataclass
class Performed:
    """The runs that commands asked for."""

    specs: list[RunSpec]
    silent: list[bool]

    @property
    def spec(self) -> RunSpec:
        (spec,) = self.specs
        return spec


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> Performed:
    """Stands in for `perform` where commands use it."""
    done = Performed([], [])

    def perform(lake: LaptopLake, spec: RunSpec, *, as_json: bool, silent: bool = False) -> None:
        done.specs.append(spec)
        done.silent.append(silent)

    for module in (runs, repair, repair_store, quarantine):
        monkeypatch.setattr(module, "perform", perform)
    return done


# a run, and what it says


RESULT = RunResult(
    "r1", "manual",
    intervals=[
        {"dataset": "events", "media_id": MEDIA, "days": 2, "rows": 1234, "new": 5, "updated": 6, "removed": 7,
         "quarantined": 8, "unchanged": 9, "pages": 3, "requests": 40, "seconds": 1.5},
        {"dataset": "media_by_date", "media_id": MEDIA, "days": 1, "rows": 1, "new": 0, "updated": 0, "removed": 0,
         "quarantined": 0, "unchanged": 1, "pages": 1, "requests": 2, "seconds": 0.5},
    ],
    tables={"silver.fact_events": {"new": 5}}, unavailable={"analytics": "404"}, drift={"events": ["a", "b"]},
    warnings=["mind this"], days_published=3, seconds={"fetch": 2.04, "build": 1.0},
)  # fmt: skip


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> RunResult:
    """What any run ends with here."""
    ended = replace(RESULT)
    monkeypatch.setattr(runs.session, "is_verbose", lambda: False)
    monkeypatch.setattr(driver, "run", lambda spec, dependencies: ended)
    return ended


ATTENTION = ["unavailable: analytics (404)", "new fields in events: a, b", "mind this"]


def test_a_result_is_five_lines_with_all_that_needs_attention(
    capsys: Capture, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.output, "on_terminal", lambda: True)
    runs.show(result, as_json=False)
    assert lines(capsys) == [
        "succeeded: 42 requests, 3 s",
        "rows: 5 new, 6 changed, 7 gone, 8 refused",
        "published: 3 media days",
        "needs attention:",
        *ATTENTION,
        "next: `wistlake status` for how far the data goes, `wistlake digest` for what moved",
    ]
    result.unavailable, result.drift, result.warnings = {}, {}, []
    runs.show(result, as_json=False)
    assert lines(capsys)[3] == "needs attention: nothing"


def test_a_result_in_a_pipe_is_one_line_and_what_needs_attention(capsys: Capture, result: RunResult) -> None:
    runs.show(result, as_json=False)
    assert lines(capsys) == [
        "run r1 succeeded: 5 new rows, 3 media days published, 42 requests, 3 s", *ATTENTION,
    ]  # fmt: skip
    runs.show(result, as_json=True)
    assert json.loads(capsys.readouterr().out)["days_published"] == 3


def test_with_verbose_each_dataset_and_media_comes_first(
    capsys: Capture, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.session, "is_verbose", lambda: True)
    runs.show(result, as_json=False)
    printed = lines(capsys)
    assert printed[0] == "Run r1"
    assert printed[1].split()[-4:] == ["unchanged", "pages", "requests", "seconds"]
    assert f"events {MEDIA} 2 1,234 5 6 7 8 9 3 40 1.5" in printed
    assert "fetch 2.0 s, build 1.0 s" in printed
    assert printed[-4].startswith("run r1 succeeded")


def test_ctrl_c_says_that_nothing_is_half_published(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(spec: RunSpec, dependencies: Any) -> RunResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(driver, "run", interrupted)
    assert call("run", *NOW) == 130
    assert capsys.readouterr().err == "warning: stopped. Nothing is half published; run it again to go on\n"


def test_what_many_media_share_is_in_words_for_people_and_unchanged_for_programs(
    capsys: Capture, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.session, "is_verbose", lambda: True)
    result.intervals = [{**RESULT.intervals[0], "media_id": ACCOUNT}, RESULT.intervals[1]]
    result.carried = {"media_stats": 12}
    runs.show(result, as_json=False)
    printed = lines(capsys)
    assert "events all media 2 1,234 5 6 7 8 9 3 40 1.5" in printed
    assert any(line.startswith(f"media_by_date {MEDIA} ") for line in printed)
    assert "media_stats: nothing moved at 12 media, whose last snapshot still stands" in printed
    assert not any(ACCOUNT in line for line in printed)
    runs.show(result, as_json=True)
    as_read = json.loads(capsys.readouterr().out)
    assert [line["media_id"] for line in as_read["intervals"]] == [ACCOUNT, MEDIA]
    assert as_read["carried"] == {"media_stats": 12}


def test_a_plan_counts_what_is_certain_and_what_depends(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = date(2026, 3, 3), date(2026, 3, 4)
    fetches = (
        Fetch("events", ACCOUNT, first, last, tuple((m, first, last) for m in (MEDIA, RETIRED)), rows=250),
        Fetch("media_metadata", ACCOUNT, last, last, tuple((m, last, last) for m in (MEDIA, RETIRED))),
        Fetch("media_stats", MEDIA, last, last, if_moved=True),
    )
    monkeypatch.setattr(preview, "preview", lambda spec, inputs: (fetches, {}))
    assert call("plan", *NOW) == 0
    printed = lines(capsys)
    assert "events all media 2026-03-03 2026-03-04 4 5 False" in printed
    assert f"media_stats {MEDIA} 2026-03-04 2026-03-04 1 1 True" in printed
    assert "media_metadata 2 media 2026-03-04 2026-03-04 2 1 False" in printed
    assert printed[-1] == "3 listings, about 6 requests, and up to 1 where something moved"
    assert call("plan", "--json", *NOW) == 0
    listing, *_ = json.loads(capsys.readouterr().out)["fetches"]
    assert (listing["media_id"], listing["landings"], listing["if_moved"]) == (ACCOUNT, 4, False)


def test_a_narrow_terminal_has_the_columns_that_matter(
    capsys: Capture, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.session, "is_verbose", lambda: True)
    monkeypatch.setattr(runs.output, "on_terminal", lambda: True)
    for width, columns in ((120, 8), (121, 12)):
        monkeypatch.setattr(runs.output, "width", lambda width=width: width)
        runs.show(result, as_json=False)
        assert len(lines(capsys)[1].split()) == columns


@pytest.mark.parametrize(
    ("setting", "there", "news", "written"),
    [
        ("true", True, True, True),
        ("true", False, False, True),
        ("true", True, False, False),
        ("false", False, True, False),
    ],
)
def test_a_run_renews_the_report_where_there_is_news_or_none_yet(
    lake: HandMade,
    result: RunResult,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    there: bool,
    news: bool,
    written: bool,
) -> None:
    monkeypatch.setenv("WISTLAKE_REPORT", setting)
    report = lake.folder / "report.html"
    if there:
        report.write_text("of yesterday")
    result.tables = {"silver.fact_events": {"new": 5}} if news else {}
    assert call("run", *NOW) == 0
    assert (report.exists() and "<html" in report.read_text()) is written


def test_a_run_that_failed_in_part_is_shown_before_its_error(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(spec: RunSpec, dependencies: Any) -> RunResult:
        raise driver.RunFailed(
            SourceUnavailable("no answer"), replace(RESULT, status="failed", errors=["no answer"])
        )

    monkeypatch.setattr(driver, "run", failed)
    assert call("run", *NOW) == SourceUnavailable.exit_code
    captured = capsys.readouterr()
    assert "run r1 failed: 5 new rows, 3 media days published" in captured.out
    assert "no answer" in captured.err


@pytest.mark.parametrize(
    ("command", "trigger"),
    [
        (("run",), "manual"),
        (("run", "--scheduled"), "scheduled"),
        (("backfill", "--from", "2026-02-01"), "backfill"),
    ],
)
def test_who_started_a_run_is_part_of_it(
    lake: HandMade, performed: Performed, command: tuple[str, ...], trigger: str
) -> None:
    assert call(*command, *NOW) == 0
    assert (performed.spec.trigger, performed.spec.build_only) == (trigger, False)


def test_days_that_wistia_keeps_no_more_are_told_of(
    lake: HandMade, performed: Performed, capsys: Capture
) -> None:
    oldest = oldest_day(AT)
    for start, is_too_old in ((oldest, False), (oldest - timedelta(days=1), True)):
        assert call("backfill", "--from", str(start), *NOW) == 0
        assert (f"days before {oldest} are not asked for" in capsys.readouterr().out) is is_too_old, start
    assert call("backfill", "--from", "2020-01-01", "--json", *NOW) == 0
    assert capsys.readouterr().out == ""
    assert call("backfill", *NOW) == 2


# repairs


def test_a_repair_asks_for_the_gaps_and_failures_alone(lake: HandMade, performed: Performed) -> None:
    assert call("repair", *NOW) == 0
    spec = performed.spec
    assert spec.only == {("events", MEDIA, date(2026, 3, n)) for n in (1, 2, 3)}
    assert (spec.trigger, spec.choice.ids, spec.accept_shrink) == ("repair", (MEDIA,), frozenset())


def test_a_loss_is_accepted_of_media_that_are_named(
    lake: HandMade, performed: Performed, capsys: Capture
) -> None:
    assert call("repair", "--accept-shrink", *NOW) == 2
    assert "name the media" in capsys.readouterr().err
    assert call("repair", "--accept-shrink", "--media", MEDIA, *NOW) == 0
    assert performed.spec.accept_shrink == {MEDIA}


def test_a_rebuild_asks_the_source_for_nothing(lake: HandMade, performed: Performed, capsys: Capture) -> None:
    assert call("rebuild", *NOW) == 0
    assert (performed.spec.trigger, performed.spec.build_only, performed.spec.choice.ids) == (
        "rebuild",
        True,
        (MEDIA,),
    )
    assert lines(capsys)[0] == "0 landings are built anew"
    assert call("rebuild", "--zone", " ", *NOW) == 2
    assert call("rebuild", "--json", *NOW) == 0
    assert capsys.readouterr().out == ""


EXPIRED = (
    "3 are not: raw pages of 2 days from 2026-02-01 to 2026-02-03 have expired; their rows stay as built"
)


def test_a_rebuild_says_which_days_it_can_not_build_and_what_to_set(
    lake: HandMade, performed: Performed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = [Interval("events", MEDIA, date(2026, 2, n), State.PUBLISHED, "r", AT) for n in (3, 1, 1)]
    monkeypatch.setattr("wistlake.pipeline.jobs.rebuild.prepare", lambda *_: (7, expired))
    assert call("rebuild", "--zone", "Europe/Berlin", *NOW) == 0
    assert lines(capsys) == [
        "7 landings are built anew",
        f"{EXPIRED}, but for their local day",
        "the lake's days are now in Europe/Berlin: set WISTLAKE_ACCOUNT_TIMEZONE=Europe/Berlin",
    ]
    assert performed.spec.zone_name == "Europe/Berlin"
    assert call("rebuild", *NOW) == 0
    assert lines(capsys)[1] == EXPIRED


def test_a_rebuild_of_a_lake_that_follows_nothing_is_refused(
    lake: HandMade, performed: Performed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wistlake.pipeline.jobs.media.followed", lambda _: ())
    assert call("rebuild", *NOW) == 2
    assert "nothing to rebuild" in capsys.readouterr().err
    assert performed.specs == []


def test_one_part_is_repaired_at_a_time(lake: HandMade, capsys: Capture) -> None:
    assert call("repair", "--catalog", "--marker", *NOW) == 2
    assert "one at a time: --catalog or --marker" in capsys.readouterr().err


RECOVERED = RebuiltLedger(landings=5, media=2, older=3, tombstones=1, labelled=4)


@pytest.mark.parametrize(
    ("part", "job", "done", "facts", "text"),
    [
        ("--catalog", "catalog", ["a", "b"], {"registered": ["a", "b"]}, "2 tables are registered again"),
        ("--marker", "marker", "UTC-5", {"zone": "UTC-5"}, "the lake's days are in UTC-5"),
        ("--ledger", "ledger", RECOVERED, {"landings": 5, "media": 2, "older": 3, "tombstones": 1, "labelled": 4},
         "5 landings of 2 media, 3 older days without raw pages, 1 tombstones, labels of 4 media"),
    ],
)  # fmt: skip
def test_a_repaired_part_is_named(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    part: str, job: str, done: Any, facts: dict[str, Any], text: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(laptop_repair, job, lambda *_: done)
    assert call("repair", part, *NOW) == 0
    assert text in capsys.readouterr().out
    assert call("repair", part, "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out) == facts


FILES = tuple(f"file {n}" for n in range(21))


@pytest.mark.parametrize(
    ("repaired", "text"),
    [
        (Repaired(lost=FILES), ["t lost 21 files; what raw pages hold of them is built again", *FILES[:20]]),
        (Repaired(AT),
         ["t is back to its state of 2026-03-05 02:15 UTC; what came since is built again"]),
        (Repaired(is_empty=True),
         ["t is empty now: nothing of it could be read. What raw pages hold is built again"]),
    ],
)  # fmt: skip
def test_a_mended_table_is_built_again_from_raw_pages(
    lake: HandMade,
    performed: Performed,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    repaired: Repaired,
    text: list[str],
) -> None:
    monkeypatch.setattr(laptop_repair, "table", lambda *_: repaired)
    assert call("repair", "--table", "t", *NOW) == 0
    assert lines(capsys) == text
    assert (performed.spec.trigger, performed.spec.build_only) == ("repair", True)
    assert call("repair", "--table", "t", "--json", *NOW) == 0
    assert capsys.readouterr().out == ""


def test_a_whole_table_is_left_alone(
    lake: HandMade, performed: Performed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laptop_repair, "table", lambda *_: None)
    assert call("repair", "--table", "t", *NOW) == 0
    assert lines(capsys) == ["t is whole: nothing to mend"]
    assert call("repair", "--table", "t", "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out) == {"status": "succeeded", "tables": {}}
    assert performed.specs == []


@pytest.mark.parametrize(
    ("days", "ranges"),
    [
        ([("e", "a", 1), ("e", "a", 2), ("e", "a", 4)], [("e", "a", 1, 2, 2), ("e", "a", 4, 4, 1)]),
        ([("e", "b", 2), ("e", "a", 1)], [("e", "a", 1, 1, 1), ("e", "b", 2, 2, 1)]),
        ([("f", "a", 2), ("e", "a", 1)], [("e", "a", 1, 1, 1), ("f", "a", 2, 2, 1)]),
        ([], []),
    ],
)
def test_days_that_follow_each_other_are_one_row(days: list[Any], ranges: list[Any]) -> None:
    def on(n: int) -> date:
        return date(2026, 3, n)

    assert repair._ranges([(d, m, on(n)) for d, m, n in days]) == [
        (d, m, on(a), on(b), c) for d, m, a, b, c in ranges
    ]


# quarantine


def refusals(*numbers: int) -> Published:
    """Records that were refused on the 1st and the 2nd."""
    return Published(
        {
            "silver.quarantine": [
                {"landing_id": f"l{n}", "line": n, "dataset": "events", "media_id": MEDIA, "dt": date(2026, 3, n),
                 "reason": "bad_received_at" if n == 1 else "missing_event_key", "record_hash": f"{n}" * 16}
                for n in numbers
            ]
        }
    )  # fmt: skip


def test_refused_records_are_listed_with_what_their_reasons_mean(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("quarantine", "list") == 0
    assert lines(capsys) == ["Quarantine: none", "nothing was refused"]
    monkeypatch.setattr(LaptopLake, "query", lambda _: refusals(1, 2, 3))
    assert call("quarantine", "list") == 0
    printed = lines(capsys)
    assert f"222222222222 events {MEDIA} 2026-03-02 2 missing_event_key" in printed
    assert [line.split(":")[0] for line in printed[-3:-1]] == ["2 missing_event_key", "1 bad_received_at"]
    assert printed[-1] == "`wistlake quarantine show ID` says more"
    assert call("quarantine", "list", "--json", "--reason", "bad_received_at") == 0
    answered = json.loads(capsys.readouterr().out)
    assert ([r["id"] for r in answered["records"]], answered["stopped"]) == (["1" * 12], [])
    assert call("quarantine", "show", "2222") == 0
    assert "reason missing_event_key" in lines(capsys)
    assert call("quarantine", "show", "2222", "--json") == 0
    assert json.loads(capsys.readouterr().out)["line"] == 2


def replayed(monkeypatch: pytest.MonkeyPatch, before: Published, after: Published, expired: int) -> None:
    """A replay of all refused records, of which the first `expired` ones have no source any more."""
    readings = iter((before, after))
    monkeypatch.setattr(LaptopLake, "query", lambda _: next(readings))

    def prepare(ledger: Any, objects: Any, rows: list[dict[str, Any]], *_: Any) -> Replay:
        ordered = sorted(rows, key=lambda r: r["day"])
        there = [
            Interval("events", r["media_id"], r["day"], State.LANDED, "r", AT) for r in ordered[expired:]
        ]
        return Replay(tuple(there), tuple(ordered[:expired]))

    monkeypatch.setattr("wistlake.pipeline.jobs.quarantine.prepare_replay", prepare)


def test_records_come_home_or_are_refused_again(
    lake: HandMade, performed: Performed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayed(monkeypatch, refusals(1, 2, 3, 4), refusals(1, 3), expired=1)
    assert call("quarantine", "replay", *NOW) == 0
    expired, counts = lines(capsys)
    assert expired.startswith(
        "the source of 1 records has expired: raw pages of 1 days from 2026-03-01 to 2026-03-01"
    )
    assert expired.endswith("`wistlake backfill --from 2026-03-01 --to 2026-03-01`")
    assert counts == "2 records were accepted, 1 are still refused"
    assert (performed.spec.trigger, performed.spec.build_only, performed.spec.choice.ids) == (
        "repair",
        True,
        (MEDIA,),
    )
    assert performed.silent == [False]
    replayed(monkeypatch, refusals(1, 2, 3, 4), refusals(1, 3), expired=1)
    assert call("quarantine", "replay", "--json", *NOW) == 0
    answered = json.loads(capsys.readouterr().out)
    assert {n: answered[n] for n in ("status", "came_home", "still_refused", "expired")} == {
        "status": "succeeded", "came_home": 2, "still_refused": 1, "expired": 1,
    }  # fmt: skip
    assert performed.silent == [False, True]


def test_a_replay_of_nothing(
    lake: HandMade, performed: Performed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("quarantine", "replay", *NOW) == 0
    assert lines(capsys) == ["nothing was refused"]
    assert call("quarantine", "replay", "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out)["came_home"] == 0
    replayed(monkeypatch, refusals(1), refusals(1), expired=1)
    assert call("quarantine", "replay", *NOW) != 0
    assert "the source of every refused record has expired" in capsys.readouterr().err
    assert performed.specs == []


# upkeep, people


def test_upkeep_says_what_it_did(lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LaptopLake, "maintain", lambda *_: {"merged_files": 3, "expired_pages": 0})
    assert call("maintain", *NOW) == 0
    assert lines(capsys) == ["3 merged files, 0 expired pages"]
    assert call("maintain", "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out) == {"merged_files": 3, "expired_pages": 0}


def test_upkeep_can_say_first_which_raw_pages_would_go(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> set[str]:
        return {str(path) for path in (lake.folder / "bronze").rglob("*")}

    before = files()
    later = ("--now", "2029-03-05T00:00Z")
    assert call("maintain", "--dry-run", *later) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "events 1 2026-03-01 2026-03-01" in printed
    assert "can't be built again" in printed
    assert call("maintain", "--dry-run", "--json", *later) == 0
    assert json.loads(capsys.readouterr().out)["events"] == {
        "landings": 1, "first_day": "2026-03-01", "last_day": "2026-03-01",
    }  # fmt: skip
    assert call("maintain", "--dry-run", *NOW) == 0
    assert "Raw pages that would go, listed before 2026-02-03: none" in capsys.readouterr().out
    assert files() == before


@pytest.mark.parametrize(("origin", "is_past"), [("simulated", True), ("live", False)])
def test_upkeep_of_simulated_days_goes_by_their_time(
    lake: HandMade, monkeypatch: pytest.MonkeyPatch, origin: str, is_past: bool
) -> None:
    moments: list[datetime] = []
    monkeypatch.setattr(LaptopLake, "maintain", lambda _, run, at: moments.append(at) or {})
    began = datetime(2026, 3, 7, 2, 15, tzinfo=UTC)
    SqliteLedger(lake.folder / "ledger.db").put_run(Run("r9", "scheduled", origin, "succeeded", began))
    assert call("maintain") == call("maintain", "--now", "2026-04-01T00:00Z") == 0
    assert (moments[0] == began) is is_past
    assert (datetime.now(UTC) - moments[0] < timedelta(hours=1)) is not is_past
    assert moments[1] == datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(("dry", "title"), [((), "Forgotten"), (("--dry-run",), "Would be forgotten")])
def test_who_is_forgotten_is_counted_and_the_report_renewed(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch, dry: tuple[str, ...], title: str
) -> None:
    jobs: list[Any] = []
    monkeypatch.setattr(
        LaptopLake, "forget", lambda _, run, at, who, *, dry_run: jobs.append((who, dry_run)) or {"rows": 4}
    )
    monkeypatch.setenv("WISTLAKE_REPORT", "true")
    assert call("forget", "--email", " a@b.example ", "--devices", "2", *dry, *NOW) == 0
    assert " ".join(lines(capsys)).startswith(f"{title} ")
    ((who, dry_run),) = jobs
    assert (who.email, who.visitor_key, who.devices, dry_run) == ("a@b.example", "", 2, bool(dry))
    assert (lake.folder / "report.html").exists() is not dry_run
    assert call("forget", "--visitor-key", "k", "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 4}


def test_a_rotation_tells_the_epoch_and_its_rows(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = {"epoch": 2, "tables": {"a": 3, "b": 4}}
    monkeypatch.setattr(LaptopLake, "rotate", lambda *_: receipt)
    assert call("key", "rotate", *NOW) == 0
    assert lines(capsys) == ["epoch 2: 7 rows wrapped"]
    assert call("key", "rotate", "--json", *NOW) == 0
    assert json.loads(capsys.readouterr().out) == receipt


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("--cron",), ["CRON_TZ=UTC", "15 2 * * *"]),
        (("--cron", "--at", "23:5"), ["5 23 * * *", "@reboot cd"]),
        (("--systemd", "--at", "3:07"), ["OnCalendar=*-*-* 03:07:00 UTC", "[Service]", "Persistent=true"]),
    ],
)
def test_a_schedule_is_printed(
    folder: Path, capsys: Capture, arguments: tuple[str, ...], printed: list[str]
) -> None:
    assert call("schedule", *arguments) == 0
    text = capsys.readouterr().out
    assert [part for part in printed if part not in text] == []
    assert ("crontab" in text) is ("--cron" in arguments)


@pytest.mark.parametrize(
    "arguments", [(), ("--cron", "--systemd"), ("--cron", "--at", "24:00"), ("--cron", "--at", "noon")]
)
def test_a_schedule_of_no_kind_or_time_is_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    assert call("schedule", *arguments) == 2


# without an account


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[datetime]:
    """The days that a demo lives through; no engine."""
    lived: list[datetime] = []

    def one_day(lake: LaptopLake) -> dict[str, Any]:
        lived.append(lake.runtime.clock())
        return {
            "status": "succeeded",
            "tables": {"a": {"new": 1200}, "b": {"new": 34}, "c": {}},
            "lake": lake.label,
        }

    monkeypatch.setattr(demo, "_one_day", one_day)
    monkeypatch.setattr(demo, "write_after_run", lambda lake: lake.folder.report.write_text("numbers"))
    monkeypatch.setattr(demo.shutil, "which", lambda _: "/usr/bin/wistlake")
    return lived


def test_a_demo_lives_through_its_days(days: list[datetime], folder: Path, capsys: Capture) -> None:
    assert call("demo", "--days", "2", "--lake", "tried") == 0
    printed = lines(capsys)
    assert printed[1:3] == ["2026-03-02: succeeded, 1,234 new rows", "2026-03-03: succeeded, 1,234 new rows"]
    assert days == [datetime(2026, 3, n, 2, 15, tzinfo=UTC) for n in (2, 3)]
    assert "WISTLAKE_LAKE=tried wistlake status" in printed
    assert str(folder / "tried" / "report.html") in printed
    assert (folder / "tried" / "report.html").read_text() == "numbers"
    assert not (folder / "report.html").exists()


def test_a_demo_replaces_an_earlier_one_and_nothing_else(
    days: list[datetime], folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it touch the lake of the settings."""
    monkeypatch.setenv("WISTLAKE_LAKE", str(folder / "lake"))
    own = LakeFolder(folder / "lake")
    own.open("UTC", datetime(2026, 3, 5, tzinfo=UTC))
    before = own.marker.read_bytes()
    for _ in range(2):
        (folder / "demo-lake").mkdir(exist_ok=True)
        assert call("demo", "--days", "1") == 0
        (folder / "demo-lake" / "of the first demo").touch()
    assert call("demo", "--days", "1") == 0
    assert not (folder / "demo-lake" / "of the first demo").exists()
    assert call("demo", "--lake", "lake") == 2
    assert f"{folder / 'lake'} is not a demo's lake" in capsys.readouterr().err
    (folder / "holiday").mkdir()
    (folder / "holiday" / "photo").touch()
    assert call("demo", "--lake", "holiday") == call("demo", "--lake", "holiday/photo") == 2
    assert (own.marker.read_bytes(), [p.name for p in (folder / "holiday").iterdir()]) == (before, ["photo"])


def test_a_demo_has_the_plays_that_the_readme_shows(
    days: list[datetime], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its seven days, the README shows the last three."""
    worlds, lake_of = [], demo._lake
    monkeypatch.setattr(
        demo, "_lake", lambda settings, world: worlds.append(world) or lake_of(settings, world)
    )
    assert call("demo") == 0
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    shown = {
        date.fromisoformat(day): int(plays) for day, plays in re.findall(r"(?m)^(\S+-\d+) +(\d+) ", readme)
    }
    assert sorted(shown) == [(days[-1] - timedelta(days=age)).date() for age in (4, 3, 2)]
    assert shown == {day: worlds[-1].truth.account_by_date(day, day)[0]["play_count"] for day in shown}


def test_a_demo_for_programs_is_one_object(
    days: list[datetime], folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("demo", "--days", "1", "--json", "--lake", "named") == 0
    answered = json.loads(capsys.readouterr().out)
    assert (answered["lake"], len(answered["runs"])) == (str(folder / "named"), 1)
    assert answered["runs"][0]["lake"] == str(folder / "named")


def test_what_comes_next_can_be_typed_here(
    days: list[datetime], folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WISTLAKE_LAKE", raising=False)
    assert call("demo", "--days", "1") == 0
    assert "WISTLAKE_LAKE=demo-lake wistlake status" in lines(capsys)
    monkeypatch.setattr(demo.shutil, "which", lambda _: None)
    for program, command in (
        (folder / "bin" / "wistlake", "bin/wistlake"),
        (folder / "main.py", "python -m wistlake.entrypoints.cli.main"),
    ):
        monkeypatch.setattr(demo.sys, "argv", [str(program)])
        assert call("demo", "--days", "1") == 0
        assert f"WISTLAKE_LAKE=demo-lake {command} status" in lines(capsys)


@pytest.mark.parametrize(("wrong", "code"), [(0, 0), (2, 1)])
def test_a_soak_shows_its_proofs_and_fails_with_them(
    capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: int, code: int
) -> None:
    def live(profile: str, seed: int, days: int, tell: Callable[[str], None], lake: Path | None) -> Outcome:
        assert (profile, seed, days, lake) == ("calm", 3, 2, folder / "soaked")
        tell("day 1: succeeded")
        return Outcome(
            write(profile, seed, days),
            Lived(requests=17),
            Judgement(rows=1500, wrong=wrong, findings=["t: x"] * wrong),
        )

    monkeypatch.setattr("wistlake_soak.report.soak", live)
    arguments = ("soak", "--days", "2", "--profile", "calm", "--seed", "3", "--lake", "soaked")
    assert call(*arguments) == code
    printed = lines(capsys)
    assert printed[:2] == ["day 1: succeeded", "Faults injected: none"]
    assert f"0 0 17 1,500 0 0 {wrong}" in printed
    assert printed[-1 - wrong :] == ["t: x"] * wrong + ["FAILED" if wrong else "passed"]
    assert call(*arguments, "--json") == code
    assert json.loads(capsys.readouterr().out)["passed"] is (code == 0)


def test_what_a_soak_promised_and_never_did_is_named(capsys: Capture) -> None:
    outcome = Outcome(write("hostile", 1, 7), Lived(), Judgement())
    trust._show(outcome.as_json())
    (never,) = [line for line in lines(capsys) if line.startswith("never happened: ")]
    assert "certified_day" in never


# evidence


def test_one_column_of_a_row_is_explained(lake: HandMade, capsys: Capture) -> None:
    asked = ("explain", "fact_media_daily", "--media", MEDIA, "--date", "2026-03-01")
    assert call(*asked, "--metric", "plays") == 0
    printed = lines(capsys)
    assert "plays 1" in printed
    assert "certificate provisional" not in printed
    assert "What each reading of its sessions brought: none" in printed
    assert call(*asked, "--metric", "plays", "--json") == 0
    assert json.loads(capsys.readouterr().out)["row"] == {"plays": 1}
    assert call(*asked, "--metric", "playz") == 2
    assert "plays" in capsys.readouterr().err
    assert call("explain", "fact_events", *asked[2:]) == 2


def test_revisions_are_of_the_media_that_are_named(
    lake: HandMade, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [
        {"media_id": m, "date": date(2026, 3, 1), "observed_at": AT, "load_count": 9, "play_count": n}
        for m, n in ((MEDIA, 4), ("other00001", 5))
    ]
    monkeypatch.setattr(LaptopLake, "query", lambda _: Published({"silver.media_by_date_observations": seen}))
    assert call("revisions", "--media", MEDIA) == 0
    assert f"{MEDIA} 2026-03-01 2026-03-05 02:15Z 9 4" in lines(capsys)
    for media, plays in (
        ((), [4, 5]),
        (("--media", "other00001"), [5]),
        (("--media", f"other00001,{MEDIA}"), [5, 4]),
    ):
        assert call("revisions", *media, "--json") == 0
        answered = json.loads(capsys.readouterr().out)
        assert ([r["play_count"] for r in answered["revisions"]], answered["sessions"]) == (plays, [])


def test_pages_of_evidence_are_written_for_each_day(lake: HandMade, capsys: Capture, folder: Path) -> None:
    assert call("certify", "--days", "2", "--pages", "evidence", *NOW) == 1
    assert {p.name for p in (folder / "evidence").iterdir()} == {"2026-03-04.md", "2026-03-05.md"}


# looking at answers


def look(**more: Any) -> SimpleNamespace:
    usual: dict[str, Any] = {
        "what": "events", "path": "stats/events", "scope": "m1", "sizes": [100] * 13, "records": [{}] * 3,
        "ended": "a short page", "keys": ["a", "b"], "per_day": {f"2026-03-{n:02}": n for n in range(1, 12)},
        "seconds": 1.25, "is_cut": False, "notes": ["mind"],
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **more})


def test_a_look_at_a_list_says_how_it_is_paged(capsys: Capture) -> None:
    explore._show(look())  # type: ignore[arg-type]
    printed = lines(capsys)
    assert printed[:4] == [
        "events (stats/events, m1)",
        f"records 3 on pages of {', '.join(['100'] * 12)}, ..., 1.2 s",
        "ended by a short page",
        "first record a, b",
    ]
    assert printed[4].endswith("2026-03-10: 10, and 1 more days")
    assert printed[5] == "note mind"
    explore._show(look(sizes=[100] * 12, per_day={f"2026-03-{n:02}": n for n in range(1, 11)}, is_cut=True))  # type: ignore[arg-type]
    printed = lines(capsys)
    assert "..." not in printed[1]
    assert printed[4].endswith("2026-03-10: 10; the oldest day is not whole")
    explore._show(look(sizes=[], per_day={}, keys=[]))  # type: ignore[arg-type]
    printed = lines(capsys)
    assert printed[1].startswith("records 3 on pages of none")
    assert printed[3:] == ["first record none", "note mind"]


def test_what_could_be_a_watermark_is_shown(capsys: Capture) -> None:
    field = {
        "field": "received_at",
        "values": 9,
        "distinct": 8,
        "inversions": 1,
        "minimum": "a",
        "maximum": "z",
    }
    explore._show_summary(
        {
            "datasets": {
                "events": {"fields": [field], "suggested_watermark_field": "received_at"},
                "media": {"fields": [], "suggested_watermark_field": None},
            }
        }
    )
    printed = lines(capsys)
    assert "events received_at 9 8 1 a z" in printed
    assert printed[-2:] == [
        "watermark for events: received_at",
        "watermark for media: none orders the list, so it has to be read whole",
    ]
