"""Jobs on a whole lake on AWS, beside the daily run: forgetting a person, a new key, upkeep.

A command writes a request among the objects; the job reads and deletes it, does the work, and writes the result.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from wistlake.codec import decode
from wistlake.contracts import SOURCES
from wistlake.contracts.form import ACCOUNT
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.pipeline.jobs.forget import Purge, Search, Visitors, Who, forget
from wistlake.pipeline.jobs.maintain import Upkeep, maintain
from wistlake.pipeline.jobs.rotate import KeyRing, rotate
from wistlake.pipeline.run.handover import decode_plan, folder, plan_key
from wistlake.pipeline.run.spec import LakeDependencies, MediaChoice, RunSpec
from wistlake.ports import Ledger, ObjectStore

REQUESTS = "requests"  # apart from runs/: they name people, and the bucket keeps none of them for long
FORGET, ROTATE, MAINTAIN = TASKS = ("forget", "rotate", "maintain")


@dataclass(frozen=True, slots=True)
class Request:
    """A task, at `now`. To forget a person: `who`, and the visitors that Wistia has of them (`asked`)."""

    task: str
    now: datetime
    who: Who | None = field(default=None, repr=False)
    asked: Visitors | None = field(default=None, repr=False)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Keeper:
    """What the jobs need beside a lake's dependencies."""

    ring: KeyRing
    purge: Purge
    upkeep: Upkeep
    search: Search
    retention_days: int


def request_key(run_id: str) -> str:
    """Where a request is until the job has read it."""
    return f"{REQUESTS}/{folder(run_id).rpartition('/')[2]}.json"


def result_key(run_id: str) -> str:
    """Where the result is."""
    return f"{folder(run_id)}/kept.json"


def decoded(data: bytes) -> Request:
    """The request in `data`; StoreDamaged, which quotes nothing of it, if it is none."""
    try:
        return decode(Request, json.loads(data))
    except (ValueError, TypeError):
        raise StoreDamaged("the request is damaged: give the order again") from None


def keep(request: Request, run_id: str, parts: LakeDependencies, keeper: Keeper) -> Mapping[str, Any]:
    """Do the work; the result, as JSON, which is also written beside the documents of runs."""
    result = _do(request, run_id, parts, keeper)
    parts.objects.put(result_key(run_id), json.dumps(result, default=str).encode())
    return result


def _do(request: Request, run_id: str, parts: LakeDependencies, keeper: Keeper) -> Mapping[str, Any]:
    if request.task != ROTATE:
        keeper.ring.load().settled()
    if request.task == MAINTAIN:
        done = maintain(
            parts.ledger,
            parts.objects,
            keeper.upkeep,
            run_id=run_id,
            now=parts.clock(),  # not the command's clock: raw pages are deleted by this one
            retention_days=keeper.retention_days,
        )
        return asdict(done)
    spec = whole_lake(parts.ledger, parts.objects, run_id, request.task, request.now)
    if request.task == ROTATE:
        return rotate(spec, parts, keeper.ring, keeper.purge)
    if request.task != FORGET or request.who is None:
        raise ConfigError(
            f"the task is {request.task[:40]!r}: one of {', '.join(TASKS)}, forget with a person"
        )
    who, dry_run = request.who, request.dry_run
    return forget(spec, parts, who, keeper.purge, keeper.search, visitors=request.asked, dry_run=dry_run)


def whole_lake(ledger: Ledger, objects: ObjectStore, run_id: str, trigger: str, now: datetime) -> RunSpec:
    """The spec of a job on everything that the lake holds, by the rules of its last run, whose plan is among the
    objects. StoreError if there is none left."""
    for run in ledger.runs():
        if objects.exists(key := plan_key(run.run_id)):
            last = decode_plan(objects.get(key)).spec
            media = tuple(m.media_id for m in ledger.media()) or (ACCOUNT,)
            return replace(
                last,
                run_id=run_id,
                trigger=trigger,
                window=replace(last.window, now=now, start=None, end=None),
                sources=SOURCES,
                choice=MediaChoice(media),
                accept_shrink=frozenset(),
            )
    raise StoreError(
        "no run's plan is left in the bucket: let the daily run end once, and give the order again"
    )
