"""Which listings a run asks for, from what is needed and what the ledger knows of their length."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.some import some
from wistlake.contracts.form import ACCOUNT
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.packing import (
    BATCH_MEDIA,
    MOST_PAGES,
    Volume,
    batches,
    cover,
    descriptions,
    due,
    narrower,
    ranges,
    requests,
    share_of,
)

FIRST, NOW = date(2026, 3, 2), datetime(2026, 3, 10, 2, 15, tzinfo=UTC)
WEEK = [FIRST + timedelta(days=n) for n in range(8)]
TWENTY = [f"media{n:02}" for n in range(20)]


def read(media: str, day: date, rows: int) -> Interval:
    return Interval("events", media, day, State.PUBLISHED, "r", NOW, landing_id="x", rows=rows)


def volume(rows: dict[str, int], share: float | None = 1.0, days: list[date] = WEEK) -> Volume:
    """Of media that had so many sessions on each of the days."""
    return Volume.of([read(m, day, n) for m, n in rows.items() for day in days], list(rows), share)


def shape(fetches: tuple[Fetch, ...]) -> list[tuple[str, int, int, int]]:
    """Media, first and last day of the week (from 0), rows that are expected."""
    return [(f.media_id, (f.start - FIRST).days, (f.end - FIRST).days, f.rows) for f in fetches]


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, 1), (99, 1), (100, 4), (199, 4), (200, 5), (800, 11)]
)  # fmt: skip
def test_what_a_list_costs(rows: int, expected: int) -> None:
    """A full page hides what is behind it; a list of several pages is proven by both its ends."""
    assert requests(rows) == expected


def test_many_quiet_media_are_one_list_of_the_account() -> None:
    (fetch,) = cover(dict.fromkeys(TWENTY, WEEK), volume(dict.fromkeys(TWENTY, 5)))
    assert shape((fetch,)) == [(ACCOUNT, 0, 7, 800)]
    assert len(fetch.keys) == 160
    assert fetch.media == tuple(TWENTY)


def test_few_followed_media_of_a_large_account_are_lists_of_their_own() -> None:
    rows = {"a": 5, "b": 5}
    assert shape(cover(dict.fromkeys(rows, WEEK), volume(rows, share=0.02))) == [
        ("a", 0, 7, 40),
        ("b", 0, 7, 40),
    ]
    assert shape(cover(dict.fromkeys(rows, WEEK), volume(rows, share=None))) == [
        ("a", 0, 7, 40),
        ("b", 0, 7, 40),
    ]
    assert shape(cover(dict.fromkeys(rows, WEEK), volume(rows))) == [(ACCOUNT, 0, 7, 80)]


def test_a_list_that_is_too_long_is_cut_by_day() -> None:
    media = {f"m{n}": 500 for n in range(10)}
    fetches = cover(dict.fromkeys(media, WEEK), volume(media))
    assert [f[:3] for f in shape(fetches)] == [
        (ACCOUNT, 0, 1),
        (ACCOUNT, 2, 3),
        (ACCOUNT, 4, 5),
        (ACCOUNT, 6, 7),
    ]
    assert all(requests(f.rows) <= MOST_PAGES for f in some(fetches))


def test_a_day_that_no_list_holds_is_read_media_by_media() -> None:
    media = {f"m{n}": 4000 for n in range(10)}
    fetches = cover(dict.fromkeys(media, WEEK[:1]), volume(media))
    assert {f.media_id for f in fetches} == set(media)


def test_a_few_days_on_one_page_cost_less_than_a_long_list_and_its_proof() -> None:
    assert shape(cover({"a": WEEK}, volume({"a": 30}))) == [("a", 0, 2, 90), ("a", 3, 5, 90), ("a", 6, 7, 60)]


def test_days_between_are_read_along_where_that_costs_nothing() -> None:
    (fetch,) = cover({"a": [WEEK[0], WEEK[3]]}, volume({"a": 10}))
    assert fetch.keys == (("events", "a", WEEK[0]), ("events", "a", WEEK[3]))
    assert (fetch.start, fetch.end, fetch.rows) == (WEEK[0], WEEK[3], 40)
    assert len(cover({"a": [WEEK[0], WEEK[3]]}, volume({"a": 60}))) == 2


def test_a_day_that_is_not_over_shares_no_list() -> None:
    fetches = cover({"a": WEEK}, volume({"a": 1}), alone={WEEK[-1]})
    assert shape(fetches) == [("a", 0, 6, 7), ("a", 7, 7, 1)]


def test_a_media_with_a_longer_lookback_has_its_own_days_alone() -> None:
    needs = dict.fromkeys(TWENTY, WEEK[4:]) | {TWENTY[0]: WEEK}
    assert shape(cover(needs, volume(dict.fromkeys(TWENTY, 5)))) == [
        (ACCOUNT, 4, 7, 400), (TWENTY[0], 0, 3, 20),
    ]  # fmt: skip


def test_nobody_knows_how_long_a_list_of_new_media_is() -> None:
    (fetch,) = cover({"new": WEEK[:2]}, volume({}))
    assert fetch.rows == 0
    # A media that is new among others is taken for one of them.
    assert volume({"a": 10, "b": 30}).of_day("new", WEEK[0]) == 20
    assert volume({"a": 10}).of_day("a", WEEK[-1] + timedelta(days=1)) == 10


@given(
    st.dictionaries(st.sampled_from(TWENTY[:6]), st.sets(st.integers(0, 40), min_size=1), min_size=1),
    st.dictionaries(st.sampled_from(TWENTY[:6]), st.integers(0, 30_000)),
    st.sampled_from([None, 0.01, 0.5, 1.0]),
    st.sets(st.integers(0, 40)),
)
def test_every_needed_day_lands_from_exactly_one_list(
    needs: dict[str, set[int]], rows: dict[str, int], share: float | None, alone: set[int]
) -> None:
    days = {m: sorted(FIRST + timedelta(days=n) for n in of_media) for m, of_media in needs.items()}
    lonely = {FIRST + timedelta(days=n) for n in alone}
    fetches = cover(days, volume(rows, share), lonely)
    landed = [key for f in fetches for key in f.keys]
    assert sorted(landed) == sorted(("events", m, day) for m, of_media in days.items() for day in of_media)
    for f in fetches:
        within = {day for _, _, day in f.keys}
        assert (f.start, f.end) == (min(within), max(within))
        assert not within & lonely or len(within) == 1
        assert f.media_id == ACCOUNT or f.media == (f.media_id,)


def test_ranges_of_counts_are_as_long_as_one_request_answers() -> None:
    (fetch,) = ranges("media_by_date", "a", [WEEK[0], WEEK[1], WEEK[5]], 366)
    assert fetch.parts == (("a", WEEK[0], WEEK[1]), ("a", WEEK[5], WEEK[5]))
    assert [(f.start, f.end) for f in ranges("media_by_date", "a", WEEK, 5)] == [
        (WEEK[0], WEEK[4]), (WEEK[5], WEEK[7]),
    ]  # fmt: skip
    assert list(ranges("media_by_date", "a", [], 5)) == []


def test_descriptions_are_asked_for_by_the_hundred() -> None:
    media = [f"m{n:03}" for n in range(201)]
    first, second, last = descriptions("media_metadata", media, FIRST)
    assert (len(first.media), len(second.media)) == (100, 100)
    assert last == Fetch("media_metadata", "m200", FIRST, FIRST)


def test_what_is_tried_instead_of_a_list_that_fails() -> None:
    whole = Fetch(
        "events",
        ACCOUNT,
        WEEK[0],
        WEEK[3],
        (("a", WEEK[0], WEEK[1]), ("a", WEEK[3], WEEK[3]), ("b", *WEEK[:2])),
    )
    of_a, of_b = narrower(whole)
    assert of_a == Fetch("events", "a", WEEK[0], WEEK[3], whole.parts[:2])
    assert of_b == Fetch("events", "b", WEEK[0], WEEK[1])
    assert narrower(of_a) == tuple(Fetch("events", "a", d, d) for d in (WEEK[0], WEEK[1], WEEK[3]))
    assert narrower(Fetch("events", "a", WEEK[0], WEEK[0])) == ()
    assert narrower(Fetch("media_by_date", "a", WEEK[0], WEEK[3])) == ()


def test_a_share_is_that_of_the_last_lists_of_the_account() -> None:
    assert share_of({"listed": 200, "followed": 50}) == 0.25
    assert share_of({}) is None


EARLIER, LATER = NOW - timedelta(days=2), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("taken", "state", "changed", "expected"),
    [
        (None, State.PUBLISHED, EARLIER, True),
        (EARLIER, State.PUBLISHED, LATER, True),
        (LATER, State.PUBLISHED, LATER, False),  # taken by the run that read the change
        (LATER, State.PUBLISHED, EARLIER, False),
        (LATER, State.FAILED, EARLIER, True),
        (LATER, State.PUBLISHED, None, False),
    ],
)
def test_a_snapshot_is_due_where_something_changed_after_the_last_one(
    taken: datetime | None, state: State, changed: datetime | None, expected: bool
) -> None:
    snapshot = Interval("media_stats", "a", FIRST, state, "r", NOW, landing_id="x", observed_at=taken)
    others = [
        Interval("events", "a", FIRST, State.LANDED, "r", NOW, changed_at=changed),
        Interval("events", "b", FIRST, State.LANDED, "r", NOW, changed_at=NOW),
    ]
    fetches = [
        Fetch("media_stats", "a", FIRST, FIRST, if_moved=is_conditional) for is_conditional in (True, False)
    ]
    taken_now, carried = due(fetches, [*others, *([snapshot] if taken else [])])
    assert taken_now == tuple(fetches[:1] if expected else ())
    assert carried == ({} if expected else {"media_stats": 1})


def test_batches_are_of_a_few_media_or_of_one_list_and_snapshots_wait() -> None:
    media = [f"m{n:03}" for n in range(120)]
    fetches = [
        *descriptions("media_metadata", media, FIRST),
        *(Fetch("media_stats", m, FIRST, FIRST) for m in media),
        *(Fetch("media_by_date", m, FIRST, FIRST) for m in media),
        *(Fetch("events", ACCOUNT, day, day, tuple((m, day, day) for m in media), 9_000) for day in WEEK[:3]),
        Fetch("visitors", ACCOUNT, FIRST, FIRST),
    ]
    made = batches(fetches)
    assert [(b.name, b.phase, b.datasets, len(b.media)) for b in made] == [
        ("metadata-1", 0, ("media_metadata",), 100),
        ("metadata-2", 0, ("media_metadata",), 20),
        ("by_date-1", 0, ("media_by_date",), 50),
        ("by_date-2", 0, ("media_by_date",), 50),
        ("by_date-3", 0, ("media_by_date",), 20),
        ("events-1", 0, ("events",), 120),
        ("events-2", 0, ("events",), 120),
        ("events-3", 0, ("events",), 120),
        ("events-4", 0, ("visitors",), 1),
        ("snapshots-1", 1, ("media_stats",), 50),
        ("snapshots-2", 1, ("media_stats",), 50),
        ("snapshots-3", 1, ("media_stats",), 20),
    ]
    assert sorted(k for b in made for f in b.fetches for k in f.keys) == sorted(
        k for f in fetches for k in f.keys
    )
    assert [len(b.fetches) for b in made if b.datasets == ("media_metadata",)] == [1, 1], "a request each"
    counted = [b for b in made if b.datasets not in (("events",), ("media_metadata",))]
    assert max(len(b.media) for b in counted) == BATCH_MEDIA
    assert batches([]) == ()
