"""For how long the days of a media are asked for again: the settings' lookback, or longer where they move later."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from wistlake.planning.intervals import Interval

MOST_LEARNED_DAYS = 30  # what moves later than this is left to the sample of settled days
REMEMBERED = timedelta(days=90)  # after which a late move teaches nothing any more


def learned(intervals: Iterable[Interval], now: datetime, least: int) -> Mapping[str, int]:
    """The media whose days have lately moved after the lookback of `least` days, and the days that each of them
    is asked for instead. What a day teaches holds from the next day on: a run that is done again is the same."""
    found: dict[str, int] = {}
    today = now.astimezone(UTC).date()
    for i in intervals:
        if i.moved_at is None or now - i.moved_at > REMEMBERED or i.moved_at.astimezone(UTC).date() >= today:
            continue
        age = min((i.moved_at.date() - i.day).days, MOST_LEARNED_DAYS)
        if age > least + 1:  # a day is asked for once more on the day after its lookback
            found[i.media_id] = max(age, found.get(i.media_id, 0))
    return found
