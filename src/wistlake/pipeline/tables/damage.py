"""Landings that are not what their manifests promised. Each stops its own day, not the run."""

from collections.abc import Sequence
from functools import partial

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.errors import StoreError
from wistlake.pipeline.tables.plan import Key, interval_key
from wistlake.pool import in_order
from wistlake.ports import ObjectStore


def damaged(landings: Sequence[Manifest], objects: ObjectStore) -> dict[Key, str]:
    """Why landings are not what they should be, by interval. Every part is read and hashed, several landings at a
    time."""
    reasons = in_order(partial(_damage, objects), landings)
    return {interval_key(m): reason for m, reason in zip(landings, reasons, strict=True) if reason}


def damaged_text(manifest: Manifest, reason: str) -> str:
    """Why a landing stops its day, and what to do about it."""
    return (
        f"{manifest.dataset} of {manifest.day}: {reason}; gold was left as it was. Fetch it again: `wistlake "
        f"backfill --from {manifest.day} --to {manifest.day} --media {manifest.media_id}`"
    )


def _damage(objects: ObjectStore, manifest: Manifest) -> str:
    try:
        for part in manifest.parts:
            bronze.check_part(part, objects.get(part.key))
    except StoreError as e:
        reason = str(e)
    else:
        whole = manifest.rows == sum(p.rows for p in manifest.parts)
        if whole and bronze.payload_hash(manifest.parts) == manifest.payload_sha256:
            return ""
        reason = f"the manifest of {manifest.landing_id} does not describe its parts"
    return damaged_text(manifest, reason)
