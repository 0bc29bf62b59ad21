"""For how long the days of a media are read again: the settings' lookback, or longer where they change later."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain

from wistlake.planning.compacted import NONE, CompactedMedia
from wistlake.planning.intervals import Interval

MOST_LEARNED_DAYS = 30  # later changes are left to the sample of settled days
REMEMBERED = timedelta(days=90)  # after which a late move teaches nothing any more


def learned(
    intervals: Iterable[Interval], now: datetime, least: int, compacted: CompactedMedia = NONE
) -> Mapping[str, int]:
    """The media whose days have lately changed after the lookback of `least` days, and the lookback that each of them
    gets instead. A change counts from the next day on, so that a run that is repeated on one day plans the same."""
    days: dict[str, int] = {}
    today = now.astimezone(UTC).date()
    moves = chain(
        ((i.media_id, i.day, i.moved_at) for i in intervals if i.moved_at is not None),
        ((media_id, day, at) for media_id, of_media in compacted.items() for day, at in of_media.moved),
    )
    for media_id, day, at in moves:
        if now - at > REMEMBERED or at.astimezone(UTC).date() >= today:
            continue
        age = min((at.date() - day).days, MOST_LEARNED_DAYS)
        if age > least + 1:  # a day is read once more on the day after its lookback
            days[media_id] = max(age, days.get(media_id, 0))
    return days
