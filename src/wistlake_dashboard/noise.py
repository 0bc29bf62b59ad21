"""Whether a difference is more than chance and the usual ups and downs of days would bring. Pure."""

from collections.abc import Sequence
from math import sqrt
from statistics import stdev

USUAL = 1.96  # of normal deviations: by chance alone, one difference in twenty is greater
STRICT = 2.58  # one in a hundred: where several are tested at once
FEWEST = 3  # pairs of days, of fewer their spread says nothing


def of_sums(
    now: Sequence[float], before: Sequence[float], deviations: float = USUAL, *, counts: bool = True
) -> float:
    """How far the sums of two periods may lie apart without a cause. The periods' days stand beside each other, in
    pairs: of whole weeks, Mondays beside Mondays. `counts`: values are counts of events that come one by one."""
    spread = _spread(now, before, deviations) * sqrt(len(now))
    return max(spread, deviations * sqrt(sum(now) + sum(before))) if counts else spread


def of_means(now: Sequence[float], before: Sequence[float], deviations: float = USUAL) -> float:
    """The same for the means of two periods' days."""
    return _spread(now, before, deviations) / sqrt(max(1, len(now)))


def of_samples(variances: Sequence[float], sizes: Sequence[int], deviations: float = STRICT) -> float:
    """The same for the means of two samples, by their variances and sizes."""
    return deviations * sqrt(sum(v / n for v, n in zip(variances, sizes, strict=True)))


def _spread(now: Sequence[float], before: Sequence[float], deviations: float) -> float:
    """Of the differences between paired days, widened because a few days tell little of it."""
    if len(now) < FEWEST:
        return 0.0
    return student(deviations, len(now) - 1) * stdev(a - b for a, b in zip(now, before, strict=True))


def student(deviations: float, freedom: int) -> float:
    """Student's t for a normal deviate (two terms of its expansion; 2 % too small at 4 degrees of freedom)."""
    z = deviations
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
