"""`watch` over a lake of a few days: what is listed, what is written, and what a wrong entry says."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.commands import call
from support.handmade import HandMade
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.quality.alert_history import Alert

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
GOAL = '[[alert]]\nname = "one play"\nkind = "goal"\ngoal = 1\nsince = 2026-01-01\n'
TOLD = Alert(
    "fell", "abcdef1234", date(2026, 3, 1), "drop", "plays", date(2026, 3, 1), 1, 2.0, 40.0, False, NOW
)  # fmt: skip


def ledger(lake: HandMade) -> SqliteLedger:
    return SqliteLedger(lake.folder / "ledger.db")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert call("watch", *arguments, "--json", "--now", NOW.isoformat()) == 0
    return json.loads(capsys.readouterr().out)


def test_the_history_is_listed_newest_first(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    withdrawn = replace(TOLD, day=date(2026, 2, 1), withdrawn_at=NOW + timedelta(days=1))
    ledger(lake).put_alerts([withdrawn, TOLD])
    listed = answer(capsys, "--history")["alerts"]
    assert [(row["day"], row["withdrawn_at"]) for row in listed] == [
        ("2026-03-01", None), ("2026-02-01", "2026-03-06 02:15:00+00:00"),
    ]  # fmt: skip
    assert call("query", "SELECT rule, value, early FROM ops.alerts ORDER BY day", "--format", "csv") == 0
    assert capsys.readouterr().out.splitlines() == ["rule,value,early", "fell,2.0,False", "fell,2.0,False"]


def test_without_rules_it_says_where_they_go(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("watch") == 0
    assert "write [[alert]] entries into wistlake.toml" in capsys.readouterr().out


def test_it_evaluates_and_writes_nothing_unless_it_is_told_to_send(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wistlake.toml").write_text(GOAL, encoding="utf-8")
    dry = answer(capsys)
    assert (dry["rules"], dry["new"], dry["withdrawn"]) == (1, 1, 0)
    (alert,) = dry["alerts"]
    assert alert["text"].startswith("one play: all media: ")
    assert ledger(lake).alerts() == []
    assert answer(capsys, "--send")["new"] == 1
    (kept,) = ledger(lake).alerts()
    assert (kept.rule, str(kept.day)) == ("one play", alert["day"])
    again = answer(capsys, "--send")
    assert (again["new"], len(again["alerts"])) == (0, 1)
    assert call("watch", "--now", NOW.isoformat()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 rules: 1 alerts stand, 0 new, 0 withdrawn"


def test_a_wrong_entry_is_named_with_its_cure(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    Path("wistlake.toml").write_text(f'{GOAL}[[alert]]\nname = "x"\nkind = "dip"\n', encoding="utf-8")
    assert call("watch") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "error: WISTLAKE_ALERTS: [[alert]] 2 (x): kind is 'dip': write one of drop, spike, goal, no plays, retention"
    )
