"""Packs (media, day)s into as few listings as the data needs, and listings into batches that one process reads.

Wistia's limit is on the requests of the whole account. A listing of sessions may cover a range of days, and one media
or all of them: its cost is its pages. What a page holds is known from earlier readings.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby, pairwise
from math import inf

from wistlake.contracts import SOURCES
from wistlake.contracts.form import ACCOUNT
from wistlake.planning.compacted import NONE, CompactedMedia
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.publishing import BY_DATE, EVENTS

PER_PAGE = 100  # records of a page: the most that Wistia serves
MOST_PAGES = 150  # of one listing: a longer one is cut by day, so that a failure costs little
MOST_MEDIA = 100  # that one request for descriptions names
BATCH_MEDIA = 50  # of one process, but for descriptions: those of `MOST_MEDIA` are one request
MOST_BATCHES = 1_000  # of sessions, in one run: its machine carries a line for each that fails
GUESSED_ROWS = 10.0  # sessions of a media and day, where nothing at all is known
_RECENT = 14  # days whose mean stands for a day that was never read
_PROOF = 2  # requests that prove that a list of several pages stood still
_DAY = timedelta(days=1)
FACTS = "account_share"  # the ledger's document
METADATA, SNAPSHOTS = "media_metadata", ("media_stats", "media_engagement")
PLAYED = tuple(s.name for s in SOURCES if s.only_played)  # asked for of days with plays: after the counts
COUNTS = (BY_DATE, "analytics_daily")


@dataclass(frozen=True, slots=True)
class Volume:
    """How many sessions a listing will hold. `share`: of the account's sessions, those of followed media; None if
    nobody knows."""

    rows: Mapping[tuple[str, date], int]
    followed: tuple[str, ...]
    share: float | None
    means: Mapping[str, float]
    usual: float = GUESSED_ROWS  # of a media that was never read
    compacted: CompactedMedia = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        intervals: Iterable[Interval],
        followed: Iterable[str],
        share: float | None,
        compacted: CompactedMedia = NONE,
    ) -> "Volume":
        """What the ledger's intervals tell."""
        read = [i for i in intervals if i.dataset == EVENTS and i.landing_id]
        means = mean_rows(read, compacted)
        usual = sum(means.values()) / len(means) if means else GUESSED_ROWS
        rows = {(i.media_id, i.day): i.rows for i in read}
        return cls(rows, tuple(followed), share, means, usual, compacted)

    def of_day(self, media_id: str, day: date) -> float:
        """Sessions of one media on one day."""
        rows = self.rows.get((media_id, day))
        if rows is None and media_id in self.compacted:
            of_media = self.compacted[media_id]
            place = of_media.place(EVENTS, day)
            rows = None if place is None or of_media.rows[place] < 0 else of_media.rows[place]
        return self.means.get(media_id, self.usual) if rows is None else rows

    def of_account(self, day: date) -> float:
        """Sessions of the whole account on one day; more than anybody reads if its share is not known."""
        return sum(self.of_day(media, day) for media in self.followed) / self.share if self.share else inf


def mean_rows(intervals: Iterable[Interval], compacted: CompactedMedia = NONE) -> dict[str, float]:
    """Sessions of a media and day, by media: the mean of its newest days that were read."""
    by_media: dict[str, dict[date, int]] = {}
    for media_id, of_media in compacted.items():
        read = [(day, rows) for day, rows, _ in of_media.listed(EVENTS) if rows >= 0]
        if read:
            by_media[media_id] = dict(read[-_RECENT:])
    for i in intervals:
        if i.dataset == EVENTS and i.landing_id:
            by_media.setdefault(i.media_id, {})[i.day] = i.rows
    newest = {m: [of_day[day] for day in sorted(of_day)[-_RECENT:]] for m, of_day in by_media.items()}
    return {m: sum(rows) / len(rows) for m, rows in newest.items()}


def share_of(facts: Mapping[str, int]) -> float | None:
    """The share in the ledger's document; None if no listing of the account was read yet."""
    return facts["followed"] / facts["listed"] if facts.get("listed") else None


def requests(rows: float) -> float:
    """Requests that a listing of so many rows takes, the proof included."""
    pages = rows // PER_PAGE + 1
    return pages + (_PROOF if pages > 1 else 0)


