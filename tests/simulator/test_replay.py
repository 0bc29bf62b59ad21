"""Recorded payloads, served with Wistia's own filtering and paging."""

import json
import shutil
from datetime import UTC, date, datetime

import pytest

from simulator.support import RECORDED, UNLIMITED, VISITS, days, fetch, get, needs_samples, walk
from wistia_simulator import ServerOptions, create_replay_app

MEDIA, OTHER = "v08dlrgr7v", "gskhw4w4lm"
MODERN = {"Authorization": "Bearer t0ken", "X-Wistia-API-Version": "2026-09"}


@pytest.fixture(scope="module")
def app():
    return create_replay_app(RECORDED, UNLIMITED)


@needs_samples
def test_events_per_utc_day_are_the_recorded_ones(app):
    counts = []
    for day in days(date(2024, 12, 4), date(2024, 12, 10)):
        rows = walk(app, f"/v1/stats/events.json?media_id={MEDIA}&start_date={day}&end_date={day}")
        stamps = [row["received_at"] for row in rows]
        assert stamps == sorted(stamps, reverse=True)
        counts.append(len(rows))
    assert counts == [172, 225, 243, 227, 275, 273, 267]
    assert len(walk(app, f"/modern/stats/events?media_id={MEDIA}")) == 1682
    assert len(walk(app, "/v1/stats/events")) == 1682
    assert get(app, f"/v1/stats/events?media_id={OTHER}") == []
    assert len(get(app, f"/v1/stats/events?media_id={MEDIA}&per_page=300")) == 100


@needs_samples
def test_days_within_and_beyond_the_recording(app):
    rows = get(app, f"/v1/stats/medias/{MEDIA}/by_date?start_date=2024-12-02&end_date=2024-12-11")
    assert [row["date"] for row in rows] == [str(day) for day in days(date(2024, 12, 2), date(2024, 12, 11))]
    assert [row["play_count"] for row in rows] == [0, 0, 181, 245, 228, 241, 300, 261, 296, 0]
    assert rows[0]["hours_watched"] == 0
    yesterday, today = get(app, f"/v1/stats/medias/{MEDIA}/by_date")
    assert (yesterday["date"], yesterday["play_count"], today["date"]) == ("2024-12-10", 296, "2024-12-11")


@needs_samples
def test_medias_on_both_bases(app):
    recorded = json.loads((RECORDED / f"medias_show__{MEDIA}.json").read_text())
    assert get(app, f"/v1/medias/{MEDIA}.json") == recorded
    assert [row["hashed_id"] for row in get(app, "/v1/medias")] == [MEDIA, OTHER]
    modern = get(app, f"/modern/medias/{MEDIA}", MODERN)
    keys = list(recorded)
    place = keys.index("status")
    assert list(modern) == [*keys[:place], "protected", *keys[place:-1], "folder"]
    assert modern["folder"]["hashed_id"] == recorded["project"]["hashed_id"]
    assert modern["protected"] is None
    assert list(modern["assets"][0]) == ["width", "height", "type", "file_size", "content_type", "url"]


@needs_samples
def test_what_was_not_recorded_is_not_there(app):
    paths = ["/v1/stats/events?media_id=x", "/v1/medias/x", f"/v1/stats/medias/{MEDIA}", "/v1/stats/visitors"]
    assert [response.status_code for response in fetch(app, *paths)] == [404] * 4


@needs_samples
def test_visitors_and_lifetime_figures(tmp_path):
    for path in VISITS.iterdir():
        shutil.copy(path, tmp_path)
    app = create_replay_app(tmp_path, UNLIMITED, datetime(2025, 9, 17, tzinfo=UTC))
    rows = walk(app, "/v1/stats/visitors", 10)
    assert len(rows) == 20
    assert list(rows[0])[:3] == ["visitor_key", "created_at", "last_active_at"]
    assert not [row for row in rows if row.keys() & {"_page", "_pos", "media_id"}]
    assert get(app, f"/v1/stats/medias/{MEDIA}.json")["play_count"] == 43810
    assert fetch(app, "/v1/medias")[0].status_code == 404


def test_a_replay_asks_for_the_token_that_it_was_given(tmp_path):
    (tmp_path / "stats_events__abc_2024-12-04_to_2024-12-05.json").write_text("[]")
    path = "/v1/stats/events?media_id=abc"
    for options, status in ((ServerOptions(token="another"), 401), (None, 200)):
        (answer,) = fetch(create_replay_app(tmp_path, options), path)
        assert answer.status_code == status


def test_several_files_of_one_media_are_one_list(tmp_path):
    def event(key, stamp):
        return {"received_at": stamp, "event_key": key, "visitor_key": "v"}

    (tmp_path / "stats_events__abc_2024-12-04_to_2024-12-05.json").write_text(
        json.dumps([event("b", "2024-12-05T01:00:00.000Z"), event("a", "2024-12-04T01:00:00.000Z")])
    )
    (tmp_path / "stats_events__abc_2024-12-05_to_2024-12-06.json").write_text(
        json.dumps([event("c", "2024-12-06T01:00:00.000Z"), event("b", "2024-12-05T01:00:00.000Z")])
    )
    app = create_replay_app(tmp_path, UNLIMITED)
    assert [row["event_key"] for row in get(app, "/v1/stats/events?media_id=abc")] == ["c", "b", "a"]
    assert get(app, "/v1/stats/events/b")["received_at"] == "2024-12-05T01:00:00.000Z"
