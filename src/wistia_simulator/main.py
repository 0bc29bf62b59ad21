"""A served simulator: ``python -m wistia_simulator --port 8765``. It listens on this machine only."""

import argparse
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette

from wistia_simulator.clock import TickingClock, VirtualClock
from wistia_simulator.faults import FaultPlan
from wistia_simulator.http.app import create_app
from wistia_simulator.http.options import ServerOptions
from wistia_simulator.profile import PROFILES, Profile
from wistia_simulator.replay import create_replay_app
from wistia_simulator.world import World

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Serving:
    """What is served, and how.

    ``profile``: ``default``, ``calm``, ``described``, ``hostile`` or a JSON file; ``faults``: ``none``, ``calm``,
    ``hostile`` or a JSON file; ``media``, ``sessions_per_day``, ``history_days`` and ``timezone`` replace
    the profile's. ``now`` is where the virtual clock stands, by default the real time; with ``tick`` it
    runs. ``replay`` names a folder of recorded payloads that is served instead. ``port`` 0 picks a free
    one, ``rate_limit`` (requests a minute) 0 is no limit, ``latency`` is in seconds.
    """

    port: int = 8765
    seed: int = 7
    now: datetime | None = None
    tick: bool = False
    profile: str | Profile = "default"
    faults: str | FaultPlan = "none"
    media: int | None = None
    sessions_per_day: float | None = None
    history_days: int | None = None
    timezone: str | None = None
    token: str | None = None
    rate_limit: int = 600
    latency: float = 0.0
    replay: Path | None = None
    control: bool = False


def build(serving: Serving) -> Starlette:
    """The app."""
    options = ServerOptions(
        token=serving.token,
        rate_limit_per_minute=serving.rate_limit or None,
        latency_seconds=serving.latency,
        control=serving.control,
    )
    faults = _faults(serving)
    if serving.replay is not None:
        return create_replay_app(serving.replay, options, serving.now, faults)
    now = serving.now or datetime.now(UTC)
    clock = TickingClock(now) if serving.tick else VirtualClock(now)
    return create_app(World(serving.seed, _profile(serving), now, clock), options, faults)


def serve(serving: Serving) -> None:
    """Serve on 127.0.0.1 until interrupted, after printing the base URL. Recordings may be somebody's:
    they ask for a token, printed as well, where none was chosen."""
    if serving.replay is not None and serving.token is None:
        serving = replace(serving, token=secrets.token_urlsafe(16))
    with _listener(serving.port) as listener:
        sys.stdout.write(f"{_url(listener)}\n")
        if serving.replay is not None:
            sys.stdout.write(f"token: {serving.token}\n")
        sys.stdout.flush()
        _server(build(serving)).run(sockets=[listener])


@contextmanager
def running(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serve ``app`` in a thread for the length of a ``with`` block; gives its base URL."""
    with _listener(port) as listener:
        server = _server(app)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def _listener(port: int) -> socket.socket:
    return socket.create_server((_HOST, port))


def _url(listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}"


def _server(app: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    return uvicorn.Server(config)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve. What can't be served ends with 2 and one line."""
    parser = _parser()
    try:
        serve(Serving(**vars(parser.parse_args(arguments))))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, OverflowError, ValueError, TypeError, KeyError, AttributeError) as e:
        parser.error(f"{type(e).__name__}: {e}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("wistia_simulator", description="A faithful fake of Wistia's API.")
    add = parser.add_argument
    add("--port", type=int, default=8765, help="port on 127.0.0.1; 0 picks a free one")
    add("--seed", type=int, default=7, help="the account's seed")
    add("--now", type=_moment, help="where the virtual clock stands, ISO with zone (default: real time)")
    add("--tick", action="store_true", help="let the virtual clock run with real time")
    add("--profile", default="default", help=f"{', '.join(PROFILES)}, or a JSON file")
    add("--faults", default="none", help="none, calm, hostile, or a JSON file")
    add("--media", type=int, help="number of medias")
    add("--sessions-per-day", type=float, help="mean sessions per media and day")
    add("--history-days", type=int, help="days between the first session and --now")
    add("--timezone", help="the account's zone: IANA name or fixed offset")
    add("--token", help="the only accepted token (default: any)")
    add("--rate-limit", type=int, default=600, help="requests a minute; 0 is no limit")
    add("--latency", type=float, default=0.0, help="seconds added to every answer")
    add("--replay", type=Path, help="serve recorded payloads of this folder instead")
    add("--control", action="store_true", help="switch /_simulator/truth and /_simulator/clock on")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("the moment needs a zone, e.g. 2026-11-20T02:15:00+00:00")
    return moment


def _profile(serving: Serving) -> Profile:
    profile = serving.profile
    if isinstance(profile, str):
        path = Path(profile)
        profile = Profile.from_json(path) if path.suffix == ".json" else Profile.named(profile)
    wanted: dict[str, Any] = {
        "media": serving.media,
        "sessions_per_day": serving.sessions_per_day,
        "history_days": serving.history_days,
        "account_timezone": serving.timezone,
    }
    return replace(profile, **{name: value for name, value in wanted.items() if value is not None})


def _faults(serving: Serving) -> FaultPlan:
    if isinstance(serving.faults, FaultPlan):
        return serving.faults
    path = Path(serving.faults)
    return (
        FaultPlan.from_json(path) if path.suffix == ".json" else FaultPlan.named(serving.faults, serving.seed)
    )
