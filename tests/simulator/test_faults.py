"""Each kind of fault, when it happens, and that it is counted."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from simulator.support import BEARER, NOW, UNLIMITED, app_of, fetch, get, walk, world
from support.some import some
from wistia_simulator import Always, Chance, During, Fault, FaultPlan, Nth, transport

MEDIAS = "/v1/medias"
EVENTS = "/v1/stats/events?start_date=2026-11-18&end_date=2026-11-18"


@pytest.fixture(scope="module")
def subject():
    return world()


def with_faults(subject, *faults, seed=0, **options):
    return app_of(subject, replace(UNLIMITED, **options), FaultPlan(seed, faults))


def statuses(app, *paths):
    return [response.status_code for response in fetch(app, *paths)]


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("http500", 500, "application/json"),
        ("http502", 502, "text/html"),
        ("http503", 503, "text/html"),
        ("http504", 504, "text/html"),
        ("html200", 200, "text/html"),
        ("rate_limited", 429, "text/plain"),
        ("token_revoked", 401, "application/json"),
        ("redirect", 302, ""),
    ],
)
def test_answers_in_place_of_the_endpoints(subject, kind, status, content):
    app = with_faults(subject, Fault(kind, "medias", Nth(1)))
    response = fetch(app, MEDIAS)[0]
    assert response.status_code == status
    assert response.headers.get("content-type", "").startswith(content)
    assert app.state.injected == {kind: 1}


@pytest.mark.parametrize(
    ("kind", "error"), [("reset", httpx2.ReadError), ("truncated", httpx2.RemoteProtocolError)]
)
def test_broken_connections_raise_what_a_network_would(subject, kind, error):
    app = with_faults(subject, Fault(kind, when=Nth(1)))
    with pytest.raises(error):
        fetch(app, MEDIAS)
    assert statuses(app, MEDIAS) == [200]

    async def without_resets():
        quiet = transport(with_faults(subject, Fault(kind)), raise_resets=False)
        async with httpx2.AsyncClient(transport=quiet, base_url="https://api.wistia.com") as client:
            return (await client.get(MEDIAS, headers=BEARER)).status_code

    assert asyncio.run(without_resets()) == 502


def test_delays_hit_the_clients_own_timeout_without_waiting(subject):
    app = with_faults(subject, Fault("hang", when=Nth(1, 2)))
    with pytest.raises(httpx2.ReadTimeout):
        fetch(app, MEDIAS, timeout=30.0)
    assert fetch(app, MEDIAS, timeout=60.0)[0].status_code == 200
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    slow = with_faults(subject, Fault("slow_first_page", "events"), sleep=sleep)
    assert statuses(slow, EVENTS, f"{EVENTS}&page=2", f"{EVENTS}&page=1") == [200] * 3
    assert slept == [16.0, 16.0]
    with pytest.raises(httpx2.ReadTimeout):
        fetch(slow, EVENTS, timeout=10.0)


def test_a_burst_of_429_on_any_route_with_three_kinds_of_retry_after(subject):
    app = with_faults(subject, Fault("rate_limited", "medias", Nth(2), length=3, seconds=7))
    assert statuses(app, MEDIAS, MEDIAS, EVENTS, EVENTS, EVENTS) == [200, 429, 429, 429, 200]
    assert app.state.injected == {"rate_limited": 3}
    seconds, until, none = (
        fetch(with_faults(subject, Fault("rate_limited", seconds=7, retry_after=style)), MEDIAS)[0].headers
        for style in ("seconds", "date", "none")
    )
    assert seconds["retry-after"] == "7"
    assert parsedate_to_datetime(until["retry-after"]) == NOW + timedelta(seconds=7)
    assert "retry-after" not in none


def test_a_token_is_revoked_in_mid_walk(subject):
    paths = [f"{EVENTS}&page={page}" for page in (1, 2, 3, 4)]
    revoked = with_faults(subject, Fault("token_revoked", "events", Nth(3)))
    assert statuses(revoked, *paths) == [200, 200, 401, 401]
    healed = with_faults(subject, Fault("token_revoked", "events", Nth(2), length=1))
    assert statuses(healed, *paths) == [200, 401, 200, 200]


def test_a_page_is_repeated_for_ever(subject):
    app = with_faults(subject, Fault("repeated_page", "events", Nth(2)))
    pages = [get(app, f"{EVENTS}&page={page}") for page in range(1, 8)]
    assert pages[1] != pages[0]
    assert all(page == pages[1] for page in some(pages[2:]))
    assert get(app, f"{EVENTS}&per_page=20&page=3") != pages[1]


@pytest.mark.parametrize(("kind", "repeated", "missed"), [("drift_insert", 1, 0), ("drift_delete", 0, 1)])
def test_the_list_drifts_between_two_pages_and_is_whole_in_the_next_walk(kind, repeated, missed):
    subject = world(duplicated=0.0)
    app = with_faults(subject, Fault(kind, "events", Nth(2)))
    walks = [[row["event_key"] for row in walk(app, EVENTS, 20)] for _ in range(2)]
    assert len(walks[0]) - len(set(walks[0])) == repeated
    assert len(set(walks[1]) - set(walks[0])) == missed
    clean = [row["event_key"] for row in walk(app_of(subject), EVENTS, 20)]
    assert walks[1] == clean


def test_when_and_how_often(subject):
    window = During(NOW, NOW + timedelta(hours=1))
    app = with_faults(subject, Fault("http500", "medias", window, max_times=2))
    assert statuses(app, *[MEDIAS] * 3, EVENTS) == [500, 500, 200, 200]
    later = world(now=NOW + timedelta(hours=1))
    assert statuses(with_faults(later, Fault("http500", when=window)), MEDIAS) == [200]
    assert statuses(with_faults(subject, Fault("http500", "events", Always())), MEDIAS, EVENTS) == [200, 500]


def test_chance_is_reproducible_and_keyed_by_the_route(subject):
    def outcome(paths, seed=0):
        return statuses(with_faults(subject, Fault("http502", when=Chance(0.3)), seed=seed), *paths)

    alone = outcome([MEDIAS] * 40)
    assert alone == outcome([MEDIAS] * 40)
    assert alone != outcome([MEDIAS] * 40, seed=1)
    assert 4 < alone.count(502) < 20
    assert outcome([MEDIAS, EVENTS] * 40)[::2] == alone


def test_plans_from_names_and_files(tmp_path):
    assert FaultPlan.named("none").faults == ()
    assert len(FaultPlan.named("hostile").faults) > 5
    with pytest.raises(ValueError, match="unknown fault plan"):
        FaultPlan.named("evil")
    with pytest.raises(ValueError, match="unknown kind"):
        Fault("explosion")
    path = tmp_path / "faults.json"
    path.write_text(
        '{"seed": 3, "faults": [{"kind": "http503", "route": "events", "when": {"chance": 0.1}},'
        '{"kind": "reset", "when": {"nth": [2, 4]}, "max_times": 1}, {"kind": "hang"},'
        '{"kind": "http500", "when": {"during": ["2026-11-20T00:00+00:00", "2026-11-21T00:00+00:00"]}}]}'
    )
    plan = FaultPlan.from_json(path)
    assert plan.seed == 3
    assert plan.faults[0] == Fault("http503", "events", Chance(0.1))
    assert plan.faults[1] == Fault("reset", when=Nth(2, 4), max_times=1)
    assert isinstance(plan.faults[2].when, Always)
    path.write_text('{"faults": [{"kind": "hang", "when": {"sometimes": 1}}]}')
    with pytest.raises(ValueError, match="not understood"):
        FaultPlan.from_json(path)


def test_a_list_is_empty_once_for_one_media(subject):
    first, second = subject.media_ids[:2]
    app = with_faults(subject, Fault("empty_list", "events", Nth(2), media=first))
    paths = [f"/v1/stats/events?media_id={media}" for media in (first, second, second, first, first)]
    rows = [len(get(app, path)) for path in paths]
    assert rows == [10, 10, 10, 0, 10]
    assert app.state.injected == {"empty_list": 1}


def test_a_unit_changes_while_the_clock_stands_in_a_day(subject):
    path = f"/v1/stats/events?media_id={subject.media_ids[0]}&per_page=100"
    day = During(NOW, NOW + timedelta(days=1))
    scaled = get(with_faults(subject, Fault("scaled_percent", "events", day)), path)
    rows = get(app_of(subject), path)
    assert [row["percent_viewed"] for row in scaled] == [100 * row["percent_viewed"] for row in rows]
    assert {max(row["percent_viewed"] for row in rows), max(row["percent_viewed"] for row in scaled)} == {
        1,
        100,
    }
    assert [row["event_key"] for row in scaled] == [row["event_key"] for row in rows]
    assert statuses(with_faults(subject, Fault("scaled_percent", "events")), f"{path}&start_date=x") == [422]


def test_a_media_is_deleted_before_its_list_is_answered_and_stays_away():
    subject = world()
    media, other = subject.media_ids[:2]
    listed, asked = len(get(app_of(subject), f"/v1/stats/events?media_id={media}")), subject.clock.now()
    app = with_faults(subject, Fault("media_deleted", "events", Nth(1), media=media))
    assert get(app, f"/v1/medias/{media}")["hashed_id"] == media
    assert len(get(app, f"/v1/stats/events?media_id={other}")) == 10
    assert get(app, f"/v1/stats/events?media_id={media}") == []
    gone = [f"/v1/medias/{media}", f"/v1/stats/medias/{media}", f"/v1/stats/medias/{media}/by_date"]
    assert statuses(app, *gone, *gone) == [404] * 6
    assert [row["hashed_id"] for row in get(app, "/v1/medias")] == [other]
    assert {row["media_id"] for row in get(app, "/v1/stats/events?per_page=100")} == {other}
    assert sum(folder["mediaCount"] for folder in get(app, "/v1/projects")) == 1
    # Whatever was asked for in this second was there.
    assert len(subject.truth.sessions(media, at=asked)) > listed == 10
    subject.advance(timedelta(days=1))
    assert statuses(app_of(subject), *gone) == [404] * 3
    assert subject.truth.sessions(media) == []
    assert {media.media_id for media in subject.truth.medias()} == {other}


def test_faults_that_need_a_list_or_a_media_hit_nothing_else(subject):
    lists = Fault("empty_list")
    assert [lists.fits(route, page) for route, page in (("events", 1), ("by_date", None))] == [True, False]
    deleted = Fault("media_deleted")
    assert [deleted.fits("medias", 1), deleted.fits("by_date", None, "m1")] == [False, True]
    assert [Fault("scaled_percent").fits(route, 1) for route in ("events", "visitors")] == [True, False]
    named = Fault("http500", media="m1")
    assert [named.fits("events", 1, media) for media in ("m1", "m2", None)] == [True, False, False]
