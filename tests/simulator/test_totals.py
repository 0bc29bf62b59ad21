"""What an account and its folders add up to: the answers against the medias', and against the truth."""

from dataclasses import replace
from datetime import date

import pytest

from simulator.support import NOW, UNLIMITED, app_of, fetch, get, world
from wistia_simulator import MediaChange
from wistia_simulator.http.routes import resolve

RANGE = "start_date=2026-11-05&end_date=2026-11-19"
FIGURES = ("load_count", "play_count", "hours_watched")


@pytest.fixture(scope="module")
def subject():
    """Six medias in three folders, one of which loses a media."""
    return world(media=6, changes=(MediaChange(1, NOW, "delete"),))


@pytest.fixture(scope="module")
def app(subject):
    return app_of(subject)


def added(bodies):
    assert len(bodies) > 1
    return {name: sum(body[name] for body in bodies) for name in FIGURES}


def test_account_totals_are_the_sum_of_its_medias_and_the_truth(subject, app):
    medias = get(app, "/v1/medias")
    each = [get(app, f"/v1/stats/medias/{media['hashed_id']}") for media in medias]
    totals = get(app, "/v1/stats/account")
    assert list(totals) == list(FIGURES)
    assert totals == pytest.approx(added(each))
    assert totals == pytest.approx(subject.truth.account())
    assert len(medias) == 5
    assert totals["play_count"] > 500
    assert get(app, "/modern/stats/account") == totals


def test_account_days_are_the_sum_of_its_medias_and_the_truth(subject, app):
    rows = get(app, f"/modern/stats/account/by_date?{RANGE}")
    medias = [media["hashed_id"] for media in get(app, "/v1/medias")]
    each = [get(app, f"/v1/stats/medias/{media}/by_date?{RANGE}") for media in medias]
    assert len(rows) == 15
    for row, *of_medias in zip(rows, *each, strict=True):
        assert {media_row["date"] for media_row in of_medias} == {row["date"]}
        assert {name: row[name] for name in FIGURES} == pytest.approx(added(of_medias))
    truth = subject.truth.account_by_date(date(2026, 11, 5), date(2026, 11, 19))
    assert [list(row) for row in rows] == [["date", *FIGURES]] * 15
    assert [list(row.values()) for row in rows] == [
        pytest.approx([row["date"], *(row[name] for name in FIGURES)], abs=1e-9) for row in truth
    ]
    assert sum(row["play_count"] for row in rows) > 500


def test_account_days_need_a_range_and_the_dated_api(app):
    whole, without, half, wrong, v1 = fetch(
        app,
        f"/modern/stats/account/by_date?{RANGE}",
        "/modern/stats/account/by_date",
        "/modern/stats/account/by_date?start_date=2026-11-05",
        f"/modern/stats/account/by_date?{RANGE.replace('2026', '06')}",
        f"/v1/stats/account/by_date?{RANGE}",
    )
    assert [answer.status_code for answer in (whole, without, half, wrong, v1)] == [200, 500, 500, 422, 404]
    assert without.json() == {"error": "Internal server error"}


def test_folders_hold_their_medias_and_add_up(subject, app):
    folders = get(app, "/modern/folders")
    assert [folder["id"] for folder in folders] == sorted(folder["id"] for folder in folders)
    assert len(folders) == 3
    together = 0
    for folder in folders:
        medias = get(app, f"/modern/medias?folder_id={folder['hashed_id']}")
        assert folder["media_count"] == len(medias)
        assert {media["folder"]["hashed_id"] for media in medias} == {folder["hashed_id"]}
        totals = get(app, f"/v1/stats/projects/{folder['hashed_id']}")
        assert totals["number_of_videos"] == len(medias)
        each = [get(app, f"/v1/stats/medias/{media['hashed_id']}") for media in medias]
        assert {name: totals[name] for name in FIGURES} == pytest.approx(
            {name: sum(body[name] for body in each) for name in FIGURES}
        )
        assert {name: totals[name] for name in FIGURES} == pytest.approx(subject.truth.folder(folder["name"]))
        assert get(app, f"/modern/stats/projects/{folder['id']}") == totals
        together += totals["play_count"]
    assert together == get(app, "/v1/stats/account")["play_count"] > 500


