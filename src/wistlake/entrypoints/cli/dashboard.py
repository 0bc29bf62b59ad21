"""`dashboard`: the published numbers in a browser."""

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Port
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT = Path(__file__).parents[1] / "dashboard.py"
HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")


def dashboard(
    port: Port = 8501,
) -> None:
    """Show what is published in a browser, on this machine alone.

    It only reads, and Ctrl-C ends it. The address holds a secret that is new each time: whoever has not
    seen it can't open the pages.

    Example: wistlake dashboard --port 8600
    """
    if find_spec("streamlit") is None:
        raise ConfigError(
            "the dashboard needs Streamlit and Altair: `make dashboard` installs them and starts it; without make, "
            "pip install --require-hashes -r requirements/dashboard.txt"
        )
    from wistlake.wiring.lake import Published

    lake = session.lake()
    Published(lake).version()  # a lake that can't be read fails here, not in the browser
    free = _free_port(port)
    path = secrets.token_urlsafe(16)
    _serve(free, path, pictures=lake.settings.thumbnails)


def _free_port(port: int) -> int:
    """The given port, or a free one for 0. OSError if it is taken: Streamlit would report that late."""
    with socket.create_server((HOST, port)) as server:
        free: int = server.getsockname()[1]
    return free


def _serve(port: int, path: str, *, pictures: bool) -> None:
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from wistlake_dashboard.app.theme import THEME
    from wistlake_dashboard.pictures import SOURCES

    guards = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
        Middleware(Headers, policy=f"img-src 'self' data: blob:{f' {SOURCES}' if pictures else ''}"),
    ]

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        telling = asyncio.create_task(_tell_once_it_listens(port, path))
        yield
        telling.cancel()

    st.App(SCRIPT, lifespan=lifespan, middleware=guards).run(config=_config(port, path) | THEME)


class Headers:
    """Every answer tells the browser whose pictures it may ask for, and that nobody else learns the address."""

    def __init__(self, app: "ASGIApp", policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()), (b"referrer-policy", b"same-origin"),
        ]  # fmt: skip

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer as the app does, with the headers."""

        async def sent(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self._app(scope, receive, sent)


async def _tell_once_it_listens(port: int, path: str) -> None:
    """Streamlit binds its port after it has called us: an address that is printed before can't be opened yet."""
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        output.say(f"dashboard: http://{HOST}:{port}/{path}/")
        output.say("Ctrl-C ends it")
        sys.stdout.flush()
        return


def _config(port: int, path: str) -> dict[str, object]:
    """Streamlit's settings. What is set here, a config file in the folder can't change."""
    return {
        "server.address": HOST,
        "server.port": port,
        "server.baseUrlPath": path,
        "server.allowedHosts": list(HOSTS),
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": HOST,
        "client.toolbarMode": "minimal",
        # Its own download would write formulas into spreadsheets; ours escapes them.
        "client.disableDataExport": True,
        "client.showErrorDetails": "none",
        "runner.magicEnabled": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,  # it has the address too, before it can be opened
    }
