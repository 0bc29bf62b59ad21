"""Bases, versions, paging, authentication, limits, errors."""

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.support import BEARER, NOW, UNLIMITED, app_of, fetch, get, post, walk, world
from wistia_simulator import MediaChange, Profile, ServerOptions
from wistia_simulator.http.routes import resolve
from wistia_simulator.versions import resolve_release

DAY = "start_date=2026-11-18&end_date=2026-11-18"


@pytest.fixture(scope="module")
def subject():
    return world(media=3)


@pytest.fixture(scope="module")
def app(subject):
    return app_of(subject)


def statuses(app, *paths, headers=BEARER):
    return [response.status_code for response in fetch(app, *paths, headers=headers)]


def test_default_and_largest_page(app):
    assert len(get(app, "/v1/stats/events")) == 10
    assert len(get(app, "/v1/stats/visitors")) == 10
    assert len(get(app, "/v1/stats/events?per_page=500")) == 100
    assert len(get(app, "/v1/stats/events?per_page=0&page=nonsense&what=ever")) == 10
    many = app_of(world(media=120, sessions_per_day=0.0))
    assert len(get(many, "/v1/medias")) == 100
    assert len(get(many, "/v1/medias?page=2")) == 20


def test_a_page_past_the_end_is_an_empty_list(app):
    assert get(app, "/v1/stats/events?page=9999") == []


def test_a_multiple_of_the_page_size_needs_the_empty_page(subject, app):
    total = len(walk(app, "/v1/stats/visitors"))
    size = next(size for size in range(100, 1, -1) if total % size == 0)
    path = f"/v1/stats/visitors?per_page={size}&page="
    assert len(get(app, f"{path}{total // size}")) == size
    assert get(app, f"{path}{total // size + 1}") == []


def test_pages_of_any_size_add_up_to_the_same_list(app):
    path = f"/v1/stats/events?{DAY}"
    assert walk(app, path, 7) == walk(app, path, 100)


def test_both_days_are_included_and_are_utc(app):
    rows = walk(app, "/v1/stats/events?start_date=2026-11-17&end_date=2026-11-18")
    assert {row["received_at"][:10] for row in rows} == {"2026-11-17", "2026-11-18"}
    assert get(app, "/v1/stats/events?start_date=2026-11-18&end_date=2026-11-17") == []


def test_dates_that_are_none(subject, app):
    media = subject.media_ids[0]
    assert get(app, "/v1/stats/events?start_date=2026-11-18T00:00:00Z") == []
    bad = fetch(app, "/v1/stats/events?start_date=18.11.2026", f"/v1/stats/medias/{media}/by_date?end_date=x")
    assert [response.status_code for response in bad] == [422, 422]
    assert list(bad[0].json()) == ["error"]


def test_unknown_medias(app):
    unknown = fetch(
        app,
        "/v1/stats/events?media_id=stranger",
        "/v1/stats/medias/stranger",
        "/v1/stats/medias/stranger/by_date",
        "/v1/stats/events/1733874_x",
        "/v1/stats/visitors/nobody",
        "/v1/medias/stranger.json",
        "/modern/medias/stranger",
    )
    assert [response.status_code for response in unknown] == [200, 404, 404, 404, 404, 404, 404]
    assert {response.content for response in unknown[1:5]} == {b""}
    assert unknown[5].json() == {"error": "Project with ID 'stranger' not found."}
    assert unknown[6].json() == {"error": "Folder with ID 'stranger' not found."}


def test_paths_that_do_not_exist(subject, app):
    media = subject.media_ids[0]
    paths = [f"/v1/medias/{media}/engagement", f"/v1/stats/medias/{media}/visitors", "/v2/medias", "/"]
    assert statuses(app, *paths, f"/v1/analytics/medias/{media}/timeseries") == [404] * 5
    assert resolve("/v1/stats/events.json") is not None
    assert resolve("/modern/stats/events.json") is None


def test_numeric_ids_work(subject, app):
    numeric = subject.truth.medias()[0].numeric_id
    assert get(app, f"/v1/stats/medias/{numeric}") == get(app, f"/v1/stats/medias/{subject.media_ids[0]}")


