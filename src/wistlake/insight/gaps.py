"""What is missing and what failed, and the intervals that a repair would ask for."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import ACCOUNT, Calendar
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.compacted import datasets_of
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window, gaps, touched
from wistlake.planning.publishing import GOLD
from wistlake.ports import Ledger

Key = tuple[str, str, date]
_SNAPSHOTS = frozenset(s.name for s in SOURCES if s.calendar is Calendar.SNAPSHOT)


def missing_days(media: Sequence[MediaEntry], view: LedgerView, window: Window) -> tuple[Key, ...]:
    """Finished days that a followed media should have and readers do not, of the datasets that the lake has at all."""
    datasets = datasets_of(view.intervals.values(), view.compacted)
    sources = [s for s in SOURCES if s.name in datasets]
    return gaps(sources, media, view.intervals.values(), window, view.compacted)


def failed(intervals: Iterable[Interval], media: Iterable[MediaEntry]) -> tuple[Interval, ...]:
    """Intervals of followed media whose newest attempt failed."""
    followed = {ACCOUNT, *(m.media_id for m in media if m.retired_at is None)}
    return tuple(i for i in still_failed(intervals) if i.media_id in followed)


def still_failed(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Intervals whose newest attempt failed. A failed snapshot counts only until a later one
    succeeds: it can't be taken of a day that is over."""
    intervals = tuple(intervals)
    newest: dict[tuple[str, str], date] = {}
    for i in intervals:
        if i.dataset in _SNAPSHOTS and i.state is State.PUBLISHED:
            newest[(i.dataset, i.media_id)] = max(i.day, newest.get((i.dataset, i.media_id), i.day))
    return tuple(
        i
        for i in intervals
        if i.state is State.FAILED and i.day > newest.get((i.dataset, i.media_id), date.min)
    )


def open_work(ledger: Ledger, window: Window) -> tuple[tuple[Key, ...], tuple[Interval, ...]]:
    """The days that are missing, and the intervals that failed."""
    media, view = ledger.media(), LedgerView.of(ledger)
    return missing_days(media, view, window), failed(view.all(), media)


def to_repair(ledger: Ledger, window: Window, media: Collection[str] = ()) -> frozenset[Key]:
    """Gaps and failures of `media` (default: all) inside the window's named days."""
    missing, failures = open_work(ledger, window)
    keys = {*missing, *(i.key for i in failures)}
    return frozenset(
        key for key in keys if key[0] != GOLD and (not media or key[1] in media) and _is_named(key, window)
    )


def _is_named(key: Key, window: Window) -> bool:
    """Whether an interval belongs to the account's days that were named; a UTC day does if one of them touches
    it."""
    utc = source(key[0]).calendar is Calendar.UTC
    first = touched(window.start, window.tz, date.min)[0] if utc else window.start or date.min
    last = touched(window.end, window.tz, date.max)[-1] if utc else window.end or date.max
    return first <= key[2] <= last