def cover(
    needs: Mapping[str, Sequence[date]], volume: Volume, alone: Collection[date] = ()
) -> tuple[Fetch, ...]:
    """The cheapest listings of sessions from which every needed day of every media lands. Days in `alone` change while
    they are read, and share no listing with others."""
    of_all: set[date] = set()
    by_media: dict[str, list[date]] = {}
    for media, of_segment in _segments(needs):
        if _is_for_all(media, of_segment, volume):
            of_all.update(of_segment)
        else:
            for media_id in media:
                by_media.setdefault(media_id, []).extend(of_segment)
    shared = {m: sorted(of_all.intersection(needs[m])) for m in sorted(needs)}
    fetches = []
    for first, last, rows in _walks(of_all, volume.of_account, alone):
        parts = tuple(part for m, on_days in shared.items() for part in _parts(m, on_days, first, last))
        fetches.append(Fetch(EVENTS, ACCOUNT, first, last, parts, rows))
    for media_id in sorted(by_media):
        for first, last, rows in _walks(by_media[media_id], partial(volume.of_day, media_id), alone):
            fetches.append(_of_media(EVENTS, media_id, first, last, by_media[media_id], rows))
    # How long a list of media that were never read is, nobody knows.
    return tuple(f if any(m in volume.means for m in f.media) else replace(f, rows=0) for f in fetches)


def ranges(dataset: str, media_id: str, on_days: Sequence[date], most_days: int) -> Iterator[Fetch]:
    """Listings of a dataset that answers one range of at most `most_days` with one request."""
    ahead = sorted(on_days)
    while ahead:
        taken = [day for day in ahead if (day - ahead[0]).days < most_days]
        ahead = ahead[len(taken) :]
        yield _of_media(dataset, media_id, taken[0], taken[-1], taken, 0)


def descriptions(dataset: str, media: Sequence[str], day: date) -> Iterator[Fetch]:
    """Requests for the metadata of many media."""
    for first in range(0, len(media), MOST_MEDIA):
        named = media[first : first + MOST_MEDIA]
        if len(named) == 1:
            yield Fetch(dataset, named[0], day, day)
        else:
            yield Fetch(dataset, ACCOUNT, day, day, tuple((m, day, day) for m in named))


def narrower(fetch: Fetch) -> tuple[Fetch, ...]:
    """The listings to try instead of one that failed: media by media, then sessions day by day. None for one of a media
    and day, or of counts, which take one request anyway."""
    if fetch.parts and fetch.media_id == ACCOUNT:
        by_media: dict[str, list[tuple[str, date, date]]] = {}
        for part in fetch.parts:
            by_media.setdefault(part[0], []).append(part)
        return tuple(
            Fetch(fetch.dataset, m, parts[0][1], parts[-1][2], () if len(parts) == 1 else tuple(parts))
            for m, parts in by_media.items()
        )
    if fetch.start == fetch.end or fetch.dataset != EVENTS:
        return ()
    return tuple(Fetch(dataset, media, day, day) for dataset, media, day in fetch.keys)


def due(
    fetches: Iterable[Fetch], intervals: Iterable[Interval], compacted: CompactedMedia = NONE
) -> tuple[tuple[Fetch, ...], dict[str, int]]:
    """Those of the fetches that are only made if something moved, of whose media anything new was read after the last
    snapshot; and by dataset, of how many media the last one still stands. `intervals` are as this run has read
    them."""
    conditional = [f for f in fetches if f.if_moved]
    taken: dict[tuple[str, str], datetime] = {}
    changed = {m: of_media.changed_at for m, of_media in compacted.items() if of_media.changed_at}
    for i in intervals:
        if i.dataset in SNAPSHOTS and i.landing_id and i.observed_at and i.state is not State.FAILED:
            pair = (i.dataset, i.media_id)
            taken[pair] = max(i.observed_at, taken.get(pair, i.observed_at))
        elif i.changed_at and i.dataset in (EVENTS, BY_DATE):
            changed[i.media_id] = max(i.changed_at, changed.get(i.media_id, i.changed_at))
    moved = tuple(
        f
        for f in conditional
        if (change := changed.get(f.media_id)) is not None
        and ((last := taken.get((f.dataset, f.media_id))) is None or last < change)
    )
    return moved, dict(Counter(f.dataset for f in set(conditional).difference(moved)))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process reads. Batches of a later phase wait for those of the earlier ones."""

    name: str
    phase: int
    fetches: tuple[Fetch, ...]

    @property
    def media(self) -> tuple[str, ...]:
        """The media that it is about, each once."""
        return tuple(dict.fromkeys(m for f in self.fetches for m in f.media))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that it is about, each once."""
        return tuple(dict.fromkeys(f.dataset for f in self.fetches))


def batches(fetches: Iterable[Fetch]) -> tuple[Batch, ...]:
    """The fetches of a run in batches, those of each kind apart: sessions, daily counts, descriptions; and then the
    snapshots that depend on whether anything moved. A batch's name begins with its kind."""
    groups: dict[tuple[int, str], list[Fetch]] = {}
    for fetch in fetches:
        groups.setdefault(_group(fetch), []).append(fetch)
    return tuple(
        Batch(f"{kind}-{number}", phase, tuple(of_batch))
        for (phase, kind), of_group in sorted(groups.items(), key=lambda group: group[0][0])
        for number, of_batch in enumerate(_in_batches(of_group), 1)
    )


