"""Charts of the report: where every mark, point and label stands, worked out by hand."""

import re

import pytest

from wistlake_dashboard.report.svg import (
    MOST_DOTS,
    SMALL,
    WIDE,
    Line,
    Size,
    bar,
    curve,
    grid,
    lines,
    stack,
)
from wistlake_dashboard.sparkline import spark
from wistlake_dashboard.ticks import clock_steps, steps


def text(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def chart(*drawn: Line, labels: int = 3, size: Size = WIDE, **more: object) -> str:
    return str(lines("A title", drawn, [f"day {n}" for n in range(labels)], text, size, **more))  # type: ignore[arg-type]


def attributes(chart: str, tag: str, class_: str) -> list[dict[str, str]]:
    found = re.findall(rf"<{tag} ([^>]*)>", chart)
    return [
        a for a in (dict(re.findall(r'([\w-]+)="([^"]*)"', one)) for one in found) if a.get("class") == class_
    ]


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (0, [0, 1]),
        (-3, [0, 1]),
        (0.8, [0, 0.2, 0.4, 0.6, 0.8]),
        (0.81, [0, 0.25, 0.5, 0.75, 1]),
        (1.1, [0, 0.25, 0.5, 0.75, 1]),
        (1.2, [0, 0.5, 1, 1.5]),
        (7, [0, 2, 4, 6, 8]),
        (100, [0, 20, 40, 60, 80, 100]),
        (12_345, [0, 5000, 10_000, 15_000]),
    ],
)
def test_marks_are_round_and_two_to_six(most: float, marks: list[float]) -> None:
    assert steps(most) == marks


def test_points_stand_at_their_share_of_the_width_and_height() -> None:
    """650 by 178 units are left between the margins."""
    drawn = chart(Line("Plays", "a", [0, 50, 100], [1]))
    assert 'viewBox="0 0 720 220"' in drawn
    assert 'aria-label="A title"' in drawn
    assert 'd="M56.0 194.0 L381.0 105.0 L706.0 16.0"' in drawn
    assert re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3.2"( class="open")?', drawn) == [
        ("56.0", "194.0", ""), ("381.0", "105.0", ' class="open"'), ("706.0", "16.0", ""),
    ]  # fmt: skip
    grid = attributes(drawn, "line", "grid")
    assert [(g["y1"], g["y2"], g["x1"], g["x2"]) for g in grid] == [
        (str(y), str(y), "56", "706") for y in (194.0, 158.4, 122.8, 87.2, 51.6, 16.0)
    ]
    assert re.findall(r'<text x="50" y="([\d.]+)" text-anchor="end">(\w+)', drawn) == [
        ("198.0", "0"), ("162.4", "20"), ("126.8", "40"), ("91.2", "60"), ("55.6", "80"), ("20.0", "100"),
    ]  # fmt: skip


def test_a_value_that_is_missing_is_a_gap_and_one_point_stands_in_the_middle() -> None:
    assert 'd="M56.0 194.0 M706.0 16.0"' in chart(Line("Plays", "a", [0, None, 100]))
    assert 'd="M381.0 16.0"' in chart(Line("Plays", "a", [100]), labels=1)
    assert 'text-anchor="middle">day 0' in chart(Line("Plays", "a", [100]), labels=1)


def test_a_tip_belongs_to_the_stretch_that_is_nearest_to_its_point() -> None:
    drawn = chart(Line("Plays", "a", [1, 2, 3]), tips=["one", "two", "three"])
    hits = attributes(drawn, "rect", "hit")
    assert [(h["x"], h["width"], h["y"], h["height"]) for h in hits] == [
        ("-106.5", "325.0", "16", "178"), ("218.5", "325.0", "16", "178"), ("543.5", "325.0", "16", "178"),
    ]  # fmt: skip
    assert re.findall(r"<title>(\w+)</title>", drawn) == ["one", "two", "three"]


def test_the_period_before_has_no_dots_and_may_be_shorter() -> None:
    drawn = chart(Line("Plays", "past", [1, 2]), Line("Plays", "a", [1, 2, 4]))
    assert drawn.count("<circle") == 3
    assert 'd="M56.0 149.5 L381.0 105.0"' in drawn.split('class="line past"')[1].split("</g>")[0]