def test_headers_of_every_answer(app):
    for response in fetch(app, "/v1/medias", "/v1/medias/none"):
        names = {name.lower() for name in response.headers}
        assert {"x-request-id", "x-runtime", "x-envoy-upstream-service-time"} <= names
        assert not names & {"link", "retry-after", "x-total"}
        assert not [name for name in names if "ratelimit" in name]


@pytest.mark.parametrize(
    ("header", "today", "release"),
    [
        (None, date(2026, 11, 20), "2026-09"),
        ("2026-09", date(2026, 11, 20), "2026-09"),
        ("2026-12", date(2026, 11, 20), "2026-09"),
        ("2026-04", date(2026, 11, 20), "2026-03"),
        ("2025-01", date(2026, 11, 20), "2026-01"),
        ("2026-01", date(2027, 1, 5), "2026-03"),
        ("2026-01", date(2030, 1, 1), "2026-09"),
        ("edge", date(2026, 11, 20), "2026-09"),
    ],
)
def test_release_resolution(header, today, release):
    assert resolve_release(header, today) == release


def test_analytics_need_a_release_a_profile_and_parameters(subject):
    path = f"/modern/analytics/medias/{subject.media_ids[0]}/timeseries"
    good = f"{path}?start_date=2026-11-01&end_date=2026-11-05&granularity=daily"
    old = {**BEARER, "X-Wistia-API-Version": "2026-01"}
    app = app_of(subject)
    assert statuses(app, good, path, good.replace("daily", "hourly")) == [200, 400, 400]
    assert statuses(app, good.replace("2026-11-01", "2020-01-01")) == [400]
    assert statuses(app, good, headers=old) == [404]
    assert statuses(app_of(world(analytics=False)), good) == [404]


def test_tokens(subject, app):
    basic = {"Authorization": "Basic " + base64.b64encode(b"api:t0ken").decode()}
    refused = fetch(app, "/v1/medias?api_password=t0ken", headers={})[0]
    assert refused.status_code == 401
    assert refused.text == '{"code":"unauthorized_credentials","error":"Invalid credentials."}'
    assert statuses(app, "/v1/medias", headers={"Authorization": "Bearer other"}) == [401]
    assert statuses(app, "/v1/medias", headers=basic) == [401]
    assert statuses(app_of(subject, replace(UNLIMITED, basic=True)), "/v1/medias", headers=basic) == [200]
    assert statuses(app_of(world(basic_auth=True)), "/v1/medias", headers=basic) == [200]
    anyone = app_of(subject, ServerOptions())
    assert statuses(anyone, "/v1/medias", headers={"Authorization": "Bearer whatever"}) == [200]
    assert statuses(anyone, "/v1/medias", headers={}) == [401]


def test_permissions_and_plan(subject):
    only_medias = app_of(subject, replace(UNLIMITED, scopes=frozenset({"media:read"})))
    first, second = fetch(only_medias, "/v1/medias", "/v1/stats/events")
    assert (first.status_code, second.status_code) == (200, 401)
    assert second.json()["code"] == "unauthorized_scope"
    everything = app_of(subject, replace(UNLIMITED, scopes=frozenset({"all:read"})))
    assert statuses(everything, "/v1/medias", "/v1/stats/events") == [200, 200]
    no_plan = fetch(app_of(subject, replace(UNLIMITED, plan_allows_stats=False)), "/v1/stats/events")[0]
    assert (no_plan.status_code, list(no_plan.json())) == (403, ["error"])


def test_foreign_hosts_are_refused(app):
    assert statuses(app, "/v1/medias", headers={**BEARER, "Host": "evil.example.com"}) == [421]
    for host in ("localhost:8765", "127.0.0.1", "[::1]:99", "testserver"):
        assert statuses(app, "/v1/medias", headers={**BEARER, "Host": host}) == [200]


class Monotonic:
    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds


def test_rate_limit_slides_and_says_when_to_come_back(subject):
    clock = Monotonic()
    limited = app_of(subject, replace(UNLIMITED, rate_limit_per_minute=3, monotonic=clock))
    assert statuses(limited, *["/v1/medias"] * 3) == [200] * 3
    clock.seconds += 20
    refused = fetch(limited, "/v1/medias")[0]
    assert (refused.status_code, refused.text) == (429, "Rate limit exceeded")
    assert refused.headers["content-type"].startswith("text/plain")
    assert refused.headers["retry-after"] == "40"
    clock.seconds += 39.9
    assert statuses(limited, "/v1/medias") == [429]
    clock.seconds += 0.2
    assert statuses(limited, *["/v1/medias"] * 4) == [200, 200, 200, 429]


