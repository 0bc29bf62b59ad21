"""Single blocks as the report and the app draw them, where a whole page would hide what is special about them."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.published import DAILY, Published, days
from wistlake.errors import ConfigError
from wistlake.insight.ask import Selection
from wistlake.quality import sources
from wistlake.quality.metric_query import plan
from wistlake.quality.scope import Scope
from wistlake_dashboard import figures
from wistlake_dashboard.app import render as app
from wistlake_dashboard.blocks import (
    Bars,
    Beside,
    Column,
    Curve,
    Days,
    Flag,
    Grid,
    Kind,
    Number,
    Numbers,
    Stack,
    Table,
    Text,
)
from wistlake_dashboard.coverage import Coverage
from wistlake_dashboard.figures import Comparison, Pair, Totals
from wistlake_dashboard.health import calendar, failures, revisions, runs
from wistlake_dashboard.report import page
from wistlake_dashboard.report.page import newest_scope
from wistlake_dashboard.report.render import html
from wistlake_dashboard.retention import retention
from wistlake_dashboard.tiles import TILES, Tile

FIRST, LAST = date(2026, 3, 9), date(2026, 3, 15)
WEEK = Scope(FIRST, LAST)
N = [FIRST + timedelta(days=n) for n in range(7)]


def on(n: int) -> date:
    return date(2026, 3, n)


# the report


def lines_of(*lines: str, **more: Any) -> Days:
    return Days("T", N[:2], {name: [1, 2] for name in lines}, **{"kind": Kind.COUNT, **more})


def test_a_line_alone_has_no_key_and_beside_the_period_before_it_has() -> None:
    alone, both = str(html(lines_of("Hours"))), str(html(lines_of("Plays", "Viewers")))
    assert ("<ul" in alone, both.count("<li ")) == (False, 2)
    assert re.findall(r'<li class="(\w)">(\w+)', both) == [("a", "Plays"), ("b", "Viewers")]
    assert "<title>9 Mar: 1 plays, 1 viewers</title>" in both
    more = {"before": {"Plays": [3, None]}, "days_before": [on(2), on(3)], "open": frozenset({N[1]})}
    compared = str(html(lines_of("Plays", **more)))
    assert re.findall(r'<li class="(\w+)">(\w+)', compared) == [("a", "Plays"), ("past", "Before")]
    assert re.findall(r"<title>([^<]*)</title>", compared) == [
        "9 Mar: 1 plays; 2 Mar 2026: 3", "10 Mar: 2 plays (may still change); 3 Mar 2026: –",
    ]  # fmt: skip
    assert compared.count('class="open"') == 1


def test_marks_of_shares_are_whole_percents() -> None:
    shares = str(html(Days("T", N[:2], {"Rate": [0.25, 1.0]}, Kind.SHARE)))
    assert re.findall(r'text-anchor="end">([\d ]+%)', shares) == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert "<title>9 Mar: 25.0 % rate</title>" in shares
    counts = str(html(Days("T", N[:2], {"Plays": [10, 20]}, Kind.COUNT)))
    assert re.findall(r'text-anchor="end">([\d.]+)<', counts) == ["0", "5", "10", "15", "20"]


def test_what_changed_on_one_day_is_one_flag() -> None:
    flags = [Flag(N[1], "A", "renamed"), Flag(N[0], "B", "new"), Flag(N[1], "B", "swapped")]
    drawn = str(html(lines_of("Plays", flags=flags)))
    assert re.findall(r"<title>(B: new|A: renamed; B: swapped)</title>", drawn) == [
        "B: new",
        "A: renamed; B: swapped",
    ]


@pytest.mark.parametrize(
    ("count", "step", "printed", "shown", "more"),
    [
        (3, 1, 3, 3, ""),
        (4, 1, 3, 3, "And 1 other."),
        (9, 2, 3, 3, "And 2 others."),
        (9, 2, 5, 5, ""),
        (9, 3, 2, 2, "And 1 other."),
    ],
)
def test_a_long_table_is_cut_and_says_how_much_is_left_out(
    count: int, step: int, printed: int, shown: int, more: str
) -> None:
    columns = (Column("a", "A"), Column("n", "N", Kind.COUNT))
    table = Table("t", "T", columns, [{"a": f"r{n}", "n": n} for n in range(count)],
                  step=step, printed=printed)  # fmt: skip
    drawn = str(html(table))
    assert re.findall(r'<th scope="row">r(\d)', drawn) == [str(step * n) for n in range(shown)]
    assert re.findall(r"And [^<]*", drawn) == ([more] if more else [])
    assert "<details>" not in drawn
    assert re.findall(r'<t[hd] ?(?:scope="col" )?class="n">', drawn).__len__() == 1 + shown


def test_a_folded_table_is_behind_its_chart() -> None:
    table = Table("t", "T", (Column("a", "A", meaning="What it is."),), [{"a": "x"}], folded=True)
    drawn = str(html(table))
    assert drawn.startswith("<details><summary>As a table</summary>")
    assert 'aria-describedby="tip-t-a">A</span>' in drawn
    assert 'role="tooltip" id="tip-t-a">What it is.</span>' in drawn
    assert re.findall(r'(\w+)="0"', drawn).count("tabindex") == 2


@pytest.mark.parametrize(
    ("change", "direction", "clear"),
    [
        ("+5", "up", True),
        ("−5 %", "down", True),
        ("no change", "soft", True),
        ("", None, True),
        ("+5", "soft", False),
    ],
)
def test_a_headline_number_shows_where_it_went_and_is_grey_within_the_noise(
    change: str, direction: str | None, clear: bool
) -> None:
    drawn = str(html(Numbers([Number("Plays", "5", change, "meaning", "vs previous 7 days", clear, [1, 2])])))
    assert re.findall(r'class="change (\w+)"', drawn) == ([direction] if direction else [])
    assert (" vs previous 7 days" in drawn) is bool(direction)
    assert 'class="sparkline"' in drawn


def test_bars_are_rows_with_a_bar_and_what_is_unclassified_stands_out() -> None:
    block = Bars("T", Column("n", "Name"), Column("p", "Plays", Kind.COUNT), Column("s", "Share", Kind.SHARE),
                 [("Facebook", 1500, 0.75), ("other / unknown", 500, 0.25)])  # fmt: skip
    drawn = str(html(block))
    assert re.findall(r'class="fill ?(\w*)"', drawn) == ["", "warn"]
    assert re.findall(r'<td class="n">([^<]*)', drawn) == ["1,500", "75.0 %", "500", "25.0 %"]
    assert drawn.count('<td class="w"><svg') == 2


def test_a_stack_without_tones_has_seven_colours_in_turn() -> None:
    parts = {f"part {n}": {N[0]: n + 1} for n in range(8)}
    drawn = str(html(Stack("T", "Plays", N[:2], parts)))
    assert re.findall(r'<li class="(s\d)">part (\d)', drawn) == [(f"s{n % 7}", str(n)) for n in range(8)]
    assert "<title>9 Mar: 1 part 0, 2 part 1," in drawn
    assert "<title>10 Mar: </title>" in drawn
    toned = str(html(Stack("T", "Plays", N[:1], {"a": {N[0]: 1}}, {"a": "good"})))
    assert '<li class="good">a' in toned
    assert 'class="s0"' not in toned


def test_a_grid_is_in_the_order_of_names_and_days() -> None:
    squares = {("b", N[1]): "failed", ("a", N[0]): "published"}
    drawn = str(html(Grid("T", squares, {"published": "good", "failed": "bad"})))
    assert re.findall(r"<title>([^<]*)</title>", drawn) == ["a, 9 Mar: published", "b, 10 Mar: failed"]


def test_a_curve_is_labelled_with_the_time_into_the_media() -> None:
    drawn = str(html(Curve("T", 120.0, {"All time": [1.0, 0.5, 0.25], "This period": [1.0, 1.0, 0.5]})))
    assert re.findall(r">(\d:\d\d)<", drawn) == ["0:00", "0:30", "1:00", "1:30", "2:00"]
    assert re.findall(r'<li class="(\w)">', drawn) == ["c", "a"]
    assert 'class="chart small"' in drawn
    assert re.findall(r">(\d:\d\d)<", str(html(Curve("T", 60.0, {"All time": [1.0]})))) == [
        "0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00",
    ]  # fmt: skip


def test_halves_stand_beside_each_other_and_an_empty_one_is_none() -> None:
    assert str(html(Beside([Text("a")], [Text("b")]))).count("<div>") == 2
    assert str(html(Beside([Text("a")], []))).count("<div>") == 1


def test_the_report_is_of_the_newest_days() -> None:
    query = Published({DAILY: days("a", on(1), [1] * 14)})
    assert newest_scope(query) == Scope(on(8), on(14))
    assert newest_scope(Published({})) is None


def test_a_report_of_chosen_days_ends_where_the_numbers_do() -> None:
    query = Published(
        {DAILY: days("a", on(3), [1] * 12), "silver.dim_media": [{"media_id": "a", "title": "A"}]}
    )
    for asked, expected in (
        ((on(4), None, ("a",)), Scope(on(4), on(14), ("a",))),
        ((on(4), on(5)), Scope(on(4), on(5))),
        ((on(1), date(2199, 1, 1)), Scope(on(3), on(14))),
        ((None, date(2199, 1, 1)), newest_scope(query)),
        ((date(1900, 1, 1), on(5)), Scope(on(3), on(5))),
    ):
        assert Selection(*asked).scope(query, 7, published_only=True) == expected
    for far in ((on(3), date(2199, 1, 1)), (date(1900, 1, 1), None)):
        with pytest.raises(
            ConfigError, match="this lake has 2026-03-03 to 2026-03-14: name days within a year"
        ):
            Selection(*far).scope(query)


def test_days_that_are_not_published_are_not_called_days_without_plays() -> None:
    query = Published({DAILY: [*days("a", on(1), [1] * 14), *days("b", on(1), [1] * 5)]})
    shown = page(query, Scope(on(8), on(14), ("b",)))
    assert "Nothing is published of these days." in shown
    assert "No plays." not in shown
    assert "days are stable" not in shown
    lacking = "All published days are stable; 4 days of 1 media are not published."
    for media in (("b",), ()):
        assert lacking in page(query, Scope(on(3), on(9), media))
    assert "All days are stable." in page(query, Scope(on(2), on(5)))


# the app


@pytest.mark.parametrize(
    ("change", "shown", "colour", "arrow"),
    [("+5", "+5", "GREEN", "UP"), ("−5 %", "-5 %", "RED", "DOWN"), ("no change", "no change", "GRAY", "NONE"),
     ("", "", "GRAY", "NONE")],
)  # fmt: skip
def test_a_tile_shows_where_its_number_went(change: str, shown: str, colour: str, arrow: str) -> None:
    def tile(change: str) -> None:
        from wistlake_dashboard.app.render import draw
        from wistlake_dashboard.blocks import Number, Numbers

        draw(Numbers([Number("Plays", "5", change, "meaning")]))

    (drawn,) = AppTest.from_function(tile, args=(change,)).run().metric
    assert (drawn.label, drawn.value, drawn.delta, drawn.proto.help) == ("Plays", "5", shown, "meaning")
    assert drawn.proto.MetricColor.Name(drawn.proto.color) == colour
    assert drawn.proto.MetricDirection.Name(drawn.proto.direction) == arrow


@pytest.mark.parametrize(
    ("column", "type_", "label", "form"),
    [
        (Column("a", "A"), None, "A", None), (Column("a", "A", Kind.COUNT), "number", "A", "localized"),
        (Column("a", "A", Kind.SHARE), "number", "A", "%.1f %%"),
        (Column("a", "A", Kind.SECONDS), "number", "A (hours)", "%.1f"),
        (Column("a", "A", Kind.CLOCK), "number", "A (seconds)", "%.0f"),
        (Column("a", "A", Kind.DAY), "date", "A", "D MMM YYYY"),
        (Column("a", "A", Kind.MOMENT), "datetime", "A", "D MMM YYYY, HH:mm"),
        (Column("a", "A", Kind.MOMENT, absent="never"), "text", "A", None),
    ],
)  # fmt: skip
def test_a_column_of_the_app_is_of_its_kind(
    column: Column, type_: str | None, label: str, form: str | None
) -> None:
    config = app._column(column)
    assert config["label"] == label
    assert (
        (config.get("type_config") or {}).get("type"),
        (config.get("type_config") or {}).get("format"),
    ) == (type_, form)


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        (Column("a", "A", Kind.SHARE), 0.25, 25.0), (Column("a", "A", Kind.SECONDS), 7200, 2.0),
        (Column("a", "A", Kind.COUNT), 1234, 1234), (Column("a", "A", Kind.SHARE), None, None),
        (Column("a", "A"), "x", "x"), (Column("a", "A", Kind.MOMENT, absent="never"), None, "never"),
        (Column("a", "A", Kind.MOMENT, absent="never"), datetime(2026, 3, 9, 2, 15, tzinfo=UTC),
         "9 Mar 2026, 02:15 UTC"),
    ],
)  # fmt: skip
def test_a_cell_of_the_app_can_be_sorted_as_what_it_is(column: Column, value: Any, shown: Any) -> None:
    assert app._value(column, {"a": value}) == shown


def test_the_file_of_a_table_names_each_media_by_its_id() -> None:
    columns = (Column("media", "Media"), Column("n", "N"))
    assert app._keys(Table("t", "T", columns, [{"media_id": "a", "media": "A", "n": 1}])) == [
        "media_id",
        "media",
        "n",
    ]
    assert app._keys(Table("t", "T", columns, [{"media": "A", "n": 1}])) == ["media", "n"]


# figures


def pair(now: int, before: int | None, **more: Any) -> Pair:
    return Pair(Totals(plays=now, **more), None if before is None else Totals(plays=before))


def compared(**media: Pair) -> Comparison:
    return Comparison(Pair(Totals(), None), media, Coverage(WEEK))


def test_movers_are_ordered_by_how_far_they_moved() -> None:
    found = compared(a=pair(5, 9), b=pair(9, 5), c=pair(8, 1), d=pair(4, 4), e=pair(9, None))
    assert [(m, by) for m, by, _ in figures.movers(found)] == [("c", 7), ("a", -4), ("b", 4)]
    assert [m for m, _, _ in figures.movers(found, 2)] == ["c", "a"]
    in_sessions = compared(a=Pair(Totals(plays_from_events=7), Totals(plays_from_events=2)))
    assert [(m, by) for m, by, _ in figures.movers(in_sessions)] == [("a", 5)]
    counted = compared(a=Pair(Totals(plays_from_events=7), Totals(plays=2)), b=pair(3, 1))
    assert [(m, by) for m, by, _ in figures.movers(counted)] == [("a", -2), ("b", 2)]


def test_a_funnel_begins_with_what_is_known() -> None:
    marks = {"reached_25": 4, "reached_50": 3, "reached_75": 2, "reached_95": 1}
    assert figures.funnel(Totals(loads=9, plays=6, sessions=5, **marks)) == [
        ("loads", 9),
        ("plays", 6),
        *marks.items(),
    ]
    assert figures.funnel(Totals(sessions=5, **marks)) == [("sessions", 5), *marks.items()]
    assert figures.funnel(Totals(plays=6, **marks)) == [("plays", 6), *marks.items()]


@pytest.mark.parametrize(
    ("plays", "top", "shown"),
    [
        ([6, 3, 1], 8, [("n0", 6, 0.6), ("n1", 3, 0.3), ("n2", 1, 0.1)]),
        ([6, 3, 1], 2, [("n0", 6, 0.6), ("n1", 3, 0.3), ("1 other", 1, 0.1)]),
        ([5, 3, 1, 1], 2, [("n0", 5, 0.5), ("n1", 3, 0.3), ("2 others", 2, 0.2)]),
        ([4, 0, None], 8, [("n0", 4, 1.0)]), ([], 8, []),
    ],
)  # fmt: skip
def test_shares_of_all_with_the_small_ones_together(
    plays: list[int | None], top: int, shown: list[Any]
) -> None:
    rows = [{"name": f"n{n}", "plays_from_events": count} for n, count in enumerate(plays)]
    assert figures.shares(rows, top) == shown
    assert figures.shares([{"name": "", "plays_from_events": 1}]) == [("unknown", 1, 1.0)]


def test_eight_names_are_shown_unless_told_otherwise() -> None:
    assert len(figures.shares([{"name": f"n{n}", "plays_from_events": 1} for n in range(10)])) == 9


@pytest.mark.parametrize(
    ("metric", "now", "before", "change"),
    [
        ("plays", {"plays": 30}, {"plays": 20}, "+50 %"), ("plays", {"plays": 30}, {"plays": 19}, "+11"),
        ("conversions", {"plays": 300, "conversions": 9}, {"plays": 300, "conversions": 6}, "+3"),
        ("watch_seconds", {"plays": 30, "watch_seconds": 90.0}, {"plays": 30, "watch_seconds": 60.0}, "+50 %"),
        ("watch_seconds", {"plays": 30, "watch_seconds": 90.0}, {"plays": 5, "watch_seconds": 60.0}, "+30 s"),
        ("completion_share", {"plays": 30, "completion_share": 0.5}, {"plays": 30, "completion_share": 0.4},
         "+10.0 points"),
        ("completion_share", {"plays": 30, "completion_share": 0.5}, {"plays": 19, "completion_share": 0.4}, ""),
        ("completion_share", {"plays": 19, "completion_share": 0.5}, {"plays": 30, "completion_share": 0.4}, ""),
    ],
)  # fmt: skip
def test_a_tile_changes_as_its_kind_does(
    metric: str, now: dict[str, Any], before: dict[str, Any], change: str
) -> None:
    tile = next(t for t in TILES if t.metric == metric)
    assert tile.change(Pair(Totals(**now), Totals(**before))) == change
    assert tile.change(Pair(Totals(**now), None)) == ""
    assert tile.number(Pair(Totals(**now), None)).title == Tile(tile.title, metric).title


# the state of the lake


def test_the_calendar_names_the_worst_and_looks_ahead_of_the_newest_day() -> None:
    query = Published({DAILY: days("a", on(9), [1] * 7)})
    states = [("e", 10, "published", False), ("e", 10, "failed", False), ("e", 11, "landed", False),
              ("e", 11, "published", False),
              ("e", 12, "published", True), ("e", 13, "published", True), ("e", 13, "published", False),
              ("e", 20, "landed", False),
              ("gold", 10, "published", False)]  # fmt: skip
    query.add("ops.intervals", [
        {"dataset": d, "media_id": f"m{n}", "day": on(day), "state": state, "missing": missing, "reason": "why"}
        for n, (d, day, state, missing) in enumerate(states)
    ])  # fmt: skip
    found = calendar(query, WEEK)
    assert [(r["day"].day, r["intervals"], r["failed"], r["missing"], r["waiting"], r["state"]) for r in found] == [
        (10, 2, 1, 0, 0, "failed"), (11, 2, 0, 0, 1, "waiting"), (12, 1, 0, 1, 0, "not there"),
        (13, 2, 0, 1, 0, "published"),
        (20, 1, 0, 0, 1, "waiting"),
    ]  # fmt: skip
    assert [r["day"].day for r in calendar(query, Scope(FIRST, on(14)))] == [10, 11, 12, 13]
    assert [r["media_id"] for r in failures(query, WEEK)] == ["m1"]


def test_runs_have_seconds_once_they_have_ended() -> None:
    query = Published({"ops.runs": [
        {"run_id": "r1", "started_at": "2026-03-10 02:15:00", "ended_at": "2026-03-10 02:16:30"},
        {"run_id": "r2", "started_at": "2026-03-11 02:15:00"},
    ]})  # fmt: skip
    assert [(r["run_id"], r["seconds"]) for r in runs(query, WEEK)] == [("r2", None), ("r1", 90.0)]
    assert "ended_at" not in runs(query, WEEK)[0]


def test_revisions_tell_counts_from_hours_alone() -> None:
    """The counts moved on the second and the fourth reading; the third and the fifth brought other hours."""
    readings = [(10, 5), (12, 5), (12, 5), (12, 6), (12, 6)]
    query = Published({"silver.media_by_date_observations": [
        {"media_id": m, "date": on(day), "observed_at": f"2026-03-{11 + n} 02:15:00", "load_count": loads,
         "play_count": plays}
        for m, day, rows in (("a", 10, readings), ("b", 10, readings[:1]), ("a", 11, readings[-1:]))
        for n, (loads, plays) in enumerate(rows)
    ]})  # fmt: skip
    found = revisions(query, WEEK)
    assert [(r["media_id"], r["date"].day) for r in found] == [("a", 11), ("a", 10), ("b", 10)]
    later, moved, still = found
    assert (later["readings"], later["restated"]) == (1, 0)
    assert (moved["readings"], moved["restated"], moved["moved_at"].day) == (3, 2, 14)
    assert (moved["first_plays"], moved["plays"], moved["first_loads"], moved["loads"]) == (5, 6, 10, 12)
    assert (still["readings"], still["restated"], still["moved_at"]) == (1, 0, None)


# retention


def snapshot(
    day: int, plays: int, views: list[int], again: list[int] | None = None, **more: Any
) -> dict[str, Any]:
    usual = {"media_id": "a", "engagement": 0.5, "duration_seconds": 100.0}
    return (
        usual
        | {"snapshot_date": on(day), "play_count": plays, "engagement_data": views, "rewatch_data": again}
        | more
    )


def step(
    day: int, verdict: str, views: list[int] | None = None, again: list[int] | None = None
) -> dict[str, Any]:
    return {"media_id": "a", "date": on(day), "verdict": verdict, "views": views, "rewatches": again}


@pytest.mark.parametrize(
    ("steps", "ever", "lately", "words"),
    [
        ([step(10, "comparable", [4, 2], [1, 0]), step(11, "comparable", [4, 4])], [1.0, 0.6], [0.875, 0.75],
         "Average engagement"),
        ([step(10, "comparable", [4, 2]), step(11, "restated")], [1.0, 0.6], None,
         "Wistia restated the curve between them."),
        ([step(10, "media_swapped")], [1.0, 0.6], None, "the file was swapped between them."),
        ([step(9, "restated"), step(12, "restated")], [1.0, 0.6], None, "they were not compared yet."),
        ([step(11, "comparable", [0, 0])], [1.0, 0.6], [0.0, 0.0], "Average engagement"),
        ([step(11, "comparable", [2, -1])], [1.0, 0.6], None, "Wistia restated the curve between them."),
    ],
)  # fmt: skip
def test_a_curve_of_these_days_is_what_was_added_between_two_snapshots(
    steps: list[dict[str, Any]], ever: list[float], lately: list[float] | None, words: str
) -> None:
    """Two plays out of ten saw nothing again; of the eight between the snapshots seven saw the first second."""
    query = Published({
        "silver.media_lifetime": [snapshot(9, 2, [3, 2], [1, 0]), snapshot(11, 10, [12, 8], [2, 2], engagement=0.75)],
        "gold.media_retention_daily": steps,
    })  # fmt: skip
    curve = retention(query, WEEK)["a"]
    assert (curve.first_day, curve.last_day) == (on(9), on(11))
    assert curve.ever == ever
    assert curve.lately == lately
    assert words in curve.summary
    assert curve.summary.startswith(
        "Snapshots of 9 Mar 2026 and 11 Mar 2026. Average engagement of all time: 50.0 %, then 75.0 %."
    )


def test_one_snapshot_is_one() -> None:
    query = Published({"silver.media_lifetime": [snapshot(9, 4, [4, 2])]})
    curve = retention(query, WEEK)["a"]
    assert curve.summary == "Snapshot of 9 Mar 2026; there is no earlier one in these days."
    assert (curve.ever, curve.lately, curve.duration_seconds) == ([1.0, 0.5], None, 100.0)


def test_more_people_at_a_second_than_plays_are_as_many_as_can_be() -> None:
    query = Published({"silver.media_lifetime": [snapshot(9, 4, [5, 2], [0, 3])]})
    assert retention(query, WEEK)["a"].ever == [1.0, 0.0]


# tables that answer a scope


def test_sessions_of_a_channel_are_counted_on_the_days_that_are_published() -> None:
    """A session's local day may be the UTC day before it, or the one after."""
    query = Published({DAILY: days("a", FIRST, [9] * 7)})
    sessions = [
        {"event_key": key, "media_id": "a", "visitor_id": v, "channel": channel, "event_date": on(utc),
         "event_date_local": on(local),
         "removed_at": removed, "percent_viewed": 0.5, "watch_milliseconds": ms, "duration_seconds": 10.0}
        for key, v, channel, utc, local, removed, ms in (
            ("e1", "x", "facebook", 9, 9, None, 5000), ("e2", "y", "facebook", 10, 9, None, 5000),
            ("e3", "x", "google", 9, 9, None, 5000), ("e4", "x", "facebook", 9, 9, "2026-03-12 02:15", 5000),
            ("e5", "x", "facebook", 16, 15, None, None), ("e6", "x", "facebook", 16, 16, None, 5000),
            ("e7", "z", "facebook", 8, 9, None, 5000),
        )
    ]  # fmt: skip
    query.add("silver.fact_events", sessions)
    scope = Scope(FIRST, LAST, (), ("facebook",))
    rows = query.sql(f"SELECT * FROM {sources.daily(scope)} t ORDER BY date").to_pylist()
    assert [(r["date"].day, r["sessions"], r["unique_viewers"], r["watch_milliseconds"]) for r in rows] == [
        (9, 3, 3, 15000), *((n, 0, 0, 0) for n in range(10, 15)), (15, 1, 1, None),
    ]  # fmt: skip
    assert {r["plays"] for r in rows} == {None}
    assert sources.daily(WEEK) == "gold.fact_media_daily"
    assert "FROM gold.channel_daily " in plan(("sessions",), scope, ("channel",))
    viewers = query.sql(f"SELECT DISTINCT visitor_id FROM {sources.engagement(scope)} t").to_pylist()
    assert {r["visitor_id"] for r in viewers} == {"x", "y", "z"}