def _group(fetch: Fetch) -> tuple[int, str]:
    if fetch.dataset in SNAPSHOTS:
        return 1, "snapshots"
    if fetch.dataset in PLAYED:
        return 1, "played"
    if fetch.dataset == METADATA:
        return 0, "metadata"
    return (0, "by_date") if fetch.dataset in COUNTS else (0, "events")


def _in_batches(fetches: Sequence[Fetch]) -> Iterator[list[Fetch]]:
    """All fetches of up to `BATCH_MEDIA` media, or of up to `MOST_PAGES` pages of sessions, and more pages where there
    would be too many batches. Requests that name many media are cut to those of the batch."""
    walks = [f for f in fetches if f.dataset == EVENTS]
    most = max(MOST_PAGES, 2 * sum(requests(f.rows) for f in walks) / MOST_BATCHES)  # some are half full
    batch: list[Fetch] = []
    for fetch in walks:
        if batch and sum(requests(f.rows) for f in (*batch, fetch)) > most:
            yield batch
            batch = []
        batch.append(fetch)
    if batch:
        yield batch
    rest = [f for f in fetches if f.dataset != EVENTS]
    media = list(dict.fromkeys(m for f in rest for m in f.media))
    size = MOST_MEDIA if {f.dataset for f in rest} == {METADATA} else BATCH_MEDIA
    for first in range(0, len(media), size):
        of_batch = media[first : first + size]
        yield [cut for f in rest if (cut := f.of(of_batch))]


def _segments(needs: Mapping[str, Sequence[date]]) -> Iterator[tuple[tuple[str, ...], list[date]]]:
    """Days that follow each other and are needed of the same media."""
    media_of: dict[date, list[str]] = {}
    for media_id in sorted(needs):
        for day in needs[media_id]:
            media_of.setdefault(day, []).append(media_id)
    ordered = sorted(media_of)
    number = 0
    numbers = {ordered[0]: 0} if ordered else {}
    for before, day in pairwise(ordered):
        number += day - before != _DAY or media_of[day] != media_of[before]
        numbers[day] = number
    for _, group in groupby(ordered, key=lambda day: numbers[day]):
        of_segment = list(group)
        yield tuple(media_of[of_segment[0]]), of_segment


def _is_for_all(media: Sequence[str], on_days: Sequence[date], volume: Volume) -> bool:
    """Whether one listing of the account is cheaper than a listing of each media. A day that is too long for one
    listing is read media by media, unless that costs much more."""
    if len(media) == 1:
        return False
    by_day = [volume.of_account(day) for day in on_days]
    whole = requests(sum(by_day))
    single = sum(requests(sum(volume.of_day(m, day) for day in on_days)) for m in media)
    return whole < single if requests(max(by_day)) <= MOST_PAGES else whole * 1.25 < single


def _walks(
    on_days: Iterable[date], rows_of: Callable[[date], float], alone: Collection[date]
) -> Iterator[tuple[date, date, int]]:
    """First day, last day and rows of listings: across days that are not needed if that costs no more, and no longer
    than `MOST_PAGES` unless a single day is."""
    first: date | None = None
    last, rows = date.min, 0.0
    for day in sorted(on_days):
        of_day = rows_of(day)
        if first is not None:
            whole = rows + of_day + sum(rows_of(last + n * _DAY) for n in range(1, (day - last).days))
            apart = min(requests(rows) + requests(of_day), MOST_PAGES)
            if requests(whole) <= apart and day not in alone and last not in alone:
                last, rows = day, whole
                continue
            yield first, last, int(rows)
        first, last, rows = day, day, of_day
    if first is not None:
        yield first, last, int(rows)


def _of_media(
    dataset: str, media_id: str, first: date, last: date, on_days: Sequence[date], rows: int
) -> Fetch:
    parts = tuple(_parts(media_id, on_days, first, last))
    return Fetch(dataset, media_id, first, last, () if parts == ((media_id, first, last),) else parts, rows)


def _parts(
    media_id: str, on_days: Sequence[date], first: date, last: date
) -> Iterator[tuple[str, date, date]]:
    """The runs of days that follow each other, from `first` to `last`. `on_days` are ascending."""
    listed = on_days[bisect_left(on_days, first) : bisect_right(on_days, last)]
    for _, group in groupby(enumerate(listed), key=lambda pair: pair[1] - pair[0] * _DAY):
        run = [day for _, day in group]
        yield media_id, run[0], run[-1]