def test_rate_limit_variants(subject):
    clock = Monotonic()
    options = replace(
        UNLIMITED,
        rate_limit_per_minute=1,
        monotonic=clock,
        rate_limit_status=503,
        retry_after=False,
        rate_limit_window="fixed",
    )
    limited = app_of(subject, options)
    first, second = fetch(limited, "/v1/medias", "/v1/medias")
    assert (first.status_code, second.status_code) == (200, 503)
    assert "retry-after" not in second.headers
    clock.seconds = 1_020.0
    assert statuses(limited, "/v1/medias") == [200]


def test_latency_uses_the_given_sleep(subject):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    fetch(app_of(subject, replace(UNLIMITED, latency_seconds=1.3, sleep=sleep)), "/v1/medias")
    assert slept == [1.3]


def test_cursors_walk_all_medias_once():
    app = app_of(world(media=7, sessions_per_day=0.0))
    for order in ("sort_by=id", "sort_by=created&sort_direction=0"):
        path, names = f"/modern/medias?per_page=3&{order}", []
        rows = get(app, f"{path}&cursor[enabled]=1")
        while rows:
            names += [row["hashed_id"] for row in rows]
            rows = get(app, f"{path}&cursor[after]={rows[-1]['cursor']}")
        assert len(names) == len(set(names)) == 7
    last = get(app, "/modern/medias?cursor[enabled]=1")[-1]
    assert len(get(app, f"/modern/medias?per_page=2&cursor[before]={last['cursor']}")) == 2
    bad = ["sort_by=name&cursor[enabled]=1", "page=2&cursor[enabled]=1", "cursor[after]=%21"]
    assert statuses(app, *(f"/modern/medias?{query}" for query in bad)) == [400] * 3
    assert "cursor" not in get(app, "/modern/medias")[0]


def test_medias_are_filtered_and_sorted():
    app = app_of(world(media=6, sessions_per_day=0.0))
    rows = get(app, "/v1/medias")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    names = [row["name"] for row in get(app, "/v1/medias?sort_by=name&sort_direction=0")]
    assert names == sorted(names, reverse=True)
    assert get(app, f"/v1/medias?name={rows[1]['name']}") == [rows[1]]
    assert get(app, f"/v1/medias?hashed_ids[]={rows[2]['hashed_id']}&hashed_ids[]=x") == [rows[2]]
    assert get(app, "/v1/medias?archived=true") == []
    project = rows[0]["project"]
    in_it = get(app, f"/v1/medias?project_id={project['id']}")
    assert in_it == get(app, f"/v1/medias?project_id={project['hashed_id']}")
    assert {row["project"]["name"] for row in in_it} == {project["name"]}


@pytest.mark.parametrize("as_text", [False, True])
def test_tags_are_objects_with_a_name_or_texts_by_profile(as_text):
    app = app_of(world(media=6, sessions_per_day=0.0, tags_as_text=as_text))
    rows = [*get(app, "/v1/medias"), *get(app, "/modern/medias")]
    tagged = {"paid", "vsl"} if as_text else {"name"}
    assert {name for row in rows for tag in row["tags"] for name in ([tag] if as_text else tag)} == tagged
    names = [[tag if as_text else tag["name"] for tag in row["tags"]] for row in rows]
    paid = get(app, "/v1/medias?tags[]=vsl&tags[]=paid")
    assert len(paid) == sum({"vsl", "paid"} <= set(tags) for tags in names[:6]) == 2
    assert Profile().tags_as_text is Profile.calm().tags_as_text is Profile.described().tags_as_text is False
    assert Profile.hostile().tags_as_text


