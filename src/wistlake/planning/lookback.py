"""For how long the days of a media are read again: the settings' lookback, or longer where they change later."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from wistlake.planning.intervals import Interval

MOST_LEARNED_DAYS = 30  # later changes are left to the sample of settled days
REMEMBERED = timedelta(days=90)  # after which a late move teaches nothing any more


def learned(intervals: Iterable[Interval], now: datetime, least: int) -> Mapping[str, int]:
    """The media whose days have lately changed after the lookback of `least` days, and the lookback that each of them
    gets instead. A change counts from the next day on, so that a run that is repeated on one day plans the same."""
    days: dict[str, int] = {}
    today = now.astimezone(UTC).date()
    for i in intervals:
        if i.moved_at is None or now - i.moved_at > REMEMBERED or i.moved_at.astimezone(UTC).date() >= today:
            continue
        age = min((i.moved_at.date() - i.day).days, MOST_LEARNED_DAYS)
        if age > least + 1:  # a day is read once more on the day after its lookback
            days[i.media_id] = max(age, days.get(i.media_id, 0))
    return days
