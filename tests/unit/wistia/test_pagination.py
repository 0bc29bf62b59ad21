"""A listing is the whole list, once, whatever its length, the concurrency, and the changes meanwhile."""

import asyncio
import random

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.some import some
from unit.wistia.fakes import DAY, Clock, Paged, client, event, events, run, visitor
from wistlake.contracts import source
from wistlake.errors import SourceChanged, SourceUnavailable
from wistlake.wistia.pagination import Order, Pager, read_consistently

EVENTS, VISITORS = source("events"), source("visitors")


def fetch(handler, which=EVENTS, **connection):
    return run(client(handler, **connection), lambda c: c.fetch(which, "m1", DAY, DAY))


def keys(records, name="event_key"):
    return [r[name] for r in records]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 350), st.integers(1, 40), st.sampled_from([100, 100, 7]))
def test_walk_returns_exactly_the_list(length, concurrency, per_page):
    length = length if per_page == 100 else length % 40
    paged = Paged(events(length))
    listing = fetch(paged, max_concurrency=concurrency, per_page=per_page)
    assert listing.records == paged.rows
    assert listing.requests == len(paged.asked)
    assert listing.walk["drifted"] == listing.walk["repeated_keys"] == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 350), st.integers(1, 40), st.randoms(use_true_random=False))
def test_pages_that_answer_in_any_order(length, idle, chance):
    """Straight on the walker: pages come back in random order, those beyond the end fail."""
    rows = events(length)

    async def read(number):
        for _ in range(chance.randrange(5)):
            await asyncio.sleep(0)
        if (number - 2) * 100 > length:
            raise SourceUnavailable("beyond the end")
        return rows[(number - 1) * 100 : number * 100]

    pages = asyncio.run(Pager(read, "/list", 100, lambda: idle).read_all())
    assert [row for page in pages for row in page] == rows


@pytest.mark.parametrize(
    ("length", "asked", "terminal"),
    [
        (0, [1], "empty page"),
        (37, [1], "short page"),
        (100, [1, 2, 1, 2], "empty page"),
        (99, [1, 2, 1, 2], "empty page"),  # nearly full: one row may be hidden, others follow
        (50, [1, 2, 1, 2], "empty page"),  # as long as a page size to which a server may have fallen back
        (150, [1, 2, 1, 2], "short page"),
        (200, [1, 2, 3, 1, 2, 3], "empty page"),
    ],
)
def test_requests_that_a_listing_costs(length, asked, terminal):
    paged = Paged(events(length))
    listing = fetch(paged)
    assert paged.asked == asked
    assert listing.walk["terminal"] == terminal
    assert listing.walk["last_page_rows"] == (0 if terminal == "empty page" else length % 100)


@pytest.mark.parametrize("length", [101, 200, 201, 301])
@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.parametrize("before", [2, 3])
def test_a_row_that_goes_between_two_pages_hides_no_other(length, comes_back, before):
    """Rows behind it move up: the last one of 101 moves to page 1, and page 2 is empty."""
    rows = events(length)
    asked = []

    def handle(request):
        page = int(request.url.params["page"])
        asked.append(page)
        first_walk = asked.count(1) == 1
        gone = (page >= before and first_walk) or not (comes_back or first_walk)
        there = rows[1:] if gone else rows
        return httpx2.Response(200, json=there[(page - 1) * 100 : page * 100])

    found = keys(fetch(handle).records)
    assert set(keys(rows[1:])) <= set(found)
    assert len(found) == len(set(found))


def test_longer_pages_clear_the_doubt_about_short_ones():
    """Once a page of more than 50 rows was seen, 50 rows are just a list of 50."""
    paged = Paged(events(60))

    async def both(c):
        await c.fetch(EVENTS, "m1", DAY, DAY)
        paged.rows, paged.asked = events(50), []
        await c.fetch(EVENTS, "m1", DAY, DAY)

    run(client(paged), both)
    assert paged.asked == [1]


def test_a_lowered_page_size_hides_nothing():
    paged = Paged(events(170), cap=50)
    assert keys(fetch(paged).records) == keys(paged.rows)


def test_pages_that_come_one_row_short_hide_nothing():
    rows = events(350)
    pages = [rows[:99], rows[100:199], rows[200:300], rows[300:]]

    def handle(request):
        return httpx2.Response(200, json=pages[int(request.url.params["page"]) - 1])

    assert len(fetch(handle).records) == 348


