"""Proxies and certificates of the environment: none gets the token in clear, and what is wrong is named."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from unit.wistia.fakes import CANARY, Clock, FreeBudget, run
from wistlake.errors import ConfigError, SourceUnavailable
from wistlake.wistia import Connection, WistiaClient

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Listener(HTTPServer):
    """Answers every GET with an empty list, refuses every CONNECT, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Kept)
        self.heard: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Kept(BaseHTTPRequestHandler):
    server: Listener

    def _answer(self) -> None:
        self.server.heard.append(f"{self.requestline}\n{self.headers}")
        self.send_response(200 if self.command == "GET" else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_GET = do_CONNECT = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def wistia(base_url: str) -> WistiaClient:
    clock = Clock()
    return WistiaClient(
        Connection(CANARY, base_url), FreeBudget(), sleep=clock.sleep, monotonic=clock.monotonic
    )


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_gets_what_is_meant_for_this_machine(
    listener: Listener, proxy: Listener, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    assert run(wistia(f"{listener.url}/modern"), lambda c: c.page("/medias")).body == []
    assert len(listener.heard) == 1
    assert CANARY in listener.heard[0]
    assert proxy.heard == []


def test_wistia_is_asked_through_the_proxy_which_does_not_see_the_token(
    proxy: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(SourceUnavailable, match="at the proxy of HTTPS_PROXY"):
        run(wistia("https://api.wistia.com/modern"), lambda c: c.probe())
    assert proxy.heard[0].startswith("CONNECT api.wistia.com:443")
    assert CANARY not in "".join(proxy.heard)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALL_PROXY", "socks5://user:secret0@proxy.example:1080", "names a SOCKS proxy"),
        ("all_proxy", "socks4://proxy.example", "names a SOCKS proxy"),
        ("HTTPS_PROXY", "ftp://user:secret0@proxy.example", "is no proxy's address"),
        ("https_proxy", "http://proxy.example:99999999", "is no proxy's address"),
        ("https_proxy", "http://proxy.example:65536", "is no proxy's address"),
        ("HTTP_PROXY", "http://", "is no proxy's address"),
        ("HTTPS_PROXY", "://secret0", "is no proxy's address"),
        ("SSL_CERT_FILE", "/there/is/no/bundle.pem", "which can't be read"),
        ("SSL_CERT_FILE", "{empty}", "which holds no certificates"),
        ("SSL_CERT_DIR", "/there/is/no/folder", "which isn't a folder"),
    ],
)
def test_a_useless_variable_is_named_with_its_cure(
    variable: str, value: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv(variable, value.format(empty=tmp_path / "empty"))
    with pytest.raises(ConfigError) as caught:
        wistia("https://api.wistia.com/modern")
    (problem,) = caught.value.problems
    assert problem.startswith(f"{variable} ")
    assert says in problem
    assert problem.endswith(f"or unset {variable}")
    assert "secret0" not in problem


@pytest.mark.parametrize(
    "address", ["http://proxy.example:1", "proxy.example:65535", "https://proxy.example"]
)
def test_any_port_that_there_is_may_be_a_proxys(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    wistia("https://api.wistia.com/modern")


def test_every_useless_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
    monkeypatch.setenv("SSL_CERT_FILE", "/there/is/no/bundle.pem")
    with pytest.raises(ConfigError) as caught:
        wistia("https://api.wistia.com/modern")
    assert len(caught.value.problems) == 2


def test_what_is_wrong_for_the_network_does_not_stop_what_stays_here(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
    monkeypatch.setenv("SSL_CERT_FILE", "/there/is/no/bundle.pem")
    assert run(wistia(f"{listener.url}/v1"), lambda c: c.page("/medias")).body == []
