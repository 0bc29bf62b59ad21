"""The digest: the lake's own numbers, in a message of bounded length, sent only on request."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from support.commands import call
from support.lake import START, Lake, Scenario
from support.mailbox import Mailbox
from support.receiver import Receiver
from wistia_simulator import MediaChange, Profile
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.entrypoints.cli import session
from wistlake.entrypoints.cli.digest import send_after_run
from wistlake.errors import StoreError
from wistlake_dashboard.digest import LONGEST, LONGEST_TITLE, Digest, digest
from wistlake_dashboard.report import newest_scope, page

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


@pytest.fixture
def mailbox(here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox().listening() as mailbox:
        for name, value in {
            "WISTLAKE_SMTP_HOST": "127.0.0.1", "WISTLAKE_SMTP_PORT": str(mailbox.port),
            "WISTLAKE_SMTP_SECURITY": "none", "WISTLAKE_MAIL_TO": "ada@example.org,bob@example.org",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield mailbox


def test_a_mailbox_gets_the_digest_with_the_report_of_this_lake(
    lake: Lake, week: Digest, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("digest", "--email") == 0
    shown = capsys.readouterr().out
    assert mailbox.mails == []
    assert "To: ada@example.org, bob@example.org" in shown
    assert call("digest", "--email", "--send") == 0
    assert capsys.readouterr().out == "sent by e-mail\n"
    assert [mail["To"] for mail in mailbox.mails] == ["ada@example.org", "bob@example.org"]
    for mail in mailbox.mails:
        body = mail.get_body(("plain",))
        assert body is not None
        assert week.lines[0] in body.get_content()
        assert "To unsubscribe" in body.get_content()
        assert mail["Subject"] == week.title
        (report,) = mail.iter_attachments()
        query = DuckDBQuery(lake.ledger)
        scope = newest_scope(query)
        assert scope is not None
        assert report.get_filename() == f"wistlake-{scope.start}-to-{scope.end}.html"
        opened = report.get_content()
        days = (scope.end - scope.start).days
        assert f"{sum(plays(lake, days, 0).values()):,}" in opened
        drawn = page(query, scope)
        assert re.sub(r"\d\d:\d\d", "", opened) == re.sub(r"\d\d:\d\d", "", drawn)


def test_the_first_run_of_its_weekday_sends_it_and_tries_again_until_one_takes_it(
    lake: Lake, mailbox: Mailbox, slack: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.status = 500
    monkeypatch.setenv("WISTLAKE_DIGEST_DAY", "monday")
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", lake.scenario.profile.account_timezone)
    monday = datetime(2026, 3, 9, 2, 15, tzinfo=UTC)
    here = session.lake()
    monkeypatch.setenv("WISTLAKE_SMTP_PORT", "9")
    send_after_run(session.lake(), monday)  # nobody takes it
    assert (len(mailbox.mails), len(slack.received)) == (0, 1)
    for hours in (0, 3, 24):
        send_after_run(here, monday + timedelta(hours=hours))
    assert (len(mailbox.mails), len(slack.received)) == (2, 2)
    send_after_run(here, monday + timedelta(days=7))
    assert (len(mailbox.mails), len(slack.received)) == (4, 3)


@pytest.mark.usefixtures("slack")
def test_a_digest_that_could_not_be_recorded_was_sent(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreError("the ledger is away")

    monkeypatch.setenv("WISTLAKE_DIGEST_DAY", "monday")
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", lake.scenario.profile.account_timezone)
    monkeypatch.setattr(SqliteLedger, "put_facts", away)
    with capture_logs() as logs:
        send_after_run(session.lake(), datetime(2026, 3, 23, 2, 15, tzinfo=UTC))
    assert [(line["event"], line["error"]) for line in logs] == [
        ("the digest was sent, but not recorded", "a further call today sends it again: the ledger is away")
    ]


@pytest.mark.usefixtures("here")
def test_a_weekday_without_anybody_to_tell_is_said_and_a_command_is_somebody(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monday = datetime(2026, 3, 9, 2, 15, tzinfo=UTC)
    monkeypatch.setenv("WISTLAKE_DIGEST_DAY", "monday")
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", lake.scenario.profile.account_timezone)
    for variable in ("SLACK_WEBHOOK_URL", "WISTLAKE_MAIL_TO"):
        monkeypatch.delenv(variable, raising=False)
    with capture_logs() as logs:
        send_after_run(session.lake(), monday)
    (line,) = logs
    assert line["error"] == "WISTLAKE_DIGEST_DAY is set, and nobody gets it: name a way in the settings"
    heard = tmp_path / "heard"
    monkeypatch.setenv("WISTLAKE_NOTIFY_COMMAND", f"tee -a {heard}")
    for _ in range(2):
        send_after_run(session.lake(), monday)
    assert heard.read_text().count('"title"') == 1


def test_teams_gets_it_as_a_card(
    here: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver().listening() as receiver:
        monkeypatch.setenv("TEAMS_WEBHOOK_URL", receiver.url)
        assert call("digest", "--teams") == 0
        card = json.loads(capsys.readouterr().out)
        assert receiver.received == []
        assert call("digest", "--teams", "--send") == 0
        assert receiver.received == [card]


def test_a_refusal_is_a_failure(slack: Receiver) -> None:
    slack.status = 500
    assert call("digest", "--slack", "--send") == 75
    assert len(slack.received) == 1


def test_sending_needs_an_address_and_a_way(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("digest", "--slack", "--send") == 2
    assert "SLACK_WEBHOOK_URL is not set" in capsys.readouterr().err
    assert call("digest", "--send") == 2
    assert "add --slack, --teams or --email" in capsys.readouterr().err
    assert call("digest", "--email", "--teams", "--send") == 2
    assert "TEAMS_WEBHOOK_URL is not set" in capsys.readouterr().err