@pytest.mark.parametrize("length", [100, 50])
def test_a_page_that_is_repeated_for_ever(length):
    rows = events(length)
    with pytest.raises(SourceChanged, match=r"/stats/events: page 2 repeats page 1"):
        fetch(lambda _request: httpx2.Response(200, json=rows))


def test_a_long_walk_uses_the_concurrency_and_wastes_little():
    class Slow(httpx2.AsyncBaseTransport):
        busy = most = 0

        async def handle_async_request(self, request):
            self.busy += 1
            self.most = max(self.most, self.busy)
            try:
                await asyncio.sleep(0.002)
            finally:  # pages beyond the end are given up while they are under way
                self.busy -= 1
            return paged(request)

    paged, slow = Paged(events(3950)), Slow()
    listing = fetch(slow, max_concurrency=12)
    assert len(listing.records) == 3950
    assert 9 <= slow.most <= 12
    assert len(paged.asked) <= 40 + 2 + 12


def test_other_fetches_go_before_pages_ahead_of_need():
    """With every seat taken, no page is asked for in vain."""
    paged = Paged(events(250))

    async def many(c):
        return await asyncio.gather(*(c.fetch(EVENTS, "m1", DAY, DAY) for _ in range(20)))

    listings = run(client(paged, max_concurrency=4), many)
    assert all(listing.records == paged.rows for listing in some(listings))
    assert len(paged.asked) <= 20 * 5 + 4


# --- lists that move ---


def insert_at(position, *ordinals):
    """Puts one new row into the list before each of the named requests."""

    def before(paged, ordinal):
        if ordinal in ordinals:
            neighbour = paged.rows[position]
            paged.rows.insert(position, event(0, neighbour["received_at"], f"late{ordinal}"))

    return before


@pytest.mark.parametrize("ordinal", [2, 3, 4, 5])
@pytest.mark.parametrize("position", [0, 50, 150, 250])
def test_a_row_that_comes_in_costs_nothing_but_another_walk(ordinal, position):
    paged = Paged(events(301), insert_at(position, ordinal))
    original = set(keys(paged.rows))
    listing = fetch(paged)
    assert original <= set(keys(listing.records))
    assert listing.walk["passes"] <= 2
    assert listing.walk["verdict"] in ("stood still", "walks agree")


def test_drift_is_counted_and_cured():
    paged = Paged(events(250), insert_at(0, 2))
    listing = fetch(paged)
    assert keys(listing.records) == keys(paged.rows)
    assert listing.walk == {
        "pages": 3, "last_page_rows": 51, "terminal": "short page", "passes": 2, "restarts": 1,
        "drifted": 1, "repeated_keys": 0, "front_pages": 0, "verdict": "stood still",
    }  # fmt: skip


def test_a_row_that_goes_away_hides_no_other():
    def before(paged, ordinal):
        if ordinal == 2:
            del paged.rows[10]

    paged = Paged(events(250), before)
    assert keys(fetch(paged).records)[:250] == [*keys(paged.rows), "key10"]


