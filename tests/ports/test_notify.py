"""What every Notifier promises: it delivers or logs, never raises, and never tells a secret."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from support.memory import RecordingNotifier
from support.receiver import Receiver
from wistlake.adapters.notify import (
    CommandNotifier,
    Several,
    SlackNotifier,
    TeamsNotifier,
    WebhookNotifier,
    plain,
    slack_message,
    teams_message,
)
from wistlake.ports import Notice, Notifier

TOKEN = "0123456789abcdef" * 4
NOTICE = Notice(
    "Run r1 failed",
    f"SourceRefused: the token {TOKEN} of jane.doe+x@example.com",
    failed=True,
    facts={"media": ["abcdef1234"], "rows": 3, "who": {"mail": "<a@b.co>"}, "lag & more": None},
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


def script(folder: Path, text: str) -> str:
    path = folder / "notify it.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return f"'{path}' first 'second; touch {folder}/shell'"


def test_nothing_personal_and_no_token_goes_out() -> None:
    for text in (json.dumps(plain(NOTICE)), slack_message(NOTICE)["text"], json.dumps(teams_message(NOTICE))):
        assert TOKEN not in text
        assert "@" not in text
        assert "abcdef1234" in text
    short = Notice("t", "the hook is hush-hush", failed=False, facts={"hush-hush": "hush-hush"})
    assert "hush" not in json.dumps(plain(short, ["hush-hush", ""]))


def test_a_long_text_is_cut_between_words_so_that_no_half_of_an_address_is_left() -> None:
    """Wherever the cut falls in the address; a text without a blank is dropped."""
    for before in range(19_970, 20_001):
        said = plain(
            Notice("t", f"{('x ' * 9_999)[: before - 1]} somebody@example.com and {'y ' * 20}", failed=True)
        )["text"]
        assert said.endswith("... (cut)")
        assert len(said) <= 20_010
        assert "some" not in said
    assert plain(Notice("t", "z" * 300_000, failed=True))["text"] == "... (cut)"


def test_a_hash_of_a_table_location_survives() -> None:
    path = "bronze/wistia/events/dt=2026-11-20/media_id=abcdef1234/run_id=20261120T021500Z-1a2b"
    assert plain(Notice("t", path, failed=False))["text"] == path


def test_facts_that_json_cannot_hold_become_text() -> None:
    notice = Notice("t", "", failed=False, facts={"path": Path("a"), "set": {1}, "deep": [{"x": Path("b")}]})
    assert json.loads(json.dumps(plain(notice)))["facts"] == {"path": "a", "set": [1], "deep": [{"x": "b"}]}


def test_teams_reads_it(receiver: Receiver) -> None:
    TeamsNotifier(receiver.url).notify(
        Notice("Alerts: 1 new", "[fell](x): *5*\n\nmore", failed=True, facts={"n": 1})
    )
    (message,) = receiver.received
    (attached,) = message["attachments"]
    assert (message["type"], attached["contentType"]) == (
        "message",
        "application/vnd.microsoft.card.adaptive",
    )
    title, *lines = attached["content"]["body"]
    assert (title["text"], title["color"]) == ("Alerts: 1 new", "Attention")
    assert [line["text"] for line in lines] == [r"\[fell\](x): \*5\*", "more", "• n: 1"]


def test_slack_reads_it() -> None:
    text = slack_message(NOTICE)["text"]
    assert text.startswith(":red_circle: *Run r1 failed*\n")
    assert "\n• rows: 3" in text
    assert "\n• lag &amp; more: null" in text
    assert "&lt;" in text
    assert slack_message(Notice("t", "", failed=False))["text"].startswith(":large_green_circle:")


def test_the_command_gets_json_and_no_shell(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/h", "WISTIA_API_TOKEN": TOKEN, "MY_SECRET_X": "x"}
    command = script(
        tmp_path, f'cat > "{tmp_path}/got"; env > "{tmp_path}/env"; echo "$#" > "{tmp_path}/count"'
    )
    with capture_logs() as logs:
        CommandNotifier(command, environment).notify(NOTICE)
    assert logs == []
    assert json.loads((tmp_path / "got").read_text()) == plain(NOTICE)
    assert (tmp_path / "count").read_text() == "2\n"
    assert not (tmp_path / "shell").exists()
    seen = (tmp_path / "env").read_text()
    assert "HOME=/h" in seen
    assert TOKEN not in seen
    assert "SECRET" not in seen


def reasons(notifier: Notifier) -> list[str]:
    """Why the notice was not delivered, from the log; nothing in the log may be secret."""
    with capture_logs() as logs:
        notifier.notify(NOTICE)
    assert "s3cr3t" not in str(logs)
    assert TOKEN not in str(logs)
    assert {log["log_level"] for log in logs} <= {"warning"}
    return [log["reason"] for log in logs]


def test_a_command_that_fails_is_logged(tmp_path: Path) -> None:
    path = {"PATH": "/usr/bin:/bin"}
    assert reasons(CommandNotifier(script(tmp_path, "exit 3"), path)) == ["exit code 3"]
    assert reasons(CommandNotifier("/no/such/command --s3cr3t", path)) == ["FileNotFoundError"]
    assert reasons(CommandNotifier("unbalanced 's3cr3t", path)) == ["ValueError"]
    assert reasons(CommandNotifier("", path)) != []


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = CommandNotifier("sleep 60", {"PATH": "/usr/bin:/bin"}, timeout_seconds=0.05)
    assert reasons(hanging) == ["TimeoutExpired"]


def test_a_webhook_gets_json(receiver: Receiver) -> None:
    assert reasons(WebhookNotifier(receiver.url)) == []
    assert reasons(SlackNotifier(receiver.url)) == []
    assert receiver.received == [plain(NOTICE), slack_message(NOTICE)]


@pytest.mark.parametrize("notifier", [WebhookNotifier, SlackNotifier])
def test_a_refusal_is_logged(receiver: Receiver, notifier: type[WebhookNotifier]) -> None:
    receiver.status = 500
    assert reasons(notifier(receiver.url)) == ["HTTP 500"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.location = status, "/elsewhere"
    assert reasons(WebhookNotifier(receiver.url)) == [f"HTTP {status}"]
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/s3cr3t", "file:///etc/passwd", "ftp://127.0.0.1/s3cr3t", "s3cr3t", ""]
)
def test_only_https_leaves_the_machine(url: str) -> None:
    assert reasons(WebhookNotifier(url)) == ["ValueError"]


def test_nobody_there_is_logged() -> None:
    assert reasons(WebhookNotifier("http://127.0.0.1:9/s3cr3t")) == ["URLError"]


def test_one_deaf_way_does_not_silence_the_others() -> None:
    first, last = RecordingNotifier(), RecordingNotifier()
    assert len(reasons(Several([first, WebhookNotifier("http://127.0.0.1:9/"), last]))) == 1
    assert first.notices == last.notices == [NOTICE]
    Several().notify(NOTICE)
