"""Commands that read and change what a lake's ledger says; no engine, no source."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from support.commands import call
from support.handmade import HandMade
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.planning.intervals import MediaEntry
from wistlake.planning.optional import FACTS as NOT_IN_PLAN
from wistlake.quality.views import views

MEDIA, RETIRED = "abcdef1234", "retired001"
BEGAN = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
NOW = ("--now", "2026-03-05T02:15:00+00:00")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert call(*arguments, "--json") == code
    answered: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answered


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    """The lines of an answer for people, blanks taken together."""
    assert call(*arguments) == code
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip()]


def ledger(lake: HandMade) -> SqliteLedger:
    return SqliteLedger(lake.folder / "ledger.db", read_only=True)


def days(*numbers: int) -> list[dict[str, str]]:
    return [{"dataset": "events", "media_id": MEDIA, "day": f"2026-03-0{n}"} for n in numbers]


def test_gaps_are_finished_days_that_readers_lack_of_media_that_are_followed(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    """The 4th is there again, the 5th is not over; of a retired media nothing is missing."""
    found = answer(capsys, "gaps", *NOW)
    assert found["gaps"] == days(1, 2, 3)
    assert found["failed"] == [{**days(1)[0], "reason": "a test said so"}]
    lines = printed(capsys, "gaps", *NOW)
    assert [line for line in lines if " " not in line and line.isalpha()] == ["Gaps", "Failed"]
    assert f"events {MEDIA} 2026-03-01 2026-03-03 3" in lines
    assert f"events {MEDIA} 2026-03-01 a test said so" in lines
    assert lines[-1] == "`wistlake repair` fetches them"


def test_gaps_of_a_lake_that_has_all_of_its_days(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("media", "retire", MEDIA, *NOW) == 0
    capsys.readouterr()
    assert answer(capsys, "gaps", *NOW) == {"gaps": [], "failed": []}
    assert printed(capsys, "gaps", *NOW) == ["no gaps"]


def test_a_lake_of_simulated_days_is_as_of_its_last_run(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, "gaps") == answer(capsys, "gaps", *NOW)
    later = answer(capsys, "gaps", "--now", "2026-03-08T02:15:00+00:00")
    assert later["gaps"] == days(1, 2, 3, 5, 6, 7)


def test_status_names_the_last_run_and_what_is_missing(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "status", *NOW)
    assert {k: found["last_run"][k] for k in ("run_id", "trigger", "status", "origin", "error")} == {
        "run_id": "run-2", "trigger": "manual", "status": "succeeded", "origin": "simulated", "error": "",
    }  # fmt: skip
    assert found["checks"] == {"holds": 7, "broken": 1}
    assert found["certificates"] == {"provisional": 1}
    assert [(w["dataset"], w["last_date"]) for w in found["watermarks"]] == [
        ("events", "2026-02-28"), ("media_by_date", "2026-02-27"),
    ]  # fmt: skip
    assert found["gaps"] == days(1, 2, 3)
    assert [f["reason"] for f in found["failed"]] == ["a test said so", "of no interest"]
    lines = printed(capsys, "status", *NOW)
    for line in (
        f"events {MEDIA} 2026-02-28",
        "provisional 1",
        "holds 7",
        "broken 1",
        "last run: run-2 (manual), succeeded, began 2026-03-05 02:15Z",
        "warning: one of them is broken",
        "provisional media days: 1; records in quarantine: 0",
        "gaps: 3; failed intervals: 2 (as of 2026-03-05 02:15Z)",
        f"events {MEDIA} 2026-03-01: a test said so",
    ):
        assert line in lines, line
    assert lines[-1] == "`wistlake gaps` lists them, `wistlake repair` fetches them"


@pytest.fixture
def without_traffic(lake: HandMade) -> HandMade:
    """The account's plan was said to lack a dataset, on the day of the last run."""
    facts = SqliteLedger(lake.folder / "ledger.db")
    facts.put_facts(NOT_IN_PLAN, {"traffic_daily": "2026-03-05T02:15:00+00:00"})
    facts.close()
    return lake


