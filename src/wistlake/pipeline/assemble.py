"""From what the ledger knows to what a build must do: pending landings, and the days gold may publish."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wistlake import bronze
from wistlake.contracts import source
from wistlake.pipeline.build import BuildPlan
from wistlake.pipeline.order import TRANSFORM_VERSION, RunOrder
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.publishing import publishing
from wistlake.ports import ObjectStore
from wistlake.transforms.channels import fingerprint


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
    """Intervals whose newest landing silver was not built from."""
    wanted = {s.name for s in order.sources}
    return tuple(
        i
        for i in intervals
        if i.dataset in wanted and i.landing_id and i.built_signature != signature(i, order, epoch)
    )


def assemble(
    order: RunOrder,
    media: Sequence[MediaEntry],
    intervals: Sequence[Interval],
    objects: ObjectStore,
    keys: tuple[bytes, ...],
) -> BuildPlan:
    """The build of everything that is pending. Reads the manifests of pending landings; StoreError if a
    landing that the ledger promises is not there."""
    waiting = pending(intervals, order, len(keys))
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
        rules=order.rules,
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
