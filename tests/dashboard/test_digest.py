"""The digest: the lake's own numbers, in a message of bounded length, sent only on request."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.commands import call
from support.lake import START, Lake, Scenario
from support.receiver import Receiver
from wistia_simulator import MediaChange, Profile
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake_dashboard.digest import LONGEST, LONGEST_TITLE, Digest, digest

pytestmark = pytest.mark.engine
LONG = "A <b>very</b> long & hostile name by jane@example.org " * 20


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two published weeks, by one run."""
    renamed = MediaChange(0, START - timedelta(days=1), "rename", LONG)
    profile = Profile(media=3, sessions_per_day=20, history_days=25, changes=(renamed,))
    made = Lake(
        tmp_path_factory.mktemp("digest") / "lake",
        Scenario(profile=profile, settings={"lookback_days": 18}),
    )
    made.run_day(START)
    return made


@pytest.fixture(scope="module")
def week(lake: Lake) -> Digest:
    return digest(DuckDBQuery(lake.ledger))


@pytest.fixture
def here(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLACK_WEBHOOK_URL", raising=False)
    monkeypatch.setenv("WISTLAKE_LAKE", str(lake.folder))


@pytest.fixture
def slack(here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", receiver.url)
        yield receiver


def plays(lake: Lake, first: int, last: int) -> dict[str, int]:
    """Plays by media from `first` to `last` days before the newest one."""
    rows = lake.sql(
        "SELECT media_id, sum(plays)::BIGINT AS plays FROM gold.fact_media_daily, "
        "(SELECT max(date) AS newest FROM gold.fact_media_daily) "
        f"WHERE date BETWEEN newest - {first} AND newest - {last} GROUP BY media_id"
    )
    return {r["media_id"]: r["plays"] for r in rows}


def test_its_numbers_are_what_a_query_says(lake: Lake, week: Digest) -> None:
    now, before = plays(lake, 6, 0), plays(lake, 13, 7)
    whole, whole_before = sum(now.values()), sum(before.values())
    moved = round(100 * (whole - whole_before) / whole_before)
    assert week.lines[0] == f"Plays: {whole:,} ({'+' if moved > 0 else '−'}{abs(moved)} %)"
    by = {m: now[m] - before[m] for m in now}
    most = sorted((abs(n) for n in by.values() if n), reverse=True)
    at = week.lines.index("Moved the most, in plays:") + 1
    told = [line.split()[0] for line in week.lines[at : at + len(most)]]
    assert [int(t.replace("+", "").replace("−", "").replace(",", "")) for t in told] == most


def test_it_ends_with_how_far_to_trust_it(lake: Lake, week: Digest) -> None:
    assert "of 21 media days verified against Wistia." in week.lines[-1]
    assert "Last run succeeded" in week.lines[-1]
    assert "Simulated data." in week.lines[-1]


def test_it_is_bounded(week: Digest) -> None:
    assert max(len(line) for line in week.lines[:-1]) <= LONGEST_TITLE + 40
    assert len(week.text) < LONGEST
    assert len(Digest("t", ("x" * 90,) * 90).text) == LONGEST


def test_it_is_plain_text_here(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("digest") == 0
    shown = capsys.readouterr().out
    assert call("digest", "--stdout") == 0
    assert capsys.readouterr().out == shown
    assert shown.startswith("Wistia, ")


def test_slack_gets_nothing_unless_it_is_told_to_send(
    slack: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("digest", "--slack") == 0
    payload = json.loads(capsys.readouterr().out)
    assert slack.received == []
    assert call("digest", "--slack", "--send") == 0
    assert slack.received == [payload]
    assert list(payload) == ["text"]
    assert payload["text"].startswith(":large_green_circle: *Wistia, ")
    assert "<b>" not in payload["text"]
    assert "jane@" not in payload["text"]
    assert len(payload["text"]) < 4000


def test_a_refusal_is_a_failure(slack: Receiver) -> None:
    slack.status = 500
    assert call("digest", "--slack", "--send") == 75
    assert len(slack.received) == 1


def test_sending_needs_an_address_and_a_way(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("digest", "--slack", "--send") == 2
    assert "SLACK_WEBHOOK_URL is not set" in capsys.readouterr().err
    assert call("digest", "--send") == 2
    assert "--slack --send" in capsys.readouterr().err