def test_what_the_plan_lacks_is_said_and_not_planned(
    without_traffic: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    (lacking,) = answer(capsys, "status", *NOW)["not_in_plan"]
    assert lacking == {
        "dataset": "traffic_daily",
        "said_at": "2026-03-05 02:15:00+00:00",
        "asked_again_at": "2026-03-12 02:15:00+00:00",
    }
    said = "not in your plan; it is asked for again after 2026-03-12"
    assert f"traffic_daily is {said}" in printed(capsys, "status", *NOW)
    assert printed(capsys, "query", "SELECT dataset FROM ops.not_in_plan")[-1] == "traffic_daily"

    plan = ("plan", "--datasets", "traffic_daily,media_by_date")
    planned = answer(capsys, *plan, *NOW)
    assert planned["left_out"] == {"traffic_daily": said}
    assert {f["dataset"] for f in planned["fetches"]} == {"media_by_date"}
    assert f"traffic_daily is left out: {said}" in printed(capsys, *plan, *NOW)
    week_later = answer(capsys, *plan, "--now", "2026-03-12T02:15:00+00:00")
    assert week_later["left_out"] == {}
    assert {f["dataset"] for f in week_later["fetches"]} == {"traffic_daily", "media_by_date"}
    by_hand = answer(capsys, *plan, "--from", "2026-03-01", "--to", "2026-03-02", *NOW)
    assert by_hand["left_out"] == {}, "whoever names days wants to know"


def test_a_plan_says_what_too_many_media_leave_out(
    lake: HandMade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = SqliteLedger(lake.folder / "ledger.db")
    many.put_media([MediaEntry(f"media{n:05}", date(2026, 3, 3), BEGAN) for n in range(200)])
    many.close()
    plan = ("plan", "--datasets", "traffic_daily,media_by_date", *NOW)
    assert answer(capsys, *plan)["left_out"] == {}, "one media is named"
    monkeypatch.setenv("MEDIA_IDS", "all")
    planned = answer(capsys, *plan)
    assert planned["left_out"] == {
        "traffic_daily": "201 media cost as many requests a day, or more; name those that matter in MEDIA_IDS"
    }
    assert {f["dataset"] for f in planned["fetches"]} == {"media_by_date"}


def test_certify_says_of_each_day_why_it_proves_nothing(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "certify", "--days", "3", *NOW, code=1)
    assert found["passed"] is False
    assert found["problems"][0].startswith("3 days are missing")
    assert [(d["day"], d["origin"], d["problems"]) for d in found["days"]] == [
        ("2026-03-03", "no run", ["no run was started"]),
        ("2026-03-04", "simulated", ["no scheduled run succeeded"]),
        ("2026-03-05", "simulated", ["no scheduled run succeeded", "run-2 was started by hand (manual)"]),
    ]
    assert printed(capsys, "certify", "--days", "3", *NOW, code=1)[-1] == "FAILED"


def test_watermarks_are_listed_and_set_by_hand_with_the_reason(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("watermark", "set", "events", MEDIA, "2026-02-20", "--reason", "agreed", *NOW) == 0
    assert capsys.readouterr().out == f"the watermark of events {MEDIA} is 2026-02-20: agreed\n"
    marks = answer(capsys, "watermark", "show")["watermarks"]
    assert [(w["dataset"], w["last_date"], w["override_reason"]) for w in marks] == [
        ("events", "2026-02-20", "agreed"), ("media_by_date", "2026-02-27", ""),
    ]  # fmt: skip
    lines = printed(capsys, "watermark", "show")
    assert f"events {MEDIA} 2026-02-20 2026-03-05 02:15Z agreed" in lines
    assert call("watermark", "set", "event", MEDIA, "2026-02-20") == 2
    assert "events" in capsys.readouterr().err


def test_media_are_followed_retired_and_followed_again(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = answer(capsys, "media", "list")["media"]
    assert [(m["media_id"], m["first_day"], m["reason"]) for m in listed] == [
        (MEDIA, "2026-02-26", ""), (RETIRED, "2026-02-20", "campaign is over"),
    ]  # fmt: skip
    assert call("media", "retire", MEDIA, *NOW) == 0
    assert call("media", "add", RETIRED, *NOW) == 0
    assert call("media", "add", "newnewnew1", "--from", "2026-03-02", *NOW) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{MEDIA} is retired; its rows stay"
    assert told[1] == f"{RETIRED} is followed; MEDIA_IDS must name it too, unless it is `all`"
    media = {m.media_id: (str(m.first_day), m.retired_at is None, m.reason) for m in ledger(lake).media()}
    assert media == {
        MEDIA: ("2026-02-26", False, "retired by hand"),
        RETIRED: ("2026-02-20", True, ""),
        "newnewnew1": ("2026-03-02", True, ""),
    }
    assert call("media", "retire", "nobody0001", *NOW) == 2
    assert "does not follow nobody0001" in capsys.readouterr().err


def test_a_repair_without_anything_to_repair_asks_nobody(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, "repair", "--media", "zzzzzzzzzz", *NOW) == ["nothing to repair"]
    assert answer(capsys, "repair", "--to", "2026-02-20", *NOW) == {"status": "succeeded", "intervals": []}
    assert call("repair", "--from", "2026-03-02", "--to", "2026-03-01", *NOW) == 2


def test_a_plan_asks_for_what_readers_lack_and_for_the_lookback(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    """Days that two readings agree on are asked for again inside the lookback alone."""
    fetches = answer(capsys, "plan", "--datasets", "events", *NOW)["fetches"]
    assert [(f["start"], f["end"], f["landings"]) for f in fetches] == [
        (days(1)[0]["day"], days(4)[0]["day"], 4)
    ]


def test_explain_shows_the_row_its_landings_and_where_they_come_from(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("explain", "fact_media_daily", "--media", MEDIA, "--date", "2026-03-01")
    found = answer(capsys, *asked)
    assert (found["row"]["plays"], found["row"]["certificate"]) == (1, "provisional")
    assert found["sessions"] == {"listed": 0, "removed": 0, "late": 0, "grown": 0}
    assert [(i["dataset"], i["day"], i["state"], i["reason"], i["rows"]) for i in found["landings"]] == [
        ("events", "2026-03-01", "failed", "a test said so", 5)
    ]
    lines = printed(capsys, *asked)
    assert "certificate provisional" in lines
    assert call("explain", "fact_media_daily", "--media", MEDIA, "--date", "2026-03-09") != 0


def test_queries_are_answered_as_table_json_or_csv(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "SELECT date, plays FROM gold.fact_media_daily ORDER BY date"
    assert printed(capsys, "query", text)[-2:] == ["2026-03-01 1", "2026-03-02 2"]
    assert call("query", text, "--format", "csv") == 0
    assert capsys.readouterr().out.splitlines() == ["date,plays", "2026-03-01,1", "2026-03-02,2"]
    assert call("query", text, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"date": "2026-03-01", "plays": 1}, {"date": "2026-03-02", "plays": 2},
    ]  # fmt: skip
    assert call("query", text, "--format", "xml") == 2
    assert "table, json or csv" in capsys.readouterr().err


def test_a_query_without_sql_lists_what_can_be_asked(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each name answers, and no view is left out."""
    assert printed(capsys, "query")[0] == "table holds"
    names = [line.split()[0] for line in printed(capsys, "query")[2:] if line]
    assert {"gold.fact_media_daily", "ops.runs", "silver.fact_events", *dict(views())} <= set(names)
    each = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in names)
    assert [line.split()[0] for line in printed(capsys, "query", each)[2:] if line] == names


READING = (
    ("status",), ("gaps",), ("certify",), ("query", "SELECT 1 AS n"), ("revisions",), ("watermark", "show"),
    ("media", "list"), ("quarantine", "list"), ("contract", "drift"), ("repair", "--media", "zzzzzzzzzz"),
    ("explain", "fact_media_daily", "--media", MEDIA, "--date", "2026-03-01"),
)  # fmt: skip
WRITING = (
    ("media", "retire", MEDIA), ("watermark", "set", "events", MEDIA, "2026-02-20"), ("rebuild",), ("maintain",),
    ("quarantine", "replay"),
)  # fmt: skip


def test_a_lake_that_lost_its_key_is_read_and_not_written_to(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    (lake.folder / "pseudonym-key.json").unlink()
    for command in READING:
        assert call(*command) in (0, 1), command  # 1: the days prove nothing
    capsys.readouterr()
    for command in WRITING:
        assert call(*command) not in (0, 1, 2), command
        assert "pseudonym-key.json is gone" in capsys.readouterr().err, command
