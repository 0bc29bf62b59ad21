"""The failures of one request, sorted by what to do next.

Error bodies may name people: messages repeat only their status and known codes.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from wistlake.errors import ConfigError, SourceChanged, SourceMissing, SourceRefused, WistlakeError
from wistlake.foreign import fingerprint, one_line, shown_name
from wistlake.wistia.connection import Connection
from wistlake.wistia.endpoints import permission

CODES = frozenset(
    {"account_inactive", "unauthorized_credentials", "unauthorized_params", "unauthorized_scope"}
)
THROTTLED = (429, 503)
DEFAULT_PAUSE = 30.0
MIN_PAUSE = 1.0
_RETRIED_STATUSES = (408, 425)
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,32}")  # of a path or a parameter: longer ones may be keys of visitors
_MEDIA_TYPES = frozenset(
    {"application/octet-stream", "application/xml", "text/html", "text/plain", "text/xml"}
)
_NAMED_PARAMS = frozenset(
    {"start_date", "end_date", "granularity", "media_id", "page", "per_page", "sort_by"}
)


class Transient(Exception):
    """The request failed, and a retry may succeed. `retry_after` is what Wistia demands, in seconds; `throttled`:
    there were too many requests."""

    def __init__(
        self, reason: str, *, status: int = 0, retry_after: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        self.throttled = throttled

    @property
    def pause(self) -> float:
        """For how many seconds a throttled account must send nothing."""
        return max(MIN_PAUSE, DEFAULT_PAUSE if self.retry_after is None else self.retry_after)


def describe_body(body: bytes) -> str:
    """An error's body without its text: the kind, the length, a known code, and a fingerprint that tells one error
    from another."""
    text = body.strip()
    if not text:
        return "no body"
    code = _code(body)
    kind = "an HTML page" if text.startswith(b"<") else "a body"
    return f"{f'code {code}, ' if code else ''}{kind} of {len(body)} bytes (#{fingerprint(body)})"


def describe_error(error: Exception, connection: Connection) -> str:
    """A failed exchange for messages. A failure to connect is described by this machine and can be quoted; other
    errors may quote the response."""
    name = type(error).__name__
    if not isinstance(error, httpx2.ConnectError):
        return name
    return f"{name} {one_line(connection.redact(str(error)))[:200]}".strip()


def media_type(content_type: str) -> str:
    """A Content-Type for messages: the common ones as they are, a fingerprint of any other."""
    name = content_type.partition(";")[0].strip().lower()
    return name if name in _MEDIA_TYPES else f"another media type (#{fingerprint(content_type)})"


def request_text(path: str, params: Mapping[str, str | list[str]]) -> str:
    """A request for messages and logs: values only of parameters that can't be personal."""
    shown = (
        f"{k}={v}" if k in _NAMED_PARAMS and _PLAIN.fullmatch(str(v)) else f"{shown_name(k)}=***"
        for k, v in params.items()
    )
    where = "/".join(
        s if not s or _PLAIN.fullmatch(s.removesuffix(".json")) else "***" for s in path.split("/")
    )
    return f"{where}?{'&'.join(shown)}" if params else where


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds in a Retry-After header, which holds seconds or an HTTP date; None if it holds neither."""
    text = (value or "").strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request: str,
    by_hand: bool,
    connection: Connection,
    now: datetime,
    separate: bool = False,
) -> Exception | None:
    """The error that a response stands for; None for a 2xx.

    `by_hand`: the parameters come from a person. `separate`: a separate service answers; its 503 means that it is
    down, not that there were too many requests.
    """
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return _redirected(headers, request, connection)
    message = f"{request}: {status} {describe_body(body)}"
    if status in THROTTLED:
        wait = retry_after(headers.get("retry-after"), now)
        message += "" if wait is None else f" (asks to wait {wait:.0f} s)"
        return Transient(message, status=status, retry_after=wait, throttled=status == 429 or not separate)
    if status >= 500 or status in _RETRIED_STATUSES:
        return Transient(message, status=status)
    error = _permanent(status, message, _code(body), request, by_hand=by_hand)
    error.status = status
    return error


def _permanent(status: int, message: str, code: str, request: str, *, by_hand: bool) -> WistlakeError:
    if status == 401:
        return SourceRefused(f"{message}. {_cure(code, request)}")
    if status == 403:
        return SourceRefused(
            f"{message}. Either the account's plan does not include this, or the token lacks the permission "
            f"{permission(request)!r}: ask the account's owner, or leave the dataset out"
        )
    if status in (404, 410):
        return SourceMissing(f"{message}. Wistia has nothing there for this account")
    if by_hand:
        return ConfigError(f"{message}. Wistia does not accept these parameters: change them")
    return SourceChanged(
        f"{message}. Wistia no longer accepts what wistlake asks: a newer wistlake may know how"
    )


def _redirected(headers: Mapping[str, str], request: str, connection: Connection) -> ConfigError:
    try:
        target = urlsplit(headers.get("location", "")).hostname or connection.host
    except ValueError:
        target = "nowhere"
    shown = target if _HOST.fullmatch(target) else f"another address (#{fingerprint(target)})"
    return ConfigError(
        f"{request}: {connection.host} redirects to {shown}; the token is not sent "
        "there: set WISTIA_BASE_URL to where the API really is"
    )


def _code(body: bytes) -> str:
    """Wistia's machine-readable reason if it is a known one, else empty."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and code in CODES else ""


def _cure(code: str, request: str) -> str:
    if code == "unauthorized_scope":
        return f"Give the token the permission {permission(request)!r} (Wistia: Account Settings, API Access)"
    if code == "account_inactive":
        return "The Wistia account is inactive: its owner has to reactivate it"
    return (
        "The token is wrong, expired or revoked: create a new one (Wistia: Account Settings, API Access) "
        "and set WISTIA_API_TOKEN"
    )
