"""Landings that a run completed before it died, and never told the ledger of: they are as good as any."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Ledger, ObjectStore, Run

Key = tuple[str, str, object]
_RUNS = 100


def adopt(ledger: Ledger, objects: ObjectStore, run_id: str) -> tuple[Interval, ...]:
    """Tell the ledger what the runs that died since the last good one have landed; what it was told.

    Most of it is fetched again anyway. But a media may be gone by now, and then nothing else is left of it.
    """
    dead = _dead(ledger.runs(_RUNS), run_id)
    waiting = {i.key: i for i in ledger.intervals() if i.state is State.PLANNED and i.run_id in dead}
    found: dict[Key, Interval] = {}
    for dataset, day in sorted({(i.dataset, i.day) for i in waiting.values()}):
        for manifest in _manifests(objects, f"{bronze.ROOT}/{dataset}/dt={day.isoformat()}/"):
            key = (manifest.dataset, manifest.media_id, manifest.day)
            known = found.get(key) or waiting.get(key)
            if known is not None and _is_newer(manifest, known):
                found[key] = landed(waiting[key], manifest)
    ledger.record(found.values())
    return tuple(found.values())


def landed(before: Interval, manifest: Manifest) -> Interval:
    """The interval after a landing: confirmed once more, if the landing says what the one before it said."""
    later = before.observed_at is not None and manifest.observed_at > before.observed_at
    same = before.content_hash == manifest.content_hash and before.finished and not before.missing
    return replace(
        before,
        state=State.LANDED,
        reason="",
        landing_id=manifest.landing_id,
        observed_at=manifest.observed_at,
        content_hash=manifest.content_hash,
        rows=manifest.rows,
        finished=manifest.finished,
        missing=manifest.missing,
        confirmations=before.confirmations + later if same else 0,
    )


def _dead(runs: Iterable[Run], run_id: str) -> frozenset[str]:
    """Runs that began after the last one that succeeded, this one apart: whoever holds the lease knows
    that they are not at work any more."""
    others = (r for r in runs if r.run_id != run_id)
    return frozenset(r.run_id for r in takewhile(lambda r: r.status != "succeeded", others))


def _manifests(objects: ObjectStore, prefix: str) -> Iterable[Manifest]:
    for key in objects.list(prefix):
        if key.endswith(f"/{bronze.MANIFEST}"):
            yield bronze.decode_manifest(objects.get(key))


def _is_newer(manifest: Manifest, known: Interval) -> bool:
    if known.observed_at is None:
        return True
    seen = (known.observed_at, known.landing_id)
    return (manifest.observed_at, manifest.landing_id) > seen
