"""What /analytics tells of a day: it adds up to the timeseries, and is refused where a plan or a memory ends."""

from datetime import date

import pytest

from simulator.support import UNLIMITED, app_of, fetch, get, world
from support.some import some
from wistia_simulator.analytics import GROUPS

DAY = date(2026, 11, 17)
SPAN = "start_date=2026-11-17&end_date=2026-11-18"
BREAKDOWNS = {
    **{f"traffic?group_by={name}&": name for name in GROUPS},
    "languages?": "language",
    "embed_locations?per_page=100&": "embed_url",
}


def statuses(app, *paths):
    return [response.status_code for response in fetch(app, *paths)]


@pytest.mark.parametrize("path", BREAKDOWNS)
@pytest.mark.parametrize("seed", range(3))
def test_every_breakdown_adds_up_to_the_timeseries(path, seed):
    subject = world(seed=seed, sessions_per_day=90.0)
    media = subject.media_ids[0]
    rows = get(app_of(subject), f"/modern/analytics/medias/{media}/{path}{SPAN}")
    total = subject.truth.analytics(media, DAY)["plays"]
    plays = [row["plays"] for row in some(rows)]
    assert plays == sorted(plays, reverse=True)
    known = sum(
        g.plays
        for g in subject.truth.breakdown(media, DAY, BREAKDOWNS[path])
        if g.value or "embed" not in path
    )
    assert sum(plays) == known <= total
    assert known == total or "embed" in path
    assert all(row["plays"] <= row["loads"] for row in rows if "loads" in row)


def test_pages_by_day_are_those_of_the_days_and_what_is_beyond_is_one_row():
    subject = world(sessions_per_day=90.0)
    media = subject.media_ids[0]
    path = f"/modern/analytics/medias/{media}/embed_locations"
    span = "start_date=2026-11-16&end_date=2026-11-18"
    whole, cut = (
        get(app_of(subject), f"{path}_timeseries?{span}&granularity=daily&per_page={most}")
        for most in (100, 1)
    )
    assert [bucket["timestamp"][:10] for bucket in whole] == ["2026-11-16", "2026-11-17"]
    assert whole[1]["entries"] == get(app_of(subject), f"{path}?{SPAN}&per_page=100")
    for bucket, shorter in zip(whole, cut, strict=True):
        first, *rest = some(bucket["entries"])
        assert shorter["entries"][0] == first
        (other,) = shorter["entries"][1:]
        assert [other[n] for n in ("embed_domain", "embed_path", "embed_url")] == [None, None, None]
        assert other["page_title"] == "All other"
        assert (other["plays"], other["loads"]) == tuple(
            sum(r[n] for r in some(rest)) for n in ("plays", "loads")
        )
    (week,) = get(app_of(subject), f"{path}_timeseries?{span}&granularity=weekly&per_page=100")
    assert sum(r["plays"] for r in week["entries"]) == sum(r["plays"] for b in whole for r in b["entries"])
    old = f"{path}_timeseries?start_date=2026-05-01&end_date=2026-05-02&granularity=daily"
    assert statuses(app_of(subject), f"{path}_timeseries?{span}", old) == [400, 422]


def test_bots_are_left_out_of_busy_days_only():
    for sessions, low, high in ((20.0, 0.94, 1.01), (300.0, 0.8, 0.9)):
        subject = world(sessions_per_day=sessions, vanishing=0.0)
        media = subject.media_ids[0]
        (counted,) = subject.truth.by_date(media, DAY, DAY)
        assert low <= subject.truth.analytics(media, DAY)["plays"] / counted["play_count"] <= high


def test_forms_are_paged_by_cursor_and_counted_by_the_timeseries():
    subject = world(sessions_per_day=120.0, lead_share=0.5)
    media = subject.media_ids[0]
    path = f"/modern/analytics/medias/{media}/conversions?per_page=10&{SPAN}"
    rows, cursor = [], ""
    while True:
        body = get(app_of(subject), f"{path}&cursor={cursor}")
        rows += body["data"]
        if not body["page_info"]["has_next_page"]:
            break
        cursor = body["page_info"]["end_cursor"]
    assert len(rows) == subject.truth.analytics(media, DAY)["form_conversions"] > 10
    assert [row["email"] for row in rows] == [lead.person.email for lead in subject.truth.leads(media, DAY)]
    assert {*subject.truth.pii_values()} >= {row["email"] for row in rows} | {
        row["last_name"] for row in rows
    }
    assert statuses(app_of(subject), f"{path}&cursor=zzz", f"{path}&cursor=c99999") == [400, 400]


def test_what_a_plan_or_a_memory_does_not_hold_is_refused():
    subject = world()
    media = subject.media_ids[0]
    plain = [f"/modern/analytics/medias/{media}/{path}{SPAN}" for path in (*BREAKDOWNS, "conversions?", "?")]
    plain[-1] = f"/modern/analytics/medias/{media}?{SPAN}"
    assert statuses(app_of(subject), *plain) == [200] * len(plain)
    assert statuses(app_of(world(analytics=False)), *plain) == [404] * len(plain)
    small = app_of(subject, type(UNLIMITED)(token="t0ken", plan_allows_analytics=False))
    assert statuses(small, *plain) == [403] * len(plain)
    assert statuses(small, f"/modern/stats/medias/{media}") == [200]
    old = "start_date=2026-05-01&end_date=2026-05-02"
    paths = [f"/modern/analytics/medias/{media}/{path}{old}" for path in ("embed_locations?", "languages?")]
    assert statuses(app_of(subject), *paths) == [422, 200]
    assert statuses(app_of(subject), plain[0].replace("utm_campaign", "city")) == [400]
