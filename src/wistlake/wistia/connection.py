"""Address and credentials of one Wistia account. The token goes in here and comes out in one header only."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

import httpx2
from pydantic import SecretStr

from wistlake.errors import ConfigError
from wistlake.settings import values

DEFAULT_BASE = "https://api.wistia.com/modern"
MAX_PER_PAGE = 100


@dataclass(frozen=True)
class Connection:
    """One Wistia account as this process reaches it, under the rules of the settings. ConfigError lists every
    problem.

    `api_version` goes with /modern only; None there means the newest one. `timeout_seconds` limits silence; a whole
    response may take five times as long.
    """

    token: SecretStr | str
    base_url: str = DEFAULT_BASE
    api_version: str | None = None
    auth: Literal["bearer", "basic"] = "bearer"
    timeout_seconds: float = 60.0
    per_page: int = MAX_PER_PAGE
    max_concurrency: int = 16

    def __post_init__(self) -> None:
        token = self.token if isinstance(self.token, SecretStr) else SecretStr(self.token)
        problems: list[str] = []
        for name, check in (
            ("token", lambda: values.token(token)),
            ("base_url", lambda: values.base_url(self.base_url)),
            ("api_version", lambda: values.api_version(self.api_version, self.base_url)),
        ):
            try:
                object.__setattr__(self, name, check())
            except ValueError as e:
                problems.append(str(e))
        if not 1 <= self.per_page <= MAX_PER_PAGE:
            problems.append(
                f"per_page must lie in 1..{MAX_PER_PAGE}: Wistia cuts larger pages without a word"
            )
        if self.max_concurrency < 1 or self.timeout_seconds <= 0:
            problems.append("max_concurrency and timeout_seconds must be above zero")
        if problems:
            raise ConfigError(problems)

    @property
    def is_modern(self) -> bool:
        """Whether this is the dated API."""
        return self.base_url.endswith("/modern")

    @property
    def host(self) -> str:
        """Host name, for messages."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.host in values.LOOPBACK

    @property
    def account(self) -> str:
        """16 hex digits that stand for (base, token): all users of one token share one request budget."""
        return hashlib.sha256(f"{self.base_url}\0{self._secret()}".encode()).hexdigest()[:16]

    def authenticate(self, request: httpx2.Request) -> httpx2.Request:
        """Put the token on a request: as late as possible, so that no other object ever holds it."""
        basic = self.auth == "basic"
        request.headers["Authorization"] = f"Basic {self._basic()}" if basic else f"Bearer {self._secret()}"
        return request

    def headers(self) -> dict[str, str]:
        """Every other header."""
        version = {"X-Wistia-API-Version": self.api_version} if self.api_version else {}
        return {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "wistlake",
        } | version

    def redact(self, text: str) -> str:
        """`text` without the token in any spelling that a request carries."""
        for spelling in (self._secret(), quote(self._secret(), safe=""), self._basic()):
            text = text.replace(spelling, "***")
        return text

    def _secret(self) -> str:
        return self.token.get_secret_value() if isinstance(self.token, SecretStr) else self.token

    def _basic(self) -> str:
        return b64encode(f"api:{self._secret()}".encode()).decode()
