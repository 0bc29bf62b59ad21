"""The real client against the simulator: whatever goes wrong on the way, the listing is the truth."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from support.some import some
from unit.wistia.fakes import CANARY, Clock, client, run
from wistia_simulator import (
    Chance,
    Fault,
    FaultPlan,
    Nth,
    Profile,
    ServerOptions,
    World,
    create_app,
    transport,
)
from wistlake.contracts import SOURCES, source
from wistlake.errors import ConfigError, SourceChanged, SourceMissing, SourceRefused, SourceUnavailable
from wistlake.wistia.endpoints import ENDPOINTS

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 18)
EVENTS, VISITORS = source("events"), source("visitors")
UNLIMITED = ServerOptions(token=CANARY, rate_limit_per_minute=None)
BASES = ["https://api.wistia.com/modern", "https://api.wistia.com/v1"]


@pytest.fixture(autouse=True)
def lines():
    with capture_logs() as collected:
        yield collected


def world(profile=None, **changes):
    base = {"history_days": 5, "sessions_per_day": 260.0} | changes
    return World(3, replace(profile or Profile.calm(), **base), NOW)


def client_of(subject, *faults, options=UNLIMITED, clock=None, **connection):
    app = create_app(subject, options, FaultPlan(5, faults))
    return client(transport(app), clock=clock, **connection), app


def fetch(subject, *faults, which=EVENTS, media=0, day=DAY, **more):
    wistia, app = client_of(subject, *faults, **more)
    listing = run(wistia, lambda c: c.fetch(which, subject.media_ids[media], day, day))
    return listing, app


def truth(subject, media=0, day=DAY):
    """Every row that listing the day should give, by key."""
    sessions = subject.truth.sessions(subject.media_ids[media], day, day)
    return sorted(s.event_key for s in sessions for _ in range(1 + s.listed_twice))


def keys(listing):
    return sorted(r["event_key"] for r in listing.records)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("which", SOURCES, ids=lambda s: s.name)
def test_every_dataset_of_both_apis(base, which):
    subject = world(lead_share=0.5)
    if ENDPOINTS[which.name].dated_only and base.endswith("/v1"):
        with pytest.raises(ConfigError, match="dated API"):
            fetch(subject, which=which, base_url=base)
        return
    listing, _ = fetch(subject, which=which, base_url=base)
    assert listing.records
    assert not listing.missing
    assert set(which.key) <= set(listing.records[0])


@pytest.mark.parametrize("concurrency", [1, 2, 16])
@pytest.mark.parametrize("profile", [Profile.calm(), Profile.hostile()], ids=["calm", "hostile"])
def test_a_day_of_several_pages_is_the_truth(profile, concurrency):
    subject = world(profile)
    listing, _ = fetch(subject, max_concurrency=concurrency)
    assert len(listing.records) > 200
    assert keys(listing) == truth(subject)


@pytest.mark.parametrize(
    "kind",
    ["http500", "http502", "http503", "http504", "reset", "truncated", "html200", "hang", "rate_limited"],
)
@pytest.mark.parametrize("nth", [(1,), (2, 3), (4, 5, 6)])
def test_faults_that_pass_change_nothing(kind, nth):
    subject = world()
    delay = 90.0 if kind == "hang" else None
    listing, app = fetch(subject, Fault(kind, when=Nth(*nth), seconds=delay))
    assert keys(listing) == truth(subject)
    assert app.state.injected[kind] == len(nth)
    assert listing.requests == app.state.requests["events"]


def test_everything_at_once():
    subject = world(Profile.hostile())
    kinds = ("http500", "http502", "http503", "reset", "truncated", "html200", "rate_limited")
    listing, app = fetch(subject, *(Fault(kind, when=Chance(0.08)) for kind in kinds))
    assert keys(listing) == truth(subject)
    assert app.state.injected.total() > 0


@pytest.mark.parametrize("form", ["seconds", "date", "none"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_burst_of_refusals_in_every_form(form, status):
    subject, clock = world(), Clock()
    options = replace(UNLIMITED, rate_limit_status=status)
    clock.wall = lambda: NOW + timedelta(seconds=clock.now - 1000)
    burst = Fault("rate_limited", when=Nth(2), length=3, seconds=4.0, retry_after=form)
    listing, _ = fetch(subject, burst, options=options, clock=clock)
    assert keys(listing) == truth(subject)
    assert sum(clock.sleeps) >= (30 if form == "none" else 4)


@pytest.mark.parametrize("kind", ["drift_insert", "drift_delete"])
@pytest.mark.parametrize("page", [1, 2])  # among the later pages
@pytest.mark.parametrize("which", [EVENTS, VISITORS], ids=lambda s: s.name)
def test_drift_is_seen_and_cured(kind, page, which):
    subject = world()
    key = which.key[0]
    still, _ = fetch(subject, which=which)
    moved, app = fetch(subject, Fault(kind, when=Nth(page)), which=which)
    assert app.state.injected[kind] == 1
    assert sorted(r[key] for r in moved.records) == sorted(r[key] for r in still.records)
    assert still.walk["drifted"] == 0
    assert moved.walk["drifted"] == 1
    assert moved.walk["restarts"] == 1


def test_drift_in_every_walk_is_no_listing():
    with pytest.raises(SourceUnavailable, match="moved during each"):
        fetch(world(), Fault("drift_delete", when=Nth(*range(1, 100))), max_concurrency=1)


def test_a_page_that_repeats_for_ever():
    with pytest.raises(SourceChanged, match=r"/stats/events: page 3 repeats page 2"):
        fetch(world(), Fault("repeated_page", when=Nth(2)), max_concurrency=1)


def test_a_token_that_is_revoked_on_the_way():
    with pytest.raises(SourceRefused, match="create a new one"):
        fetch(world(), Fault("token_revoked", when=Nth(2)))


def test_a_redirect_goes_nowhere():
    with pytest.raises(ConfigError, match=r"elsewhere\.example\.net"):
        fetch(world(), Fault("redirect"))


def test_a_server_that_stays_down():
    clock = Clock()
    with pytest.raises(SourceUnavailable):
        fetch(world(), Fault("http502"), clock=clock)
    assert 60 < clock.now - 1000 < 301


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (replace(UNLIMITED, token="another"), SourceRefused, "create a new one"),
        (replace(UNLIMITED, scopes=frozenset({"media:read"})), SourceRefused, "Read detailed stats"),
        (replace(UNLIMITED, plan_allows_stats=False), SourceRefused, "plan"),
    ],
)
def test_a_token_that_may_not(options, error, words):
    with pytest.raises(error, match=words):
        fetch(world(), options=options)
    wistia, _ = client_of(world(), options=options)
    with pytest.raises(error, match=words):
        run(wistia, lambda c: c.probe())


def test_an_account_without_analytics():
    with pytest.raises(SourceMissing, match="dataset unavailable"):
        fetch(world(analytics=False), which=source("analytics_daily"))


@pytest.mark.parametrize("name", ["media_metadata", "media_stats", "media_engagement", "media_by_date"])
def test_a_media_that_is_not_there(name):
    wistia, _ = client_of(world())
    assert run(wistia, lambda c: c.fetch(source(name), "nosuchmedia", DAY, DAY)).missing


@pytest.mark.parametrize("base", BASES)
def test_media_list(base):
    subject = world(media=230, sessions_per_day=0.0)
    wistia, _ = client_of(subject, base_url=base)
    assert sorted(m["hashed_id"] for m in run(wistia, lambda c: c.list_media())) == sorted(subject.media_ids)


def test_basic_is_still_spoken():
    subject = world(basic_auth=True)
    listing, _ = fetch(subject, auth="basic")
    assert keys(listing) == truth(subject)


def test_many_fetches_at_once_under_a_limit_of_the_server():
    """The server allows 100 a minute and the budget does not know it: 429 are cured, and nothing is lost."""
    subject, clock = world(sessions_per_day=40.0, media=10, history_days=20), Clock()
    options = replace(UNLIMITED, rate_limit_per_minute=100, monotonic=clock.monotonic)
    wistia, app = client_of(subject, options=options, clock=clock)
    days = [DAY - timedelta(days=n) for n in range(15)]

    async def all_of_them(c):
        wanted = [(m, d) for m in subject.media_ids for d in days]
        return wanted, await asyncio.gather(*(c.fetch(EVENTS, m, d, d) for m, d in wanted))

    wanted, listings = run(wistia, all_of_them)
    for (media, day), listing in some(zip(wanted, listings, strict=True)):
        assert keys(listing) == sorted(s.event_key for s in subject.truth.sessions(media, day, day))
    assert wistia.stats.throttled > 0
    assert wistia.stats.requests == app.state.requests["events"]
