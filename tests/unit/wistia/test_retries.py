"""What is tried again, after which wait, for how long; what stops at once, and with which cure."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from structlog.testing import capture_logs

from unit.wistia.fakes import CANARY, DAY, START, Clock, FreeBudget, client, events, run, scripted
from wistlake.contracts import SOURCES, source
from wistlake.errors import (
    ConfigError,
    SourceChanged,
    SourceMissing,
    SourceRefused,
    SourceUnavailable,
)
from wistlake.wistia.failures import retry_after
from wistlake.wistia.requests import MAX_RETRY_SECONDS

GOOD = httpx2.Response(200, json=events(3))
EVENTS = source("events")


def fetch(wistia, name="events"):
    return run(wistia, lambda c: c.fetch(source(name), "m1", DAY, DAY))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": format_datetime(START + timedelta(seconds=12), usegmt=True)}, 12),
        ({"retry-after": format_datetime(START - timedelta(hours=1), usegmt=True)}, 1),
        ({}, 30),
        ({"retry-after": "soon"}, 30),
    ],
)
def test_throttling_is_honoured_for_the_whole_account(status, headers, least, lines):
    clock, budget = Clock(), FreeBudget()
    handle, seen = scripted(httpx2.Response(status, headers=headers, text="Rate limit exceeded"), GOOD)
    wistia = client(handle, clock=clock, budget=budget)
    assert len(fetch(wistia).records) == 3
    assert len(seen) == budget.reserved == 2
    assert budget.pauses == [least]
    assert [s for s in clock.sleeps if least <= s <= least + 1] == clock.sleeps
    assert (wistia.stats.requests, wistia.stats.retries, wistia.stats.throttled) == (2, 1, 1)
    assert wistia.stats.seconds_slept == sum(clock.sleeps)
    assert [line["log_level"] for line in lines] == ["info", "warning", "debug"]
    assert lines[1]["event"] == f"Can't reach Wistia, retry 1/9 in {round(clock.sleeps[0])} s"
    assert lines[0]["dataset"] == "events"
    assert lines[0]["media_id"] == "m1"
    assert lines[0]["day"] == "2026-09-01"
    assert lines[0]["status"] == status


def test_requests_that_wait_together_say_so_once():
    class Still(Clock):
        async def sleep(self, seconds):
            await asyncio.sleep(0)

    clock = Still()
    handle, _ = scripted(*[httpx2.Response(429, headers={"retry-after": "40"})] * 3, *[GOOD] * 3)

    async def both(c):
        return await asyncio.gather(*(c.fetch(EVENTS, media, DAY, DAY) for media in ("m1", "m2", "m3")))

    with capture_logs() as lines:
        run(client(handle, clock=clock), both)
    assert [line["retry"] for line in lines if line["log_level"] == "warning"] == [1]


DOWN = httpx2.Response(503, json={"error": "Analytics service is temporarily unavailable"})
OPTIONAL = [s.name for s in SOURCES if s.optional]


def nothing(name):
    """An answer without records."""
    return httpx2.Response(200, json={"data": [], "page_info": {}} if name == "conversions" else [])


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize(("headers", "least"), [({}, 1), ({"retry-after": "9"}, 9)])
def test_an_optional_dataset_that_is_down_stops_nobody_else(name, headers, least):
    clock, budget = Clock(), FreeBudget()
    handle, seen = scripted(httpx2.Response(503, headers=headers), nothing(name))
    wistia = client(handle, clock=clock, budget=budget)
    assert fetch(wistia, name).records == []
    assert len(seen) == 1 + (len(source(name).dimensions) or 1)
    assert budget.pauses == []
    assert wistia.stats.throttled == 0
    assert [s for s in clock.sleeps if least <= s <= least + 1] == clock.sleeps != []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_the_account_s_totals_are_asked_for_once_and_stop_nobody_else(status):
    clock, budget = Clock(), FreeBudget()
    handle, seen = scripted(httpx2.Response(status, headers={"retry-after": "9"}))
    with pytest.raises(SourceUnavailable, match=f"/stats/account/by_date.* {status} "):
        run(
            client(handle, clock=clock, budget=budget), lambda c: c.account_days(DAY, DAY + timedelta(days=6))
        )
    assert [dict(r.url.params) for r in seen] == [{"start_date": "2026-09-01", "end_date": "2026-09-07"}]
    assert (budget.pauses, clock.sleeps) == ([], [])


@pytest.mark.parametrize("name", OPTIONAL)
def test_too_many_requests_are_too_many_for_optional_datasets_too(name):
    clock, budget = Clock(), FreeBudget()
    handle, _ = scripted(httpx2.Response(429, headers={"retry-after": "7"}), nothing(name))
    assert fetch(client(handle, clock=clock, budget=budget), name).records == []
    assert budget.pauses == [7]


def test_a_look_at_analytics_by_hand_stops_nobody_else():
    budget = FreeBudget()
    handle, _ = scripted(DOWN, httpx2.Response(200, json=[]))
    run(client(handle, budget=budget), lambda c: c.page("/analytics/medias/m1/timeseries"))
    assert budget.pauses == []


def test_an_optional_dataset_that_stays_down_is_waited_for_once():
    """A thousand media would wait for minutes each, for what the day's numbers can do without."""
    clock, asked = Clock(), []

    def handle(request):
        asked.append(request.url.path)
        return DOWN if clock.now < 2000 else httpx2.Response(200, json=[])

    async def story(wistia):
        for media in ("m1", "m2", "m3"):
            with pytest.raises(SourceUnavailable):
                await wistia.fetch(source("analytics_daily"), media, DAY, DAY)
        clock.now = 2000.0
        await wistia.fetch(source("analytics_daily"), "m4", DAY, DAY)
        clock.now = 1500.0
        with pytest.raises(SourceUnavailable):
            await wistia.fetch(source("analytics_daily"), "m5", DAY, DAY)

    run(client(handle, clock=clock), story)
    tries = [sum(f"/m{n}/" in path for path in asked) for n in range(1, 6)]
    assert tries == [10, 1, 1, 1, 10]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.Response(500, json={"error": "Internal server error"}),
        httpx2.Response(502, html="<html>bad gateway</html>"),
        httpx2.Response(504, html="<html>time-out</html>"),
        httpx2.Response(408),
        httpx2.ReadTimeout("slow"),
        httpx2.ConnectError("refused"),
        httpx2.ReadError("reset by peer"),
        httpx2.RemoteProtocolError("peer closed connection"),
        TimeoutError(),
    ],
    ids=lambda t: str(t.status_code) if isinstance(t, httpx2.Response) else type(t).__name__,
)
def test_what_may_pass_is_tried_for_more_than_a_minute(trouble):
    clock = Clock()
    handle, seen = scripted(trouble)
    with pytest.raises(SourceUnavailable, match="/stats/events") as caught:
        fetch(client(handle, clock=clock))
    assert 60 < clock.now - 1000 <= MAX_RETRY_SECONDS
    assert len(seen) == 10
    assert caught.value.__context__ is None
    assert all(a < b for a, b in zip(clock.sleeps[:5], clock.sleeps[1:6], strict=True))


