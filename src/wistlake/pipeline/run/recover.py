"""Landings that a run completed before it died, and never recorded in the ledger: they are as good as any."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import takewhile

from wistlake import bronze
from wistlake.bronze import Confirmation, Manifest
from wistlake.contracts import source
from wistlake.contracts.form import Calendar
from wistlake.errors import StoreError
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Ledger, ObjectStore, Run

Key = tuple[str, str, object]
_RUNS = 100


def recover(
    ledger: Ledger, objects: ObjectStore, run_id: str, view: LedgerView | None = None
) -> tuple[Interval, ...]:
    """Record what the runs that died since the last good one have landed, and tell the `view` of the ledger; the
    intervals that this changes.

    Most of it is fetched again anyway. But a media may be gone by now, and then nothing else is left of it.
    """
    view = view or LedgerView(ledger.open_intervals())
    planned = [i for i in view.intervals.values() if i.state is State.PLANNED]
    # Day after day may be partial: only runs that left something open are looked for.
    dead = _dead(ledger.runs(_RUNS), run_id) & {i.run_id for i in planned}
    waiting = {i.key: i for i in planned if i.run_id in dead}
    recovered: dict[Key, Interval] = {}
    for dataset, day in sorted({(i.dataset, i.day) for i in waiting.values()}):
        for manifest in manifests(objects, f"{bronze.ROOT}/{dataset}/dt={day.isoformat()}/"):
            key = (manifest.dataset, manifest.media_id, manifest.day)
            current = recovered.get(key) or waiting.get(key)
            if current is not None and _is_newer(manifest, current):
                before = waiting[key]
                again = repeats(before, manifest) and _is_whole(objects, before.landing_id)
                recovered[key] = landed(before, manifest, repeats=again)
    for confirmation in confirmations(objects, dead):
        if (key := (confirmation.dataset, confirmation.media_id, confirmation.day)) in waiting:
            interval = recovered.get(key, waiting[key])
            if confirmation.landing_id == interval.landing_id and _is_whole(objects, interval.landing_id):
                landing = bronze.decode_manifest(objects.get(bronze.manifest_key(interval.landing_id)))
                recovered[key] = landed(interval, confirmation.as_read(landing), repeats=True)
    # Of a reading of which nothing is left, the day is as it was before.
    recovered |= {
        k: replace(i, state=State.LANDED) for k, i in waiting.items() if k not in recovered and i.landing_id
    }
    ledger.record(recovered.values())
    view.intervals.update({i.key: i for i in recovered.values()})
    return tuple(recovered.values())


def confirmations(objects: ObjectStore, runs: Collection[str] | None = None) -> Iterator[Confirmation]:
    """What these runs, or all, have read that brought nothing new."""
    for key in () if runs == frozenset() else objects.list(f"{bronze.CONFIRMED}/"):
        if runs is None or key.split("/")[-2].removeprefix("run_id=") in runs:
            yield from bronze.decode_confirmations(objects.get(key))


def landed(
    before: Interval, manifest: Manifest, *, repeats: bool = False, is_quiet: bool = False
) -> Interval:
    """The interval after a landing: confirmed once more, if the landing agrees with the one before it.

    `repeats`: silver was built from the same content before. Then the interval stays on that landing, so that
    a rebuild reads what silver was built from, to the order of its lines. A landing that is older than what is
    known (of a run that was begun anew, say) takes nothing back. Readings made on one UTC day do not confirm each
    other: a run that is tried again half an hour later says nothing of sessions that grow once a day. `is_quiet`: the
    landing tells of nothing that anybody did.
    """
    if before.observed_at is not None and manifest.observed_at < before.observed_at:
        return replace(before, state=State.LANDED, reason="")
    later = before.observed_at is not None and _utc_day(manifest.observed_at) > _utc_day(before.observed_at)
    steady = manifest.steady_hash or manifest.content_hash
    # An interval of an older version knows its whole content only.
    same = (
        before.steady_hash == steady if before.steady_hash else before.content_hash == manifest.content_hash
    )
    compared = before.observed_at is not None and before.finished and not before.missing
    moved = compared and not same and before.steady_hash
    changed = not same and not (is_quiet and not before.landing_id)
    return replace(
        before,
        state=State.LANDED,
        reason="",
        landing_id=before.landing_id if repeats else manifest.landing_id,
        observed_at=manifest.observed_at,
        content_hash=manifest.content_hash,
        rows=manifest.rows,
        finished=manifest.finished,
        missing=manifest.missing,
        confirmations=before.confirmations + later if compared and same else 0,
        steady_hash=steady,
        moved_at=manifest.observed_at if moved else before.moved_at,
        changed_at=manifest.observed_at if changed else before.changed_at,
    )


def repeats(before: Interval, manifest: Manifest) -> bool:
    """Whether a landing only says again what the one before it said. A snapshot is always news: it is about
    its own moment."""
    return (
        bool(before.landing_id)
        and source(manifest.dataset).calendar is not Calendar.SNAPSHOT
        and before.content_hash == manifest.content_hash
        and not (before.missing or manifest.missing)
    )


def _utc_day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _dead(runs: Iterable[Run], run_id: str) -> frozenset[str]:
    """Runs that began after the last one that succeeded, this one apart: whoever holds the lease knows
    that they are not at work any more."""
    others = (r for r in runs if r.run_id != run_id)
    return frozenset(r.run_id for r in takewhile(lambda r: r.status != "succeeded", others))


def manifests(objects: ObjectStore, prefix: str = f"{bronze.ROOT}/") -> Iterator[Manifest]:
    """The manifests of all landings below `prefix`."""
    for key in objects.list(prefix):
        if key.endswith(f"/{bronze.MANIFEST}"):
            yield bronze.decode_manifest(objects.get(key))


def _is_whole(objects: ObjectStore, landing_id: str) -> bool:
    """Whether the landing is there and what its manifest promised."""
    try:
        manifest = bronze.decode_manifest(objects.get(bronze.manifest_key(landing_id)))
        for part in manifest.parts:
            bronze.check_part(part, objects.get(part.key))
    except StoreError:
        return False
    return True


def _is_newer(manifest: Manifest, interval: Interval) -> bool:
    if interval.observed_at is None:
        return True
    return (manifest.observed_at, manifest.landing_id) > (interval.observed_at, interval.landing_id)
