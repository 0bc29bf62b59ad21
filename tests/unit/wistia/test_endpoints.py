"""What each dataset asks for, byte for byte."""

from datetime import date

import httpx2
import pytest

from unit.wistia.fakes import DAY, client, run, scripted
from wistlake.contracts import SOURCES, source
from wistlake.contracts.breakdowns import TRAFFIC
from wistlake.errors import ConfigError, SourceChanged, SourceMissing, SourceNotInPlan, SourceRefused
from wistlake.wistia.endpoints import ENDPOINTS

LATER = date(2026, 9, 3)
NOTHING = httpx2.Response(200, json=[])
OBJECTS = {
    "media_metadata": {"hashed_id": "m1", "id": 1, "name": "n", "type": "Video"},
    "media_stats": {
        "load_count": 1, "play_count": 1, "play_rate": 1, "hours_watched": 1, "engagement": 1, "visitors": 1,
    },
    "media_engagement": {"engagement": 0.5, "engagement_data": [1], "rewatch_data": [0]},
}  # fmt: skip
WANTED = {
    "events": "/stats/events?media_id=m1&start_date=2026-09-01&end_date=2026-09-03&per_page=100&page=1",
    "media_by_date": "/stats/medias/m1/by_date?start_date=2026-09-01&end_date=2026-09-03",
    "media_stats": "/stats/medias/m1",
    "media_engagement": "/stats/medias/m1/engagement",
    "media_metadata": "/medias/m1",
    "visitors": "/stats/visitors?per_page=100&page=1",
    "analytics_daily": "/analytics/medias/m1/timeseries"
    "?start_date=2026-09-01&end_date=2026-09-04&granularity=daily",
    "traffic_daily": "/analytics/medias/m1/traffic"
    "?start_date=2026-09-01&end_date=2026-09-04&per_page=100&group_by=utm_source",
    "conversions": "/analytics/medias/m1/conversions?start_date=2026-09-01&end_date=2026-09-04&per_page=100",
    "languages_daily": "/analytics/medias/m1/languages?start_date=2026-09-01&end_date=2026-09-04&per_page=100",
    "embed_locations_daily": "/analytics/medias/m1/embed_locations_timeseries"
    "?start_date=2026-09-01&end_date=2026-09-04&granularity=daily&per_page=100",
}


def test_every_source_has_an_endpoint():
    assert set(ENDPOINTS) == {s.name for s in SOURCES} == set(WANTED)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_request(name):
    answer = httpx2.Response(200, json=OBJECTS[name]) if name in OBJECTS else NOTHING
    if name == "conversions":
        answer = httpx2.Response(200, json={"data": [], "page_info": {"has_next_page": False}})
    each = len(source(name).dimensions) or 1
    handle, seen = scripted(*[answer] * each)
    listing = run(client(handle), lambda c: c.fetch(source(name), "m1", DAY, LATER))
    assert str(seen[0].url) == f"https://api.wistia.com/modern{WANTED[name]}"
    assert seen[0].headers["X-Wistia-API-Version"] == "2026-09"
    assert seen[0].headers["Authorization"].startswith("Bearer ")
    assert listing.records == ([OBJECTS[name]] if name in OBJECTS else [])
    assert listing.requests == len(seen) == each
    assert listing.api == {"base": "https://api.wistia.com/modern", "version": "2026-09"}
    assert "page" not in listing.request["params"]


def forms(first, last, cursor, **info):
    rows = [
        {"email": f"{n}@example.com", "converted_at": f"2026-09-01T10:00:{n:02}.000Z"}
        for n in range(first, last)
    ]
    return httpx2.Response(200, json={"data": rows, "page_info": {"end_cursor": cursor, **info}})


def test_forms_are_read_by_cursor_to_the_last_page():
    handle, seen = scripted(forms(0, 3, "c3", has_next_page=True), forms(3, 5, "c5", has_next_page=False))
    listing = run(client(handle), lambda c: c.fetch(source("conversions"), "m1", DAY, DAY))
    assert [r["email"][0] for r in listing.records] == list("01234")
    assert [r.url.params.get("cursor") for r in seen] == [None, "c3"]
    assert (listing.pages, listing.walk["terminal"]) == (2, "last page")


@pytest.mark.parametrize(
    "second", [forms(0, 3, "c3", has_next_page=True), forms(3, 5, None, has_next_page=True), NOTHING]
)
def test_forms_that_never_end_are_a_change_of_the_source(second):
    handle, _ = scripted(forms(0, 3, "c3", has_next_page=True), second, second)
    with pytest.raises(SourceChanged):
        run(client(handle), lambda c: c.fetch(source("conversions"), "m1", DAY, DAY))


