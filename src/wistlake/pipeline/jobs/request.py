"""Work on a whole lake on AWS, beside the daily run: forgetting a person, a new key, upkeep.

Whoever asks leaves a request among the objects; the job takes it away, does it, and leaves what came of it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.pipeline.jobs.forget import Purge, Search, Visitors, Who, forget
from wistlake.pipeline.jobs.maintain import History, Upkeep, maintain
from wistlake.pipeline.jobs.rotate import KeyRing, rotate
from wistlake.pipeline.run.handover import decode_plan, folder, plan_key
from wistlake.pipeline.run.spec import LakeDependencies, MediaChoice, RunSpec
from wistlake.planning.intervals import ACCOUNT
from wistlake.ports import Ledger, ObjectStore

REQUESTS = "requests"  # apart from runs/: they name people, and the bucket keeps none of them for long
FORGET, ROTATE, MAINTAIN = TASKS = ("forget", "rotate", "maintain")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, at `now`. Of a person: `who`, and the visitors that Wistia `asked` about them found."""

    task: str
    now: datetime
    who: Who | None = field(default=None, repr=False)
    asked: Visitors | None = field(default=None, repr=False)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Keeper:
    """What the work needs beside a lake's parts."""

    ledger: History
    ring: KeyRing
    purge: Purge
    upkeep: Upkeep
    search: Search
    retention_days: int


def request_key(run_id: str) -> str:
    """Where a request lies until it is taken."""
    return f"{REQUESTS}/{folder(run_id).rpartition('/')[2]}.json"


def result_key(run_id: str) -> str:
    """Where what came of it lies."""
    return f"{folder(run_id)}/kept.json"


def encode(request: Request) -> bytes:
    """The request as JSON."""
    plain = {
        "task": request.task,
        "now": request.now.isoformat(),
        "who": asdict(request.who) if request.who else None,
        "asked": None if request.asked is None else [dict(r) for r in request.asked],
        "dry_run": request.dry_run,
    }
    return json.dumps(plain).encode()


def decode(data: bytes) -> Request:
    """The request in `data`; StoreError, which quotes nothing, if it is none."""
    try:
        plain = json.loads(data)
        return Request(
            plain["task"],
            datetime.fromisoformat(plain["now"]),
            Who(**plain["who"]) if plain["who"] else None,
            plain["asked"],
            plain["dry_run"],
        )
    except (ValueError, KeyError, TypeError):
        raise StoreDamaged("the request is damaged: give the order again") from None


def keep(request: Request, run_id: str, parts: LakeDependencies, keeper: Keeper) -> Mapping[str, Any]:
    """Do what is asked for; what came of it, as JSON, is left beside the documents of runs as well."""
    done = _do(request, run_id, parts, keeper)
    parts.objects.put(result_key(run_id), json.dumps(done, default=str).encode())
    return done


def _do(request: Request, run_id: str, parts: LakeDependencies, keeper: Keeper) -> Mapping[str, Any]:
    if request.task != ROTATE:
        keeper.ring.load().settled()
    if request.task == MAINTAIN:
        return maintain(
            keeper.ledger,
            parts.objects,
            keeper.upkeep,
            run_id=run_id,
            now=parts.clock(),  # whoever asked may have another clock, and this one lets raw pages go
            retention_days=keeper.retention_days,
        ).as_json()
    spec = whole_lake(parts.ledger, parts.objects, run_id, request.task, request.now)
    if request.task == ROTATE:
        return rotate(spec, parts, keeper.ring, keeper.purge)
    if request.task != FORGET or request.who is None:
        raise ConfigError(
            f"the task is {request.task[:40]!r}: one of {', '.join(TASKS)}, forget with a person"
        )
    return forget(
        spec,
        parts,
        request.who,
        keeper.purge,
        keeper.search,
        asked=request.asked,
        dry_run=request.dry_run,
    )


def whole_lake(ledger: Ledger, objects: ObjectStore, run_id: str, trigger: str, now: datetime) -> RunSpec:
    """An order about everything that the lake holds, by the rules of its last run: their plan is among the
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