def test_one_hiccup_costs_a_second():
    clock = Clock()
    handle, _ = scripted(httpx2.Response(500), GOOD)
    assert fetch(client(handle, clock=clock)).requests == 2
    assert 1 <= sum(clock.sleeps) <= 2


def test_patience_ends_before_a_wait_that_is_too_long():
    clock = Clock()
    budget = FreeBudget()
    handle, seen = scripted(httpx2.Response(429, headers={"retry-after": "360000000"}))
    with pytest.raises(SourceUnavailable, match="asks to wait 360000000 s"):
        fetch(client(handle, clock=clock, budget=budget))
    assert len(seen) == 1
    assert budget.pauses == [MAX_RETRY_SECONDS]
    assert clock.sleeps == []


def test_a_stream_of_refusals_ends_within_the_patience():
    clock = Clock()
    handle, _ = scripted(httpx2.Response(429, headers={"retry-after": "60"}))
    with pytest.raises(SourceUnavailable):
        fetch(client(handle, clock=clock))
    assert 180 < clock.now - 1000 <= MAX_RETRY_SECONDS


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (httpx2.Response(401, json={"code": "unauthorized_credentials", "error": "Invalid credentials."}),
         SourceRefused, "create a new one"),
        (httpx2.Response(401, json={"code": "unauthorized_scope"}), SourceRefused, "Read detailed stats"),
        (httpx2.Response(401, json={"code": "account_inactive"}), SourceRefused, "reactivate"),
        (httpx2.Response(401, html="<html>no</html>"), SourceRefused, "an HTML page"),
        (httpx2.Response(401, content=b"[" * 100_000), SourceRefused, "create a new one"),
        (httpx2.Response(403, json={"error": "Not on your plan"}), SourceRefused, "plan"),
        (httpx2.Response(400, json={"error": "Bad request"}), SourceChanged, "start_date=2026-09-01"),
        (httpx2.Response(422, json={"error": "invalid"}), SourceChanged, "/stats/events"),
        (httpx2.Response(302, headers={"location": f"https://evil.example/x?t={CANARY}"}),
         ConfigError, "redirects to evil.example;"),
        (httpx2.Response(301, headers={"location": "http://[bad"}), ConfigError, "redirects"),
    ],
)  # fmt: skip
def test_what_stops_at_once(response, error, words):
    clock = Clock()
    handle, seen = scripted(response)
    with pytest.raises(error, match=words.replace(".", r"\.")) as caught:
        fetch(client(handle, clock=clock))
    assert len(seen) == 1
    assert clock.sleeps == []
    assert CANARY not in str(caught.value)


