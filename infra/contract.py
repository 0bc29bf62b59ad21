"""Asks the live API once per endpoint whether it still says what the contracts rely on.

    python infra/contract.py --secret wistlake-prod/wistia-token

The token comes from Secrets Manager and is printed nowhere, nor is any value that Wistia answers. MEDIA_IDS names a
media to ask about; WISTIA_BASE_URL and WISTIA_API_VERSION are the usual settings. Exit code 0, or 1 if an
endpoint answers otherwise than promised.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from wistlake.contracts import SOURCES
from wistlake.contracts.form import Source
from wistlake.errors import ConfigError, SourceMissing, WistlakeError
from wistlake.settings import Settings
from wistlake.wiring.source import NoBudget, connection
from wistlake.wistia import WistiaClient
from wistlake.wistia.client import NOT_IN_PLAN
from wistlake.wistia.endpoints import Shape, by_dimension, endpoint, path
from wistlake.wistia.responses import check_fields, page_and_cursor, unfolded

_PAGE = {"per_page": "10"}
NOT_THERE = "not there"  # what an account may lack of the optional datasets


def main(secret: str, transport: Any = None) -> int:
    """Ask every endpoint; 1 if one of them has changed. `transport` replaces the network in tests."""
    token = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    settings = Settings(token=token)
    media = next(iter(settings.require_media()), "")
    if not media:
        raise ConfigError("MEDIA_IDS must name a media to ask about, not all")
    changed = asyncio.run(_ask_all(settings, media, transport, sys.stdout.write))
    return 1 if changed else 0


async def _ask_all(settings: Settings, media: str, transport: Any, say: Callable[[str], Any]) -> int:
    changed = 0
    async with _client(settings, transport) as client:
        for source in SOURCES:
            verdict = await _ask(client, source, media)
            changed += bool(verdict) and not (source.optional and verdict.startswith(NOT_THERE))
            say(f"{source.name}: {verdict or 'as promised'}\n")
    return changed


@asynccontextmanager
async def _client(settings: Settings, transport: Any) -> AsyncIterator[WistiaClient]:
    async with WistiaClient(connection(settings), NoBudget(), transport=transport) as client:
        yield client


async def _ask(client: WistiaClient, source: Source, media: str) -> str:
    """What is wrong with the endpoint of `source`, or nothing. One request."""
    last = (datetime.now(UTC) - timedelta(days=1)).date()
    first = last - timedelta(days=6)
    try:
        how = endpoint(source, client.connection)
        where = path(source, media)
        dimension = by_dimension(source)[0]
        answer = await client.page(where, {**_PAGE, **how.params(media, first, last), **dimension})
        is_cut = how.shape is Shape.CURSOR
        page = page_and_cursor(answer.body, where)[0] if is_cut else answer.records
        records = unfolded(source, page, where)
        check_fields(source, [{**dimension, **record} for record in records], where)
    except SourceMissing:
        return f"{NOT_THERE}: 404"
    except WistlakeError as e:
        if e.status == NOT_IN_PLAN:
            return f"{NOT_THERE}: {NOT_IN_PLAN}, not in this account's plan"
        return f"{type(e).__name__}: {e}"
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Does the live API keep its contracts?")
    parser.add_argument("--secret", required=True, help="name or ARN of the secret that holds the token")
    sys.exit(main(parser.parse_args().secret))