def test_a_breakdown_has_a_request_for_each_dimension_and_says_which():
    answers = [httpx2.Response(200, json=[{d: "x", "loads": 2, "plays": 1}]) for d in TRAFFIC.dimensions]
    handle, seen = scripted(*answers)
    listing = run(client(handle), lambda c: c.fetch(TRAFFIC, "m1", DAY, DAY))
    assert [r.url.params["group_by"] for r in seen] == list(TRAFFIC.dimensions)
    assert [(r["group_by"], r[r["group_by"]]) for r in listing.records] == [
        (d, "x") for d in TRAFFIC.dimensions
    ]


def pages(day, *entries):
    return {"timestamp": f"{day} 04:00:00.000Z", "entries": list(entries)}


def page(domain, plays):
    return {"embed_domain": domain, "embed_path": "/", "loads": 9, "plays": plays}


def test_pages_of_many_days_are_one_request_and_each_says_its_day():
    bare = {"timestamp": "2026-09-03 04:00:00.000Z"}
    body = [
        pages("2026-09-01", page("a.example", 4), page(None, 2)),
        pages("2026-09-02"),
        bare,
        {**bare, "entries": None},
    ]
    handle, seen = scripted(httpx2.Response(200, json=body))
    listing = run(client(handle), lambda c: c.fetch(source("embed_locations_daily"), "m1", DAY, LATER))
    assert [(r["timestamp"][:10], r["embed_domain"], r["plays"]) for r in listing.records] == [
        ("2026-09-01", "a.example", 4), ("2026-09-01", None, 2),
    ]  # fmt: skip
    assert not [r for r in listing.records if "entries" in r]
    assert len(seen) == 1


@pytest.mark.parametrize("entries", ["none", {"embed_domain": "a.example"}, [3]])
def test_pages_that_are_no_list_of_objects_are_a_change_of_the_source(entries):
    handle, _ = scripted(httpx2.Response(200, json=[pages("2026-09-01") | {"entries": entries}]))
    with pytest.raises(SourceChanged, match="embed_locations_timeseries: entries"):
        run(client(handle), lambda c: c.fetch(source("embed_locations_daily"), "m1", DAY, DAY))


@pytest.mark.parametrize(
    ("status", "error"), [(403, SourceNotInPlan), (401, SourceRefused), (404, SourceMissing)]
)
def test_a_plan_without_an_optional_dataset_is_told_from_a_token_that_is_refused(status, error):
    handle, _ = scripted(
        httpx2.Response(status, json={"error": "Analytics are not available on your current plan"})
    )
    with pytest.raises(error) as caught:
        run(client(handle), lambda c: c.fetch(TRAFFIC, "m1", DAY, DAY))
    assert type(caught.value) is error
    handle, _ = scripted(httpx2.Response(403, json={"error": "Stats are not available on your current plan"}))
    with pytest.raises(SourceRefused):
        run(client(handle), lambda c: c.fetch(source("events"), "m1", DAY, DAY))


def test_v1_has_the_same_paths_without_a_version():
    handle, seen = scripted(NOTHING)
    wistia = client(handle, base_url="https://api.wistia.com/v1", auth="basic")
    run(wistia, lambda c: c.fetch(source("events"), "m1", DAY, DAY))
    assert str(seen[0].url).startswith("https://api.wistia.com/v1/stats/events?")
    assert "X-Wistia-API-Version" not in seen[0].headers
    assert seen[0].headers["Authorization"].startswith("Basic ")


def test_analytics_needs_the_dated_api():
    handle, seen = scripted(NOTHING)
    with pytest.raises(ConfigError, match="/modern"):
        run(
            client(handle, base_url="https://api.wistia.com/v1"),
            lambda c: c.fetch(source("analytics_daily"), "m1", DAY, DAY),
        )
    assert not seen


@pytest.mark.parametrize("media_id", ["", "../medias", "a/b", "a b", "a?b", "a%2Fb", "\u00e9"])
@pytest.mark.parametrize("name", ["events", "media_stats"])
def test_media_ids_that_could_change_the_path(media_id, name):
    handle, seen = scripted(NOTHING)
    with pytest.raises(ConfigError, match="media id"):
        run(client(handle), lambda c: c.fetch(source(name), media_id, DAY, DAY))
    assert not seen


def test_reversed_days_are_refused():
    handle, seen = scripted(NOTHING)
    with pytest.raises(ConfigError, match="reversed"):
        run(client(handle), lambda c: c.fetch(source("events"), "m1", LATER, DAY))
    assert not seen


def test_account_wide_sources_take_no_media_into_the_path():
    handle, seen = scripted(NOTHING)
    run(client(handle), lambda c: c.fetch(source("visitors"), "_account", DAY, DAY))
    assert "media_id" not in seen[0].url.params


@pytest.mark.parametrize(
    "path", ["stats/events", "/../v1/x", "//evil.example/x", "/a?b=c", "https://x/y", "/"]
)
def test_free_paths_stay_below_the_base(path):
    handle, seen = scripted(NOTHING)
    with pytest.raises(ConfigError, match="path"):
        run(client(handle), lambda c: c.page(path))
    assert not seen
