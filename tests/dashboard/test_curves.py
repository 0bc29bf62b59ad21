"""Where viewers leave and what they watch again; before and after a day; and a video among its like."""

from datetime import date, timedelta
from typing import Any

import pytest

from dashboard.published import DAILY, DIM, HISTORY, Published, days
from wistlake.quality.scope import Grain, Scope
from wistlake_dashboard import curves, traffic
from wistlake_dashboard.blocks import Heading, Notes, Table, Text
from wistlake_dashboard.figures import by_day
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.report import page
from wistlake_dashboard.sections import Section, video, view

BEFORE, FIRST, LAST = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 15)
WEEK = Scope(FIRST, LAST, ("a",))


def falling(at: int, by: float) -> list[float]:
    """A curve of a hundred seconds that falls a little each second, and at one by so much."""
    return [1.0 - 0.002 * n - (by if n > at else 0.0) for n in range(101)]


@pytest.mark.parametrize(
    ("values", "seconds", "said"),
    [
        (falling(9, 0.12), 100.0, ["13 % leave between 0:06 and 0:10"]),
        (falling(9, 0.12), 1000.0, ["12 % leave between 1:20 and 1:40"]),
        (falling(9, 0.01), 100.0, []), ([1.0] * 50, 100.0, []), ([1.0], 10.0, []), ([], 10.0, []),
        ([1.0, 0.2], 3.0, ["80 % leave between 0:00 and 0:03"]),
    ],
)  # fmt: skip
def test_the_steepest_drop_is_named(values: list[float], seconds: float, said: list[str]) -> None:
    found = curves.drops(values, seconds)
    assert [m.what for m in found] == said
    assert {m.kind for m in found} <= {"drop"}


def test_two_drops_do_not_overlap() -> None:
    twice = [v - (0.2 if n > 60 else 0.0) for n, v in enumerate(falling(9, 0.12))]
    first, second = curves.drops(twice, 100.0, most=2)
    assert (round(first.end), round(second.end)) == (61, 10)


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ([0.01] * 40 + [0.08] * 4 + [0.01] * 57, ["8 % watch again between 0:40 and 0:44"]),
        ([0.04] * 101, []),  # everywhere alike: nothing stands out
        ([0.0] * 40 + [0.02] * 4 + [0.0] * 57, []), ([], []),
    ],
)  # fmt: skip
def test_what_is_watched_again_is_named_where_it_stands_out(again: list[float], said: list[str]) -> None:
    assert [m.what for m in curves.replays(again, 100.0)] == said


# before and after


def swapped(day: int | None = 11) -> Published:
    """A video of ten plays a day, and of thirty from a day on, when its file was swapped."""
    query = Published(
        {DAILY: days("a", BEFORE, [10] * 9 + [30] * 5, reached_95=5, viewed_millionths=5_000_000)}
    )
    query.add(DIM, [{"media_id": "a", "title": "Tour", "is_deleted": False}])
    versions = [("2026-03-01", "x"), *([(f"2026-03-{day}", "y")] if day else [])]
    query.add(HISTORY, [{"media_id": "a", "valid_from": f"{d} 02:15", "title": "Tour", "tags": [], "original_asset": x}
                        for d, x in versions])  # fmt: skip
    return query


def said(section: Section, query: Published, scope: Scope) -> tuple[list[str], dict[str, list[str]]]:
    blocks = section.blocks(view(Reader(query), scope))
    rows = {cells[0]: cells[1:] for b in blocks if isinstance(b, Table) for cells in map(b.spelled, b.rows)}
    told = ([b.line] if isinstance(b, Text) else b.lines for b in blocks if isinstance(b, (Text, Notes)))
    return [line for lines in told for line in lines], rows


def test_a_file_swap_is_looked_at_from_both_sides_over_as_many_days() -> None:
    lines, rows = said(video.BEFORE_AND_AFTER, swapped(), WEEK)
    assert lines == ["11 Mar 2026 (the file was swapped): 5 days from then on, against the 5 days before."]
    assert rows["Plays"] == ["50", "150", "+200 %"]
    assert rows["Plays per load"] == ["0.50", "0.50", "no change"]


