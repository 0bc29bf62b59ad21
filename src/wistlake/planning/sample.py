"""A few settled days that a run reads again, other ones each day, to learn whether they stay as they are."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from wistlake.planning.calendar import utc_days_of
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import HORIZON, Window
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD, PROVISIONAL

FACTS = "sample"  # the ledger's document
SAMPLED = 3  # media days a run: about ten requests
YOUNG_DAYS = 28  # two of them are this close to the lookback, where late moves are most likely
_YOUNG = 2
_REST_DAYS = 5  # after the lookback: a day that has just left it was read a day or two ago
_MARGIN_DAYS = 14  # days that Wistia is about to forget shrink by themselves
Key = tuple[str, str, date]


def sample_of_the_day(
    media: Iterable[MediaEntry], intervals: Iterable[Interval], window: Window, facts: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The ledger's document of the day's sample. What the first run of a UTC day has drawn holds all day: a day
    that settles, moves or is withdrawn today must not give a second run of today others to read."""
    today = window.now.astimezone(UTC).date()
    if window.by_hand or facts.get("day") == today.isoformat():
        return facts
    active = {m.media_id for m in media if m.retired_at is None}
    settled = [
        i
        for i in intervals
        if i.media_id in active
        and _is_settled(i)
        and window.lookback_days + _REST_DAYS <= (today - i.day).days < HORIZON.days - _MARGIN_DAYS
    ]
    drawn = _draw(settled, today, window.lookback_days)
    return {"day": today.isoformat(), "drawn": [[i.media_id, i.day.isoformat()] for i in drawn]}


def sample(
    media: Iterable[MediaEntry], intervals: Iterable[Interval], window: Window, facts: Mapping[str, Any]
) -> frozenset[Key]:
    """The (dataset, media, day)s to read again at `window.now`; `facts` is the ledger's document. What was read
    that day already is left out. None where days are named by hand."""
    if window.by_hand:
        return frozenset()
    index = {i.key: i for i in intervals}
    drawn = sample_of_the_day(media, index.values(), window, facts)["drawn"]
    return frozenset(
        key
        for media_id, day in ((media_id, date.fromisoformat(text)) for media_id, text in drawn)
        for key in (
            (BY_DATE, media_id, day),
            *((EVENTS, media_id, utc_day) for utc_day in utc_days_of(day, window.tz)),
        )
        if _is_due(index, key, window.now)
    )


def _is_settled(i: Interval) -> bool:
    return i.dataset == GOLD and i.state is State.PUBLISHED and i.reason not in ("", PROVISIONAL)


def _draw(settled: Iterable[Interval], today: date, lookback_days: int) -> list[Interval]:
    """The first few in an order that is as good as random, and another one each day."""
    drawn = sorted(settled, key=lambda i: hashlib.sha256(f"{today}/{i.media_id}/{i.day}".encode()).digest())
    young = [i for i in drawn if (today - i.day).days <= lookback_days + YOUNG_DAYS][:_YOUNG]
    return [*young, *(i for i in drawn if i not in young)][:SAMPLED]


def _is_due(index: Mapping[Key, Interval], key: Key, now: datetime) -> bool:
    """Whether the source has the day, and was not asked for it today."""
    interval = index.get(key)
    if interval is None or interval.missing or interval.observed_at is None:
        return False
    return interval.observed_at.astimezone(UTC).date() < now.astimezone(UTC).date()
