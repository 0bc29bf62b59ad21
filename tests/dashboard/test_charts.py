"""Charts of the app: what Altair is told to draw."""

from datetime import date, timedelta
from typing import Any

import pytest

from wistlake_dashboard.app import charts
from wistlake_dashboard.app.theme import TONES
from wistlake_dashboard.blocks import Bars, Column, Curve, Days, Grid, Kind, Mark, Stack

FIRST = date(2026, 3, 2)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def spec(chart: Any) -> dict[str, Any]:
    drawn: dict[str, Any] = chart.to_dict()
    return drawn


def rows(drawn: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The data of a layer."""
    found: list[dict[str, Any]] = drawn["datasets"][layer["data"]["name"]]
    return found


@pytest.mark.parametrize(
    ("kind", "axis", "tip"),
    [(Kind.COUNT, ",.0f", "1"), (Kind.HOURS, ",.1f", "1"), (Kind.SHARE, ".0%", "100.0 %")],
)
def test_lines_by_day_are_written_as_their_kind(kind: Kind, axis: str, tip: str) -> None:
    drawn = spec(charts.days(Days("Title", days(3), {"a": [1, 2, 3]}, kind, open=frozenset(days(3)[2:]))))
    line, dots, hollow, near = drawn["layer"]
    assert line["encoding"]["y"]["axis"] == {"format": axis, "tickCount": 5}
    assert (line["description"], drawn["height"]) == ("Title", charts.HEIGHT)
    assert (line["mark"]["strokeWidth"], dots["mark"]["size"], dots["mark"]["opacity"]) == (2.2, 46, 1)
    assert (dots["transform"], hollow["transform"], hollow["mark"]["filled"]) == (
        [{"filter": "!datum.open"}], [{"filter": "datum.open"}], False,
    )  # fmt: skip
    assert rows(drawn, line)[0] == {"day": "2026-03-02T00:00:00", "what": "a", "value": 1, "open": False}
    assert rows(drawn, near)[0] == {
        "day": "2026-03-02T00:00:00",
        "when": "2 Mar 2026",
        "a": tip,
        "State": None,
    }
    assert [t.get("title", t["field"]) for t in near["encoding"]["tooltip"]] == ["Day", "a", "State"]
    (told,) = drawn["params"]
    assert (told["select"]["nearest"], told["select"]["fields"]) == (True, ["day"])


@pytest.mark.parametrize(
    ("values", "open_", "layers"),
    [
        ([1, 2], [], ["line", "circle", "rule"]),
        ([1, 2], [0], ["line", "circle", "point", "rule"]),
        ([1, 2], [0, 1], ["line", "point", "rule"]),
        ([None, 2], [0], ["line", "circle", "rule"]),
    ],
)
def test_no_layer_is_without_a_mark_for_a_screen_reader_finds_no_name_for_it(
    values: list[float | None], open_: list[int], layers: list[str]
) -> None:
    still = frozenset(days(2)[at] for at in open_)
    before = {"a": [None, None]}
    block = Days("T", days(2), {"a": values}, Kind.COUNT, before=before, days_before=days(2), open=still)
    assert [layer["mark"]["type"] for layer in spec(charts.days(block))["layer"]] == layers


def test_the_period_before_is_dashed_over_the_days_that_it_is_compared_with() -> None:
    before = [FIRST - timedelta(days=2), FIRST - timedelta(days=1)]
    block = Days("T", days(2), {"a": [3, 4]}, Kind.COUNT, before={"a": [1, None]}, days_before=before,
                 open=frozenset({FIRST}))  # fmt: skip
    drawn = spec(charts.days(block))
    dashed, line, _, _, near = drawn["layer"]
    assert dashed["mark"]["strokeDash"] == [5, 4]
    assert [(r["day"], r["value"]) for r in rows(drawn, dashed)] == [
        ("2026-03-02T00:00:00", 1), ("2026-03-03T00:00:00", None),
    ]  # fmt: skip
    assert [r["open"] for r in rows(drawn, line)] == [True, False]
    assert [(r["a"], r["Before"], r["State"]) for r in rows(drawn, near)] == [
        ("3", "1 (28 Feb 2026)", "may still change"), ("4", "– (1 Mar 2026)", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "form", "values"),
    [(1, "%-d %b", 1), (10, "%-d %b", 10), (11, "%-d %b", None), (181, "%b %Y", None)],
)
def test_of_a_short_period_every_day_has_a_label(count: int, form: str, values: int | None) -> None:
    drawn = spec(charts.days(Days("T", days(count), {"a": [1.0] * count}, Kind.COUNT)))
    axis = drawn["layer"][0]["encoding"]["x"]["axis"]
    assert (axis["format"], axis["labelOverlap"]) == (form, True)
    assert len(axis["values"]) == values if values else axis["tickCount"] == 8
    if values:
        assert axis["values"][0] == {"date": 2, "month": 3, "year": 2026}


@pytest.mark.parametrize(("count", "form"), [(180, "%-d %b"), (181, "%b %Y")])
def test_days_of_half_a_year_are_named_by_their_month(count: int, form: str) -> None:
    drawn = spec(charts.days(Days("T", days(count), {"a": [1.0] * count}, Kind.COUNT)))
    assert drawn["layer"][0]["encoding"]["x"]["axis"]["format"] == form


@pytest.mark.parametrize(
    ("names", "legend", "columns"), [(1, False, 0), (2, True, 3), (3, True, 3), (4, True, 2)]
)
def test_a_legend_tells_lines_apart_where_there_are_several(names: int, legend: bool, columns: int) -> None:
    lines = {f"line {n}": [1.0] for n in range(names)}
    colour = spec(charts.days(Days("T", days(1), lines, Kind.COUNT)))["layer"][0]["encoding"]["color"]
    assert (colour["legend"] is not None) is legend
    assert colour["sort"] == list(lines)
    if legend:
        assert colour["legend"] == {"columns": columns, "labelLimit": 240, "offset": 4, "orient": "top"}


def test_a_narrow_window_has_room_for_two_long_names_a_row() -> None:
    lines = {f"line {n} of a long name": [1.0] for n in range(3)}
    colour = spec(charts.days(Days("T", days(1), lines, Kind.COUNT)))["layer"][0]["encoding"]["color"]
    assert colour["legend"]["columns"] == 2


def test_bars_have_room_for_their_labels() -> None:
    column, unit, share = Column("n", "Name"), Column("p", "Plays"), Column("s", "Share")
    block = Bars("T", column, unit, share, [("a", 1200, 0.75), ("b", 400, 0.25)])
    drawn = spec(charts.bars(block))
    bar, label = drawn["layer"]
    assert rows(drawn, drawn)[0] == {"name": "a", "number": 1200, "share": 0.75, "label": "1,200  (75.0 %)"}
    assert drawn["height"] == 88  # 34 a bar, and 20
    assert bar["encoding"]["x"]["scale"] == {"domain": [0, 1800.0], "nice": False}
    assert bar["encoding"]["y"]["axis"] == {"labelLimit": 150}
    assert [(t["title"], t.get("format")) for t in bar["encoding"]["tooltip"]] == [
        ("Name", None), ("Plays", ",.0f"), ("Share", ".1%"),
    ]  # fmt: skip
    assert (label["mark"], label["encoding"]["text"]["field"]) == (
        {"align": "left", "dx": 6, "type": "text"},
        "label",
    )
    empty = spec(charts.bars(Bars("T", column, unit, share, [])))["layer"][0]
    assert empty["encoding"]["x"]["scale"]["domain"] == [0, 1.5]


@pytest.mark.parametrize(
    ("length", "drawn", "second"), [(1, 1, None), (5, 5, 25.0), (400, 400, None), (401, 201, None)]
)
def test_a_curve_has_at_most_400_points_over_the_medias_length(
    length: int, drawn: int, second: float | None
) -> None:
    chart = spec(charts.curve(Curve("T", 100.0, {"Ever": [n / 1000 for n in range(length)]})))
    (line,) = chart["layer"]
    points = rows(chart, chart)
    assert len(points) == drawn <= charts.MOST_POINTS
    assert points[0] == {"at": 0.0, "what": "Ever", "value": 0.0}
    if length > 1:
        assert points[-1]["at"] == 100.0
    if second:
        assert points[1]["at"] == second
    x, y, colour = (line["encoding"][name] for name in ("x", "y", "color"))
    assert x["scale"] == {"domain": [0, 100.0], "nice": False}
    assert x["axis"]["values"] == [0, 30, 60, 90]
    assert "datum.value / 60" in x["axis"]["labelExpr"]
    assert "datum.value % 60" in x["axis"]["labelExpr"]
    assert y["axis"] == {"format": ".0%", "tickCount": 5}
    assert colour["legend"] is not None  # which of the two curves it is


def test_drops_and_replays_are_marked_in_a_curve() -> None:
    marks = [Mark(8, 12, "12 % leave", "drop"), Mark(20, 24, "6 % watch again", "replay")]
    chart = spec(charts.curve(Curve("T", 100.0, {"All time": [1.0, 0.5]}, marks)))
    drop, replay, _ = chart["layer"]
    assert rows(chart, drop) == [{"from": 8, "to": 12, "what": "12 % leave"}]
    assert (drop["mark"]["color"], replay["mark"]["color"]) == (TONES["bad"], TONES["good"])


def test_a_stack_lies_in_the_order_of_its_parts() -> None:
    one, other = days(2)
    chart = spec(
        charts.stack(
            Stack(
                "T",
                "Plays",
                [one, other],
                {"a": {other: 2, one: 1}, "b": {one: 3}},
                {"a": "good", "b": "bad"},
            )
        )
    )
    assert [(r["day"], r["what"], r["value"], r["rank"]) for r in rows(chart, chart)] == [
        ("2026-03-02", "a", 1, 0), ("2026-03-03", "a", 2, 0), ("2026-03-02", "b", 3, 1),
    ]  # fmt: skip
    colour, y = chart["encoding"]["color"], chart["encoding"]["y"]
    assert colour["scale"] == {"domain": ["a", "b"], "range": [TONES["good"], TONES["bad"]]}
    assert colour["legend"] is not None
    assert (y["title"], y["axis"]) == ("Plays", {"format": ",.0f", "tickCount": 5})


@pytest.mark.parametrize(("count", "labels"), [(10, 10), (11, 6), (16, 8), (17, 6)])
def test_a_band_for_each_day_and_a_label_for_a_few(count: int, labels: int) -> None:
    """Of more than ten days every second, third or so has a label: eight at most."""
    of = dict.fromkeys(days(count), 1)
    x = spec(charts.stack(Stack("T", "Plays", days(count), {"a": of})))["encoding"]["x"]
    assert x["scale"]["domain"] == [str(day) for day in days(count)]
    assert len(x["axis"]["values"]) == labels
    assert (x["axis"]["labelAngle"], x["axis"]["labelOverlap"], x["axis"]["ticks"]) == (0, True, False)
    assert spec(charts.stack(Stack("T", "Plays", [], {"a": {}})))["encoding"]["x"]["scale"]["domain"] == []


def test_a_grid_has_a_square_for_each_name_and_day() -> None:
    one, other = days(2)
    squares = {("b", one): "published", ("a", other): "failed"}
    chart = spec(charts.grid(Grid("T", squares, {"published": "good", "failed": "bad"})))
    assert [(r["day"], r["name"], r["what"]) for r in rows(chart, chart)] == [
        ("2026-03-02", "b", "published"), ("2026-03-03", "a", "failed"),
    ]  # fmt: skip
    y = chart["encoding"]["y"]
    assert (y["sort"], y["axis"]) == (["a", "b"], {"labelLimit": 160, "labelOverlap": False})
    assert chart["encoding"]["x"]["scale"]["domain"] == ["2026-03-02", "2026-03-03"]
    assert (chart["height"], chart["mark"]["cornerRadius"]) == ({"step": 26}, 2)
    assert chart["encoding"]["color"]["legend"] is not None
