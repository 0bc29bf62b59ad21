"""Notices by e-mail: one message for each recipient, so that nobody sees who else gets it. Standard library only."""

import smtplib
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from wistlake.adapters.notify import TIMEOUT_SECONDS, deliver, facts_of, plain
from wistlake.ports import Notice, Notifier

FOOTER = (
    "This mail comes from Wistlake, because its setting WISTLAKE_MAIL_TO names your address. To unsubscribe, have the "
    "address taken out of that setting."
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who sends: `security` is starttls, tls or none. Without a user nobody signs in."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail; `kind` is its media type, such as text/html."""

    name: str
    kind: str
    content: bytes


class MailNotifier(Notifier):
    """Sends each notice that is no routine to every one of `recipients`."""

    def __init__(
        self,
        server: MailServer,
        recipients: Sequence[str],
        *,
        secrets: Iterable[str] = (),
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._server, self._recipients = server, tuple(recipients)
        self._secrets = tuple(secrets)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> bool:
        return notice.routine or self.deliver(notice)

    def deliver(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> bool:
        """Send the notice; whether every recipient's mail was accepted. Errors are logged."""
        return self.send(notice, attachments) == len(self._recipients)

    def send(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> int:
        """Send the notice; how many recipients' mails were accepted. Errors are logged."""
        accepted: list[EmailMessage] = []
        deliver(
            "e-mail",
            lambda: self._send([self.message(notice, to, attachments) for to in self._recipients], accepted),
        )
        return len(accepted)

    def message(self, notice: Notice, recipient: str, attachments: Sequence[Attachment] = ()) -> EmailMessage:
        """The mail, without secrets."""
        parts = plain(notice, self._secrets)
        message = EmailMessage()
        message["Subject"] = " ".join(parts["title"].split())
        message["From"], message["To"] = self._server.sender, recipient
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._server.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{parts['text']}\n{facts_of(parts, '')}\n\n-- \n{FOOTER}\n")
        for file in attachments:
            main, _, sub = file.kind.partition("/")
            params = {"charset": "utf-8"} if main == "text" else None
            message.add_attachment(file.content, main, sub, filename=file.name, params=params)
        return message

    def shown(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> str:
        """What `deliver` would send, for people: the first mail's head and text, and what is attached."""
        mail = self.message(notice, ", ".join(self._recipients))
        head = "".join(f"{name}: {mail[name]}\n" for name in ("From", "To", "Subject"))
        files = "".join(f"attached: {f.name}, {len(f.content) / 1000:,.0f} kB\n" for f in attachments)
        return f"{head}\n{mail.get_content()}{files}".rstrip()

    def _send(self, messages: Sequence[EmailMessage], accepted: list[EmailMessage]) -> None:
        refused: Exception | None = None
        with self._connected() as server:
            for message in messages:
                try:
                    server.send_message(message)
                    accepted.append(message)
                except smtplib.SMTPResponseException as e:  # the server's word on this one; others may pass
                    refused = e
                    server.rset()
                except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as e:
                    refused = e
        if refused is not None:
            raise refused

    def _connected(self) -> smtplib.SMTP:
        given, context = self._server, ssl.create_default_context()
        if given.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                given.host, given.port, timeout=self._timeout, context=context
            )
        else:
            server = smtplib.SMTP(given.host, given.port, timeout=self._timeout)
        try:
            if given.security == "starttls":
                server.starttls(context=context)
            if given.user:
                server.login(given.user, given.password)
        except BaseException:
            with suppress(OSError, smtplib.SMTPException):
                server.close()
            raise
        return server
