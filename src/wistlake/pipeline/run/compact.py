"""Last of a run: intervals that have come to rest are put together by month, so that no later run reads them."""

from wistlake.pipeline.run.pending import built_from, pending
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import zone
from wistlake.planning.compacted import Compacted
from wistlake.planning.compaction import compactable, restamped, with_compacted
from wistlake.planning.intervals import Interval
from wistlake.planning.lookback import learned
from wistlake.planning.publishing import first_recent
from wistlake.ports import Ledger


def compact(spec: RunSpec, ledger: Ledger, view: LedgerView, epoch: int) -> None:
    """Compact what has come to rest, after a build of the whole of `view` with the pseudonyms of `epoch`. What was
    compacted before is built by this version too: the build has made anew what it could."""
    built = {s.name: built_from(s.name, spec, epoch) for s in spec.sources}
    lookbacks = learned(view.all(), spec.window.now, spec.window.lookback_days, view.compacted)
    waiting = {i.key for i in pending(view.all(), spec, epoch)}
    by_media: dict[str, list[Interval]] = {media_id: [] for media_id in view.compacted}
    for i in view.all():
        by_media.setdefault(i.media_id, []).append(i)
    changes = []
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
        after = with_compacted(restamped(before, built), moving, built)
        if moving or after != before:
            changes.append((after, moving))
    if changes:
        ledger.compact(changes)
