"""Delivers notices by command, webhook, Slack or Teams, or by several of them. A failed delivery never fails a run."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import structlog

from wistlake.foreign import printable
from wistlake.ports import Notice, Notifier

TIMEOUT_SECONDS = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MASK = "[masked]"
# Characters: masking takes time that grows with their square, and SNS takes 256 KB, at most twelve bytes each as JSON.
_MOST_TEXT = 20_000
_ADDRESS = re.compile(r"[^\s@<>\"',;:/()]+@[^\s@<>\"',;:/()]+\.[A-Za-z]{2,}")
_LONG_TOKEN = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{40,}\b")
_PRIVATE_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY|WEBHOOK|^WISTIA|^AWS_", re.IGNORECASE
)

_log = structlog.get_logger(__name__)


def is_private(variable: str) -> bool:
    """Whether an environment variable's name suggests a secret."""
    return bool(_PRIVATE_NAME.search(variable))


class Several(Notifier):
    """Delivers every notice to each of `notifiers`."""

    def __init__(self, notifiers: Iterable[Notifier] = ()) -> None:
        self._notifiers = tuple(notifiers)

    def notify(self, notice: Notice) -> bool:
        taken = [notifier.notify(notice) for notifier in self._notifiers]
        return any(taken) or not taken


class Late(Notifier):
    """A notifier that is made when a notice is to be delivered: what it takes may be missing until then."""

    def __init__(self, way: str, make: Callable[[], Notifier]) -> None:
        self._way, self._make = way, make

    def notify(self, notice: Notice) -> bool:
        taken: list[bool] = []
        return deliver(self._way, lambda: taken.append(self._make().notify(notice))) and all(taken)


class CommandNotifier(Notifier):
    """Runs `command` without a shell, with the notice as JSON on its standard input.

    The command gets `environment` without the variables whose names suggest secrets.
    """

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        *,
        secrets: Iterable[str] = (),
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._command = command
        self._environment = {k: v for k, v in environment.items() if not is_private(k)}
        self._secrets = tuple(secrets)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> bool:
        return deliver("command", lambda: self._run(json.dumps(plain(notice, self._secrets)).encode()))

    def _run(self, document: bytes) -> None:
        subprocess.run(  # noqa: S603, the command is the owner's own setting
            shlex.split(self._command),
            input=document,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            timeout=self._timeout,
            check=True,
        )


class WebhookNotifier(Notifier):
    """Posts the notice as JSON to `url`: https, or http on this machine. Redirects are not followed."""

    _way = "webhook"

    def __init__(
        self, url: str, *, secrets: Iterable[str] = (), timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._url = url
        self._secrets = (*secrets, url)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> bool:
        return self.deliver(notice)

    def deliver(self, notice: Notice) -> bool:
        """Post the notice; whether it was accepted. Errors are logged."""
        return deliver(self._way, lambda: post(self._url, self._document(notice), self._timeout))

    def _document(self, notice: Notice) -> Mapping[str, Any]:
        return plain(notice, self._secrets)


class SlackNotifier(WebhookNotifier):
    """Posts the notice to a Slack incoming webhook."""

    _way = "slack"

    def _document(self, notice: Notice) -> Mapping[str, Any]:
        return slack_message(notice, self._secrets)


class TeamsNotifier(WebhookNotifier):
    """Posts the notice to a workflow of Microsoft Teams that waits for a webhook."""

    _way = "teams"

    def _document(self, notice: Notice) -> Mapping[str, Any]:
        return teams_message(notice, self._secrets)


def plain(notice: Notice, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The notice as a JSON object, without `secrets` and everything that looks like an address or a token."""
    hidden = tuple(secret for secret in secrets if secret)
    return {
        "title": _masked(notice.title, hidden),
        "text": _masked(notice.text, hidden),
        "failed": notice.failed,
        "facts": {_masked(str(key), hidden): _masked(value, hidden) for key, value in notice.facts.items()},
    }


def slack_message(notice: Notice, secrets: Iterable[str] = ()) -> dict[str, str]:
    """The notice as Slack's payload: a bold title, the text, a line a fact."""
    parts = plain(notice, secrets)
    mark = ":red_circle:" if notice.failed else ":large_green_circle:"
    title, text, facts = map(_slack, (parts["title"], parts["text"], facts_of(parts)))
    return {"text": f"{mark} *{title}*\n{text}{facts}"}


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams_message(notice: Notice, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The notice as a Teams workflow takes it: a message of one adaptive card, a paragraph a line."""
    parts = plain(notice, secrets)
    title = {"type": "TextBlock", "text": _teams(parts["title"]), "weight": "Bolder", "wrap": True}
    lines = [line for line in f"{parts['text']}{facts_of(parts)}".split("\n") if line.strip()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            title | {"color": "Attention" if notice.failed else "Good"},
            *(
                {"type": "TextBlock", "text": _teams(line), "wrap": True, "spacing": "Small"}
                for line in lines
            ),
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _teams(text: str) -> str:
    """The text as it is: cards read a part of Markdown, links among it."""
    return re.sub(r"([\\\[\]*_`#])", r"\\\1", text)


def facts_of(parts: Mapping[str, Any], mark: str = "• ") -> str:
    """The facts of a plain notice, a line each."""
    return "".join(f"\n{mark}{key}: {_as_text(value)}" for key, value in parts["facts"].items())


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    """`value` as JSON, masked at every depth."""
    if isinstance(value, Mapping):
        return {_masked(str(k), secrets): _masked(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, secrets) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, _MASK)
    if len(text) > _MOST_TEXT:  # up to a whole word: the half of an address would not be recognised
        text = f"{text[:_MOST_TEXT].rpartition(' ')[0]}... (cut)"
    return printable(_LONG_TOKEN.sub(_MASK, _ADDRESS.sub(_MASK, text)))


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None makes a redirect an HTTPError: a notice goes to the configured address or nowhere."""


def post(
    url: str, document: Mapping[str, Any], timeout: float, headers: Mapping[str, str] | None = None
) -> None:
    """Post the document as JSON to https, or http on this machine. Any error if that fails; redirects are one."""
    parts = urlsplit(url)
    is_local = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError("neither https nor this machine")
    request = Request(  # noqa: S310, the scheme is checked
        url,
        json.dumps(document).encode(),
        {"Content-Type": "application/json", **(headers or {})},
        method="POST",
    )
    # An address on this machine is not reached through a proxy.
    opener = build_opener(_NoRedirect, *((ProxyHandler({}),) if is_local else ()))
    opener.open(request, timeout=timeout).close()


def deliver(way: str, send: Callable[[], None], what: str = "notice") -> bool:
    """Send, or log the reason without the address and the command; whether it was sent."""
    failed = f"{what}_not_delivered"
    try:
        send()
    except HTTPError as e:
        e.close()
        _log.warning(failed, way=way, reason=f"HTTP {e.code}")
    except subprocess.CalledProcessError as e:
        _log.warning(failed, way=way, reason=f"exit code {e.returncode}")
    except Exception as e:  # a failed notice must not fail the run
        _log.warning(failed, way=way, reason=type(e).__name__)
    else:
        return True
    return False


def deliver_within(seconds: float, way: str, send: Callable[[], None], what: str) -> None:
    """`deliver` in a thread that is left alone after so many seconds: who answers byte by byte outlasts any timeout of
    a socket."""
    thread = Thread(target=deliver, args=(way, send, what), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _log.warning(f"{what}_not_delivered", way=way, reason=f"no answer in {seconds:g} s")