def test_the_report_has_the_newest_swap_of_all_videos_and_nothing_without_one() -> None:
    query, every = swapped(), Scope(FIRST, LAST)
    query.add(DAILY, days("b", BEFORE, [90] * 14))
    heading, line, table = video.SWAP.blocks(view(Reader(query), every))
    assert (heading, line) == (
        Heading("Tour"), Text("11 Mar 2026 (the file was swapped): 5 days from then on, against the 5 days before."),
    )  # fmt: skip
    assert isinstance(table, Table)
    assert table.spelled(table.rows[0]) == ["Plays", "50", "150", "+200 %"]
    assert f"<h2>{video.SWAP.title}</h2><h3>Tour</h3>" in page(query, every)
    assert video.SWAP.blocks(view(Reader(swapped(None)), every)) == []
    assert video.SWAP.title not in page(swapped(None), every)


def test_any_day_can_be_chosen_instead() -> None:
    chosen = Scope(FIRST, LAST, ("a",), split=date(2026, 3, 13))
    lines, rows = said(video.BEFORE_AND_AFTER, swapped(None), chosen)
    assert lines == ["13 Mar 2026 (the day chosen): 3 days from then on, against the 3 days before."]
    assert rows["Plays"] == ["70", "90", "+29 %"]


@pytest.mark.parametrize("split", [None, BEFORE, LAST + timedelta(days=1)])
def test_without_days_on_both_sides_nothing_is_compared(split: date | None) -> None:
    lines, rows = said(video.BEFORE_AND_AFTER, swapped(None), Scope(FIRST, LAST, ("a",), split=split))
    assert (lines, rows) == ([video.BEFORE_AND_AFTER.empty], {})


# among its like


def library() -> Published:
    """Five videos: two are like the first, one is in another folder, one is far longer."""
    folders = {"a": ("F", 100.0), "b": ("F", 60.0), "c": ("F", 200.0), "d": ("G", 100.0), "e": ("F", 201.0)}
    plays = {"a": 10, "b": 20, "c": 40, "d": 99, "e": 99}
    query = Published({DAILY: [row for m, n in plays.items() for row in days(m, FIRST, [n] * 7)]})
    query.add(DIM, [{"media_id": m, "title": m, "folder": f, "duration_seconds": s, "is_deleted": False}
                    for m, (f, s) in folders.items()])  # fmt: skip
    return query


def test_a_video_stands_against_the_median_of_its_folder_and_length() -> None:
    (section,) = (s for s in video.OF_ONE_MEDIA if s.title == "Among its like")
    lines, rows = said(section, library(), WEEK)
    assert lines == ["Against 2 other videos of the folder (F), half to twice as long."]
    assert rows["Plays"] == ["70", "210"]  # between 140 and 280


@pytest.mark.parametrize(
    ("values", "middle"),
    [([1.0, None, 3.0], 2.0), ([None], None), ([], None), ([5.0, 1.0, 2.0], 2.0)],
)
def test_the_middle_is_of_what_is_known(values: list[Any], middle: float | None) -> None:
    assert traffic.middle(values) == middle


# weeks and months


@pytest.mark.parametrize(
    ("grain", "plays"),
    [
        (Grain.WEEK, {date(2026, 2, 27): 70, date(2026, 3, 6): 70, date(2026, 3, 13): 30}),
        (Grain.MONTH, {date(2026, 2, 1): 20, date(2026, 3, 1): 150}),
    ],
)
def test_weeks_begin_with_the_period_and_months_with_the_calendar(
    grain: Grain, plays: dict[date, int]
) -> None:
    scope = Scope(date(2026, 2, 27), LAST, grain=grain)
    query = Published({DAILY: days("a", scope.start, [10] * scope.length)})
    query.add(
        "gold.fact_media_engagement", [{"media_id": "a", "date": d, "visitor_id": "x"} for d in scope.days]
    )
    found = by_day(query, scope)
    assert {day: totals.plays for day, totals in found.items()} == plays
    assert {totals.unique_viewers for totals in found.values()} == {1}  # who comes each day is counted once
