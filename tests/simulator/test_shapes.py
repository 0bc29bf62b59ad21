"""Keys, their order and the form of values, against recorded payloads where they are at hand."""

import json
import re
from datetime import date

import pytest

from simulator.support import RECORDED, VISITS, app_of, get, needs_samples, walk, world
from support.some import some
from wistia_simulator import Profile

KEY = re.compile(
    r"[0-9a-f]{7}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{9}-[0-9a-f]{12}-[0-9a-f]{4}"
)
MODERN = {"Authorization": "Bearer t0ken", "X-Wistia-API-Version": "2026-09"}
V1_MEDIA = [
    "id", "hashed_id", "progress", "type", "archived", "name", "duration", "created", "updated",
    "description", "status", "thumbnail", "section", "subfolder", "tags", "assets", "project",
]  # fmt: skip


def recorded(name: str, folder=RECORDED):
    return json.loads((folder / name).read_text())


def nested_keys(value):
    """The keys of an object in order, those of inner objects included."""
    if isinstance(value, dict):
        return [(key, nested_keys(inner)) for key, inner in value.items()]
    return (
        [nested_keys(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None
    )


@pytest.fixture(scope="module")
def subject():
    return world()


@needs_samples
def test_events_have_the_recorded_keys_in_their_order(subject):
    row = get(app_of(subject), "/v1/stats/events")[0]
    real = recorded("stats_events__v08dlrgr7v_2024-12-04_to_2024-12-10.json")[0]
    assert nested_keys({**row, "conversion_data": {}}) == nested_keys(real)
    assert {k: type(v) for k, v in real.items() if k != "email"} == {
        k: type(v) for k, v in row.items() if k != "email"
    }


@needs_samples
def test_daily_figures_medias_and_lifetime_have_the_recorded_keys(subject):
    app, media = app_of(world(Profile.calm())), subject.media_ids[0]
    daily = recorded("stats_medias_by_date__v08dlrgr7v_2024-12-04_to_2024-12-10.json")
    assert nested_keys(get(app, f"/v1/stats/medias/{media}/by_date")) == nested_keys(daily)
    assert nested_keys(get(app, f"/v1/medias/{media}.json")) == nested_keys(
        recorded("medias_show__v08dlrgr7v.json")
    )
    lifetime = recorded("stats_medias__v08dlrgr7v.json", VISITS)
    assert nested_keys(get(app, f"/v1/stats/medias/{media}")) == nested_keys(lifetime)


@needs_samples
def test_visitors_have_the_recorded_keys(subject):
    real = recorded("stats_visitors__page1_as_array.json", VISITS)
    assert nested_keys(get(app_of(subject), "/v1/stats/visitors")) == nested_keys(real)


def test_v1_medias_omit_a_missing_section_and_modern_ones_are_spelt_differently(subject):
    app = app_of(subject)
    first, second = get(app, "/v1/medias.json")
    assert list(first) == V1_MEDIA
    assert list(second) == [key for key in V1_MEDIA if key != "section"]
    modern = get(app, "/modern/medias", MODERN)[0]
    position = V1_MEDIA.index("status")
    assert list(modern) == [*V1_MEDIA[:position], "protected", *V1_MEDIA[position:-1], "folder"]
    assert list(modern["assets"][0]) == ["width", "height", "type", "file_size", "content_type", "url"]
    assert list(modern["folder"]) == ["id", "name", "hashed_id"]
    assert list(first["project"]) == ["id", "hashed_id", "name"]
    assert first["created"].endswith("+00:00")


def test_values_have_the_recorded_form(subject):
    app = app_of(subject)
    for row in some(walk(app, "/v1/stats/events?start_date=2026-11-15&end_date=2026-11-17")):
        assert KEY.fullmatch(row["event_key"])
        assert KEY.fullmatch(row["visitor_key"])
        assert re.fullmatch(r"2026-11-1[567]T\d\d:\d\d:\d\d\.000Z", row["received_at"])
        assert isinstance(row["percent_viewed"], float)
        assert 0.0 <= row["percent_viewed"] <= 1.0
        assert not [key for key, value in row.items() if value is None and key != "email"]
        assert row["ip"] == "" or row["ip"].startswith(("198.18.", "198.19.", "2001:db8:"))
        assert row["event_key"] in row["iframe_heatmap_url"]


def test_vocabulary_of_devices_changes_with_the_years(subject):
    old = world(now=date_time("2024-12-10"))
    versions = {r["user_agent_details"]["browser_version"] for r in walk(app_of(old), "/v1/stats/events")}
    assert all("." in version for version in some(versions))
    new = {r["user_agent_details"]["browser_version"] for r in get(app_of(subject), "/v1/stats/events")}
    assert all(version.isdigit() for version in some(new))


def date_time(day: str):
    from datetime import UTC, datetime, time

    return datetime.combine(date.fromisoformat(day), time(12), UTC)


def test_percent_viewed_is_u_shaped():
    rows = world(Profile.calm(), sessions_per_day=300).truth.sessions()
    shares = [row.percent_viewed for row in rows]
    assert len(shares) > 3000
    assert 0.27 < sum(share < 0.1 for share in shares) / len(shares) < 0.35
    assert 0.19 < sum(share == 1.0 for share in shares) / len(shares) < 0.25
    assert 0.015 < sum(share == 0.0 for share in shares) / len(shares) < 0.045
    assert 0.85 < sum(row.mobile for row in rows) / len(rows) < 0.97
    assert 0.40 < sum(shares) / len(shares) < 0.50


def test_announced_and_unannounced_fields(subject):
    app, path = app_of(subject), "/modern/stats/events?per_page=1"
    assert "attributes" in get(app, path, MODERN)[0]
    assert "attributes" not in get(app, path, {**MODERN, "X-Wistia-API-Version": "2026-03"})[0]
    assert "attributes" not in get(app, "/v1/stats/events?per_page=1", MODERN)[0]
    media = subject.media_ids[0]
    action = get(app, f"/modern/stats/medias/{media}", MODERN)["actions"][0]
    assert list(action) == ["type", "action_count", "impression_count", "rate", "url", "text"]
    assert "url" not in get(app, f"/v1/stats/medias/{media}")["actions"][0]
    later = app_of(world(schema_addition_from=date(2026, 11, 20)))
    assert "viewer_context" in get(later, path)[0]
    assert "share_link" in get(later, "/v1/medias")[0]
    assert "share_link" not in get(app_of(world(schema_addition_from=date(2026, 11, 21))), "/v1/medias")[0]
