"""What can go wrong with one request, sorted by what to do next. Of a source's own words, which may name people,
messages repeat the status and known codes only."""

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
PAUSE_WITHOUT_RETRY_AFTER = 30.0
SHORTEST_PAUSE = 1.0
_AGAIN = (408, 425)
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,32}")  # of a path or a parameter: longer ones may be keys of visitors
_MEDIA_TYPES = frozenset(
    {"application/octet-stream", "application/xml", "text/html", "text/plain", "text/xml"}
)
_NAMED_PARAMS = frozenset(
    {"start_date", "end_date", "granularity", "media_id", "page", "per_page", "sort_by"}
)


class Transient(Exception):
    """The request failed in a way that may pass. `retry_after` is what Wistia asked for, in seconds; `throttled`:
    it says that too much was asked."""

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
        """For how many seconds a throttled account has to keep still."""
        return max(
            SHORTEST_PAUSE, PAUSE_WITHOUT_RETRY_AFTER if self.retry_after is None else self.retry_after
        )


def described(body: bytes) -> str:
    """An error's body, without a word of it that could name somebody: what kind it is, how long, a known code,
    and a fingerprint that tells one error from another."""
    text = body.strip()
    if not text:
        return "no body"
    code = _code(body)
    kind = "an HTML page" if text.startswith(b"<") else "a body"
    return f"{f'code {code}, ' if code else ''}{kind} of {len(body)} bytes (#{fingerprint(body)})"


def broken(error: Exception, connection: Connection) -> str:
    """A failed exchange as messages name it. Of one that never began, this machine's own words help; those
    about a broken answer quote it."""
    name = type(error).__name__
    if not isinstance(error, httpx2.ConnectError):
        return name
    return f"{name} {one_line(connection.conceal(str(error)))[:200]}".strip()


def media_type(content_type: str) -> str:
    """A Content-Type as messages name it: the common ones, and a fingerprint of any other."""
    name = content_type.partition(";")[0].strip().lower()
    return name if name in _MEDIA_TYPES else f"another media type (#{fingerprint(content_type)})"


def ask_text(path: str, params: Mapping[str, str]) -> str:
    """A request as messages name it: values only of parameters that can't be personal."""
    shown = (
        f"{k}={v}" if k in _NAMED_PARAMS and _PLAIN.fullmatch(v) else f"{shown_name(k)}=***"
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
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    ask: str,
    by_hand: bool,
    connection: Connection,
    now: datetime,
    apart: bool = False,
) -> Exception | None:
    """The error that an answer stands for, None for a 2xx. `by_hand`: the parameters came from a person; `apart`:
    a service of its own answers, whose 503 says that it is down, and nothing of how much was asked."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return _redirected(headers, ask, connection)
    said = f"{ask}: {status} {described(body)}"
    if status in THROTTLED:
        asked = retry_after(headers.get("retry-after"), now)
        said += "" if asked is None else f" (asks to wait {asked:.0f} s)"
        return Transient(said, status=status, retry_after=asked, throttled=status == 429 or not apart)
    if status >= 500 or status in _AGAIN:
        return Transient(said, status=status)
    refusal = _final(status, said, _code(body), ask, by_hand=by_hand)
    refusal.status = status
    return refusal


def _final(status: int, said: str, code: str, ask: str, *, by_hand: bool) -> WistlakeError:
    if status == 401:
        return SourceRefused(f"{said}. {_cure(code, ask)}")
    if status == 403:
        return SourceRefused(
            f"{said}. Either the account's plan does not include this, or the token lacks the permission "
            f"{permission(ask)!r}: ask the account's owner, or leave the dataset out"
        )
    if status in (404, 410):
        return SourceMissing(f"{said}. Wistia has nothing there for this account")
    if by_hand:
        return ConfigError(f"{said}. Wistia does not accept these parameters: change them")
    return SourceChanged(
        f"{said}. Wistia no longer accepts what wistlake asks: a newer wistlake may know how"
    )


def _redirected(headers: Mapping[str, str], ask: str, connection: Connection) -> ConfigError:
    try:
        target = urlsplit(headers.get("location", "")).hostname or connection.host
    except ValueError:
        target = "nowhere"
    return ConfigError(
        f"{ask}: {connection.host} redirects to {_host(target)}; the token is not sent "
        "there: set WISTIA_BASE_URL to where the API really is"
    )


def _host(name: str) -> str:
    return name if _HOST.fullmatch(name) else f"another address (#{fingerprint(name)})"


def _code(body: bytes) -> str:
    """Wistia's machine-readable reason, if it is one that is known; empty otherwise."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = plain.get("code") if isinstance(plain, dict) else None
    return code if isinstance(code, str) and code in CODES else ""


def _cure(code: str, ask: str) -> str:
    if code == "unauthorized_scope":
        return f"Give the token the permission {permission(ask)!r} (Wistia: Account Settings, API Access)"
    if code == "account_inactive":
        return "The Wistia account is inactive: its owner has to reactivate it"
    return (
        "The token is wrong, expired or revoked: create a new one (Wistia: Account Settings, API Access) "
        "and set WISTIA_API_TOKEN"
    )
