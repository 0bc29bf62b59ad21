"""Alerts: which days call for one, that each is told once, and that restated figures take it back."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from wistlake.alert_rules import Kind, Rule
from wistlake.quality import alerts
from wistlake.quality.alert_history import EVERYTHING, Alert, sentence, withdrawal
from wistlake.quality.alerts import Changes, Day, Series, first_day, metrics

NOW = datetime(2026, 6, 30, 2, 15, tzinfo=UTC)
FIRST = date(2026, 1, 5)  # a Monday
M = "abc123def4"
DROP, SPIKE = Rule("fell", Kind.DROP), Rule("rose", Kind.SPIKE)


def usual(days: int, mean: float = 100.0) -> list[float]:
    """Counts with weekends and a little noise."""
    rng = Random(7)
    return [round(mean * (0.6 if n % 7 > 4 else 1.1) * rng.uniform(0.95, 1.05)) for n in range(days)]


def evaluate(rule: Rule, every: list[Series], history: Iterable[Alert], now: datetime) -> Changes:
    """As of the newest day of all series."""
    newest = max((d for s in every for d in s.days), default=FIRST)
    return alerts.evaluate(rule, every, history, newest, now)


def series(values: Iterable[float | None], early: int = 0, subject: str = M) -> Series:
    """Consecutive days from `FIRST` on, None where there is no figure; the last `early` ones may still change."""
    listed = list(values)
    days = {
        FIRST + timedelta(days=n): Day(v, "provisional" if n >= len(listed) - early else "settled")
        for n, v in enumerate(listed)
        if v is not None
    }
    return Series(subject, days)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def after(changes: Changes, history: Iterable[Alert] = ()) -> list[Alert]:
    """The history once the changes are written down."""
    return [*({a.key: a for a in history} | {a.key: a for a in changes.all}).values()]


def test_usual_days_call_for_nothing() -> None:
    for rule in (DROP, SPIKE, Rule("silence", Kind.NO_PLAYS)):
        assert evaluate(rule, [series(usual(120))], [], NOW) == Changes()


@pytest.mark.parametrize(
    ("rule", "factor"),
    [(DROP, 0.5), (DROP, 0.0), (SPIKE, 1.6), (SPIKE, 5.0)],
    ids=["half", "none", "more", "five times"],
)
def test_a_day_that_stands_out_is_told_with_what_is_usual(rule: Rule, factor: float) -> None:
    values = usual(120)
    values[-1] *= factor
    (alert,) = evaluate(rule, [series(values)], [], NOW).new
    assert (alert.day, alert.last_day, alert.days, alert.early) == (day(119), day(119), 1, False)
    assert alert.value == values[-1]
    assert alert.expected == pytest.approx(usual(120)[-1], rel=0.1)
    assert alert.told_at == NOW


def test_the_other_direction_is_another_rule() -> None:
    values = usual(120)
    values[-1] *= 3
    assert evaluate(DROP, [series(values)], [], NOW).new == ()
    values[-1] = 0
    assert evaluate(SPIKE, [series(values)], [], NOW).new == ()


def test_a_quiet_weekend_is_no_drop() -> None:
    values = [200.0 if n % 7 < 5 else 20.0 for n in range(120)]
    for length in range(113, 121):
        assert evaluate(DROP, [series(values[:length])], [], NOW).new == ()


def test_few_plays_go_up_and_down_by_chance() -> None:
    values = [float(n * n % 5) for n in range(119)]
    assert evaluate(DROP, [series([*values, 0.0])], [], NOW).new == ()
    assert evaluate(SPIKE, [series([*values, 6.0])], [], NOW).new == ()
    assert len(evaluate(SPIKE, [series([*values, 40.0])], [], NOW).new) == 1


@pytest.mark.parametrize("known", [0, 1, 20])
def test_too_little_is_known_of_a_new_media(known: int) -> None:
    assert evaluate(DROP, [series([*usual(known), 0.0])], [], NOW).new == ()
    assert evaluate(DROP, [series([])], [], NOW) == Changes()


def test_what_goes_on_is_told_once() -> None:
    values, history = usual(110), []
    told = 0
    for _ in range(8):
        values.append(usual(len(values) + 1)[-1] * 0.4)
        changes = evaluate(DROP, [series(values)], history, NOW)
        told += len(changes.new)
        history = after(changes, history)
    (alert,) = history
    assert told == 1
    assert (alert.day, alert.last_day) == (day(110), day(117))
    assert evaluate(DROP, [series(values)], history, NOW) == Changes()


def test_all_days_of_a_change_that_is_seen_late_are_one_alert() -> None:
    values = usual(120)
    values[-5:] = [v * 0.4 for v in values[-5:]]
    (alert,) = evaluate(DROP, [series(values)], [], NOW).new
    assert (alert.day, alert.last_day) == (day(115), day(119))


def test_a_change_weeks_later_is_another_alert() -> None:
    values = usual(120)
    values[-1] = 0.0
    history = after(evaluate(DROP, [series(values)], [], NOW))
    later = [*values, *usual(140)[120:]]
    later[-1] = 0.0
    (alert,) = evaluate(DROP, [series(later)], history, NOW).new
    assert alert.day == day(139)


def test_a_day_that_may_still_change_is_early_and_confirmed_in_silence() -> None:
    values = usual(120)
    values[-1] = 0.0
    (early,) = evaluate(DROP, [series(values, early=3)], [], NOW).new
    assert early.early
    later = evaluate(DROP, [series([*values, *usual(122)[120:]])], [early], NOW + timedelta(days=8))
    assert (later.new, later.withdrawn) == ((), ())
    assert later.confirmed == (replace(early, early=False),)


def test_a_rule_may_wait_until_days_are_stable() -> None:
    values = usual(120)
    values[-1] = 0.0
    waiting = replace(DROP, early=False)
    assert evaluate(waiting, [series(values, early=1)], [], NOW).new == ()
    assert len(evaluate(waiting, [series(values)], [], NOW).new) == 1


def test_an_alert_is_withdrawn_once_if_its_day_is_restated() -> None:
    values = usual(120)
    values[-1] = 0.0
    history = after(evaluate(DROP, [series(values, early=1)], [], NOW))
    restated = evaluate(DROP, [series(usual(120))], history, NOW + timedelta(days=1))
    assert (restated.new, restated.confirmed) == ((), ())
    assert [a.withdrawn_at for a in restated.withdrawn] == [NOW + timedelta(days=1)]
    history = after(restated, history)
    assert len(history) == 1
    assert evaluate(DROP, [series(usual(120))], history, NOW + timedelta(days=2)) == Changes()


def test_restated_weeks_later_it_is_withdrawn_as_well() -> None:
    values = usual(120)
    values[-1] = 0.0
    history = after(evaluate(DROP, [series(values)], [], NOW))
    (gone,) = evaluate(DROP, [series(usual(160))], history, NOW).withdrawn
    assert gone.day == day(119)
    still = [*values, *usual(160)[120:]]
    assert evaluate(DROP, [series(still)], history, NOW) == Changes()


def test_days_without_figures_say_nothing() -> None:
    values: list[float | None] = [*usual(118), None, 0.0]
    assert evaluate(Rule("silence", Kind.NO_PLAYS, days=2), [series(values)], [], NOW).new == ()
    assert len(evaluate(DROP, [series(values)], [], NOW).new) == 1  # one day stands out by itself


def test_no_plays_where_some_are_usual() -> None:
    rule = Rule("silence", Kind.NO_PLAYS, days=3)
    values = [*usual(117, mean=5.0), 0.0, 0.0, 0.0]
    (alert,) = evaluate(rule, [series(values)], [], NOW).new
    assert (alert.day, alert.days, alert.value) == (day(119), 3, 0.0)
    assert evaluate(rule, [series(values[:-1])], [], NOW).new == ()
    assert evaluate(rule, [series([*usual(117, mean=1.5), 0.0, 0.0, 0.0])], [], NOW).new == ()  # by chance


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        (Rule("g", Kind.GOAL, goal=500.0, every="month"), [date(2026, 1, 9), date(2026, 2, 5)]),
        (Rule("g", Kind.GOAL, goal=300.0, every="week"), [date(2026, 2, 4), date(2026, 2, 11)]),
        (Rule("g", Kind.GOAL, goal=600.0, since=date(2026, 2, 1)), [date(2026, 2, 6)]),
        (Rule("g", Kind.GOAL, goal=5000.0, every="year"), []),
    ],
)
def test_a_goal_is_told_on_the_day_that_reaches_it(rule: Rule, reached: list[date]) -> None:
    values = [100.0] * 39  # to 12 February
    goals = evaluate(rule, [series(values, subject=EVERYTHING)], [], NOW).new
    assert [g.day for g in goals] == reached
    history = after(Changes(new=goals))
    assert evaluate(rule, [series([*values, 100.0], subject=EVERYTHING)], history, NOW) == Changes()


def test_a_goal_that_restated_figures_miss_is_withdrawn() -> None:
    rule = Rule("g", Kind.GOAL, goal=500.0, every="month")
    values = [100.0] * 5
    history = after(evaluate(rule, [series(values, early=1)], [], NOW))
    assert [a.early for a in history] == [True]
    assert len(evaluate(rule, [series([100.0] * 4 + [99.0])], history, NOW).withdrawn) == 1
    assert (
        evaluate(rule, [series([100.0, 99.0, 101.0, 100.0, 100.0])], history, NOW).confirmed[0].early is False
    )


def shares(before: float, now: float, sessions: float, days: int = 60, swap: int = 45) -> Series:
    of_days = {day(n): Day(before if n <= swap else now, "settled", sessions) for n in range(days)}
    return Series(M, of_days, (day(swap),))


def test_retention_that_fell_after_a_swap() -> None:
    rule = Rule("worse", Kind.RETENTION)
    (alert,) = evaluate(rule, [shares(0.6, 0.4, 40)], [], NOW).new
    assert (alert.day, alert.value, alert.expected) == (day(45), pytest.approx(0.4), pytest.approx(0.6))
    assert evaluate(rule, [shares(0.6, 0.4, 40)], [alert], NOW) == Changes()
    assert evaluate(rule, [shares(0.6, 0.6, 40)], [alert], NOW).withdrawn[0].key == alert.key
    assert evaluate(rule, [shares(0.6, 0.4, 1)], [], NOW).new == ()  # too few sessions
    assert evaluate(rule, [shares(0.6, 0.58, 4000)], [], NOW).new == ()  # less than asked for
    assert evaluate(rule, [shares(0.4, 0.6, 40)], [], NOW).new == ()
    assert evaluate(rule, [replace(shares(0.6, 0.4, 40), swaps=())], [], NOW).new == ()


def test_a_media_that_ended_months_ago_calls_for_nothing() -> None:
    values = usual(120)
    values[-1] = 0.0
    ended = series(values)
    assert len(alerts.evaluate(DROP, [ended], [], day(125), NOW).new) == 1
    assert alerts.evaluate(DROP, [ended], [], day(200), NOW) == Changes()


def test_the_alerts_of_another_rule_or_subject_are_left_alone() -> None:
    values = usual(120)
    values[-1] = 0.0
    history = after(evaluate(DROP, [series(values)], [], NOW))
    assert evaluate(replace(DROP, name="other"), [series(usual(120))], history, NOW) == Changes()
    assert evaluate(DROP, [series(usual(120), subject="xyz987uvw6")], history, NOW) == Changes()
    assert evaluate(DROP, [], history, NOW) == Changes()


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_read_reaches_back_far_enough(kind: Kind) -> None:
    rule = Rule("r", kind, goal=1.0, every="month" if kind is Kind.GOAL else "")
    assert metrics(rule)
    newest = date(2026, 6, 3)
    first = first_day(rule, newest)
    assert first == date(2026, 5, 1) if kind is Kind.GOAL else (newest - first).days >= 100


@pytest.mark.parametrize(
    ("rule", "values", "text"),
    [
        (DROP, [*usual(119), 20.0], "fell: Lake Tour: 20 plays on 2026-05-04, about 110 are usual (−82 %)"),
        (SPIKE, [*usual(119), 400.0], "rose: Lake Tour: 400 plays on 2026-05-04, about 110 are usual (+265 %)"),
        (
            Rule("silence", Kind.NO_PLAYS), [*usual(117), 0.0, 0.0, 0.0],
            "silence: Lake Tour: no plays in the 3 days to 2026-05-04, about 2",
        ),
        (
            Rule("goal", Kind.GOAL, goal=50.0, every="week"), [*usual(119), 60.0],
            "goal: Lake Tour: 110 plays by 2026-04-27: the goal of 50 is reached",
        ),
    ],
)  # fmt: skip
def test_an_alert_in_words(rule: Rule, values: list[float], text: str) -> None:
    alert = evaluate(rule, [series(values)], [], NOW).new[0]
    assert sentence(alert, {M: "Lake Tour"}).startswith(text)
    assert sentence(replace(alert, early=True), {}).endswith("(early: these days may still change)")
    assert withdrawal(alert, {M: "Lake Tour"}).startswith(f"{rule.name}: withdrawn, Lake Tour on {alert.day}")


def test_retention_in_words() -> None:
    (alert,) = evaluate(Rule("worse", Kind.RETENTION), [shares(0.6, 0.4, 40)], [], NOW).new
    assert sentence(alert, {}) == (
        f"worse: {M}: sessions see 40% of it since the file was swapped on {day(45)}, 60% before"
    )
