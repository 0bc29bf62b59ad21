"""Authentication and permissions: Bearer tokens, and the old HTTP Basic behind a switch."""

import base64

_COVERED_BY = {"stats:read": {"all:read", "all:all"}, "media:read": {"all:read", "all:all"}}


def bearer_or_basic(header: str | None, *, basic: bool) -> str | None:
    """The token of an Authorization header; None without a valid one."""
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if basic and scheme.lower() == "basic":
        return _basic_token(rest.strip())
    return None


def _basic_token(encoded: str) -> str | None:
    try:
        user, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # not base64, not ASCII, not UTF-8
        return None
    return token if user == "api" and token else None


def may(scopes: frozenset[str], needed: str) -> bool:
    """Whether a token with ``scopes`` has the permission ``needed``."""
    return needed in scopes or bool(_COVERED_BY.get(needed, set()) & scopes)