ODD = (
    "", " ", "é", "²", "٣", "💥", "%00", "%FF%FE", "-1", "0", "+5", "1.5", "1e9", "9" * 30, "9" * 5000, "inf",
    "null", "[]", "{}", "true", "..", "2026-99-99", "0001-01-01", "9999-12-31", "٢٠٢٦-١١-١٩", "a" * 3000,
)  # fmt: skip
LISTS = ("/v1/stats/events", "/v1/stats/visitors", "/v1/medias", "/modern/folders")
PARAMETERS = {
    **dict.fromkeys(LISTS, ("page", "per_page")),
    "/modern/stats/events": ("start_date", "end_date", "media_id", "visitor_key"),
    "/modern/stats/visitors": ("search", "filter"),
    "/modern/stats/medias/{media}/by_date": ("start_date", "end_date"),
    "/modern/medias": (
        "cursor[enabled]", "cursor[after]", "cursor[before]", "sort_by", "sort_direction", "folder_id", "name",
        "type", "hashed_ids[]", "tags[]", "archived",
    ),
    "/v1/projects": ("cursor[after]", "cursor[before]", "sort_by", "hashed_ids[]"),
    "/v1/medias?page=1": ("project_id", "hashed_id"),
    "/modern/stats/account/by_date?start_date=2026-11-18": ("end_date",),
    "/modern/stats/account/by_date?end_date=2026-11-18": ("start_date",),
    "/modern/analytics/medias/{media}/timeseries?granularity=daily&start_date=2026-11-18": ("end_date",),
    "/modern/analytics/medias/{media}/timeseries?granularity=daily&end_date=2026-11-18": ("start_date",),
    "/modern/analytics/medias/{media}/timeseries?start_date=2026-11-18&end_date=2026-11-19": ("granularity",),
}  # fmt: skip


def odd_requests(media):
    for path, names in PARAMETERS.items():
        for name in names:
            mark = "&" if "?" in path else "?"
            yield from (f"{path.format(media=media)}{mark}{name}={value}" for value in ODD)


def test_an_odd_parameter_is_never_an_internal_error(subject, app):
    paths = list(odd_requests(subject.media_ids[0]))
    assert len(paths) > 900
    # Without both days the account's figures are an error 500 by themselves.
    empty = [path for path in paths if "account/by_date" in path and path.endswith(("=", "= "))]
    answered = fetch(app, *(path for path in paths if path not in empty))
    assert {answer.status_code for answer in answered} <= {200, 400, 422}


def test_an_odd_id_is_an_unknown_one(app):
    keys = (
        "²" * 7 + "_" + "a" * 64,
        "٣" * 7 + "_" + "a" * 64,
        "9999999_" + "a" * 64,
        "%FF%FE",
        "é",
        "9" * 5000,
    )
    places = ("stats/events", "stats/visitors", "stats/medias", "stats/projects", "medias", "projects")
    assert set(statuses(app, *(f"/v1/{place}/{key}" for place in places for key in keys))) == {404}


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("cursor", ["é", "²", "💥", "%FF", "aWQ6", "a", "bmFtZToxMg==", "aWQ6MQ=="])
def test_a_cursor_that_is_none_is_a_bad_request(app, name, cursor):
    (answer,) = fetch(app, f"/modern/medias?cursor[{name}]={cursor}")
    assert answer.status_code == 400
    assert list(answer.json()) == ["error", "errors"]


def test_odd_headers_are_refused_or_ignored(subject):
    basic = app_of(subject, replace(UNLIMITED, basic=True))
    for token in ("é", "ÿþ", "YXBp", "YXBpOg==", "/w==", "b3RoZXI6dDBrZW4="):  # the last one: other:t0ken
        assert statuses(basic, "/v1/medias", headers={"Authorization": f"Basic {token}".encode()}) == [401]
    for version in ("٢٠٢٦-01", "9999-12", "0000-01", "2026-1", ""):
        header = {**BEARER, "X-Wistia-API-Version": version.encode()}
        assert statuses(basic, "/modern/medias", headers=header) == [200]


def test_daily_figures_are_asked_for_in_years_that_can_be_computed(subject, app):
    path = f"/v1/stats/medias/{subject.media_ids[0]}/by_date"
    queries = ("start_date=2100-01-01&end_date=2100-01-02", "start_date=1970-01-01&end_date=1970-01-03")
    assert [len(get(app, f"{path}?{query}")) for query in queries] == [2, 3]
    beyond = ("start_date=9999-12-31", "end_date=9999-12-31", "start_date=0001-01-01")
    assert statuses(app, *(f"{path}?{query}" for query in beyond)) == [422] * 3
    assert get(app, "/v1/stats/events?start_date=0001-01-01&end_date=9999-12-31") != []