@settings(max_examples=100, deadline=None)
@given(st.integers(101, 350), st.integers(1, 20), st.integers(0, 2**32), st.integers(1, 4))
def test_rows_that_come_in_at_any_moment_in_any_place(length, concurrency, seed, how_many):
    """Pages are answered out of order while rows come in: none that was there at the start is missed."""
    chance = random.Random(seed)
    inserts = {chance.randrange(2, 8): chance.randrange(length) for _ in range(how_many)}

    def before(paged, ordinal):
        if ordinal in inserts:
            at = inserts[ordinal]
            paged.rows.insert(at, event(0, paged.rows[at]["received_at"], f"late{ordinal}"))

    paged = Paged(events(length), before)

    class Shuffled(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            return paged(request)

    original = set(keys(paged.rows))
    assert original <= set(keys(fetch(Shuffled(), max_concurrency=concurrency).records))


@pytest.mark.parametrize(
    ("copy", "length", "asked"),
    [
        (150, 180, [1, 2, 1, 2]),
        (150, 250, [1, 2, 3, 1, 3, 1, 2]),
        (450, 480, [1, 2, 3, 4, 5, 1, 5, 1, 5]),
        (99, 250, [1, 2, 3, 1, 3]),  # on one page
    ],
)
def test_what_the_source_holds_twice_stays_twice(copy, length, asked):
    """Keys that repeat for ever are no drift: their pages are what they were, and no second walk is needed."""
    rows = events(length)
    rows[copy] = dict(rows[20])
    paged = Paged(rows)
    listing = fetch(paged)
    assert listing.records == rows
    assert paged.asked == asked
    assert listing.walk["repeated_keys"] == (copy > 99)
    assert listing.walk["drifted"] == 0
    assert listing.walk["verdict"] == "stood still"


def test_a_key_that_was_twice_only_while_the_list_moved_is_no_proof():
    """A row comes in between two pages, so that both have row 199, and goes before the ends are read again."""

    def before(paged, ordinal):
        if ordinal == 3:
            paged.rows.insert(150, event(0, paged.rows[150]["received_at"], "late"))
        if ordinal == 5:
            del paged.rows[150]

    paged = Paged(events(450), before)
    original = set(keys(paged.rows))
    listing = fetch(paged, max_concurrency=1)
    assert listing.walk["passes"] == 2
    assert original <= set(keys(listing.records))


def test_an_end_that_can_not_be_read_again_leaves_no_request_under_way():
    ended = []

    async def read(number):
        asked.append(number)
        if asked.count(number) == 2 and number == 1:
            raise SourceUnavailable("the front")
        if asked.count(number) == 2:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(number)
        return events(150)[(number - 1) * 100 : number * 100]

    asked = []
    pager = Pager(read, "/list", 100, lambda: 0)
    with pytest.raises(SourceUnavailable, match="the front"):
        asyncio.run(one_second(read_consistently(pager, Order(("event_key",), "received_at"))))
    assert ended == [2]


async def one_second(work):
    """The result, and nothing of it is left under way."""
    try:
        return await asyncio.wait_for(work, 1)
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others


def test_a_running_day_on_which_sessions_keep_coming():
    """New sessions at the top of every page are news; the walk needs not wait for silence."""

    def before(paged, ordinal):
        paged.rows.insert(0, event(0, f"2026-09-02T00:{ordinal:02}:00.000Z", f"new{ordinal}"))

    paged = Paged(events(250), before)
    original = set(keys(paged.rows))
    listing = fetch(paged)
    assert original <= set(keys(listing.records))
    assert listing.walk["passes"] == 2
    assert listing.walk["verdict"] == "walks agree"


def test_a_list_that_never_calms_down():
    def before(paged, ordinal):
        paged.rows.insert(120, event(0, paged.rows[120]["received_at"], f"late{ordinal}"))

    with pytest.raises(SourceUnavailable, match="moved during each of 5 walks"):
        fetch(Paged(events(250), before))


# --- visitors: known rows jump to the front ---


def jump(paged, number, moment):
    rows = [r for r in paged.rows if r["visitor_key"] != f"visitor{number}"]
    paged.rows = [visitor(number, moment), *rows]


@pytest.mark.parametrize("ordinal", [2, 3, 4, 5, 6])
def test_a_visitor_who_becomes_active_is_not_missed(ordinal):
    def before(paged, n):
        if n == ordinal:
            jump(paged, 280, "2026-09-02T00:00:00.000Z")

    paged = Paged([visitor(n) for n in range(350)], before)
    listing = fetch(paged, VISITORS)
    assert sorted(keys(listing.records, "visitor_key")) == sorted(f"visitor{n}" for n in range(350))


def test_the_front_is_read_until_it_is_known():
    """Whoever moved during the walk is kept as he is now, and once."""

    def before(paged, n):
        if n == 5:  # the walk has its four pages
            for number in range(200, 320):
                jump(paged, number, f"2026-09-02T00:{number % 60:02}:00.000Z")

    paged = Paged([visitor(n) for n in range(350)], before)
    listing = fetch(paged, VISITORS, max_concurrency=1)
    found = {r["visitor_key"]: r["last_active_at"] for r in listing.records}
    assert found == {r["visitor_key"]: r["last_active_at"] for r in paged.rows}
    assert len(listing.records) == 350
    assert listing.walk["front_pages"] == 3


def test_a_front_that_never_rests():
    def before(paged, n):
        paged.rows = [visitor(number, f"2026-09-02T00:00:{n:02}.000Z") for number in range(250)]

    with pytest.raises(SourceUnavailable, match="front moves faster"):
        fetch(Paged([], before), VISITORS, per_page=10, max_concurrency=1)


def test_walks_take_no_real_time():
    clock = Clock()
    run(client(Paged(events(250)), clock=clock), lambda c: c.fetch(EVENTS, "m1", DAY, DAY))
    assert clock.sleeps == []
