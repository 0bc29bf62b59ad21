"""Days as ranges."""

from collections.abc import Collection
from datetime import date
from itertools import groupby

DateRange = tuple[date, date]  # first and last day, both included


def ranges(days: Collection[date]) -> tuple[DateRange, ...]:
    """The days as ranges, ascending."""
    ordered = enumerate(sorted(days))
    groups = (
        [day for _, day in group]
        for _, group in groupby(ordered, key=lambda pair: pair[1].toordinal() - pair[0])
    )
    return tuple((group[0], group[-1]) for group in groups)
