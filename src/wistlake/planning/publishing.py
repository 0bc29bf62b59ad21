"""Which of the account's days may stand in gold, and which must be computed although no row moved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
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
    """(media, local day) pairs after a build, and what is known of them.

    `publishable` may stand in gold; `refresh` of them must be computed although no row moved; `withdrawn` stand
    in gold and may not any more. `past_lookback`: no run asks for them again by their age; `confirmed`: the
    newest two readings of all they stand on agree; `said_twice`: those of Wistia's counts do. `listed`: their
    sessions are there. `reread`: settled ones that this run has read again.
    """

    publishable: frozenset[Pair]
    refresh: frozenset[Pair]
    past_lookback: frozenset[Pair]
    confirmed: frozenset[Pair]
    listed: frozenset[Pair]
    said_twice: frozenset[Pair] = frozenset()
    reread: frozenset[Pair] = frozenset()
    withdrawn: frozenset[Pair] = frozenset()


def publishing(  # noqa: PLR0913 - what a day depends on
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
) -> Publishing:
    """What a build of `pending` may publish.

    A local day needs every UTC day that it touches, and its own by_date day, landed after they were over
    (with `include_open_days`: landed at all). A dataset that the source does not have for a media, or
    that is switched off, is not waited for; a day of which nothing at all has landed is no day of zeros.
    What stands in gold by another zone than `zone_name` is computed anew or, if its days are not whole in this
    one, withdrawn. `run_id` is the run that read `pending`; `lookbacks` are those that media have learned.
    """
    at_work = _Publishing(intervals, pending, datasets, now, tz, include_open_days, zone_name, run_id)
    for entry in media:
        of_media = (lookbacks or {}).get(entry.media_id, lookback_days)
        at_work.media(entry, _aged(now, tz, of_media))
    return Publishing(**{f.name: frozenset(at_work.found[f.name]) for f in fields(Publishing)})


class _Publishing:
    """One call of `publishing` at work."""

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
    ) -> None:
        self.index = {i.key: i for i in intervals}
        self.moved = {(i.media_id, day) for i in pending for day in _local_days(i, tz)}
        self.datasets, self.now, self.tz, self.open_days = datasets, now, tz, include_open_days
        self.zone_name = zone_name
        self.read = {
            (i.media_id, i.day)
            for i in self.index.values()
            if i.dataset == BY_DATE and i.run_id == run_id and i.state is not State.FAILED
        }
        self.found: defaultdict[str, set[Pair]] = defaultdict(set)  # by the names of `Publishing`

    def media(self, entry: MediaEntry, aged: date) -> None:
        """Sort the days of one media."""
        for day in self._candidates(entry, aged):
            needed = self._whole(entry.media_id, day)
            gold = self.index.get((GOLD, entry.media_id, day))
            if needed:
                # What has settled stays so, whatever longer lookback its media has learned since.
                self._note((entry.media_id, day), needed, gold, is_old=day < aged or _is_settled(gold))
            elif gold is not None and self._is_elsewhere(gold):
                self.found["withdrawn"].add((entry.media_id, day))

    def _note(self, pair: Pair, needed: tuple[Interval, ...], gold: Interval | None, *, is_old: bool) -> None:
        confirmed = all(i.is_confirmed for i in needed)
        counts = [i for i in needed if i.dataset == BY_DATE]
        reread = _is_settled(gold) and pair in self.read
        ages = is_old and confirmed and gold is not None and gold.reason == PROVISIONAL
        marks = {
            "publishable": True,
            "refresh": ages or reread or not _is_current(gold) or self._is_elsewhere(gold),
            "past_lookback": is_old,
            "confirmed": confirmed,
            "listed": any(i.dataset == EVENTS for i in needed),
            "said_twice": any(i.is_confirmed for i in counts),
            "reread": reread,
        }
        for name, is_so in marks.items():
            if is_so:
                self.found[name].add(pair)

    def _candidates(self, entry: MediaEntry, aged: date) -> Iterator[date]:
        """Days whose gold is missing, may have moved, or may have aged. Most of a long history is none of them.
        Of a media that is followed no longer, only those that stand in gold."""
        last = last_finished(Calendar.LOCAL, self.now, self.tz) + timedelta(days=1)
        mine = {day for media_id, day in self.moved if media_id == entry.media_id}
        first = min(mine | {entry.first_day})
        for day in days(first, last):
            gold = self.index.get((GOLD, entry.media_id, day))
            if entry.retired_at is not None and not _stands(gold):
                continue
            news = day in mine or (entry.media_id, day) in self.read
            if news or self._is_elsewhere(gold) or _is_open(gold, day, aged):
                yield day

    def _is_elsewhere(self, gold: Interval | None) -> bool:
        """Whether the day stands in gold by another zone."""
        return _stands(gold) and gold is not None and gold.built_signature not in ("", self.zone_name)

    def _whole(self, media_id: str, day: date) -> tuple[Interval, ...]:
        """The landings that a local day stands on; none if one is not there yet, or the day is not over."""
        if not (self.open_days or is_over(day, self.now, self.tz)):
            return ()
        needed = _needed(media_id, day, self.index, self.datasets, self.tz) or ()
        return needed if all(i.finished or self.open_days for i in needed) else ()


def _is_open(gold: Interval | None, day: date, aged: date) -> bool:
    """Whether something may be done about the day although nothing of it has moved."""
    return not _is_current(gold) or day >= aged or (gold is not None and gold.reason == PROVISIONAL)


def _stands(gold: Interval | None) -> bool:
    """Whether gold has the day, be it of today's silver or not."""
    return gold is not None and gold.state in (State.PUBLISHED, State.BUILT)


def _is_settled(gold: Interval | None) -> bool:
    """Whether readers were told that the day has come to rest."""
    return _is_current(gold) and gold is not None and gold.reason not in ("", PROVISIONAL)


def _aged(now: datetime, tz: tzinfo, lookback_days: int) -> date:
    """Local days before this one are not asked for again because of their age."""
    last = min(last_finished(Calendar.UTC, now, tz), last_finished(Calendar.LOCAL, now, tz))
    return last - timedelta(days=lookback_days + 1)


def _local_days(interval: Interval, tz: tzinfo) -> tuple[date, ...]:
    if interval.dataset == EVENTS:
        return local_days_of(interval.day, tz)
    return (interval.day,)


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
