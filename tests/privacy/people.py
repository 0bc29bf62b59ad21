"""What the privacy tests share: lakes with people in them, and a way to have one forgotten."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from support.lake import Lake, Scenario
from wistia_simulator import Profile
from wistlake import bronze
from wistlake.adapters.local.objects import LocalObjects
from wistlake.pipeline.jobs.forget import Who, ask_source, forget

PEOPLE = Profile(
    media=2,
    sessions_per_day=8,
    history_days=12,
    growing=0.0,
    late=0.0,
    vanishing=0.0,
    email_share=0.4,
    returning_share=0.3,
    embed_query_share=0.5,
    canary="CANARY",
)

DAYS = 3  # of the lake that `conftest.built` makes


@dataclass(frozen=True)
class Known:
    """Somebody whom the lake has seen more than once."""

    visitor_key: str
    email: str


def lake_of_people(folder: Path, **settings: Any) -> Lake:
    """A lake, nothing run yet."""
    return Lake(folder, Scenario(profile=PEOPLE, settings=settings))


def somebody(lake: Lake) -> Known:
    """The most seen visitor with an address."""
    seen = Counter((s.visitor_key, s.email) for s in lake.world.truth.sessions() if s.email)
    (key, email), _ = max(seen.items(), key=lambda item: (item[1], item[0]))
    return Known(key, email or "")


def somebody_landed(lake: Lake) -> Known:
    """The most seen visitor with an address in the lake's raw pages."""
    objects = LocalObjects(lake.folder)
    parts = (k for k in objects.list(f"{bronze.ROOT}/events/") if not k.endswith(bronze.MANIFEST))
    records = [r for key in parts for _, r in bronze.decode_lines(objects.get(key))]
    seen = Counter((r["visitor_key"], r["email"]) for r in records if r["email"])
    (key, email), _ = max(seen.items(), key=lambda item: (item[1], item[0]))
    return Known(key, email)


def have_forgotten(
    lake: Lake, now: datetime, *, dry_run: bool = False, search: Any = None, **who: str
) -> dict[str, Any]:
    """Forget, as the command does."""
    lake._query = None
    opened = lake.opened()
    spec = opened.whole_lake(f"forget-{now:%Y%m%dT%H%M%S}", "forget", now)
    person, parts = Who(**who), lake.parts(opened.settings)
    with capture_logs():
        return forget(
            spec,
            parts,
            person,
            opened.purge(),
            search or opened.search(),
            visitors=asyncio.run(ask_source(parts.client, person)),
            dry_run=dry_run,
        )
