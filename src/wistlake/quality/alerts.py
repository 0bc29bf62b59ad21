"""Goals and alerts over the daily figures of a lake: what is new, what is confirmed, what must be taken back. Pure.

A day counts once it is stable. One that may still change counts as *early*, unless its rule waits. The test of a day
looks at that day and those before it, so that only restated figures can change its outcome.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import sqrt

from wistlake.alert_rules import Kind, Rule
from wistlake.quality.alert_history import Alert
from wistlake.quality.certificates import Certificate
from wistlake.quality.expectation import LEVEL_DAYS, LONGEST, PAST_DAYS, Counts, expected, unusual

RECENT_DAYS = 14  # that are tested; older ones only if an alert stands on them
STANDS_DAYS = 60  # how long an alert is looked at again
EPISODE_DAYS = 7  # a change that goes on, or comes again so soon, is the same alert
_LEAST_EXPECTED = 7.0  # plays: fewer may be none by chance, one time in a thousand
_FEWEST_SESSIONS = 30
_SESSION_SPREAD = 0.5  # of a share between 0 and 1: no distribution has more
_STRICT = 2.58  # deviations: one in a hundred by chance
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day's figure, and its certificate: of several media the lowest one. `weight`: the sessions behind a share."""

    value: float
    certificate: str
    weight: float = 0.0

    @property
    def is_stable(self) -> bool:
        """Whether it will change no more, unless Wistia restates it."""
        return self.certificate in (Certificate.SETTLED, Certificate.CERTIFIED)


@dataclass(frozen=True, slots=True)
class Series:
    """The days of one subject: a media, the media with a label, or `EVERYTHING`. `swaps`: when its file was swapped."""

    subject: str
    days: Mapping[date, Day]
    swaps: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What an evaluation changes in the history. `confirmed` ones are no news: what was early is stable, or goes on."""

    new: tuple[Alert, ...] = ()
    withdrawn: tuple[Alert, ...] = ()
    confirmed: tuple[Alert, ...] = ()

    @property
    def all(self) -> tuple[Alert, ...]:
        """Everything to write down."""
        return (*self.new, *self.withdrawn, *self.confirmed)


@dataclass(frozen=True, slots=True)
class _Hit:
    day: date
    last_day: date
    days: int
    value: float
    expected: float
    early: bool


@dataclass(slots=True)
class _Noted:
    """The changes of one evaluation, as they come."""

    new: list[Alert] = field(default_factory=list)
    withdrawn: list[Alert] = field(default_factory=list)
    confirmed: list[Alert] = field(default_factory=list)


def first_day(rule: Rule, newest: date) -> date:
    """The oldest day that an evaluation of the rule reads, if `newest` is the newest published one."""
    if rule.kind is Kind.GOAL:
        return _period(rule, _period(rule, newest)[0] - _DAY)[0]
    past = LEVEL_DAYS if rule.kind is Kind.RETENTION else PAST_DAYS + LONGEST
    return newest - timedelta(days=STANDS_DAYS + past + RECENT_DAYS)


def evaluate(
    rule: Rule, every: Iterable[Series], history: Iterable[Alert], newest: date, now: datetime
) -> Changes:
    """What the rule says of these series. `history`: the alerts that were told, of any rule. `newest`: the newest
    published day of the lake."""
    of_rule: dict[str, list[Alert]] = {}
    for alert in history:
        if alert.rule == rule.name:
            of_rule.setdefault(alert.subject, []).append(alert)
    changes = _Noted()
    for series in every:
        standing = [alert for alert in of_rule.get(series.subject, ()) if stands(alert, rule, newest)]
        _apply(rule, _counting(rule, series), standing, newest, now, changes)
    return Changes(tuple(changes.new), tuple(changes.withdrawn), tuple(changes.confirmed))


def stands(alert: Alert, rule: Rule, newest: date) -> bool:
    """Whether an alert of the rule's name holds, is not too old to be looked at, and was called for by what the rule
    asks today."""
    same = alert.kind == rule.kind and alert.metric == _metric(rule)
    same = same and (rule.kind is not Kind.GOAL or alert.expected == rule.goal)
    return same and alert.stands and newest - alert.last_day <= timedelta(days=STANDS_DAYS)


def _counting(rule: Rule, series: Series) -> Series:
    """The series without the days that do not count yet."""
    if rule.early:
        return series
    return replace(series, days={d: day for d, day in series.days.items() if day.is_stable})


def _apply(
    rule: Rule, series: Series, standing: Sequence[Alert], newest: date, now: datetime, changes: _Noted
) -> None:
    """Compare what holds now with what was told."""
    hits = list(_HITS[rule.kind](rule, series, newest, standing))
    for alert in standing:
        own = [hit for hit in hits if _belongs(rule, hit, alert)]
        if not own and alert.day in series.days:
            changes.withdrawn.append(replace(alert, withdrawn_at=now))
        elif own and (moved := _confirmed(alert, own)) != alert:
            changes.confirmed.append(moved)
    fresh: list[Alert] = []
    for hit in hits:
        covered = next((a for a in (*standing, *fresh) if _belongs(rule, hit, a)), None)
        if covered is None:
            fresh.append(_alert(rule, series.subject, hit, now))
        elif covered in fresh and hit.last_day > covered.last_day:
            fresh[fresh.index(covered)] = replace(covered, last_day=hit.last_day)
    changes.new += fresh


def _belongs(rule: Rule, hit: _Hit, alert: Alert) -> bool:
    """Whether the hit is one of the alert's own."""
    if rule.kind is Kind.RETENTION:
        return hit.day == alert.day
    if rule.kind is Kind.GOAL:
        return _period(rule, hit.day) == _period(rule, alert.day)
    near = timedelta(days=EPISODE_DAYS)
    return alert.day - near <= hit.day <= alert.last_day + near


