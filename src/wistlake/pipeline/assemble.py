"""From what the ledger knows to what a build must do: pending landings, and the days gold may publish."""

import hashlib
import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import date
from itertools import groupby

from wistlake import bronze
from wistlake.contracts import source
from wistlake.contracts.form import Calendar
from wistlake.pipeline.build import BuildPlan, BuildResult
from wistlake.pipeline.order import TRANSFORM_VERSION, RunOrder
from wistlake.planning.calendar import last_finished, zone
from wistlake.planning.intervals import STOPPED, Interval, MediaEntry, State
from wistlake.planning.publishing import EVENTS, publishing
from wistlake.ports import ObjectStore
from wistlake.quality.checks import Finding, freshness
from wistlake.transforms.channels import fingerprint

USUAL_ROWS = 750_000  # events of one build, give or take a half: about a gigabyte on either engine
Key = tuple[str, str, date]
Done = tuple[BuildPlan, BuildResult]


def signature(interval: Interval, order: RunOrder, epoch: int) -> str:
    """Everything that a built day depends on. The same signature: the same rows, so no build."""
    contract = source(interval.dataset)
    said = [
        interval.content_hash,
        interval.missing,
        contract.version,
        TRANSFORM_VERSION,
        epoch,
        order.zone_name,
        fingerprint(order.rules),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def pending(intervals: Iterable[Interval], order: RunOrder, epoch: int) -> tuple[Interval, ...]:
    """Intervals whose newest landing silver was not built from. One that was stopped is not tried again
    before it is listed anew, or a new contract may take it."""
    wanted = {s.name for s in order.sources}
    return tuple(
        i
        for i in intervals
        if i.dataset in wanted
        and i.landing_id
        and i.built_signature != (STOPPED if i.is_stopped else "") + signature(i, order, epoch)
    )


def within_memory(waiting: Sequence[Interval], usual: int = USUAL_ROWS) -> tuple[Interval, ...]:
    """As many of the intervals as one build takes: small datasets whole, then events by day, at least one day.

    The builds share the events evenly: every one of them rewrites the tables that have no days, and a small
    rest is not worth that."""
    small = [i for i in waiting if i.dataset != EVENTS]
    large = sorted((i for i in waiting if i.dataset == EVENTS), key=lambda i: (i.day, i.media_id))
    rows = sum(i.rows for i in large)
    share = rows / max(1, round(rows / usual))
    chosen: list[Interval] = []
    taken = 0
    for _, of_day in groupby(large, key=lambda i: i.day):
        day = list(of_day)
        taken += sum(i.rows for i in day)
        if chosen and taken > share:
            break
        chosen += day
    return (*small, *chosen)


def assemble(
    order: RunOrder,
    media: Sequence[MediaEntry],
    intervals: Sequence[Interval],
    objects: ObjectStore,
    keys: tuple[bytes, ...],
    tried: Set[Key] = frozenset(),
) -> BuildPlan:
    """The next build of what is pending and was not `tried` yet: the oldest days first, no more rows than
    memory takes. Days that must wait for a later build are not published by this one.

    Reads the manifests of its landings; StoreError if one that the ledger promises is not there.
    """
    # What was built once and has left bronze since stays as it stands; what never was built is missed.
    left = [
        i
        for i in pending(intervals, order, len(keys))
        if not i.built_signature or objects.exists(bronze.manifest_key(i.landing_id))
    ]
    waiting = within_memory([i for i in left if i.key not in tried])
    later = {i.key for i in left} - {i.key for i in waiting}
    intervals = [i for i in intervals if i.key not in later]
    manifests = tuple(bronze.decode_manifest(objects.get(bronze.manifest_key(i.landing_id))) for i in waiting)
    days = publishing(
        [m for m in media if m.retired_at is None],
        intervals,
        waiting,
        datasets=frozenset(s.name for s in order.sources),
        now=order.window.now,
        tz=zone(order.zone_name),
        lookback_days=order.window.lookback_days,
        include_open_days=order.window.include_open_days,
    )
    return BuildPlan(
        run_id=order.run_id,
        started_at=order.window.now,
        zone=order.zone_name,
        keys=keys,
        landings=manifests,
        publishable=days.publishable,
        refresh=days.refresh,
        past_lookback=days.past_lookback,
        confirmed=days.confirmed,
        listed=days.listed,
        findings=tuple(_freshness(order, media, intervals)),
        rules=order.rules,
        accept_shrink=order.accept_shrink,
    )


def _freshness(
    order: RunOrder, media: Sequence[MediaEntry], intervals: Iterable[Interval]
) -> Iterable[Finding]:
    """How far each daily dataset has landed, against the newest day that is over."""
    followed = [m.media_id for m in media if m.retired_at is None]
    newest: dict[str, dict[str, date | None]] = {}
    for i in intervals:
        # What the source does not have is not late.
        if (i.landing_id and i.finished) or i.missing:
            of_dataset = newest.setdefault(i.dataset, {})
            of_dataset[i.media_id] = max(i.day, of_dataset.get(i.media_id) or i.day)
    for s in order.sources:
        if s.calendar is not Calendar.SNAPSHOT and not s.account_wide:
            known = newest.get(s.name, {})
            expected = last_finished(s.calendar, order.window.now, order.window.tz)
            yield freshness(s.name, {m: known.get(m) for m in followed}, expected)


def following(
    order: RunOrder,
    media: Sequence[MediaEntry],
    intervals: Sequence[Interval],
    objects: ObjectStore,
    keys: tuple[bytes, ...],
    done: Sequence[Done],
) -> BuildPlan:
    """What the builds of this run have left to do: landings that memory had no room for, and days of gold
    that only a session which moved away from them has touched. What was refused is not tried again."""
    tried = {(m.dataset, m.media_id, m.day) for work, _ in done for m in work.landings}
    computed = {p for work, result in done for p in (*work.refresh, *result.published, *result.blocked)}
    stopped = {media_id for _, result in done for _, media_id, _ in result.stopped}
    work = assemble(order, media, intervals, objects, keys, tried)
    left = (p for p in work.refresh if p not in computed and p[0] not in stopped)
    return replace(work, refresh=frozenset(left))


def as_stopped(interval: Interval, order: RunOrder, epoch: int, reason: str) -> Interval:
    """The interval after a build that took nothing of its landing."""
    return replace(
        interval,
        state=State.FAILED,
        reason=reason,
        updated_at=order.window.now,
        built_signature=STOPPED + signature(interval, order, epoch),
    )


def as_built(interval: Interval, order: RunOrder, epoch: int) -> Interval:
    """The interval after readers got what was built from its landing."""
    return replace(
        interval,
        state=State.PUBLISHED,
        reason="",
        run_id=order.run_id,
        updated_at=order.window.now,
        built_signature=signature(interval, order, epoch),
        published_at=order.window.now,
    )
