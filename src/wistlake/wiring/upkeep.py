"""Work on a whole lake, wherever it is: on the laptop here and now, on AWS by the job that may."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from wistlake.adapters.local import damage
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.scratch import SCRATCH, sweep
from wistlake.errors import ConfigError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.jobs import request as keep
from wistlake.pipeline.jobs.forget import Who, ask_source
from wistlake.pipeline.jobs.request import Request
from wistlake.pipeline.run.spec import LakeDependencies
from wistlake.privacy.keys import KeyChain
from wistlake.settings import Settings
from wistlake.wiring import laptop, privacy

Done = Mapping[str, Any]


def forget(
    settings: Settings, outside: laptop.Runtime, run_id: str, now: datetime, who: Who, *, dry_run: bool
) -> Done:
    """Forget a person; the receipt. Wistia is asked from here, with this machine's token."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        asked = asyncio.run(ask_source(lambda: aws.client(settings, outside), who))
        return _by_the_job(settings, run_id, Request(keep.FORGET, now, who, asked, dry_run))
    from wistlake.pipeline.jobs.forget import forget as erase

    order = privacy.whole_lake(settings, run_id, keep.FORGET, now)
    parts = laptop.parts(settings, outside)
    asked = asyncio.run(ask_source(parts.client, who))
    purge, search = privacy.purge(settings), privacy.search(settings)
    with damage.explained(laptop.here(settings)):
        return erase(order, parts, who, purge, search, asked=asked, dry_run=dry_run)


def rotate(settings: Settings, outside: laptop.Runtime, run_id: str, now: datetime) -> Done:
    """Begin a new epoch of pseudonyms; what was done."""
    if settings.place == "aws":
        return _by_the_job(settings, run_id, Request(keep.ROTATE, now))
    from wistlake.adapters.local.purge import LocalPurge
    from wistlake.pipeline.jobs.rotate import rotate as turn

    ring = privacy.KeyFile(settings.lake)
    order = privacy.whole_lake(settings, run_id, keep.ROTATE, now)
    parts: LakeDependencies = privacy.for_rotation(settings, outside, ring)
    with damage.explained(laptop.here(settings)):
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
    from wistlake.adapters.local.checksums import seal
    from wistlake.pipeline.jobs.maintain import maintain as perform

    laptop.ledger(settings, read_only=True)
    key_chain(settings).settled()  # a rotation must find the tables as it left them
    folder = laptop.here(settings)
    with damage.explained(folder):
        done = perform(
            laptop.ledger(settings),
            laptop.objects(settings),
            laptop.upkeep(settings),
            run_id=run_id,
            now=now,
            retention_days=settings.bronze_retention_days,
        )
        seal(folder.root)
        sweep(folder.root.parent, SCRATCH)
        return done.as_json()


def restore(source: Path, lake: Path, replaces: Path | None) -> int:
    """Bring a copy to life at `lake`, and to it the tombstones of the lake that it replaces; how many of those it
    did not know. While there are any, it holds people who were forgotten after the copy was made: `forget_again`."""
    laptop.restore(source, lake)
    if replaces is not None:
        _require_same_key(replaces, lake)
        tombstone_home.bring(laptop.files(replaces), laptop.files(lake))
    return tombstone_home.unknown(laptop.files(lake), laptop.ledger_of(lake))


def settings_of(lake: Path, settings: Settings) -> Settings:
    """The settings for the lake in a folder, in the zone of its days."""
    zone = str(LakeFolder(lake).described()["zone"])
    return settings.model_copy(update={"lake": lake, "account_timezone": zone})


def forget_again(settings: Settings, outside: laptop.Runtime, run_id: str, now: datetime) -> Done:
    """Erase everybody whom a tombstone names once more; the receipt."""
    from wistlake.pipeline.jobs.forget import reapply

    order = privacy.whole_lake(settings, run_id, keep.FORGET, now)
    parts = laptop.parts(settings, outside)
    with damage.explained(laptop.here(settings)):
        return reapply(order, parts, privacy.purge(settings), privacy.search(settings))


def _require_same_key(old: Path, new: Path) -> None:
    """Under another first key, tombstones recognise nobody."""
    first = [LakeFolder(lake).key_chain(rotating=True).keys[0] for lake in (old, new)]
    if first[0] != first[1]:
        raise ConfigError(f"{old} and {new} have different pseudonym keys: neither is a copy of the other")


def _by_the_job(settings: Settings, run_id: str, request: Request) -> Done:
    """Leave the request where the job finds it, and wait for what comes of it. The request names a person:
    it does not outlive this call."""
    from wistlake.adapters.aws import jobs as aws_jobs
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