def test_a_folder_is_a_project_on_v1_and_lists_its_medias(app):
    folders, projects = get(app, "/modern/folders"), get(app, "/v1/projects.json")
    assert [(f["id"], f["name"], f["hashed_id"], f["media_count"]) for f in folders] == [
        (p["id"], p["name"], p["hashedId"], p["mediaCount"]) for p in projects
    ]
    folder = folders[0]
    assert get(app, f"/modern/folders/{folder['hashed_id']}") == folder
    shown = get(app, f"/v1/projects/{folder['hashed_id']}")
    assert len(shown["medias"]) == shown["mediaCount"] == folder["media_count"] > 0
    assert {name: value for name, value in shown.items() if name != "medias"} == projects[0]
    assert not {"assets", "project"} & set(shown["medias"][0])
    assert get(app, f"/v1/projects/{folder['hashed_id']}?page=2")["medias"] == []


def test_folders_are_paged_sorted_and_picked(app):
    folders = get(app, "/modern/folders")
    names = [folder["name"] for folder in get(app, "/modern/folders?sort_by=name&sort_direction=0")]
    assert names == sorted(names, reverse=True)
    counts = [row["media_count"] for row in get(app, "/modern/folders?sort_by=mediaCount")]
    assert counts == sorted(counts)
    assert get(app, "/modern/folders?per_page=2&page=2") == folders[2:]
    assert get(app, f"/modern/folders?hashed_ids[]={folders[1]['hashed_id']}") == [folders[1]]
    assert get(app, f"/v1/projects?hashed_ids[]={folders[1]['hashed_id']}")[0]["id"] == folders[1]["id"]
    walked = get(app, "/modern/folders?per_page=2&cursor[enabled]=1&sort_by=updated")
    walked += get(app, f"/modern/folders?cursor[after]={walked[-1]['cursor']}&sort_by=updated")
    assert [folder["id"] for folder in walked] == [folder["id"] for folder in folders]
    (refused,) = fetch(app, "/modern/folders?cursor[enabled]=1&sort_by=name")
    assert refused.status_code == 400


def test_folders_that_are_not_there(app):
    answers = fetch(
        app,
        "/v1/stats/projects/stranger",
        "/modern/folders/stranger",
        "/v1/projects/stranger",
        "/v1/folders",
        "/modern/projects",
        "/modern/stats/folders/stranger",
    )
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].content == b""
    assert answers[1].json() == {"error": "Folder with ID 'stranger' not found."}
    assert answers[2].json() == {"error": "Project with ID 'stranger' not found."}
    assert resolve("/v1/projects.json") is not None


def test_totals_need_the_permission_for_stats_and_folders_that_for_medias(subject):
    only_medias = app_of(subject, replace(UNLIMITED, scopes=frozenset({"media:read"})))
    paths = ("/v1/stats/account", "/modern/stats/account/by_date", "/v1/stats/projects/x", "/modern/folders")
    answers = fetch(only_medias, *paths)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 200]


def test_a_project_lists_its_medias_and_500_of_them_a_page() -> None:
    app = app_of(world(media=3))
    (project, *_) = get(app, "/v1/projects.json")
    path = f"/v1/projects/{project['id']}.json"
    every = {m["hashed_id"] for m in get(app, "/v1/medias.json")}
    listed = [m["hashed_id"] for m in get(app, path)["medias"]]
    assert len(listed) == len(set(listed)) == project["mediaCount"] > 0
    assert set(listed) <= every
    assert get(app, f"{path}?page=2")["medias"] == []