def test_narrow_sections_stand_beside_each_other_and_wide_ones_below() -> None:
    text = page(Published({DAILY: days("a", on(2), [1] * 14)}), WEEK)
    assert re.findall(r'<section class="grid2"><div><h2>(\w+)', text) == ["Countries"]
    assert re.findall(r"<div><h2>([^<]*)", text) == ["Countries", "Devices"]
    assert "Plays over time" in re.findall(r"<section><h2>([^<]*)", text)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://x.wistia.com/medias/a", True),
        ("javascript:alert(1)", False),
        ("http://x.example", False),
        (None, False),
    ],
)
def test_only_a_page_of_https_is_a_link(url: str | None, link: bool) -> None:
    table = Table("t", "T", (Column("a", "A"), Column("u", "U", Kind.LINK)), [{"a": "x", "u": url}])
    drawn = str(html(table))
    assert ("<a " in drawn) is link
    assert ('rel="noopener noreferrer"' in drawn) is link
    assert app._value(table.columns[1], {"u": url}) == (url if link else None)


def test_a_column_may_have_bars_as_long_as_its_greatest() -> None:
    table = Table(
        "t",
        "T",
        (Column("a", "A"), Column("n", "N", Kind.COUNT, bar=True)),
        [{"a": "x", "n": 4}, {"a": "y", "n": 1}],
    )
    drawn = str(html(table))
    assert re.findall(r'width="([\d.]+)" height="10" class="fill"', drawn) == ["100.0", "25.0"]
    assert app._column(table.columns[1], table.rows)["type_config"]["max_value"] == 4


def test_the_file_of_a_table_names_days_and_units() -> None:
    columns = (Column("s", "S", Kind.SHARE), Column("c", "C", Kind.CLOCK), Column("n", "N", Kind.COUNT))
    assert app._headers(Table("t", "T", columns, [])) == {"s": "s (share of 1)", "c": "c (seconds)"}
    assert app._file(Table("t", "T", columns, []), WEEK) == "wistlake-t-2026-03-09-to-2026-03-15.csv"