def _confirmed(alert: Alert, own: Sequence[_Hit]) -> Alert:
    """The alert as it is today; its day, by which it is known, stays."""
    first = min(own, key=lambda hit: abs(hit.day - alert.day))
    last_day = max(alert.last_day, *(hit.last_day for hit in own))
    return replace(
        alert,
        last_day=last_day,
        days=first.days,
        value=first.value,
        expected=first.expected,
        early=first.early,
    )


def _alert(rule: Rule, subject: str, hit: _Hit, now: datetime) -> Alert:
    return Alert(
        rule.name, subject, hit.day, str(rule.kind), _metric(rule), hit.last_day, hit.days, hit.value, hit.expected,
        hit.early, now,
    )  # fmt: skip


def _metric(rule: Rule) -> str:
    return {Kind.RETENTION: SHARE, Kind.NO_PLAYS: "plays"}.get(rule.kind, rule.metric)


SHARE = "average_viewed_share"


def metrics(rule: Rule) -> tuple[str, ...]:
    """The metrics that the rule reads: the figure, and what it is weighed by."""
    return (SHARE, "sessions") if rule.kind is Kind.RETENTION else (_metric(rule),)


# The kinds: each yields what holds, whether it was told or not.


def _tested(series: Series, newest: date, standing: Iterable[Alert]) -> list[date]:
    """The days to test, ascending: the newest ones, and those on which an alert stands."""
    tested = {newest - n * _DAY for n in range(RECENT_DAYS)}
    for alert in standing:
        tested |= {alert.day + n * _DAY for n in range((alert.last_day - alert.day).days + 1)}
    return sorted(tested & series.days.keys())


def _early(series: Series, days: Iterable[date]) -> bool:
    return not all(series.days[d].is_stable for d in days if d in series.days)


def _changed(rule: Rule, series: Series, newest: date, standing: Sequence[Alert]) -> Iterator[_Hit]:
    """A drop, or a spike."""
    share = rule.percent / 100
    counts = Counts({d: day.value for d, day in series.days.items()})
    for day in _tested(series, newest, standing):
        if hit := unusual(counts, day, -share if rule.kind is Kind.DROP else share):
            days = (day - n * _DAY for n in range(hit.days))
            yield _Hit(day, day, hit.days, hit.value, hit.expected, _early(series, days))


