"""Notices by e-mail: each recipient gets a mail of their own, nothing secret is in it or in a log, and no failure is
raised."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from support.mailbox import Mailbox
from wistlake.adapters.mail import FOOTER, Attachment, MailNotifier, MailServer
from wistlake.errors import ConfigError
from wistlake.ports import Notice
from wistlake.settings import WithoutFiles
from wistlake.wiring import notifiers

NOTICE = Notice(
    "Alerts: 1 new\nBcc: x", "fell: Über 🌷 jane@example.com, hush-hush", failed=True, facts={"rows": 3}
)
TO = ("ada@example.org", "bob@example.org")
PAGE = Attachment("report.html", "text/html", "<p>तीन</p>\n.\n..\n".encode())


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().listening() as mailbox:
        yield mailbox


def sender(mailbox: Mailbox, security: str = "none", **more: str) -> MailNotifier:
    server = MailServer("127.0.0.1", mailbox.port, security, "lake@example.org", **more)
    return MailNotifier(server, TO, secrets=("hush-hush",), timeout_seconds=0.5)


def test_each_recipient_gets_a_mail_of_their_own(mailbox: Mailbox) -> None:
    assert sender(mailbox).deliver(NOTICE, [PAGE])
    assert [mail["To"] for mail in mailbox.mails] == list(TO)
    for mail in mailbox.mails:
        assert (mail["From"], mail["Subject"], mail["Bcc"]) == (
            "lake@example.org",
            "Alerts: 1 new Bcc: x",
            None,
        )
        assert mail["Auto-Submitted"] == "auto-generated"
        body = mail.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        assert "Über 🌷 [masked], [masked]" in text
        assert "rows: 3" in text
        assert " ".join(text.split()).endswith(FOOTER)
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == PAGE.name
        assert attached.get_content().encode() == PAGE.content


def test_routine_is_nothing_to_write_about(mailbox: Mailbox) -> None:
    sender(mailbox).notify(Notice("wistlake run succeeded", "", failed=False, routine=True))
    assert mailbox.mails == []
    sender(mailbox).notify(NOTICE)
    assert len(mailbox.mails) == 2


def test_one_that_is_refused_does_not_keep_the_others_from_theirs() -> None:
    with Mailbox(refuse=("ada@",)).listening() as mailbox, capture_logs() as logs:
        assert not sender(mailbox).deliver(NOTICE)
        assert sender(mailbox).send(NOTICE) == 1
    assert [mail["To"] for mail in mailbox.mails] == ["bob@example.org"] * 2
    assert [line["reason"] for line in logs] == ["SMTPRecipientsRefused"] * 2
    assert "example" not in str(logs)


def test_an_address_that_the_server_can_not_write_keeps_nobody_from_theirs(mailbox: Mailbox) -> None:
    people = ("ü@example.org", "bob@example.org")
    server = MailServer("127.0.0.1", mailbox.port, "none", "lake@example.org")
    with capture_logs() as logs:
        assert not MailNotifier(server, people).deliver(NOTICE)
        assert not MailNotifier(replace(server, sender="a@[b"), people).notify(NOTICE)
    assert [mail["To"] for mail in mailbox.mails] == ["bob@example.org"]
    assert [line["event"] for line in logs] == ["notice_not_delivered"] * 2


@pytest.mark.parametrize("address", ["a@[b", "ü@example.org", "a@b@c", "a b@example.org", "@example.org"])
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="WISTLAKE_MAIL_TO"):
        WithoutFiles(mail_to=address)


def test_no_password_is_said_without_encryption(mailbox: Mailbox) -> None:
    with capture_logs() as logs:
        assert not sender(mailbox, "starttls", user="ada", password="hush-hush").deliver(NOTICE)
    assert [line["reason"] for line in logs] == ["SMTPNotSupportedError"]
    assert not [c for c in mailbox.commands if "AUTH" in c.upper() or "ada" in c]
    assert "127.0.0.1" not in str(logs)


def test_a_server_that_is_down_or_silent_is_logged() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gone = MailNotifier(MailServer("127.0.0.1", port, "none", "lake@example.org"), TO, timeout_seconds=0.5)
    with Mailbox(deaf=True).listening() as deaf, capture_logs() as logs:
        gone.notify(NOTICE)
        sender(deaf).notify(NOTICE)
        sender(deaf, "tls").notify(NOTICE)
    assert [line["event"] for line in logs] == ["notice_not_delivered"] * 3
    assert {line["way"] for line in logs} == {"e-mail"}


def test_settings_name_what_a_mail_lacks() -> None:
    with pytest.raises(ConfigError) as refused:
        notifiers.notifier(WithoutFiles(mail_to="ada@example.org", smtp_user="ada"), {})
    assert refused.value.problems == (
        "WISTLAKE_SMTP_HOST is not set: mails need it",
        "WISTLAKE_SMTP_USER and WISTLAKE_SMTP_PASSWORD: set both, or neither",
    )


def test_all_channels_of_the_settings_get_a_notice(mailbox: Mailbox) -> None:
    settings = WithoutFiles(
        smtp_host="127.0.0.1", smtp_port=mailbox.port, smtp_security="none", mail_to="ada@example.org"
    )
    notifiers.notifier(settings, {}).notify(NOTICE)
    assert [(mail["From"], mail["To"]) for mail in mailbox.mails] == [("ada@example.org", "ada@example.org")]
