"""Turns media, days and the ledger's intervals into the fetches of one run."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from wistlake.contracts.form import ACCOUNT, Calendar, Source
from wistlake.date_ranges import DateRange
from wistlake.planning.calendar import days, last_finished, today, utc_days_of
from wistlake.planning.compacted import NONE, Compacted, CompactedMedia
from wistlake.planning.intervals import Fetch, Interval, MediaEntry, State
from wistlake.planning.lookback import learned
from wistlake.planning.packing import METADATA, SNAPSHOTS, Volume, cover, descriptions, ranges

HORIZON = timedelta(days=730)  # Wistia keeps events for two years
FRESH_DAYS = 7  # after which the lifetime figures of a quiet media are read again, give or take as many


@dataclass(frozen=True, slots=True)
class Window:
    """The days a run is about. `start` and `end` are given by hand (backfill) or None (daily)."""

    now: datetime
    tz: tzinfo
    lookback_days: int
    start: date | None = None
    end: date | None = None
    start_date: date | None = None  # WISTLAKE_START_DATE: the first day of a new lake
    include_open_days: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether the days were named, not derived from the ledger."""
        return self.start is not None or self.end is not None


def newest(source: Source, window: Window) -> date:
    """The newest day of `source` that the run may ask for."""
    if window.include_open_days:
        return today(source.calendar, window.now, window.tz)
    return last_finished(source.calendar, window.now, window.tz)


def first_day(window: Window) -> date:
    """The first day of a media that is new to the lake; never before what Wistia still has."""
    last = last_finished(Calendar.UTC, window.now, window.tz)
    if window.start_date:
        return max(window.start_date, last - HORIZON)
    return last - timedelta(days=window.lookback_days)


def wanted_days(
    source: Source,
    entry: MediaEntry,
    window: Window,
    intervals: Mapping[date, Interval],
    lookback_days: int | None = None,
    compacted: Compacted | None = None,
) -> Sequence[date]:
    """The days of one (dataset, media) that the run asks for, ascending.

    By hand: exactly the account's days that are named, as far as they are over; of a dataset that counts by
    UTC days, every day that they touch. Daily: the lookback (the media's own, where it has learned one), and
    every earlier day since the media's first one that was never published, or of which no two readings agree.
    Figures that rest first are read once: what is missing of the lookback; older days are read by hand.
    Snapshots are always taken, of now: figures of older days depend on them (a session's watch time on
    its media's duration).
    """
    last = newest(source, window)
    if source.calendar is Calendar.SNAPSHOT:
        return (last,)
    floor = last - timedelta(days=min(HORIZON.days, source.kept_days))
    last -= timedelta(days=source.rest_days)
    if window.by_hand:
        begin, end = _named(source, entry, window, last)
        return tuple(days(max(begin, floor), min(end, last)))
    # What is compacted, and was not recorded since, is finished.
    of_media = Compacted("") if compacted is None else compacted
    if source.rest_days:
        begin = max(entry.first_day, floor, last - timedelta(days=window.lookback_days))
        missing = {*of_media.others(source.name, begin, last), *intervals}
        return tuple(d for d in days(begin, last) if d in missing and not is_read(intervals.get(d)))
    again = window.lookback_days if lookback_days is None else lookback_days
    lookback = last - timedelta(days=again)
    begin = max(entry.first_day, floor)
    open_ = {*of_media.others(source.name, begin, last), *(day for day in intervals if begin <= day <= last)}
    unfinished = {day for day in open_ if day < lookback and _unfinished(intervals.get(day))}
    return tuple(sorted({*unfinished, *days(max(begin, lookback), last)}))


def _named(source: Source, entry: MediaEntry, window: Window, last: date) -> tuple[date, date]:
    """The first and the last day, in the dataset's own calendar, of the account's days that were named."""
    begin, end = window.start or entry.first_day, window.end or last
    if source.calendar is not Calendar.UTC:
        return begin, end
    return touched(window.start, window.tz, begin)[0], touched(window.end, window.tz, end)[-1]


def touched(named: date | None, tz: tzinfo, otherwise: date) -> tuple[date, ...]:
    """The UTC days that a day of the account touches; `otherwise` if none is named."""
    return (otherwise,) if named is None else utc_days_of(named, tz)


def is_read(interval: Interval | None) -> bool:
    """Whether readers have what the source said of the day."""
    return interval is not None and interval.is_settled and interval.state is not State.FAILED


def _unfinished(interval: Interval | None) -> bool:
    """Never published, or not confirmed by a second reading. What the source does not have is not asked for again."""
    if interval is None or not interval.is_settled or interval.state is State.FAILED:
        return True
    return not (interval.missing or interval.is_confirmed)