def test_medias_change_when_the_profile_says_so():
    changes = tuple(
        MediaChange(0, datetime(2026, 11, day, tzinfo=UTC), kind, value)
        for day, kind, value in (
            (12, "rename", "Another name"),
            (13, "retag", ("a", "b")),
            (14, "duration", 99.5),
            (15, "fail_status", None),
            (16, "archive", None),
            (17, "delete", None),
        )
    )
    subject = world(Profile.calm(), changes=changes)
    app, media = app_of(subject), subject.media_ids[0]
    seen = []
    for day in range(11, 18):
        subject.clock.set(datetime(2026, 11, day, 1, tzinfo=UTC))
        response = fetch(app, f"/v1/medias/{media}")[0]
        if response.status_code == 200:
            body = response.json()
            seen.append([body[k] for k in ("name", "tags", "duration", "status", "archived", "updated")])
    assert [row[0] for row in seen[:2]] == ["Lake Tour 1 Facebook Paid Ads", "Another name"]
    assert [row[1] for row in seen[1:3]] == [[], [{"name": "a"}, {"name": "b"}]]
    assert [row[2] for row in seen[2:4]] == [435.456, 99.5]
    assert [row[3] for row in seen[3:5]] == ["ready", "failed"]
    assert [row[4] for row in seen[4:6]] == [False, True]
    assert seen[5][5] == "2026-11-16T00:00:00+00:00"
    assert len(seen) == 6
    assert statuses(app, f"/v1/medias/{media}", f"/v1/stats/medias/{media}/by_date") == [404, 404]
    assert len(get(app, "/v1/medias")) == 1


def test_updated_is_bumped_in_bulk():
    subject = world(media=3, sessions_per_day=0.0)
    before = {media.updated for media in subject.truth.medias()}
    after = {media.updated for media in subject.truth.medias(at=NOW + timedelta(days=45))}
    assert len(after) == 1
    assert after != before


def test_requests_are_counted_by_route(subject):
    app = app_of(subject)
    fetch(app, "/v1/medias", "/v1/stats/events", "/modern/stats/events?page=2", "/nowhere")
    assert app.state.requests == {"medias": 1, "events": 2, "unknown": 1}
    assert app.state.injected == {}


def test_control_needs_the_switch_and_the_token():
    subject = world()
    app = app_of(subject, replace(UNLIMITED, control=True))
    assert statuses(app_of(subject), "/_simulator/clock") == [404]
    assert statuses(app, "/_simulator/clock", headers={}) == [401]
    assert get(app, "/_simulator/clock") == {"now": "2026-11-20T02:15:00+00:00"}
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1234-01-01T00:00:00Z", 5, None):
        assert post(app, "/_simulator/clock", {"now": moment}) == 400
    assert get(app, "/_simulator/clock") == {"now": "2026-11-20T02:15:00+00:00"}
    beyond = (
        "at=0001-01-01T00:00:00%2B14:00",
        "at=9999-12-31T23:59:59-14:00",
        "start=0001-01-01",
        "end=9999-12-31",
    )
    assert statuses(app, *(f"/_simulator/truth?kind=visitors&{query}" for query in beyond)) == [400] * 4
    assert get(app, "/_simulator/truth?kind=account") == subject.truth.account()
    days = get(app, "/_simulator/truth?kind=account_by_date&start=2026-11-18&end=2026-11-18")
    assert [row["date"] for row in days] == ["2026-11-18"]
    folder = subject.truth.medias()[0].folder
    assert get(app, f"/_simulator/truth?kind=folder&name={folder}") == subject.truth.folder(folder)
    rows = get(app, "/_simulator/truth?kind=sessions&start=2026-11-18&end=2026-11-18")
    assert len(rows) == len(subject.truth.sessions(start=date(2026, 11, 18), end=date(2026, 11, 18)))
    assert get(app, f"/_simulator/truth?kind=lifetime&media_id={subject.media_ids[0]}")["play_count"] > 0
    assert statuses(app, "/_simulator/truth?kind=nothing", "/_simulator/else") == [400, 404]
