"""A connection refuses what would leak the token or can't work, and never shows it."""

import dataclasses
import pickle

import pytest

from unit.wistia.fakes import CANARY
from wistlake.errors import ConfigError
from wistlake.wistia import Connection


def test_default_is_the_pinned_dated_api():
    connection = Connection("abc")
    assert connection.base_url == "https://api.wistia.com/modern"
    assert connection.api_version == "2026-09"
    assert connection.headers()["X-Wistia-API-Version"] == "2026-09"


def test_v1_sends_no_version():
    connection = Connection("abc", base_url="https://api.wistia.com/v1/")
    assert connection.api_version is None
    assert "X-Wistia-API-Version" not in connection.headers()


@pytest.mark.parametrize(
    "base",
    [
        "http://api.wistia.com/modern",
        "http://localhost.evil.example/modern",
        "http://10.0.0.1/v1",
        "https://user:pw@api.wistia.com/modern",
        "https://api.wistia.com/modern?x=1",
        "https://api.wistia.com",
        "https://api.wistia.com/v2",
        "ftp://api.wistia.com/v1",
        "//api.wistia.com/v1",
        "https://[::1/v1",
        "https://host:port/v1",
        "",
    ],
)
def test_bases_that_are_refused(base):
    with pytest.raises(ConfigError, match="WISTIA_BASE_URL"):
        Connection("abc", base_url=base)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8123/v1", "http://localhost/modern", "http://[::1]:80/modern"]
)
def test_plain_http_is_for_this_machine_only(base):
    assert Connection("abc", base_url=base).base_url == base


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "t\u00f6ken"])
def test_tokens_that_would_break_a_header(token):
    with pytest.raises(ConfigError) as caught:
        Connection(token)
    assert not token or token not in str(caught.value)


def test_all_problems_at_once():
    with pytest.raises(ConfigError) as caught:
        Connection("", base_url="https://x.example/v2", api_version="9", per_page=500, max_concurrency=0)
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("auth", ["bearer", "basic"])
def test_token_shows_nowhere(auth):
    connection = Connection(CANARY, auth=auth)
    shown = " ".join(
        (
            repr(connection),
            str(connection),
            repr(dataclasses.asdict(connection)),
            repr(connection.authenticate),
            connection.account,
            repr(connection.headers()),
        )
    )
    assert CANARY not in shown
    assert connection.redact(f"a {CANARY} b") == "a *** b"
    assert pickle.loads(pickle.dumps(connection)) == connection


def test_account_tells_tokens_and_bases_apart():
    others = Connection("abd"), Connection("abc", base_url="https://x.example/v1")
    assert Connection("abc").account == Connection("abc").account
    assert len({c.account for c in (Connection("abc"), *others)}) == 3
