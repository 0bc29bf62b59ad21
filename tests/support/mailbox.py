"""A mail server on this machine: it takes mails, and keeps them."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

_FINE = ("EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP")
_SECONDS = 20


class Mailbox:
    """Speaks as much SMTP as a sender needs. `refuse` are recipients that it does not take; `deaf`: it never greets."""

    def __init__(self, *, refuse: tuple[str, ...] = (), deaf: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.commands: list[str] = []
        self.refuse, self.deaf = refuse, deaf
        self.stop = threading.Event()
        self.server = _Server(("127.0.0.1", 0), _Talk)
        self.server.mailbox = self
        self.port = int(self.server.server_address[1])

    @contextmanager
    def listening(self) -> Iterator["Mailbox"]:
        """Takes mails while the block runs."""
        thread = threading.Thread(target=lambda: self.server.serve_forever(poll_interval=0.01), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            self.server.shutdown()
            self.server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    mailbox: Mailbox


class _Talk(socketserver.StreamRequestHandler):
    timeout = _SECONDS

    def handle(self) -> None:
        mailbox = cast(_Server, self.server).mailbox
        if mailbox.deaf:
            mailbox.stop.wait(_SECONDS)
            return
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            mailbox.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                mailbox.mails.append(self._mail())
                self._say("250 kept")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            elif verb == "RCPT" and any(address in line for address in mailbox.refuse):
                self._say("550 nobody of that name")
            else:
                self._say("250 fine" if verb in _FINE else "502 not here")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _mail(self) -> EmailMessage:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        parsed: Any = message_from_bytes(b"".join(lines), policy=policy.default)
        return cast(EmailMessage, parsed)