def plan(
    sources: Iterable[Source],
    media: Iterable[MediaEntry],
    intervals: Collection[Interval],
    window: Window,
    sampled: Collection[tuple[str, str, date]] = (),
    share: float | None = None,
    compacted: CompactedMedia = NONE,
) -> tuple[Fetch, ...]:
    """Every fetch of one run, by dataset in contract order. `intervals` are the open ones at least, `compacted` is what
    is known of the others. `sampled` are settled (dataset, media, day)s to read once more; `share` is that of the
    followed media in the account's sessions, None if it is not known."""
    by_media: dict[tuple[str, str], dict[date, Interval]] = {}
    for interval in intervals:
        by_media.setdefault((interval.dataset, interval.media_id), {})[interval.day] = interval
    lookbacks = learned(intervals, window.now, window.lookback_days, compacted)
    active = [m for m in media if m.retired_at is None]
    needs: dict[str, dict[str, list[date]]] = {}
    listed = tuple(sources)
    for source in listed:
        for entry in _account(active) if source.account_wide else active:
            pair = (source.name, entry.media_id)
            of_media, of_pair = compacted.get(entry.media_id), by_media.get(pair, {})
            wanted = wanted_days(source, entry, window, of_pair, lookbacks.get(entry.media_id), of_media)
            more = {day for dataset, media_id, day in sampled if (dataset, media_id) == pair}
            needs.setdefault(source.name, {})[entry.media_id] = sorted({*wanted, *more})
    volume = Volume.of(intervals, [m.media_id for m in active], share, compacted)
    return tuple(
        replace(f, if_moved=_is_fresh(by_media.get((f.dataset, f.media_id), {}).values(), f))
        for source in listed
        for f in _fetches(source, needs.get(source.name, {}), window, volume)
    )


def exactly(
    sources: Iterable[Source], keys: Iterable[tuple[str, str, date]], window: Window
) -> tuple[Fetch, ...]:
    """Fetches of the named intervals and no others. A snapshot can only be taken of today."""
    needs: dict[str, dict[str, list[date]]] = {}
    for dataset, media_id, day in sorted(keys):
        needs.setdefault(dataset, {}).setdefault(media_id, []).append(day)
    unknown = Volume.of((), (), None)
    return tuple(
        fetch
        for source in sources
        if source.name in needs
        for fetch in _fetches(source, needs[source.name], window, unknown)
    )


def _account(media: Sequence[MediaEntry]) -> Iterator[MediaEntry]:
    if media:
        earliest = min(media, key=lambda m: m.first_day)
        yield MediaEntry(ACCOUNT, earliest.first_day, earliest.added_at)


def _fetches(
    source: Source, needs: Mapping[str, Sequence[date]], window: Window, volume: Volume
) -> Iterable[Fetch]:
    """The listings from which the needed days of one dataset land."""
    if source.calendar is Calendar.SNAPSHOT:
        day = newest(source, window)
        if source.name == METADATA:
            return descriptions(source.name, tuple(needs), day)
        return (Fetch(source.name, media_id, day, day) for media_id in needs)
    if source.calendar is Calendar.LOCAL:
        return (f for m, on_days in needs.items() for f in ranges(source.name, m, on_days, source.most_days))
    finished = last_finished(source.calendar, window.now, window.tz)
    return cover(needs, volume, {day for of_media in needs.values() for day in of_media if day > finished})


def _is_fresh(snapshots: Iterable[Interval], fetch: Fetch) -> bool:
    """Whether the last snapshot still stands if nothing has moved since. Wistia refreshes lifetime figures in batches,
    so that each is taken anew after some days, not all on the same one."""
    if fetch.dataset not in SNAPSHOTS:
        return False
    taken = [i.day for i in snapshots if i.landing_id and i.state is not State.FAILED]
    spread = int.from_bytes(hashlib.sha256(fetch.media_id.encode()).digest()[:2]) % FRESH_DAYS
    return bool(taken) and (fetch.start - max(taken)).days < FRESH_DAYS + spread


def gaps(
    sources: Iterable[Source],
    media: Iterable[MediaEntry],
    intervals: Iterable[Interval],
    window: Window,
    compacted: CompactedMedia = NONE,
) -> tuple[tuple[str, str, date], ...]:
    """Finished days that a followed media should have and readers do not, as (dataset, media, day)."""
    done: dict[tuple[str, str], dict[date, bool]] = {}
    for i in intervals:
        done.setdefault((i.dataset, i.media_id), {})[i.day] = i.is_settled
    missing = []
    for source in sources:
        if source.calendar is Calendar.SNAPSHOT or source.optional:
            continue
        last = last_finished(source.calendar, window.now, window.tz)
        for entry in media:
            if entry.retired_at is None:
                first = max(entry.first_day, newest(source, window) - HORIZON)
                of_pair = done.get((source.name, entry.media_id), {})
                others = compacted.get(entry.media_id, Compacted("")).others(source.name, first, last)
                open_ = {*others, *(day for day in of_pair if first <= day <= last)}
                missing += [
                    (source.name, entry.media_id, day) for day in sorted(open_) if not of_pair.get(day, False)
                ]
    return tuple(missing)


def watermark(
    entry_first_day: date,
    published: Iterable[date],
    compacted: Sequence[DateRange] = (),
    opened: Collection[date] = (),
) -> date | None:
    """The last day of the contiguous prefix of `published` that begins at the media's first day. The `compacted` days
    are published too, but for those that were `opened` again."""
    have, following = set(published), entry_first_day
    while True:
        end = next((last for first, last in compacted if first <= following <= last), None)
        stop = min((day for day in opened if end and following <= day <= end), default=None)
        if stop == following and following not in have:
            break
        if end is not None and stop != following:
            following = stop or end + timedelta(days=1)
        elif following in have:
            following += timedelta(days=1)
        else:
            break
    return following - timedelta(days=1) if following > entry_first_day else None
