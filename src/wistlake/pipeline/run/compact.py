"""Last of a run: intervals that have come to rest are put together by month, so that no later run reads them."""

from collections.abc import Mapping

import structlog

from wistlake.errors import StoreError
from wistlake.pipeline.run.pending import built_from_all, pending
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import zone
from wistlake.planning.compacted import Compacted
from wistlake.planning.compaction import compactable, restamped, with_compacted
from wistlake.planning.intervals import Interval
from wistlake.planning.lookback import learned
from wistlake.planning.publishing import first_recent
from wistlake.ports import Ledger

log = structlog.get_logger()
MOST = 50_000  # intervals that one run compacts: a function has minutes for it, and the next run goes on


def compact(
    spec: RunSpec, ledger: Ledger, view: LedgerView, epoch: int, built: Mapping[str, str], most: int = MOST
) -> None:
    """Compact what has come to rest, after a build of the whole of `view` with the pseudonyms of `epoch`, by which
    each dataset was built from what `built` says. What was compacted before is built by it too: it has made anew what
    it could. A program of another version than the build's leaves it all to the next run; so does a store that fails,
    for everything is published."""
    if built != built_from_all(spec, epoch):
        return
    try:
        ledger.compact(_changes(spec, view, epoch, built, most))
    except StoreError as e:
        log.warning("days that rest were not compacted: the next run will", error=str(e))


def _changes(
    spec: RunSpec, view: LedgerView, epoch: int, built: Mapping[str, str], most: int
) -> list[tuple[Compacted, list[Interval]]]:
    lookbacks = learned(view.all(), spec.window.now, spec.window.lookback_days, view.compacted)
    waiting = {i.key for i in pending(view.all(), spec, epoch)}
    by_media: dict[str, list[Interval]] = {media_id: [] for media_id in view.compacted}
    for i in view.all():
        by_media.setdefault(i.media_id, []).append(i)
    changes: list[tuple[Compacted, list[Interval]]] = []
    moved = 0
    for media_id, intervals in by_media.items():
        before = view.compacted.get(media_id, Compacted(media_id))
        days = lookbacks.get(media_id, spec.window.lookback_days)
        moving = compactable(
            intervals,
            before,
            limit=first_recent(spec.window.now, zone(spec.zone_name), days),
            run_id=spec.run_id,
            datasets=built,
            is_built=lambda i: i.key not in waiting,
        )
        if moved and moved + len(moving) > most:
            moving = []
        moved += len(moving)
        after = with_compacted(restamped(before, built), moving, built)
        if moving or after != before:
            changes.append((after, moving))
    return changes