def _silent(rule: Rule, series: Series, newest: date, standing: Sequence[Alert]) -> Iterator[_Hit]:
    """No plays for some days, where chance alone would bring some."""
    counts = Counts({d: day.value for d, day in series.days.items()})
    for day in _tested(series, newest, standing):
        days = [day - n * _DAY for n in reversed(range(rule.days))]
        if any(value != 0 for value in counts.until(day, rule.days)):
            continue
        usual = expected(counts, day, rule.days)
        if usual is not None and usual >= _LEAST_EXPECTED:
            yield _Hit(day, day, rule.days, 0.0, usual, _early(series, days))


def _reached(rule: Rule, series: Series, newest: date, _standing: Sequence[Alert]) -> Iterator[_Hit]:
    """A goal of this period, or of the one before: its last days may have become stable only now."""
    this = _period(rule, newest)
    for start, end in dict.fromkeys((_period(rule, this[0] - _DAY), this)):
        total, days = 0.0, sorted(d for d in series.days if start <= d <= end)
        for day in days:
            total += series.days[day].value
            if total >= rule.goal:
                until = [d for d in days if d <= day]
                yield _Hit(day, day, (day - until[0]).days + 1, total, rule.goal, _early(series, until))
                break


def _period(rule: Rule, day: date) -> tuple[date, date]:
    """First and last day of the goal's period that `day` is in."""
    if rule.since is not None:
        return rule.since, date.max
    if rule.every == "week":
        start = day - day.weekday() * _DAY
        return start, start + 6 * _DAY
    if rule.every == "year":
        return day.replace(month=1, day=1), day.replace(month=12, day=31)
    start = day.replace(day=1)
    return start, (start + 31 * _DAY).replace(day=1) - _DAY


def _worse(rule: Rule, series: Series, newest: date, standing: Sequence[Alert]) -> Iterator[_Hit]:
    """Less of the media is seen since its file was swapped. What was told once is judged by the same days again."""
    ends = {a.day: a.last_day for a in standing}
    for swap in series.swaps:
        if swap not in ends and newest - swap > timedelta(days=LEVEL_DAYS + RECENT_DAYS):
            continue
        before = [series.days[d] for n in range(1, LEVEL_DAYS + 1) if (d := swap - n * _DAY) in series.days]
        limit = ends.get(swap, min(newest, swap + LEVEL_DAYS * _DAY))
        after = sorted(d for d in series.days if swap < d <= limit)
        fell = next(
            (
                n
                for n in _lengths(after, swap in ends)
                if _fell(rule, before, [series.days[d] for d in after[:n]])
            ),
            0,
        )
        if fell:
            since = after[:fell]
            value, usual = _mean([series.days[d] for d in since]), _mean(before)
            yield _Hit(swap, since[-1], fell, value, usual, _early(series, since))


def _lengths(after: Sequence[date], is_old: bool) -> Iterable[int]:
    return (len(after),) if is_old else range(1, len(after) + 1)


def _fell(rule: Rule, before: Sequence[Day], after: Sequence[Day]) -> bool:
    sessions = [sum(day.weight for day in days) for days in (before, after)]
    if min(sessions) < _FEWEST_SESSIONS:
        return False
    usual, now = _mean(before), _mean(after)
    by_chance = _STRICT * _SESSION_SPREAD * sqrt(sum(1 / n for n in sessions))
    return usual - now > max(by_chance, usual * (1 - sqrt(max(0.0, 1 - rule.percent / 100))))


def _mean(days: Sequence[Day]) -> float:
    """The mean share of all sessions, whatever day they were on."""
    weight = sum(day.weight for day in days)
    return sum(day.value * day.weight for day in days) / weight if weight else 0.0


_HITS = {
    Kind.DROP: _changed,
    Kind.SPIKE: _changed,
    Kind.GOAL: _reached,
    Kind.NO_PLAYS: _silent,
    Kind.RETENTION: _worse,
}
