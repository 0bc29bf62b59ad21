"""Charts of the report: where every mark, point and label stands, worked out by hand."""

import re

import pytest

from wistlake_dashboard.report.svg import MOST_DOTS, SMALL, WIDE, Line, Size, bar, lines, steps


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
    drawn = chart(Line("Plays", "a", [0, 50, 100], ["none", "half", "all"]))
    assert 'viewBox="0 0 720 220"' in drawn
    assert 'aria-label="A title"' in drawn
    assert 'd="M56.0 194.0 L381.0 105.0 L706.0 16.0"' in drawn
    assert re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3"><title>(\w+)', drawn) == [
        ("56.0", "194.0", "none"), ("381.0", "105.0", "half"), ("706.0", "16.0", "all"),
    ]  # fmt: skip
    grid = attributes(drawn, "line", "grid")
    assert [(g["y1"], g["y2"], g["x1"], g["x2"]) for g in grid] == [
        (str(y), str(y), "56", "706") for y in (194.0, 158.4, 122.8, 87.2, 51.6, 16.0)
    ]
    assert re.findall(r'<text x="50" y="([\d.]+)" text-anchor="end">(\w+)', drawn) == [
        ("198.0", "0"), ("162.4", "20"), ("126.8", "40"), ("91.2", "60"), ("55.6", "80"), ("20.0", "100"),
    ]  # fmt: skip


def test_a_value_that_is_missing_is_a_gap_and_one_point_stands_in_the_middle() -> None:
    assert 'd="M56.0 194.0 M706.0 16.0"' in chart(Line("Plays", "a", [0, None, 100], ["a", "b", "c"]))
    assert 'd="M381.0 16.0"' in chart(Line("Plays", "a", [100]), labels=1)
    assert 'text-anchor="middle">day 0' in chart(Line("Plays", "a", [100]), labels=1)


def test_days_before_the_period_are_shaded_up_to_half_way_to_its_first() -> None:
    values = Line("Plays", "a", [1, 2, 3])
    assert attributes(chart(values), "rect", "past") == []
    (past,) = attributes(chart(values, shaded=1), "rect", "past")
    assert (past["x"], past["y"], past["width"], past["height"]) == ("56", "16", "162.5", "178")


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
        return chart(Line("Plays", "a", [1.0] * count, ["tip"] * count), labels=count).count("<circle")

    assert (dots(MOST_DOTS), dots(MOST_DOTS + 1)) == (MOST_DOTS, 0)


@pytest.mark.parametrize(("portion", "width"), [(0.0, 0.0), (0.375, 37.5), (1.0, 100.0)])
def test_a_bar_is_as_long_as_its_share(portion: float, width: float) -> None:
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', str(bar(portion, "a")))]
    assert widths == [100.0, width]