def test_the_cure_names_the_permission_of_the_path():
    handle, _ = scripted(httpx2.Response(401, json={"code": "unauthorized_scope"}))
    with pytest.raises(SourceRefused, match="Read all folder and media data"):
        run(client(handle), lambda c: c.list_media())


@pytest.mark.parametrize(
    "name", ["events", "media_by_date", "media_metadata", "media_stats", "media_engagement"]
)
def test_a_media_that_is_gone_is_missing(name):
    handle, _ = scripted(httpx2.Response(404))
    listing = fetch(client(handle), name)
    assert listing.missing
    assert (listing.records, listing.pages, listing.requests) == ([], 0, 1)


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_dataset_that_is_not_there(name):
    handle, _ = scripted(httpx2.Response(404))
    with pytest.raises(SourceMissing, match=f"{name}: dataset unavailable") as caught:
        fetch(client(handle), name)
    assert caught.value.__context__ is None


def test_parameters_by_hand_are_a_matter_of_configuration():
    handle, _ = scripted(httpx2.Response(400, json={"error": "bad"}))
    with pytest.raises(ConfigError, match=r"search=\*\*\*") as caught:
        run(client(handle), lambda c: c.page("/stats/visitors", {"search": "someone@example.com"}))
    assert "someone" not in str(caught.value)


def test_cancelling_is_not_retried():
    async def main(c):
        task = asyncio.ensure_future(c.fetch(EVENTS, "m1", DAY, DAY))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    class Hanging(httpx2.AsyncBaseTransport):
        asked = 0

        async def handle_async_request(self, request):
            self.asked += 1
            await asyncio.Event().wait()

    hanging = Hanging()
    run(client(hanging), main)
    assert hanging.asked == 1


# --- the budget ---


def test_each_request_waits_for_its_turn():
    class Paced(FreeBudget):
        def reserve(self, requests=1):
            super().reserve(requests)
            return 0.25

    clock, budget = Clock(), Paced()
    handle, seen = scripted(GOOD)
    fetch(client(handle, clock=clock, budget=budget))
    assert clock.sleeps == [0.25] * len(seen)


def test_a_place_from_before_a_pause_is_given_up():
    """Whoever waited for its turn when Wistia said stop asks for a new turn instead of running into a 429."""

    class Slow(FreeBudget):
        def reserve(self, requests=1):
            super().reserve(requests)
            return 0.01 * self.reserved if not self.pauses else 5.0

    async def both(c):
        return await asyncio.gather(*(c.fetch(EVENTS, "m1", DAY, DAY) for _ in range(3)))

    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        for _ in range(int(seconds * 1000)):
            await asyncio.sleep(0)

    budget = Slow()
    handle, seen = scripted(httpx2.Response(429, headers={"retry-after": "2"}), GOOD)
    wistia = client(handle, budget=budget)
    wistia._sender._sleep = sleep
    run(wistia, both)
    assert budget.pauses == [2.0]
    assert len(seen) == 4
    assert budget.reserved == 3 + 2 + 1  # two gave up their places, one was turned away


def test_no_more_requests_at_once_than_allowed():
    class Counting(httpx2.AsyncBaseTransport):
        now = most = 0

        async def handle_async_request(self, request):
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.001)
            self.now -= 1
            return httpx2.Response(200, json=events(2))

    async def many(c):
        await asyncio.gather(*(c.fetch(EVENTS, f"m{n}", DAY, DAY) for n in range(30)))

    counting = Counting()
    run(client(counting, max_concurrency=5), many)
    assert counting.most == 5


# --- words ---


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 5 ", 5.0),
        ("Wed, 02 Sep 2026 08:00:30 GMT", 30.0),
        ("Wed, 02 Sep 2026 08:00:30 -0000", 30.0),
        ("1.5", None),
        ("-3", None),
        ("inf", None),
        ("99999999999999", None),
        ("Mon, 99999999999 Jan 2024 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_forms(value, seconds):
    assert retry_after(value, datetime(2026, 9, 2, 8, tzinfo=UTC)) == seconds