def test_names_of_points_are_not_repeated() -> None:
    drawn = str(
        lines("T", [Line("Plays", "a", [1.0] * 4)], ["Mar 2026", "Mar 2026", "Apr 2026", "Apr 2026"], text)
    )
    assert re.findall(r">(\w{3} 2026)<", drawn) == ["Mar 2026", "Apr 2026"]


@pytest.mark.parametrize(
    ("seconds", "marks"),
    [
        (3, [0, 1, 2, 3]), (61.04, [0, 15, 30, 45, 60]), (182.4, [0, 60, 120, 180]), (435, [0, 120, 240, 360]),
        (912.9, [0, 300, 600, 900]), (2710, [0, 600, 1200, 1800, 2400]), (7300, [0, 1800, 3600, 5400, 7200]),
        (40_000, [0, 7200, 14_400, 21_600, 28_800, 36_000]), (0, [0]),
    ],
)  # fmt: skip
def test_times_on_an_axis_are_round(seconds: float, marks: list[float]) -> None:
    assert clock_steps(seconds) == marks


def test_a_curve_has_its_points_and_marks_at_their_times() -> None:
    """340 units between the margins for a hundred seconds."""
    drawn = str(
        curve("T", [Line("All time", "c", [1.0, 0.5, 0.0])], 100.0, [(25, 50, "12 % leave", "drop")], text)
    )
    assert 'd="M46.0 16.0 L216.0 80.0 L386.0 144.0"' in drawn
    (mark,) = attributes(drawn, "rect", "drop")
    assert (mark["x"], mark["width"]) == ("131.0", "85.0")
    assert "<title>12 % leave</title>" in drawn
    assert re.findall(r'y="164" text-anchor="(\w+)">(\d+)', drawn) == [
        ("start", "0"), ("middle", "30"), ("middle", "60"), ("middle", "90"),
    ]  # fmt: skip
    assert "<circle" not in drawn


def test_a_spark_is_as_high_as_its_place_and_has_gaps() -> None:
    assert 'd="M0.0 22.0 M100.0 2.0"' in str(spark([5, None, 10]))
    assert 'd="M0.0 22.0"' in str(spark([5]))


@pytest.mark.parametrize(
    ("size", "shown", "odd"), [(WIDE, [0, 3, 6, 9, 12], [3, 9]), (SMALL, [0, 4, 8, 12], [4, 12])]
)
def test_a_few_labels_are_shown_and_every_other_of_them_on_a_phone(
    size: Size, shown: list[int], odd: list[int]
) -> None:
    drawn = chart(Line("Plays", "a", [1.0] * 14), labels=14, size=size)
    assert re.findall(r">day (\d+)<", drawn) == [str(n) for n in shown]
    assert re.findall(r'class="odd">day (\d+)<', drawn) == [str(n) for n in odd]
    assert f'class="{"chart small" if size is SMALL else "chart"}"' in drawn
    assert 'text-anchor="start">day 0' in drawn or 'text-anchor="start" class="odd">day 0' in drawn


def test_notes_are_numbered_flags_at_their_day() -> None:
    drawn = chart(Line("Plays", "a", [1, 2, 3]), notes=[(1, "renamed"), (2, "deleted")])
    assert re.findall(r"<title>(renamed|deleted)</title>", drawn) == ["renamed", "deleted"]
    assert [(n["x1"], n["y1"], n["y2"]) for n in attributes(drawn, "line", "note")] == [
        ("381.0", "16", "194"), ("706.0", "16", "194"),
    ]  # fmt: skip
    assert re.findall(r'class="flag">(\d)<', drawn) == ["1", "2"]


def test_many_points_have_no_dots() -> None:
    def dots(count: int) -> int:
        return chart(Line("Plays", "a", [1.0] * count), labels=count).count("<circle")

    assert (dots(MOST_DOTS), dots(MOST_DOTS + 1)) == (MOST_DOTS, 0)


@pytest.mark.parametrize(("portion", "width"), [(0.0, 0.0), (0.375, 37.5), (1.0, 100.0)])
def test_a_bar_is_as_long_as_its_share(portion: float, width: float) -> None:
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', str(bar(portion, "a")))]
    assert widths == [100.0, width]


