"""Which of the account's days may stand in gold, and which must be computed although no row moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from wistlake.contracts.form import Calendar
from wistlake.planning.calendar import days, is_over, last_finished, local_days_of, utc_days_of
from wistlake.planning.intervals import Interval, MediaEntry, State

Pair = tuple[str, date]
GOLD = "gold"  # the ledger's name for a published (media, local day); `reason` holds its certificate
EVENTS, BY_DATE = "events", "media_by_date"
PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Publishing:
    """Pairs that may stand in gold after a build, and what is known of them. `listed`: their sessions are there."""

    publishable: frozenset[Pair]
    refresh: frozenset[Pair]
    past_lookback: frozenset[Pair]
    confirmed: frozenset[Pair]
    listed: frozenset[Pair]


def publishing(
    media: Iterable[MediaEntry],
    intervals: Iterable[Interval],
    pending: Iterable[Interval],
    *,
    datasets: frozenset[str],
    now: datetime,
    tz: tzinfo,
    lookback_days: int,
    include_open_days: bool = False,
) -> Publishing:
    """What a build of `pending` may publish.

    A local day needs every UTC day that it touches, and its own by_date day, landed after they were over
    (with `include_open_days`: landed at all). A dataset that the source does not have for a media, or
    that is switched off, is not waited for; a day of which nothing at all has landed is no day of zeros.
    """
    index = {i.key: i for i in intervals}
    moved = {(i.media_id, day) for i in pending for day in _local_days(i, tz)}
    aged = _aged(now, tz, lookback_days)
    publishable, refresh, old, sure, listed = set(), set(), set(), set(), set()
    for entry in media:
        for day in _candidates(entry, index, moved, aged, now, tz):
            if not (include_open_days or is_over(day, now, tz)):
                continue
            needed = _needed(entry.media_id, day, index, datasets, tz)
            if not needed or not all(i.finished or include_open_days for i in needed):
                continue
            pair = (entry.media_id, day)
            publishable.add(pair)
            if any(i.dataset == EVENTS for i in needed):
                listed.add(pair)
            if all(i.is_confirmed(lookback_days) for i in needed):
                sure.add(pair)
            if day < aged:
                old.add(pair)
            gold = index.get((GOLD, *pair))
            ages = pair in old and pair in sure and gold is not None and gold.reason == PROVISIONAL
            if ages or not _is_current(gold):
                refresh.add(pair)
    return Publishing(*(frozenset(pairs) for pairs in (publishable, refresh, old, sure, listed)))


def _aged(now: datetime, tz: tzinfo, lookback_days: int) -> date:
    """Local days before this one are not asked for again."""
    last = min(last_finished(Calendar.UTC, now, tz), last_finished(Calendar.LOCAL, now, tz))
    return last - timedelta(days=lookback_days + 1)


def _local_days(interval: Interval, tz: tzinfo) -> tuple[date, ...]:
    if interval.dataset == EVENTS:
        return local_days_of(interval.day, tz)
    return (interval.day,)


def _candidates(
    entry: MediaEntry,
    index: Mapping[tuple[str, str, date], Interval],
    moved: set[Pair],
    aged: date,
    now: datetime,
    tz: tzinfo,
) -> Iterable[date]:
    """Days whose gold is missing, may have moved, or may have aged. Most of a long history is none of them."""
    last = last_finished(Calendar.LOCAL, now, tz) + timedelta(days=1)
    mine = {day for media, day in moved if media == entry.media_id}
    first = min(mine | {entry.first_day})
    for day in days(first, last):
        gold = index.get((GOLD, entry.media_id, day))
        if day in mine or not _is_current(gold) or day >= aged or (gold and gold.reason == PROVISIONAL):
            yield day


def _is_current(gold: Interval | None) -> bool:
    """Published, and silver has not moved on since."""
    return gold is not None and gold.state is State.PUBLISHED


def _needed(
    media_id: str,
    day: date,
    index: Mapping[tuple[str, str, date], Interval],
    datasets: frozenset[str],
    tz: tzinfo,
) -> tuple[Interval, ...] | None:
    """The landings that a local day stands on; None if one is not there yet, or if there is none at all.

    A dataset that the source does not have is not waited for; one that it has in part will never be whole,
    and a day whose sessions could not be listed is no day without sessions. Nor is a landing there that a
    build took nothing of.
    """
    wanted = ((EVENTS, utc_days_of(day, tz)), (BY_DATE, (day,)))
    needed: list[Interval] = []
    for dataset, its_days in wanted:
        if dataset not in datasets:
            continue
        found = [index.get((dataset, media_id, d)) for d in its_days]
        there = [i for i in found if i is not None and i.landing_id and not i.is_stopped]
        absent = dataset != EVENTS and all(i is not None and i.missing for i in found)
        if len(there) < len(found) and not absent:
            return None
        needed += there
    return tuple(needed) or None
