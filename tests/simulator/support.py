"""What the tests of the simulator share: small worlds and a way to ask an app."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from wistia_simulator import Profile, ServerOptions, World, create_app, transport

NOW = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)
SAMPLES = Path(__file__).parents[2].parent / "shared" / "wistia-api" / "samples"
RECORDED = SAMPLES / "events_by_date_v1_2024-12"
VISITS = SAMPLES / "visitors_stats_v1_2025-09"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="recorded payloads are not here")

UNLIMITED = ServerOptions(token="t0ken", rate_limit_per_minute=None)
BEARER = {"Authorization": "Bearer t0ken"}


def world(profile: Profile | None = None, seed: int = 7, now: datetime = NOW, **changes: Any) -> World:
    """A world of a hostile account with two medias and ten days of history, unless told otherwise."""
    base = profile or Profile.hostile()
    return World(seed, replace(base, **{"history_days": 10, **changes}), now)


def app_of(subject: World, options: ServerOptions = UNLIMITED, faults: Any = None) -> Starlette:
    return create_app(subject, options, faults)


def fetch(
    app: Starlette, *paths: str, headers: dict[str, str] = BEARER, timeout: float = 60.0
) -> list[httpx2.Response]:
    """The responses of several requests, one after the other."""

    async def all_of_them() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(
            transport=transport(app), base_url="https://api.wistia.com", headers=headers, timeout=timeout
        ) as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(all_of_them())


def get(app: Starlette, path: str, headers: dict[str, str] = BEARER) -> Any:
    """The parsed body of one request that succeeds."""
    (response,) = fetch(app, path, headers=headers)
    assert response.status_code == 200, (path, response.status_code, response.text)
    return response.json()


def post(app: Starlette, path: str, body: Any) -> int:
    """The status of one request with a body."""

    async def send() -> int:
        async with httpx2.AsyncClient(
            transport=transport(app), base_url="https://api.wistia.com", headers=BEARER
        ) as client:
            return (await client.post(path, json=body)).status_code

    return asyncio.run(send())


def walk(app: Starlette, path: str, per_page: int = 100) -> list[dict[str, Any]]:
    """All rows of a list, page by page until a short one."""
    rows: list[dict[str, Any]] = []
    for page in range(1, 1000):
        mark = "&" if "?" in path else "?"
        found = get(app, f"{path}{mark}per_page={per_page}&page={page}")
        rows += found
        if len(found) < per_page:
            return rows
    raise AssertionError("the list does not end")


def days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))
