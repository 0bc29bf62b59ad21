"""Pictures of videos: Wistia's alone, and only where a setting lets the readers' browsers ask Wistia for them."""

from urllib.parse import urlsplit

SOURCES = "https://*.wistia.com"  # for a Content-Security-Policy
_DOMAIN = ".wistia.com"
_OVER_TLS = {"embed.wistia.com": "embed-ssl.wistia.com"}


def address(url: str | None) -> str | None:
    """Where a picture is asked for, over TLS; None if there is none, or it is not Wistia's."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host.endswith(_DOMAIN):
        return None
    return parts._replace(scheme="https", netloc=_OVER_TLS.get(host, host)).geturl()
