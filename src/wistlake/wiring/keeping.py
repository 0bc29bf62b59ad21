"""Work on a whole lake, wherever it is: on the laptop here and now, on AWS by the job that may."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wistlake.pipeline.forget import Who, ask_source
from wistlake.pipeline.order import LakeParts
from wistlake.pipeline.steps import keep
from wistlake.pipeline.steps.keep import Request
from wistlake.privacy.keys import KeyChain
from wistlake.settings import Settings
from wistlake.wiring import laptop, privacy

Done = Mapping[str, Any]


def forget(
    settings: Settings, outside: laptop.Outside, run_id: str, now: datetime, who: Who, *, dry_run: bool
) -> Done:
    """Forget a person; the receipt. Wistia is asked from here, with this machine's token."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        asked = asyncio.run(ask_source(lambda: aws.client(settings, outside), who))
        return _by_the_job(settings, run_id, Request(keep.FORGET, now, who, asked, dry_run))
    from wistlake.pipeline.forget import forget as erase

    order = privacy.whole_lake(settings, run_id, keep.FORGET, now)
    parts = laptop.parts(settings, outside)
    asked = asyncio.run(ask_source(parts.client, who))
    purge, search = privacy.purge(settings), privacy.search(settings)
    return erase(order, parts, who, purge, search, asked=asked, dry_run=dry_run)


def rotate(settings: Settings, outside: laptop.Outside, run_id: str, now: datetime) -> Done:
    """Begin a new epoch of pseudonyms; what was done."""
    if settings.place == "aws":
        return _by_the_job(settings, run_id, Request(keep.ROTATE, now))
    from wistlake.adapters.local_purge import LocalPurge
    from wistlake.pipeline.rotate import rotate as turn

    ring = privacy.KeyFile(settings.lake)
    order = privacy.whole_lake(settings, run_id, keep.ROTATE, now)
    parts: LakeParts = privacy.for_rotation(settings, outside, ring)
    return turn(order, parts, ring, LocalPurge(settings.lake))


def key_chain(settings: Settings) -> KeyChain:
    """The pseudonym keys, a pending one included."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        return aws.key_ring(settings).load()
    return privacy.KeyFile(settings.lake).load()


def maintain(settings: Settings, run_id: str, now: datetime) -> Done:
    """Upkeep of the tables; what was done."""
    if settings.place == "aws":
        return _by_the_job(settings, run_id, Request(keep.MAINTAIN, now))
    from wistlake.pipeline.maintenance import maintain as perform

    laptop.ledger(settings, read_only=True)
    key_chain(settings).settled()  # a rotation must find the tables as it left them
    return perform(
        laptop.ledger(settings),
        laptop.objects(settings),
        laptop.upkeep(settings),
        run_id=run_id,
        now=now,
        retention_days=settings.bronze_retention_days,
    ).as_json()


def _by_the_job(settings: Settings, run_id: str, request: Request) -> Done:
    """Leave the request where the job finds it, and wait for what comes of it. The request names a person:
    it does not outlive this call."""
    from wistlake.adapters import aws_jobs
    from wistlake.wiring import aws

    objects, key = aws.objects(settings), keep.request_key(run_id)
    objects.put(key, keep.encode(request))
    try:
        given = {"--task": request.task, "--run_id": run_id, "--request_key": key}
        aws_jobs.run(f"wistlake-{settings.stage}-keep", given, time.sleep)
    finally:
        objects.delete([key])
    done: Done = json.loads(objects.get(keep.result_key(run_id)))
    return done
