"""Viewers of a period are counted once, wherever they are shown: days' numbers of viewers are never added up."""

from datetime import date, timedelta
from typing import Any

import pytest

from support.published import Published
from wistlake.quality.scope import Scope
from wistlake_dashboard import figures
from wistlake_dashboard.digest import digest
from wistlake_dashboard.report import page
from wistlake_dashboard.tiles import TILES

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 15)
WEEK = Scope(date(2026, 3, 9), LAST)
LOADS, REGULARS = 40, 4


def _rows() -> dict[str, list[dict[str, Any]]]:
    """Two media and fourteen days. The same four people watch both media every day, and one more each day; each
    media is loaded forty times a day. On the last day Wistia has not counted the loads of `m2` yet."""
    daily, engagement = [], []
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        people = [*(f"regular {n}" for n in range(REGULARS)), f"once {number}"]
        for media in ("m1", "m2"):
            late = media == "m2" and day == LAST
            daily.append(
                {
                    "media_id": media,
                    "date": day,
                    "loads": None if late else LOADS,
                    "plays": None if late else len(people),
                    "sessions": len(people),
                    "plays_from_events": len(people),
                    "unique_viewers": len(people),
                    "certificate": "settled",
                }
            )
            engagement += [{"media_id": media, "date": day, "visitor_id": p, "play_count": 1} for p in people]
    return {"gold.fact_media_daily": daily, "gold.fact_media_engagement": engagement}


@pytest.fixture(scope="module")
def query() -> Published:
    return Published(_rows())


def test_viewers_per_load_of_a_period_divides_who_came_by_what_was_loaded(query: Published) -> None:
    """Eleven people in seven days; daily viewers added up would be seventy."""
    found = figures.compare(query, WEEK).whole.now
    assert (found.unique_viewers, found.loads) == (REGULARS + 7, 13 * LOADS)
    assert found.viewers_per_load == (REGULARS + 7) / (13 * LOADS)


def test_viewers_of_a_day_without_loads_are_in_no_ratio(query: Published) -> None:
    """The last day's fifth viewer saw `m1` too; of `m2` alone that day has no loads to be divided by."""
    of_m2 = figures.compare(query, WEEK).media["m2"].now
    assert of_m2.unique_viewers == REGULARS + 7
    assert of_m2.viewers_per_load == (REGULARS + 6) / (6 * LOADS)


def test_every_cut_of_the_same_days_counts_people_anew(query: Published) -> None:
    compared = figures.compare(query, WEEK)
    counts = [(t.unique_viewers, t.loads) for t in (compared.whole.now, compared.whole.compared)]
    assert counts == [(REGULARS + 7, 13 * LOADS), (REGULARS + 7, 13 * LOADS)]
    assert compared.whole.before is not None
    # Of the day whose counts are not there yet, nothing is compared: not the same day before either.
    assert (compared.whole.before.unique_viewers, compared.whole.before.loads) == (REGULARS + 7, 13 * LOADS)
    assert {m: p.now.unique_viewers for m, p in compared.media.items()} == dict.fromkeys(
        ("m1", "m2"), REGULARS + 7
    )
    (day,) = figures.by_day(query, Scope(LAST, LAST)).values()
    assert day.unique_viewers == REGULARS + 1
    assert day.viewers_per_load == (REGULARS + 1) / LOADS


def test_the_tile_shows_the_ratio_of_the_numbers_beside_it(query: Published) -> None:
    """A reader divides one tile by another: the result stands in the third."""
    week = Scope(WEEK.start, LAST - timedelta(days=1))
    whole = figures.compare(query, week).whole
    shown = {t.title: t.number(whole).value for t in TILES}
    assert (
        shown["Viewers per load"] == f"{100 * int(shown['Viewers']) / int(shown['Loads']):.1f} %" == "2.1 %"
    )


def test_the_report_and_the_digest_say_recounted_viewers(query: Published) -> None:
    report = page(query, WEEK)
    assert f">{REGULARS + 7}<" in report
    assert f"Viewers: {REGULARS + 7}" in digest(query).text
