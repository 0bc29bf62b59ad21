"""What can go wrong with one request, sorted by what to do next; foreign words are cut and masked here."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from wistlake.errors import ConfigError, SourceChanged, SourceMissing, SourceRefused, WistlakeError
from wistlake.wistia.connection import Connection
from wistlake.wistia.endpoints import permission

EXCERPT = 200  # characters of an error body that a message may quote
THROTTLED = (429, 503)
PAUSE_WITHOUT_RETRY_AFTER = 30.0
SHORTEST_PAUSE = 1.0
_AGAIN = (408, 425)
# E-mail addresses, and anything long enough to be a token or a visitor's key.
_PRIVATE = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+|[A-Za-z0-9_-]{32,}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff]+")
_NAMED_PARAMS = frozenset(
    {"start_date", "end_date", "granularity", "media_id", "page", "per_page", "sort_by"}
)


class Transient(Exception):
    """The request failed in a way that may pass. `retry_after` is what Wistia asked for, in seconds."""

    def __init__(self, reason: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    @property
    def throttled(self) -> bool:
        """Whether Wistia says that too much was asked."""
        return self.status in THROTTLED

    @property
    def pause(self) -> float:
        """For how many seconds a throttled account has to keep still."""
        return max(
            SHORTEST_PAUSE, PAUSE_WITHOUT_RETRY_AFTER if self.retry_after is None else self.retry_after
        )


def excerpt(body: bytes, connection: Connection) -> str:
    """The beginning of an error body, fit for a message: no token, address, key or markup in it."""
    text = body[: 20 * EXCERPT].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        return "an HTML page"
    text = _UNPRINTABLE.sub(" ", connection.conceal(text))
    return _PRIVATE.sub("***", text)[:EXCERPT] or "no body"


def ask_text(path: str, params: Mapping[str, str]) -> str:
    """A request as messages name it: values only of parameters that can't be personal."""
    shown = (f"{k}={v}" if k in _NAMED_PARAMS else f"{k}=***" for k, v in params.items())
    return f"{path}?{'&'.join(shown)}" if params else path


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
) -> Exception | None:
    """The error that an answer stands for, None for a 2xx. `by_hand`: the parameters came from a person."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return _redirected(headers, ask, connection)
    said = f"{ask}: {status} {excerpt(body, connection)}"
    if status in THROTTLED:
        asked = retry_after(headers.get("retry-after"), now)
        said += "" if asked is None else f" (asks to wait {asked:.0f} s)"
        return Transient(said, status=status, retry_after=asked)
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
        f"{ask}: {connection.host} redirects to {connection.conceal(target)[:100]}; the token is not sent "
        "there: set WISTIA_BASE_URL to where the API really is"
    )


def _code(body: bytes) -> str:
    """Wistia's machine-readable reason; empty if the body has none, or is not JSON."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = plain.get("code") if isinstance(plain, dict) else None
    return code if isinstance(code, str) else ""


def _cure(code: str, ask: str) -> str:
    if code == "unauthorized_scope":
        return f"Give the token the permission {permission(ask)!r} (Wistia: Account Settings, API Access)"
    if code == "account_inactive":
        return "The Wistia account is inactive: its owner has to reactivate it"
    return (
        "The token is wrong, expired or revoked: create a new one (Wistia: Account Settings, API Access) "
        "and set WISTIA_API_TOKEN"
    )
