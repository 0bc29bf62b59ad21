"""A few settled days that a run reads again, other ones each day, to learn whether they stay as they are."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

from wistlake.planning.calendar import utc_days_of
from wistlake.planning.compacted import NONE, CompactedMedia
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
Pair = tuple[str, date]  # media and local day
_Place = tuple[bytes, Pair]


def sample_of_the_day(
    media: Iterable[MediaEntry],
    intervals: Iterable[Interval],
    window: Window,
    facts: Mapping[str, Any],
    compacted: CompactedMedia = NONE,
) -> Mapping[str, Any]:
    """The ledger's document of the day's sample. What the first run of a UTC day has drawn holds all day: a day
    that settles, moves or is withdrawn today must not give a second run of today others to read."""
    today = window.now.astimezone(UTC).date()
    if window.by_hand or facts.get("day") == today.isoformat():
        return facts
    active = {m.media_id for m in media if m.retired_at is None}
    gold = {(i.media_id, i.day): _is_settled(i) for i in intervals if i.dataset == GOLD}
    here = (pair for pair, is_settled in gold.items() if is_settled)
    closed = ((media_id, day) for media_id, of_media in compacted.items() for day in of_media.days_of(GOLD))
    settled = (
        pair
        for pair in chain(here, (p for p in closed if p not in gold))
        if pair[0] in active
        and window.lookback_days + _REST_DAYS <= (today - pair[1]).days < HORIZON.days - _MARGIN_DAYS
    )
    drawn = _draw(settled, today, window.lookback_days)
    return {"day": today.isoformat(), "drawn": [[media_id, day.isoformat()] for media_id, day in drawn]}


def drawn_keys(window: Window, facts: Mapping[str, Any]) -> frozenset[Key]:
    """The (dataset, media, day)s that the days in the ledger's document are made of."""
    pairs = ((media_id, date.fromisoformat(day)) for media_id, day in facts.get("drawn", ()))
    return frozenset(
        key
        for media_id, day in pairs
        for key in (
            (BY_DATE, media_id, day),
            *((EVENTS, media_id, utc_day) for utc_day in utc_days_of(day, window.tz)),
        )
    )


def sample(
    media: Iterable[MediaEntry],
    intervals: Iterable[Interval],
    window: Window,
    facts: Mapping[str, Any],
    compacted: CompactedMedia = NONE,
) -> frozenset[Key]:
    """The (dataset, media, day)s to read again at `window.now`; `facts` is the ledger's document, and `intervals` have
    what is drawn. What was read that day already is left out. None where days are named by hand."""
    if window.by_hand:
        return frozenset()
    index = {i.key: i for i in intervals}
    drawn = sample_of_the_day(media, index.values(), window, facts, compacted)
    return frozenset(key for key in drawn_keys(window, drawn) if _is_due(index, key, window.now))


def _is_settled(i: Interval) -> bool:
    return i.dataset == GOLD and i.state is State.PUBLISHED and i.reason not in ("", PROVISIONAL)


def _draw(settled: Iterable[Pair], today: date, lookback_days: int) -> list[Pair]:
    """The first few in an order that is as good as random, and another one each day."""
    first: list[_Place] = []  # of all of them, and of the young ones: those that may be drawn
    young: list[_Place] = []
    for media_id, day in settled:
        place = (hashlib.sha256(f"{today}/{media_id}/{day}".encode()).digest(), (media_id, day))
        first = _least(first, place, SAMPLED)
        if (today - day).days <= lookback_days + YOUNG_DAYS:
            young = _least(young, place, _YOUNG)
    drawn = [pair for _, pair in young]
    return [*drawn, *(pair for _, pair in first if pair not in drawn)][:SAMPLED]


def _least(least: list[_Place], one: _Place, most: int) -> list[_Place]:
    """The first `most` of `least`, which are in order, and one more."""
    if len(least) == most and least[-1] <= one:
        return least
    return sorted((*least, one))[:most]


def _is_due(index: Mapping[Key, Interval], key: Key, now: datetime) -> bool:
    """Whether the source has the day, and was not asked for it today."""
    interval = index.get(key)
    if interval is None or interval.missing or interval.observed_at is None:
        return False
    return interval.observed_at.astimezone(UTC).date() < now.astimezone(UTC).date()
