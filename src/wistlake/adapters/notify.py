"""Notices for people: by command, webhook or Slack, or several ways at once. Delivery never fails a run."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import structlog

from wistlake.foreign import printable
from wistlake.ports import Notice, Notifier

_TIMEOUT_SECONDS = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MASK = "[masked]"
_ADDRESS = re.compile(r"[^\s@<>\"',;:/()]+@[^\s@<>\"',;:/()]+\.[A-Za-z]{2,}")
_LONG_TOKEN = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{40,}\b")
_PRIVATE_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY|WEBHOOK|^WISTIA|^AWS_", re.IGNORECASE
)

_log = structlog.get_logger(__name__)


def is_private(variable: str) -> bool:
    """Whether a variable of the environment looks secret by its name."""
    return bool(_PRIVATE_NAME.search(variable))


class Several(Notifier):
    """Delivers every notice to each of `notifiers`; without any, to nobody."""

    def __init__(self, notifiers: Iterable[Notifier] = ()) -> None:
        self._notifiers = tuple(notifiers)

    def notify(self, notice: Notice) -> None:
        """Deliver the notice everywhere."""
        for notifier in self._notifiers:
            notifier.notify(notice)


class CommandNotifier(Notifier):
    """Runs `command` without a shell, with the notice as JSON on its standard input.

    The command sees `environment` without what looks secret by its name.
    """

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        *,
        secrets: Iterable[str] = (),
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._command = command
        self._environment = {k: v for k, v in environment.items() if not is_private(k)}
        self._secrets = tuple(secrets)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> None:
        """Run the command; what it prints is dropped, and whatever goes wrong is logged."""
        deliver("command", lambda: self._run(json.dumps(plain(notice, self._secrets)).encode()))

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

    def __init__(
        self, url: str, *, secrets: Iterable[str] = (), timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        self._url = url
        self._secrets = (*secrets, url)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> None:
        deliver("webhook", lambda: _post(self._url, plain(notice, self._secrets), self._timeout))


class SlackNotifier(Notifier):
    """Posts the notice to a Slack incoming webhook."""

    def __init__(
        self, url: str, *, secrets: Iterable[str] = (), timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        self._url = url
        self._secrets = (*secrets, url)
        self._timeout = timeout_seconds

    def notify(self, notice: Notice) -> None:
        self.deliver(notice)

    def deliver(self, notice: Notice) -> bool:
        """Post the notice; whether Slack took it. Whatever goes wrong is logged."""
        return deliver("slack", lambda: _post(self._url, slack_message(notice, self._secrets), self._timeout))


def plain(notice: Notice, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The notice as a JSON object, without `secrets` and without what looks like an address or a token."""
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
    facts = "".join(f"\n• {_slack(key)}: {_slack(value)}" for key, value in parts["facts"].items())
    return {"text": f"{mark} *{_slack(parts['title'])}*\n{_slack(parts['text'])}{facts}"}


def _slack(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    """`value` as JSON can hold it, masked at every depth."""
    if isinstance(value, Mapping):
        return {_masked(str(k), secrets): _masked(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, secrets) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return printable(_LONG_TOKEN.sub(_MASK, _ADDRESS.sub(_MASK, text)))


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None makes the redirect an HTTPError: a notice goes to the address in the settings or nowhere."""


def _post(url: str, document: Mapping[str, Any], timeout: float) -> None:
    parts = urlsplit(url)
    here = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ValueError("neither https nor this machine")
    request = Request(  # noqa: S310, the scheme is checked
        url, json.dumps(document).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    # A proxy has no business with an address on this machine.
    opener = build_opener(_NoRedirect, *((ProxyHandler({}),) if here else ()))
    opener.open(request, timeout=timeout).close()


def deliver(way: str, send: Callable[[], None]) -> bool:
    """Send, or log why not, in words that hold neither the address nor the command. Whether it was sent."""
    try:
        send()
    except HTTPError as e:
        e.close()
        _log.warning("notice_not_delivered", way=way, reason=f"HTTP {e.code}")
    except subprocess.CalledProcessError as e:
        _log.warning("notice_not_delivered", way=way, reason=f"exit code {e.returncode}")
    except Exception as e:  # the run is worth more than its notice
        _log.warning("notice_not_delivered", way=way, reason=type(e).__name__)
    else:
        return True
    return False
