"""What this machine's environment adds to every request, proxies and certificates, and the problems with them."""

import os
import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

import httpx2

from wistlake.errors import ConfigError
from wistlake.wistia.connection import Connection

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_BUNDLE, _FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"


def http_client(
    connection: Connection,
    transport: httpx2.AsyncBaseTransport | None,
    environment: Mapping[str, str] = os.environ,
) -> httpx2.AsyncClient:
    """The only HTTP client. Redirects are never followed: they could carry the token to another host.

    ConfigError, with the variable's name, if the environment's proxies or certificates can't be used.
    """
    if transport is None and connection.is_local:
        # Without proxies: one would receive the token unencrypted for an address on this machine.
        encrypted = connection.base_url.startswith("https:")
        transport = httpx2.AsyncHTTPTransport(limits=_limits(connection), trust_env=encrypted)
    elif transport is None and (
        problems := [*_proxy_problems(environment), *_certificate_problems(environment)]
    ):
        raise ConfigError(problems)
    return httpx2.AsyncClient(
        auth=connection.authenticate,
        headers=connection.headers(),
        timeout=httpx2.Timeout(
            connection.timeout_seconds, connect=min(20.0, connection.timeout_seconds), pool=None
        ),
        limits=_limits(connection),
        follow_redirects=False,
        transport=transport,
    )


def _limits(connection: Connection) -> httpx2.Limits:
    limit = connection.max_concurrency
    return httpx2.Limits(max_connections=limit, max_keepalive_connections=limit, keepalive_expiry=30)


def _proxy_problems(environment: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with each proxy's variable. Values are not quoted: an address may hold a password."""
    for name, value in environment.items():
        if value and name.upper() in _PROXIES and (problem := _proxy_problem(value)):
            yield f"{name} {problem}, or unset {name}"


def _proxy_problem(value: str) -> str:
    cure = "write http://host:port"
    scheme = value.partition("://")[0].lower() if "://" in value else "http"
    if scheme.startswith("socks") and find_spec("socksio") is None:
        return f"names a SOCKS proxy, which wistlake does not speak: {cure}"
    try:
        proxy = httpx2.Proxy(value if "://" in value else f"http://{value}")
        usable = bool(proxy.url.host) and (proxy.url.port or 1) in range(1, 1 << 16)
    except (ValueError, httpx2.InvalidURL):
        usable = False
    return "" if usable else f"is no proxy's address: {cure}"


def _certificate_problems(environment: Mapping[str, str]) -> Iterator[str]:
    bundle, folder = environment.get(_BUNDLE), environment.get(_FOLDER)
    if bundle and (problem := _bundle_problem(bundle)):
        yield f"{_BUNDLE} names {bundle}, {problem}: correct the path, or unset {_BUNDLE}"
    elif folder and not bundle and not os.path.isdir(folder):
        yield f"{_FOLDER} names {folder}, which isn't a folder: correct the path, or unset {_FOLDER}"


def _bundle_problem(path: str) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "which holds no certificates"
    except OSError:
        return "which can't be read"
    return ""


def environment_hint(error: Exception) -> str:
    """Which variable to check when a request failed in this way; "" if none is involved."""
    if isinstance(error, httpx2.ProxyError):
        return f" (at the proxy of {' or '.join(_PROXIES)})"
    if _UNTRUSTED in str(error):
        return f" (behind a company's proxy, name the file of its certificates in {_BUNDLE})"
    return ""
