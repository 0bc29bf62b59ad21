"""Alerts against known truth: what was planted is found, and what was not is no alarm. Thirty media of each kind.

Three kinds of noise: that of counts alone (Poisson) with weekdays and a trend; the simulator's own days, which swing by
a quarter up and down whatever their number; and few plays, where nothing can be said of a single day.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from math import exp, sqrt
from random import Random

import pytest

from wistia_simulator.catalog import Catalog
from wistia_simulator.outlines import Outlines
from wistia_simulator.profile import Profile
from wistlake.quality.expectation import Counts, unusual

SEEDS = range(30)
FIRST = date(2026, 1, 5)
LEARNED, LENGTH = 100, 192  # days before the quarter that is judged, and with it
QUARTER = range(LEARNED, LENGTH)
Make = Callable[[int], list[float]]


def poisson(rng: Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(rng.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def counts_alone(seed: int, least: float = 100.0, most: float = 2000.0) -> list[float]:
    """Means of a day: weekends are 0.35 to 1.3 of other days, and a quarter brings up to a third more or less."""
    rng = Random(f"counts {seed}")
    mean, weekend = least * (most / least) ** rng.random(), rng.uniform(0.35, 1.3)
    trend = rng.uniform(-0.33, 0.33) / 91
    return [mean * (1 + trend * n) * (weekend if n % 7 > 4 else 1.0) for n in range(LENGTH)]


def simulated(seed: int) -> list[float]:
    """The sessions of a day, as the simulator draws them."""
    profile = Profile(media=1, sessions_per_day=400, popularity=(1.0,), history_days=LENGTH + 10)
    outlines = Outlines(seed, profile, Catalog(seed, profile, FIRST.toordinal() - 719163), 0)
    return [float(outlines._size(0, FIRST.toordinal() - 719163 + n)) for n in range(LENGTH)]


def few(seed: int) -> list[float]:
    return counts_alone(seed, 0.5, 30.0)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def drawn(make: Make, seed: int, change: float = 0.0, start: int = LENGTH) -> Counts:
    """The counts of a media, changed by a share from the day `start` on."""
    rng = Random(f"{make.__name__} {seed} {change}")
    means = [m * (1 + change if n >= start else 1) for n, m in enumerate(make(seed))]
    exact = make is simulated  # what it draws is a count already
    return Counts({day(n): float(round(m) if exact else poisson(rng, m)) for n, m in enumerate(means)})


def alarms(counts: Counts, change: float) -> int:
    """How often the quarter would be told of, without anything planted: within a week it is the same alert."""
    hits = [n for n in QUARTER if unusual(counts, day(n), change)]
    return sum(1 for before, n in zip([-99, *hits], hits, strict=False) if n - before > 7)


def delays(make: Make, change: float) -> Iterator[int]:
    """Of each media, how many days after the first changed one the alarm comes; 99 if it does not within a week."""
    for seed in SEEDS:
        start = LEARNED + 10 + seed % 21  # on each weekday, at several stretches of history
        counts = drawn(make, seed, change, start)
        least = -0.4 if change < 0 else 0.4
        yield next((n for n in range(8) if unusual(counts, day(start + n), least)), 99)


@pytest.mark.parametrize("make", [counts_alone, simulated, few])
def test_at_most_one_false_alarm_a_media_and_quarter(make: Make) -> None:
    of_media = [sum(alarms(drawn(make, seed), change) for change in (-0.4, 0.4)) for seed in SEEDS]
    assert max(of_media) <= 1
    assert sum(of_media) <= 0.2 * len(SEEDS)


@pytest.mark.parametrize("change", [-1.0, -0.6, -0.4, 0.4, 0.6, 1.0, 3.0])
def test_every_planted_change_is_found_within_two_days(change: float) -> None:
    assert max(delays(counts_alone, change)) <= 2


@pytest.mark.parametrize("change", [-1.0, -0.6, -0.4, 0.6, 0.8, 2.0])
def test_where_days_swing_by_a_quarter_drops_of_40_percent_and_rises_of_60_are_found_as_soon(
    change: float,
) -> None:
    assert max(delays(simulated, change)) <= 2


def test_where_days_swing_by_a_quarter_nine_in_ten_rises_of_40_percent_are_found_as_soon() -> None:
    """All can't be: a rise on three low days is no more than what a high day brings anyhow."""
    found = list(delays(simulated, 0.4))
    assert max(found) <= 7
    assert sum(delay <= 2 for delay in found) >= 0.9 * len(SEEDS)


def steady(seed: int) -> list[float]:
    """The same each day, but for one odd day that no outlier's limit takes out."""
    return [130.0 if n == LEARNED - 20 - seed else 100.0 for n in range(LENGTH)]


def normal(seed: int) -> list[float]:
    """Days without bounds, spread as widely as the simulator's."""
    rng = Random(f"normal {seed}")
    return [max(0.0, rng.gauss(400, 0.144 * 400)) for _ in range(LENGTH)]


@pytest.mark.parametrize("change", [-1.0, -0.5, 0.5])
def test_one_odd_day_hides_nothing_of_what_comes_after_it(change: float) -> None:
    for seed in SEEDS:
        means = [m * (1 + change if n >= LEARNED else 1) for n, m in enumerate(steady(seed))]
        counts = Counts({day(n): m for n, m in enumerate(means)})
        least = -0.4 if change < 0 else 0.4
        assert next(n for n in range(8) if unusual(counts, day(LEARNED + n), least)) <= 1


def test_days_without_bounds_are_found_less_often_and_without_more_false_alarms() -> None:
    assert sum(delay <= 2 for delay in delays(normal, -0.4)) >= 26
    assert sum(delay <= 2 for delay in delays(normal, 0.4)) >= 21
    assert sum(alarms(drawn(normal, seed), change) for seed in SEEDS for change in (-0.4, 0.4)) <= 12


def test_few_plays_are_found_to_have_ended_once_chance_is_out_of_the_question() -> None:
    found = list(delays(few, -1.0))
    assert sum(delay <= 6 for delay in found) >= 15
