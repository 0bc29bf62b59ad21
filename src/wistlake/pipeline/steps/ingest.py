"""Second step: land one media, as far as the time goes; called again for what is left."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog

from wistlake.errors import SourceUnavailable, WistlakeError
from wistlake.pipeline.run.ingest import Ingest, IngestContext, Ingested
from wistlake.pipeline.run.result import FetchSummary, harvest
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.pipeline.steps.handover import Planned, harvest_key
from wistlake.planning.calendar import days
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.ports import ObjectStore

log = structlog.get_logger()
RESERVE_SECONDS = 180.0  # no fetch begins with less than this left
LAST_SECONDS = 20.0  # what is still under way then is given up, and asked for again in the next round
Key = tuple[str, str, date]
_LANDED = (State.LANDED, State.BUILT, State.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `left` fetches wait for the next one."""

    left: int
    landed: int
    requests: int


def ingest_round(
    planned: Planned, media_id: str, parts: Dependencies, seconds_left: Callable[[], float]
) -> Round:
    """Land what the plan asks of the media and this run has not landed yet.

    Raises when everything was tried and something failed (SourceUnavailable first, since it is worth another
    try), and when a whole round could not land anything.
    """
    spec = planned.spec
    known = {i.key: i for i in parts.ledger.intervals(media_id=media_id)}
    todo = _todo(spec, planned.fetches.get(media_id, ()), known)
    if not todo:
        return Round(0, 0, 0)
    ingested = asyncio.run(_ingest(spec, parts, known, todo, seconds_left))
    left = _todo(spec, todo, known | ingested.intervals, failed=False)
    _keep(parts.objects, harvest_key(spec.run_id, media_id), harvest(ingested))
    log.info("round", run_id=spec.run_id, media_id=media_id, landed=len(ingested.manifests), left=len(left))
    if not left and ingested.errors:
        raise _worth_raising(ingested.errors.values())
    if left and not ingested.intervals:
        raise SourceUnavailable(
            f"{media_id}: not one day of {len(left)} fetches could be landed in a whole round: "
            "give the function more time"
        )
    return Round(len(left), len(ingested.manifests), sum(ingested.requests.values()))


async def _ingest(
    spec: RunSpec,
    parts: Dependencies,
    known: Mapping[Key, Interval],
    todo: Sequence[Fetch],
    seconds_left: Callable[[], float],
) -> Ingested:
    context = replace(
        IngestContext.of(spec, parts),
        clock=_never_back(spec.window.now, known.values()),
        may_begin=lambda: seconds_left() >= RESERVE_SECONDS,
    )
    async with parts.client() as client:
        work = Ingest(context, parts.objects, parts.ledger, known, client.fetch)
        try:
            async with asyncio.timeout(max(0.0, seconds_left() - LAST_SECONDS)):
                await work.run(todo)
        except TimeoutError:
            log.warning("round out of time", run_id=spec.run_id)
        return work.done


def _todo(
    spec: RunSpec, fetches: Sequence[Fetch], known: Mapping[Key, Interval], *, failed: bool = True
) -> list[Fetch]:
    """Fetches that this run has not landed: those it has not tried yet, then those that failed."""
    states = [(fetch, _states(spec, fetch, known)) for fetch in fetches]
    fresh = [f for f, states in states if not states <= {*_LANDED, State.FAILED}]
    again = [f for f, states in states if states <= {*_LANDED, State.FAILED} and State.FAILED in states]
    return fresh + (again if failed else [])


def _states(spec: RunSpec, fetch: Fetch, known: Mapping[Key, Interval]) -> set[State]:
    """How far this run has come with the fetch's days; what other runs did counts as planned."""
    found = (known.get((fetch.dataset, fetch.media_id, day)) for day in days(fetch.start, fetch.end))
    return {i.state if i and i.run_id == spec.run_id else State.PLANNED for i in found}


def _never_back(now: datetime, known: Iterable[Interval]) -> Callable[[], datetime]:
    """The run's own time, or the newest observation of the media where that is later: a run that is started
    anew with the time for which it was planned must not land something older than what is there."""
    moment = max((now, *(i.observed_at for i in known if i.observed_at)))
    return lambda: moment


def _worth_raising(errors: Iterable[WistlakeError]) -> WistlakeError:
    found = list(errors)
    return next((e for e in found if isinstance(e, SourceUnavailable)), found[0])


def _keep(objects: ObjectStore, key: str, found: FetchSummary) -> None:
    """Add the figures of a round to those of the rounds before it."""
    whole = read_harvest(objects, key)
    whole.add(found)
    plain = {
        "lines": list(whole.lines.values()),
        "unavailable": whole.unavailable,
        "unknown_keys": {k: sorted(v) for k, v in whole.unknown_keys.items()},
    }
    objects.put(key, json.dumps(plain).encode())


def read_harvest(objects: ObjectStore, key: str) -> FetchSummary:
    """The figures under `key`; empty if there are none yet."""
    if not objects.exists(key):
        return FetchSummary()
    plain = json.loads(objects.get(key))
    return FetchSummary(
        {(line["dataset"], line["media_id"]): line for line in plain["lines"]},
        plain["unavailable"],
        {k: set(v) for k, v in plain["unknown_keys"].items()},
    )
