"""Which intervals nobody will ask about any more, and what stays known of them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from wistlake.contracts import SOURCES
from wistlake.contracts.form import Calendar
from wistlake.date_ranges import ranges
from wistlake.planning.compacted import Compacted, each_day, month_of, to_number
from wistlake.planning.intervals import Interval, State
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD, PROVISIONAL

WEEK = 7  # days of a media that are compacted at once: one write instead of seven
_SNAPSHOTS = frozenset(s.name for s in SOURCES if s.calendar is Calendar.SNAPSHOT)
_ONCE = _SNAPSHOTS | {s.name for s in SOURCES if s.rest_days}  # one reading is all that there will be
_INPUTS = (EVENTS, BY_DATE)  # of gold
_DAY = timedelta(days=1)


def is_at_rest(interval: Interval) -> bool:
    """Whether a daily run that does not read the day again has nothing to do with it."""
    if interval.state is not State.PUBLISHED or not interval.is_settled:
        return False
    if interval.dataset == GOLD:
        return interval.reason not in ("", PROVISIONAL)
    return interval.dataset in _ONCE or interval.missing or interval.is_confirmed


def restamped(before: Compacted, built: Mapping[str, str]) -> Compacted:
    """`before`, after a build by which every dataset in `built` is built from that: also what has left bronze, which
    stays as it was."""
    return replace(
        before, built={**before.built, **{name: built[name] for name in before.days if name in built}}
    )


def compactable(
    intervals: Collection[Interval],
    before: Compacted,
    *,
    limit: date,
    run_id: str,
    datasets: Collection[str],
    is_built: Callable[[Interval], bool],
) -> list[Interval]:
    """Those open `intervals` of one media that come to rest: of the `datasets` and gold, not touched by this run, and
    with nothing left to build; days older than `limit`, and any snapshot. None before a week of them has gathered.

    What gold is made of stays open next to a day of gold that is open: its build needs both. So does the newest
    snapshot, which says when the next one is due.
    """
    resting = [
        i
        for i in intervals
        if (i.day < limit or i.dataset in _SNAPSHOTS)
        and i.run_id != run_id
        and is_at_rest(i)
        and (i.dataset == GOLD or (i.dataset in datasets and is_built(i)))
    ]
    gold = {i.day for i in intervals if i.dataset == GOLD}
    at_rest = {i.day for i in resting if i.dataset == GOLD}
    begins = min((*gold, *before.days_of(GOLD)), default=date.max)
    newest = _newest_snapshots(intervals)

    def is_apart(day: date) -> bool:
        return day < begins or day in at_rest or (day not in gold and before.has(GOLD, day))

    moving = [
        i
        for i in resting
        if (i.dataset not in _INPUTS or all(map(is_apart, (i.day - _DAY, i.day, i.day + _DAY))))
        and i.key not in newest
    ]
    return moving if len({i.day for i in moving}) >= WEEK else []


def _newest_snapshots(intervals: Iterable[Interval]) -> set[tuple[str, str, date]]:
    """The newest snapshot of each dataset, and the newest that holds anything."""
    newest: dict[tuple[str, bool], Interval] = {}
    for i in sorted((i for i in intervals if i.dataset in _SNAPSHOTS), key=lambda i: i.day):
        newest[(i.dataset, False)] = i
        if i.landing_id:
            newest[(i.dataset, True)] = i
    return {i.key for i in newest.values()}


def with_compacted(before: Compacted, intervals: Sequence[Interval], built: Mapping[str, str]) -> Compacted:
    """What is known after the `intervals` were compacted too. The same again changes nothing."""
    added: dict[str, set[date]] = {}
    for i in intervals:
        added.setdefault(i.dataset, set()).add(i.day)
    touched = {(i.dataset, i.day) for i in intervals}
    days = {name: ranges({*before.days_of(name), *added.get(name, ())}) for name in {*before.days, *added}}
    rows, read_at = _sessions(before, intervals, days.get(EVENTS, ()))
    changed = [i.changed_at for i in intervals if i.changed_at and i.dataset in _INPUTS]
    return (
        Compacted(
            before.media_id,
            days=dict(sorted(days.items())),
            built=dict(sorted({**before.built, **{n: built[n] for n in added if n in built}}.items())),
            months=_months(before, intervals),
            certificates=_certificates(before, intervals),
            moved=tuple(sorted({*before.moved, *((i.day, i.moved_at) for i in intervals if i.moved_at)})),
            changed_at=max((*changed, *filter(None, [before.changed_at])), default=None),
            rows=rows,
            read_at=read_at,
        )
        if touched
        else before
    )


def _months(before: Compacted, intervals: Iterable[Interval]) -> dict[str, datetime | None]:
    months = dict(before.months)
    for i in intervals:
        moments = [m for m in (months.get(month_of(i.day)), i.observed_at) if m]
        months[month_of(i.day)] = max(moments, default=None)
    return dict(sorted(months.items()))


def _certificates(
    before: Compacted, intervals: Iterable[Interval]
) -> dict[str, tuple[tuple[date, date], ...]]:
    of_day = {day: name for name, of in before.certificates.items() for day in each_day(of)}
    of_day |= {i.day: i.reason for i in intervals if i.dataset == GOLD}
    return {
        name: ranges([d for d, n in of_day.items() if n == name]) for name in sorted(set(of_day.values()))
    }


def _sessions(
    before: Compacted, intervals: Iterable[Interval], of_days: Iterable[tuple[date, date]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Rows and moments of the sessions' days, in order."""
    by_day = dict(zip(before.days_of(EVENTS), zip(before.rows, before.read_at, strict=True), strict=True))
    by_day |= {
        i.day: (i.rows if i.landing_id else -1, to_number(i.observed_at and i.observed_at.astimezone(UTC)))
        for i in intervals
        if i.dataset == EVENTS
    }
    ordered = [by_day[day] for day in each_day(of_days)]
    return tuple(rows for rows, _ in ordered), tuple(at for _, at in ordered)
