"""Where Wistia is and how to prove who asks. The token goes in here and comes out in one header only."""

import hashlib
import ipaddress
import re
from base64 import b64encode
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

import httpx2
from pydantic import SecretStr

from wistlake.errors import ConfigError
from wistlake.settings import NEWEST_API

DEFAULT_BASE = "https://api.wistia.com/modern"
MOST_PER_PAGE = 100
_VERSION = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Connection:
    """One Wistia account as this process reaches it. ConfigError lists everything that is wrong with it.

    `base_url` ends in /modern or /v1. `api_version` (YYYY-MM) goes with /modern only: None there means
    the newest one that is known. `timeout_seconds` is for silence; a whole answer may take five times
    as long.
    """

    token: SecretStr | str
    base_url: str = DEFAULT_BASE
    api_version: str | None = None
    auth: Literal["bearer", "basic"] = "bearer"
    timeout_seconds: float = 60.0
    per_page: int = MOST_PER_PAGE
    max_concurrency: int = 16

    def __post_init__(self) -> None:
        token = self.token if isinstance(self.token, SecretStr) else SecretStr(self.token)
        object.__setattr__(self, "token", token)
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        if problems := tuple(self._problems()):
            raise ConfigError(problems)
        if self.is_modern and self.api_version is None:
            object.__setattr__(self, "api_version", NEWEST_API)

    @property
    def is_modern(self) -> bool:
        """Whether this is the dated API."""
        return self.base_url.endswith("/modern")

    @property
    def host(self) -> str:
        """Host name, for messages."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(self.host)

    @property
    def account(self) -> str:
        """16 hex digits that stand for (base, token): the same token is the same request budget."""
        return hashlib.sha256(f"{self.base_url}\0{self._secret()}".encode()).hexdigest()[:16]

    def authenticate(self) -> httpx2.Auth:
        """What puts the token on a request."""
        if self.auth == "basic":
            return _Header("Basic", SecretStr(self._basic()))
        return _Header("Bearer", SecretStr(self._secret()))

    def headers(self) -> dict[str, str]:
        """Every other header."""
        version = {"X-Wistia-API-Version": self.api_version} if self.api_version else {}
        return {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "wistlake",
        } | version

    def conceal(self, text: str) -> str:
        """`text` without the token in any spelling it could have travelled in."""
        for spelling in (self._secret(), quote(self._secret(), safe=""), self._basic()):
            text = text.replace(spelling, "***")
        return text

    def _secret(self) -> str:
        return self.token.get_secret_value() if isinstance(self.token, SecretStr) else self.token

    def _basic(self) -> str:
        return b64encode(f"api:{self._secret()}".encode()).decode()

    def _problems(self) -> Iterator[str]:
        if not _TOKEN.fullmatch(self._secret()):
            yield "WISTIA_API_TOKEN is empty, or holds blanks or control characters: copy it again, alone"
        yield from _base_problems(self.base_url)
        if self.api_version is not None and not self.is_modern:
            yield "an API version goes with a base URL that ends in /modern: unset WISTIA_API_VERSION for /v1"
        if self.api_version is not None and not _VERSION.fullmatch(self.api_version):
            yield f"WISTIA_API_VERSION is {self.api_version[:20]!r}: write YYYY-MM, such as {NEWEST_API}"
        if self.auth not in ("bearer", "basic"):
            yield "WISTIA_AUTH must be bearer or basic"
        if not 1 <= self.per_page <= MOST_PER_PAGE:
            yield f"per_page must lie in 1..{MOST_PER_PAGE}: Wistia cuts larger pages without a word"
        if self.max_concurrency < 1 or self.timeout_seconds <= 0:
            yield "max_concurrency and timeout_seconds must be above zero"


def _base_problems(base_url: str) -> Iterator[str]:
    """What is wrong with a base URL. The URL itself is not quoted: somebody may have put a token into it."""
    try:
        parts = urlsplit(base_url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        yield "WISTIA_BASE_URL is no URL: the default is " + DEFAULT_BASE
        return
    if parts.username or parts.password or parts.query or parts.fragment:
        yield "WISTIA_BASE_URL must hold no user, password, query or fragment: the token has its own setting"
    if not host or parts.scheme not in ("http", "https"):
        yield "WISTIA_BASE_URL must begin with https:// and a host: the default is " + DEFAULT_BASE
    elif parts.scheme == "http" and not _is_loopback(host):
        yield f"WISTIA_BASE_URL would send the token to {host} unencrypted: use https://"
    if not parts.path.endswith(("/v1", "/modern")):
        yield "WISTIA_BASE_URL must end in /modern or /v1: the default is " + DEFAULT_BASE


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Header(httpx2.Auth):
    """Sets the Authorization header as late as possible, so that no other object ever holds it."""

    def __init__(self, scheme: str, secret: SecretStr) -> None:
        self._scheme = scheme
        self._secret = secret

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"{self._scheme} {self._secret.get_secret_value()}"
        yield request
