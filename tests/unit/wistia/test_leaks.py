"""The token shows nowhere: not in errors, their chains and frames, nor in logs, listings or URLs."""

import json
import logging
import traceback
from base64 import b64encode

import httpx2
import pytest

from support.some import some
from unit.wistia.fakes import CANARY, DAY, Streamed, client, events, run
from wistlake.contracts import source
from wistlake.errors import WistlakeError

SPELLINGS = (CANARY, b64encode(f"api:{CANARY}".encode()).decode())
ECHO = f"you sent {CANARY}, or {SPELLINGS[1]}"


def raising(error):
    def handle(_request):
        raise error

    return handle


def answering(status, **response):
    return lambda _request: httpx2.Response(status, **response)


HEADERS = {"authorization": f"Bearer {CANARY}", "content-type": "application/json"}
TROUBLES = {
    "401": answering(401, json={"code": "unauthorized_credentials", "error": ECHO}),
    "403": answering(403, text=ECHO),
    "404": answering(404, text=ECHO),
    "400": answering(400, json={"error": ECHO, "errors": [ECHO]}),
    "418": answering(418, text=ECHO),
    "500": answering(500, text=ECHO, headers=HEADERS),
    "429": answering(429, text=ECHO, headers={"retry-after": "1"}),
    "redirect": answering(302, headers={"location": f"https://{CANARY}.example/{CANARY}?t={CANARY}"}),
    "type": answering(200, headers={"content-type": f"text/{CANARY}"}, text=ECHO),
    "json": answering(200, text=ECHO),
    "shape": answering(200, json={CANARY: ECHO}),
    "entry": answering(200, json=[CANARY]),
    "fields": answering(200, json=[{CANARY: ECHO}]),
    "deep": answering(200, text="[" * 200 + f'"{CANARY}"' + "]" * 200),
    "stuck": answering(200, json=events(100)),
    "reset": lambda _r: httpx2.Response(200, stream=Streamed([ECHO.encode()], httpx2.ReadError(ECHO))),
    "connect": raising(httpx2.ConnectError(ECHO)),
    "timeout": raising(httpx2.ReadTimeout(ECHO)),
    "protocol": raising(httpx2.LocalProtocolError(f"Illegal header value b'Bearer {CANARY}'")),
    "os": raising(OSError(ECHO)),
}


def chain(error):
    """The error and everything that hangs on it, followed or not."""
    found, rest = [], [error]
    while rest:
        one = rest.pop()
        if one is not None and one not in found:
            found.append(one)
            rest += [one.__cause__, one.__context__]
    return found


def shown(error):
    """All that anybody prints of an error: texts, arguments, and the local variables of our own frames."""
    for one in chain(error):
        yield from (str(one), repr(one), repr(vars(one)), *traceback.format_exception(one))
        for frame, _line in traceback.walk_tb(one.__traceback__):
            if "/wistlake/" in frame.f_code.co_filename:
                yield from (repr(value) for value in frame.f_locals.values() if not _served(value))


def _served(value):
    """Bodies hold what the server sent; only what we say about them counts."""
    return isinstance(value, bytes | bytearray | list | dict)


@pytest.mark.parametrize("auth", ["bearer", "basic"])
@pytest.mark.parametrize("name", ["events", "media_stats", "visitors"])
@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_the_token_shows_nowhere(trouble, name, auth, lines, caplog):
    caplog.set_level(logging.DEBUG)
    wistia = client(TROUBLES[trouble], auth=auth)
    try:
        listing = run(wistia, lambda c: c.fetch(source(name), "m1", DAY, DAY))
    except WistlakeError as e:
        texts = list(shown(e))
    else:
        texts = [json.dumps([listing.request, listing.api, listing.walk])]
    texts += [repr(wistia.connection), repr(wistia.stats), repr(lines), caplog.text]
    for text in some(texts):
        assert not any(spelling in text for spelling in SPELLINGS), text


def test_the_token_travels_in_one_header_only():
    seen = []

    def handle(request):
        seen.append(request)
        return httpx2.Response(200, json=[])

    listing = run(client(handle), lambda c: c.fetch(source("events"), "m1", DAY, DAY))
    assert seen[0].headers["authorization"] == f"Bearer {CANARY}"
    assert CANARY not in str(seen[0].url)
    rest = {k: v for k, v in seen[0].headers.items() if k != "authorization"}
    assert CANARY not in repr(rest)
    assert CANARY not in json.dumps([listing.request, listing.api, listing.walk])


def test_a_redirect_is_not_followed():
    hosts = []

    def handle(request):
        hosts.append(request.url.host)
        return httpx2.Response(307, headers={"location": "https://api.wistia.com.evil.example/modern"})

    with pytest.raises(WistlakeError, match=r"redirects to api\.wistia\.com\.evil\.example"):
        run(client(handle), lambda c: c.list_media())
    assert hosts == ["api.wistia.com"]