def rects(chart: str) -> list[tuple[str, str, str, str, str]]:
    """Class and box of every rectangle."""
    found = [dict(re.findall(r'([\w-]+)="([^"]*)"', one)) for one in re.findall(r"<rect ([^>]*)>", chart)]
    return [(r["class"], r["x"], r["y"], r["width"], r["height"]) for r in found]


def test_a_stack_has_a_band_for_each_label_and_a_bar_in_most_of_it() -> None:
    """650 units for two labels: a bar takes 72 of a hundred of its 325, in the middle. Ten are as high as the chart."""
    drawn = str(stack("Plays", [("s0", [6, 5]), ("s1", [4, 0])], ["1 Mar", "2 Mar"], ["one", "two"]))
    assert 'viewBox="0 0 720 220"' in drawn
    assert rects(drawn) == [
        ("s0", "101.5", "87.2", "234.0", "106.8"), ("s1", "101.5", "16.0", "234.0", "71.2"),
        ("s0", "426.5", "105.0", "234.0", "89.0"), ("s1", "426.5", "105.0", "234.0", "0.0"),
    ]  # fmt: skip
    assert re.findall(r"<g><title>(\w+)</title>", drawn) == ["one", "two"]
    labels = re.findall(r'<text x="([\d.]+)" y="214" text-anchor="middle">(\d) Mar', drawn)
    assert labels == [("218.5", "1"), ("543.5", "2")]
    assert re.findall(r'text-anchor="end">(\d+)', drawn) == ["0", "2", "4", "6", "8", "10"]
    assert rects(str(stack("Plays", [("s0", [])], [], []))) == []


def test_a_grid_is_as_high_as_its_rows_and_has_room_for_their_names() -> None:
    """22 units a row below a margin of 16, 210 for the names; 496 for two days, with a gap of one around each."""
    rows = {"events": ["published", ""], "stats": ["failed", "published"]}
    drawn = str(grid("Days", rows, ["1 Mar", "2 Mar"], {"published": "good", "failed": "bad"}))
    assert 'viewBox="0 0 720 86"' in drawn
    assert rects(drawn) == [
        ("good", "211.0", "17", "246.0", "20"), ("bad", "211.0", "39", "246.0", "20"),
        ("good", "459.0", "39", "246.0", "20"),
    ]  # fmt: skip
    names = re.findall(r'<text x="202" y="(\d+)" text-anchor="end">(\w+)', drawn)
    assert names == [("31", "events"), ("53", "stats")]
    assert re.findall(r'<text x="([\d.]+)" y="80" text-anchor="middle">(\d) Mar', drawn) == [
        ("334.0", "1"),
        ("582.0", "2"),
    ]


def test_flags_and_bars_have_their_places() -> None:
    drawn = chart(Line("Plays", "a", [1, 2, 3]), notes=[(1, "renamed")])
    assert '<text x="384.0" y="25" class="flag">1' in drawn
    box = str(bar(0.5, "warn"))
    assert rects(box) == [("trough", "0", "0", "100", "10"), ("fill warn", "0", "0", "50.0", "10")]
    assert 'viewBox="0 0 100 10"' in box


@pytest.mark.parametrize(
    ("count", "shown"), [(3, [0, 1, 2]), (6, [0, 1, 2, 3, 4, 5]), (7, [0, 2, 4, 6]), (13, [0, 3, 6, 9, 12])]
)
def test_six_labels_at_most_stand_below_a_wide_chart(count: int, shown: list[int]) -> None:
    drawn = chart(Line("Plays", "a", [1.0] * count), labels=count)
    assert re.findall(r">day (\d+)<", drawn) == [str(n) for n in shown]
    anchors = re.findall(r'text-anchor="(\w+)"(?: class="odd")?>day', drawn)
    assert anchors[0] == "start"
    assert anchors[-1] == ("end" if shown[-1] == count - 1 else "middle")
    assert set(anchors[1:-1]) == {"middle"}


def test_a_label_is_odd_only_where_there_are_more_than_three() -> None:
    for count, odd in ((3, 0), (4, 2)):
        assert chart(Line("Plays", "a", [1.0] * count), labels=count).count('class="odd"') == odd


def test_values_beyond_the_last_mark_stay_inside() -> None:
    """Shares a little above 1 have marks up to 1."""
    drawn = chart(Line("Share", "a", [1.1, 1.0]), labels=2)
    assert 'd="M56.0 16.0 L706.0 32.2"' in drawn
