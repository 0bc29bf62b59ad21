"""Which of the account's days may be in gold, and which must be computed although no row changed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, tzinfo

from wistlake.contracts.form import Calendar
from wistlake.planning.calendar import days, is_over, last_finished, local_days_of, utc_days_of
from wistlake.planning.compacted import NONE, CompactedMedia
from wistlake.planning.intervals import Interval, MediaEntry, State

Pair = tuple[str, date]
Key = tuple[str, str, date]
GOLD = "gold"  # the ledger's name for a published (media, local day); `reason` holds its certificate
EVENTS, BY_DATE = "events", "media_by_date"
PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class GoldDays:
    """(media, local day) pairs after a build.

    `publishable` may be in gold; `refresh` of them must be computed although no row changed; `withdrawn` are in gold
    and may not be any more. `past_lookback`: too old to be asked for again; `confirmed`: the newest two readings of
    everything they are made of agree; `counts_confirmed`: those of Wistia's counts do. `listed`: their sessions are
    there. `reread`: settled ones that this run has read again.
    """

    publishable: frozenset[Pair]
    refresh: frozenset[Pair]
    past_lookback: frozenset[Pair]
    confirmed: frozenset[Pair]
    listed: frozenset[Pair]
    counts_confirmed: frozenset[Pair] = frozenset()
    reread: frozenset[Pair] = frozenset()
    withdrawn: frozenset[Pair] = frozenset()


def gold_days(  # noqa: PLR0913 - what a day depends on
    media: Iterable[MediaEntry],
    intervals: Iterable[Interval],
    pending: Iterable[Interval],
    *,
    datasets: frozenset[str],
    now: datetime,
    tz: tzinfo,
    lookback_days: int,
    include_open_days: bool = False,
    zone_name: str = "",
    run_id: str = "",
    lookbacks: Mapping[str, int] | None = None,
    compacted: CompactedMedia = NONE,
    load: Callable[[set[Key]], Iterable[Interval]] = lambda _: (),
) -> GoldDays:
    """What a build of `pending` may publish.

    A local day needs every UTC day that it touches, and its own by_date day, landed after they were over
    (with `include_open_days`: landed at all). A dataset that the source does not have for a media, or
    that is switched off, is not waited for; a day of which nothing at all has landed isn't a day of zeros.
    A day that gold has by another zone than `zone_name` is computed again or, if its days are not complete in this
    one, withdrawn. `run_id` is the run that read `pending`; `lookbacks` are those that media have learned. A day of
    gold that is `compacted` stays as it is, unless something of it was read. `load` gives the intervals of the keys
    that this takes, where they are not among `intervals`.
    """
    sorter = _Sorter(intervals, pending, datasets, now, tz, include_open_days, zone_name, run_id, compacted)
    entries = [
        (entry, first_recent(now, tz, (lookbacks or {}).get(entry.media_id, lookback_days)))
        for entry in media
    ]
    sorter.index |= {i.key: i for i in load({key for one in entries for key in sorter.inputs(*one)})}
    for one in entries:
        sorter.sort(*one)
    return GoldDays(**{f.name: frozenset(sorter.pairs[f.name]) for f in fields(GoldDays)})


def inputs_of(pair: Pair, tz: tzinfo) -> tuple[Key, ...]:
    """The intervals of a day of gold, and those that it is made of."""
    media_id, day = pair
    events = ((EVENTS, media_id, d) for d in utc_days_of(day, tz))
    return (GOLD, media_id, day), (BY_DATE, media_id, day), *events


def local_days(interval: Interval, tz: tzinfo) -> tuple[date, ...]:
    """The local days that an interval is about."""
    if interval.dataset == EVENTS:
        return local_days_of(interval.day, tz)
    return (interval.day,)


class _Sorter:
    """Sorts the days of one call of `gold_days`, media by media, into the fields of `GoldDays`."""

    def __init__(
        self,
        intervals: Iterable[Interval],
        pending: Iterable[Interval],
        datasets: frozenset[str],
        now: datetime,
        tz: tzinfo,
        include_open_days: bool,
        zone_name: str,
        run_id: str,
        compacted: CompactedMedia,
    ) -> None:
        self.compacted = compacted
        self.index = {i.key: i for i in intervals}
        self.changed: defaultdict[str, set[date]] = defaultdict(set)
        for i in pending:
            self.changed[i.media_id].update(local_days(i, tz))
        self.datasets, self.now, self.tz, self.open_days = datasets, now, tz, include_open_days
        self.zone_name = zone_name
        self.read = {
            (i.media_id, i.day)
            for i in self.index.values()
            if i.dataset == BY_DATE
            and i.run_id == run_id
            and i.state is not State.FAILED
            # What a run only builds carries its id, too.
            and i.observed_at is not None
            and i.observed_at >= now
        }
        self.pairs: defaultdict[str, set[Pair]] = defaultdict(set)

    def inputs(self, entry: MediaEntry, aged: date) -> Iterator[Key]:
        """The intervals that `sort` looks at."""
        for day in self._candidates(entry, aged):
            yield from inputs_of((entry.media_id, day), self.tz)

    def sort(self, entry: MediaEntry, aged: date) -> None:
        """Sort the days of one media."""
        for day in self._candidates(entry, aged):
            needed = self._complete(entry.media_id, day)
            gold = self.index.get((GOLD, entry.media_id, day))
            if needed:
                # A settled day stays settled, whatever longer lookback its media has learned since.
                self._note((entry.media_id, day), needed, gold, is_old=day < aged or _is_settled(gold))
            elif self._is_in_another_zone(gold):
                self.pairs["withdrawn"].add((entry.media_id, day))

    def _note(self, pair: Pair, needed: tuple[Interval, ...], gold: Interval | None, *, is_old: bool) -> None:
        confirmed = all(i.is_confirmed for i in needed)
        counts = [i for i in needed if i.dataset == BY_DATE]
        reread = _is_settled(gold) and pair in self.read
        ages = is_old and confirmed and gold is not None and gold.reason == PROVISIONAL
        marks = {
            "publishable": True,
            "refresh": ages or reread or not _is_current(gold) or self._is_in_another_zone(gold),
            "past_lookback": is_old,
            "confirmed": confirmed,
            "listed": any(i.dataset == EVENTS for i in needed),
            "counts_confirmed": any(i.is_confirmed for i in counts),
            "reread": reread,
        }
        for name, is_so in marks.items():
            if is_so:
                self.pairs[name].add(pair)

    def _candidates(self, entry: MediaEntry, aged: date) -> Iterator[date]:
        """Days whose gold is missing, may have changed, or may have aged: few of a long history.
        Of a media that is no longer followed, only those that gold has."""
        last = last_finished(Calendar.LOCAL, self.now, self.tz) + timedelta(days=1)
        changed_days = self.changed[entry.media_id]
        first = min(changed_days | {entry.first_day})
        of_media = self.compacted.get(entry.media_id)
        for day in days(first, last):
            gold = self.index.get((GOLD, entry.media_id, day))
            is_compacted = gold is None and of_media is not None and of_media.has(GOLD, day)
            if entry.retired_at is not None and not (is_compacted or _stands(gold)):
                continue
            is_new = day in changed_days or (entry.media_id, day) in self.read
            if is_compacted and not is_new:
                continue
            if is_new or self._is_in_another_zone(gold) or _is_open(gold, day, aged):
                yield day

    def _is_in_another_zone(self, gold: Interval | None) -> bool:
        """Whether gold has the day by another zone."""
        return _stands(gold) and gold is not None and gold.built_signature not in ("", self.zone_name)

    def _complete(self, media_id: str, day: date) -> tuple[Interval, ...]:
        """The landings that a local day is made of; none if one is missing, or the day is not over."""
        if not (self.open_days or is_over(day, self.now, self.tz)):
            return ()
        needed = _needed(media_id, day, self.index, self.datasets, self.tz) or ()
        return needed if all(i.finished or self.open_days for i in needed) else ()


def _is_open(gold: Interval | None, day: date, aged: date) -> bool:
    """Whether the day may have to be computed although nothing of it has changed."""
    return not _is_current(gold) or day >= aged or (gold is not None and gold.reason == PROVISIONAL)


def _stands(gold: Interval | None) -> bool:
    """Whether gold has the day, up to date or not."""
    return gold is not None and gold.state in (State.PUBLISHED, State.BUILT)


def _is_settled(gold: Interval | None) -> bool:
    """Whether gold has the day as settled, up to date or not."""
    return _stands(gold) and gold is not None and gold.reason not in ("", PROVISIONAL)


def first_recent(now: datetime, tz: tzinfo, lookback_days: int) -> date:
    """Local days before this one are not asked for again because of their age."""
    last = min(last_finished(Calendar.UTC, now, tz), last_finished(Calendar.LOCAL, now, tz))
    return last - timedelta(days=lookback_days + 1)


def _is_current(gold: Interval | None) -> bool:
    """Published, and silver has not changed since."""
    return gold is not None and gold.state is State.PUBLISHED


def _needed(
    media_id: str,
    day: date,
    index: Mapping[tuple[str, str, date], Interval],
    datasets: frozenset[str],
    tz: tzinfo,
) -> tuple[Interval, ...] | None:
    """The landings that a local day is made of; None if one is not there yet, or if there is none at all.

    A dataset that the source does not have is not waited for; one that it has in part will never be complete,
    and a day whose sessions could not be listed isn't a day without sessions. A landing that a build stopped does
    not count as there.
    """
    days_of = ((EVENTS, utc_days_of(day, tz)), (BY_DATE, (day,)))
    needed: list[Interval] = []
    for dataset, its_days in days_of:
        if dataset not in datasets:
            continue
        of_dataset = [index.get((dataset, media_id, d)) for d in its_days]
        there = [i for i in of_dataset if i is not None and i.landing_id and not i.is_stopped]
        absent = dataset != EVENTS and all(i is not None and i.missing for i in of_dataset)
        if len(there) < len(of_dataset) and not absent:
            return None
        needed += there
    return tuple(needed) or None
