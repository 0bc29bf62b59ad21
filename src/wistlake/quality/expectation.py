"""What is usual for a series of daily counts, by weekday, and how unusual its newest days are. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import hypot, inf, sqrt
from statistics import median, variance

PAST_DAYS = 84  # twelve of each weekday
LEVEL_DAYS = 28  # the newest of them say how much is played lately
FEWEST_DAYS = 28
# A change shows in one day, or in several together: by how many deviations it must exceed the usual. Together they
# allow about one false alarm in five quarters of a media.
WINDOWS: Mapping[int, float] = {1: 3.9, 2: 3.5, 3: 3.3, 7: 4.0}
LONGEST = max(WINDOWS)
_OF_SLOPE = 12 / 7**3 * (LEVEL_DAYS / 2 + LONGEST / 2) ** 2  # variance that the trend adds, by weeks cubed
# How much nearer or farther than a normal distribution's the rare days lie, by excess kurtosis (Cornish-Fisher at 3.4
# deviations); that of days between two bounds, all as likely, is the least. The most keeps one odd day from hiding
# what comes after it.
_OF_KURTOSIS = 0.36
_LEAST_KURTOSIS, _MOST_KURTOSIS = -1.2, 2.0
_WEEKDAYS, _WEEKEND = range(5), range(5, 7)
_MAD = 1.4826  # of a normal distribution: its standard deviation by the median of absolute deviations


@dataclass(frozen=True, slots=True)
class Unusual:
    """The days that end with the asked one and stand out together: their sum, and what would be usual."""

    days: int
    value: float
    expected: float

    @property
    def change(self) -> float:
        """Of the sum, as a share of the usual."""
        return self.value / self.expected - 1


class Counts:
    """The daily counts of one series; days without one are unknown."""

    def __init__(self, values: Mapping[date, float]) -> None:
        self._first = min(values, default=date.min).toordinal()
        length = max(values).toordinal() - self._first + 1 if values else 0
        self._values: list[float | None] = [None] * length
        for day, value in values.items():
            self._values[day.toordinal() - self._first] = value

    def until(self, day: date, length: int) -> list[float | None]:
        """The `length` days that end with `day`, oldest first."""
        end = day.toordinal() - self._first + 1
        stored = self._values[max(0, end - length) : max(0, end)]
        missing_after = end - max(0, min(end, len(self._values)))
        before = length - len(stored) - min(length, missing_after)
        return [None] * before + stored + [None] * min(length, missing_after)


@dataclass(frozen=True, slots=True)
class _Usual:
    """Usual counts of the seven days that follow what was learned; by the length of a sum of days, how far it deviates
    and how far the usual itself may be wrong, both as a share."""

    week: Sequence[float]
    spread: Mapping[int, float]
    error: Mapping[int, float]


def unusual(counts: Counts, day: date, change: float) -> Unusual | None:
    """How the days up to `day` stand out by at least `change` (a share: -0.4 is a drop, 0.4 a rise); None if they
    do not, or if too little is known. What is usual is learned from the days before the longest window."""
    newest = counts.until(day, LONGEST)
    if newest[-1] is None:
        return None
    usual = _learned_until(counts, day - timedelta(days=LONGEST))
    if usual is None:
        return None
    hits = (_compared(newest[-length:], usual, change) for length in WINDOWS)
    return next((hit for hit in hits if hit), None)


def expected(counts: Counts, day: date, length: int) -> float | None:
    """What would be usual for the `length` days that end with `day`; None if too little is known."""
    usual = _learned_until(counts, day - timedelta(days=length))
    return sum(usual.week[n % 7] for n in range(length)) if usual else None


def _compared(days: Sequence[float | None], usual: _Usual, change: float) -> Unusual | None:
    values = [v for v in days if v is not None]
    if len(values) < len(days):
        return None
    length = len(days)
    value, base = sum(values), sum(usual.week[-length:])
    # Half of the change, as a factor: the least that tells a change of that size from none. The newest day takes part:
    # else one day would stand out again in each sum that it is in.
    least = sqrt(1 + change) - 1
    if not (_moves(value, base, least) and _moves(values[-1], usual.week[-1], least / 2)):
        return None
    # An error of the usual counts by as much as there is: twice the days, twice the error.
    spread = base * hypot(usual.spread[length], usual.error[length] * value / base)
    deviations = min(abs(value - base) / spread, 2 * abs(sqrt(value) - sqrt(base)))
    return Unusual(length, value, base) if deviations >= WINDOWS[length] else None


def _moves(value: float, base: float, least: float) -> bool:
    """Whether the value lies at least so far, a share with its sign, from the usual."""
    return base > 0 and (value / base - 1 <= least if least < 0 else value / base - 1 >= least)


def _learned_until(counts: Counts, day: date) -> _Usual | None:
    """What is usual after `day`, from the whole weeks that end with it; None if they have too few days, or none of a
    weekday."""
    past = counts.until(day, PAST_DAYS)
    columns = _columns(past)
    if not all(columns) or sum(map(len, columns)) < FEWEST_DAYS:
        return None
    past = _without_outliers(past, [median(column) for column in columns])
    means = _means(_columns(past), (day.weekday() + 1) % 7)
    recent = [(v, means[n % 7]) for n, v in enumerate(past) if v is not None and n >= len(past) - LEVEL_DAYS]
    of_recent = sum(mean for _, mean in recent)
    level = sum(v for v, _ in recent) / of_recent if of_recent else 1.0
    factors = [v / means[n % 7] if v is not None and means[n % 7] > 0 else None for n, v in enumerate(past)]
    slope = _slope(factors)
    # From the middle of the recent days on: else a media that grows would be above the usual every day.
    ahead = LEVEL_DAYS / 2 + 0.5
    week = [max(0.0, level * mean * (1 + slope * (ahead + n))) for n, mean in enumerate(means)]
    # Shares of what the trend was at that day: a media that lost half of its plays swings by half as many.
    trend = [max(0.1, 1 + slope * (n - (len(past) - 1) / 2)) for n in range(len(past))]
    residuals = [None if f is None else f / t for f, t in zip(factors, trend, strict=True)]
    return _Usual(week, *_spread(residuals, sum(week) / 7, len(recent)))


def _columns(past: Sequence[float | None]) -> list[list[float]]:
    """The known days of each weekday, from that of the first day on."""
    return [[v for v in past[w::7] if v is not None] for w in range(7)]


def _means(columns: Sequence[Sequence[float]], first: int) -> list[float]:
    """The mean of each weekday, `first` first. Twelve days give it roughly: as far as chance explains how Monday to
    Friday differ, or Saturday and Sunday, they get their common mean."""
    means = [_mean(column) for column in columns]
    of_days = [(v - mean) ** 2 for column, mean in zip(columns, means, strict=True) for v in column]
    by_chance = 7 * sum(of_days) / max(1, len(of_days) - 7) / max(1, len(of_days))
    for group in (_WEEKDAYS, _WEEKEND):
        alike = [w for w in range(7) if (first + w) % 7 in group]
        common, between = _mean([means[w] for w in alike]), variance([means[w] for w in alike])
        kept = max(0.0, 1 - by_chance / between) if between else 0.0
        for w in alike:
            means[w] = common + kept * (means[w] - common)
    return means


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _deviation(values: Sequence[float]) -> float:
    """Standard deviation; that of a single value is not known."""
    if len(values) < 2:
        return inf
    mean = _mean(values)
    return sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def _without_outliers(past: Sequence[float | None], medians: Sequence[float]) -> list[float | None]:
    """The days that are not far from the median of their weekday; of each weekday at least half stay."""
    off = [None if v is None else abs(v - medians[n % 7]) for n, v in enumerate(past)]
    scale = _MAD * median([o / max(1.0, medians[n % 7]) for n, o in enumerate(off) if o is not None])
    limits = [4 * max(scale * m, sqrt(max(m, 1.0))) for m in medians]
    return [
        v if o is not None and o <= limits[n % 7] else None
        for n, (v, o) in enumerate(zip(past, off, strict=True))
    ]


def _slope(factors: Sequence[float | None]) -> float:
    """The trend: by how much of the mean a day exceeds the one before, by a straight line through all of them. The less
    it stands out from chance, the less of it is taken."""
    known = [(n, f - 1) for n, f in enumerate(factors) if f is not None]
    middle = _mean([n for n, _ in known])
    width = sum((n - middle) ** 2 for n, _ in known) or 1.0
    slope = sum((n - middle) * off for n, off in known) / width
    by_chance = _mean([(off - slope * (n - middle)) ** 2 for n, off in known]) / width
    return slope * max(0.0, 1 - by_chance / slope**2) if slope else 0.0


def _spread(
    residuals: Sequence[float | None], mean: float, recent: int
) -> tuple[dict[int, float], dict[int, float]]:
    """How far the sum of some days deviates: as it did in the past, no less than chance brings to counts, and with rare
    days as near or far as they were. Then how far the usual may be wrong, which is an estimate."""
    known = [r for r in residuals if r is not None]
    of_one = _deviation(known)
    by_chance = 1 / sqrt(max(mean, 1e-9))
    weeks = max(1.0, len(known) / 7)
    kurtosis = min(max(_LEAST_KURTOSIS, _kurtosis(known, of_one)), _MOST_KURTOSIS)
    spread, error = {}, {}
    for length in WINDOWS:
        sums = [
            _mean(of_days)
            for n in range(length, len(residuals) + 1)
            if len(of_days := [r for r in residuals[n - length : n] if r is not None]) == length
        ]
        seen = max(_deviation(sums), of_one / sqrt(length)) * (1 + _OF_KURTOSIS * kurtosis / length)
        spread[length] = max(seen, by_chance / sqrt(length))
        # A weekday's mean is drawn to that of its like, which about halves its variance.
        variances = 0.5 / (weeks * length) + 1 / max(1, recent) + _OF_SLOPE / weeks**3
        error[length] = max(of_one, by_chance) * sqrt(variances)
    return spread, error


def _kurtosis(values: Sequence[float], deviation: float) -> float:
    """By how much the fourth moment exceeds a normal distribution's: below 0 between bounds, above 0 with rare days
    far off."""
    mean = _mean(values)
    return _mean([((v - mean) / deviation) ** 4 for v in values]) - 3 if 0 < deviation < inf else 0.0
