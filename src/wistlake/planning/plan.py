"""Turns media, days and the ledger's intervals into the fetches of one run."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from wistlake.contracts.form import Calendar, Source
from wistlake.planning.calendar import days, last_finished, today, utc_days_of
from wistlake.planning.intervals import ACCOUNT, Fetch, Interval, MediaEntry, State
from wistlake.planning.lookback import learned

HORIZON = timedelta(days=730)  # Wistia keeps events for two years
MAX_RANGE = 366  # days that one ranged request asks for


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
) -> Sequence[date]:
    """The days of one (dataset, media) that the run asks for, ascending.

    By hand: exactly the account's days that are named, as far as they are over; of a dataset that counts by
    UTC days, every day that they touch. Daily: the lookback (the media's own, where it has learned one), and
    every earlier day since the media's first one that was never published, or of which no two readings agree.
    Snapshots are always taken, of now: figures of older days depend on them (a session's watch time on
    its media's duration).
    """
    last = newest(source, window)
    if source.calendar is Calendar.SNAPSHOT:
        return (last,)
    floor = last - HORIZON
    if window.by_hand:
        begin, end = _named(source, entry, window, last)
        return tuple(days(max(begin, floor), min(end, last)))
    again = window.lookback_days if lookback_days is None else lookback_days
    lookback = last - timedelta(days=again)
    begin = max(entry.first_day, floor)
    return tuple(day for day in days(begin, last) if day >= lookback or _unfinished(intervals.get(day)))


def _named(source: Source, entry: MediaEntry, window: Window, last: date) -> tuple[date, date]:
    """The first and the last day, in the dataset's own calendar, of the account's days that were named."""
    begin, end = window.start or entry.first_day, window.end or last
    if source.calendar is not Calendar.UTC:
        return begin, end
    return touched(window.start, window.tz, begin)[0], touched(window.end, window.tz, end)[-1]


def touched(named: date | None, tz: tzinfo, otherwise: date) -> tuple[date, ...]:
    """The UTC days that a day of the account touches; `otherwise` if none is named."""
    return (otherwise,) if named is None else utc_days_of(named, tz)


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
) -> tuple[Fetch, ...]:
    """Every fetch of one run: by dataset in contract order, then media, then day. `sampled` are settled
    (dataset, media, day)s to read once more."""
    by_media: dict[tuple[str, str], dict[date, Interval]] = {}
    for interval in intervals:
        by_media.setdefault((interval.dataset, interval.media_id), {})[interval.day] = interval
    lookbacks = learned(intervals, window.now, window.lookback_days)
    active = [m for m in media if m.retired_at is None]
    fetches: list[Fetch] = []
    for source in sources:
        for entry in _account(active) if source.account_wide else active:
            pair = (source.name, entry.media_id)
            wanted = wanted_days(source, entry, window, by_media.get(pair, {}), lookbacks.get(entry.media_id))
            more = {day for dataset, media_id, day in sampled if (dataset, media_id) == pair}
            fetches += _fetches(source, entry.media_id, sorted({*wanted, *more}))
    return tuple(fetches)


def exactly(
    sources: Iterable[Source], keys: Iterable[tuple[str, str, date]], window: Window
) -> tuple[Fetch, ...]:
    """Fetches of the named intervals and no others. A snapshot can only be taken of today."""
    wanted: dict[tuple[str, str], list[date]] = {}
    for dataset, media_id, day in sorted(keys):
        wanted.setdefault((dataset, media_id), []).append(day)
    return tuple(
        fetch
        for source in sources
        for (dataset, media_id), days_of_media in wanted.items()
        if dataset == source.name
        for fetch in _fetches(
            source,
            media_id,
            [newest(source, window)] if source.calendar is Calendar.SNAPSHOT else days_of_media,
        )
    )


def _account(media: Sequence[MediaEntry]) -> Iterator[MediaEntry]:
    if media:
        earliest = min(media, key=lambda m: m.first_day)
        yield MediaEntry(ACCOUNT, earliest.first_day, earliest.added_at)


def _fetches(source: Source, media_id: str, on_days: Sequence[date]) -> Iterator[Fetch]:
    """One fetch a day; where the source serves ranges (local calendars), one a contiguous range."""
    if source.calendar is not Calendar.LOCAL:
        yield from (Fetch(source.name, media_id, day, day) for day in on_days)
        return
    start: date | None = None
    for i, day in enumerate(on_days):
        start = start or day
        following = on_days[i + 1] if i + 1 < len(on_days) else None
        if following != day + timedelta(days=1) or (day - start).days + 1 >= MAX_RANGE:
            yield Fetch(source.name, media_id, start, day)
            start = None


def gaps(
    sources: Iterable[Source], media: Iterable[MediaEntry], intervals: Iterable[Interval], window: Window
) -> tuple[tuple[str, str, date], ...]:
    """Finished days that a followed media should have and readers do not, as (dataset, media, day)."""
    done = {i.key for i in intervals if i.is_settled}
    return tuple(
        (source.name, entry.media_id, day)
        for source in sources
        if source.calendar is not Calendar.SNAPSHOT and not source.optional
        for entry in media
        if entry.retired_at is None
        for day in days(
            max(entry.first_day, newest(source, window) - HORIZON),
            last_finished(source.calendar, window.now, window.tz),
        )
        if (source.name, entry.media_id, day) not in done
    )


def watermark(entry_first_day: date, published: Iterable[date]) -> date | None:
    """The last day of the contiguous prefix of `published` that begins at the media's first day."""
    have = set(published)
    if entry_first_day not in have:
        return None
    last = entry_first_day
    while last + timedelta(days=1) in have:
        last += timedelta(days=1)
    return last
