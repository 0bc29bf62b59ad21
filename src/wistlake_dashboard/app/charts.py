"""Charts of the app, as Altair. Colours come from the app's theme, so that light and dark both work."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from wistlake_dashboard import blocks, ticks, words
from wistlake_dashboard.app.theme import TONES
from wistlake_dashboard.blocks import Bars, Curve, Days, Flag, Grid, Kind, Mark, Stack
from wistlake_dashboard.reader import Row

HEIGHT = 260
CLICKED = "clicked"
MOST_POINTS = 400
NUMBER, SHARE = ",.0f", ".0%"
PALE = "#8a93a3"
_FORMATS = {Kind.SHARE: SHARE, Kind.HOURS: ",.1f"}


def at(day: date) -> str:
    """A day as the browser must get it: midnight where the browser is, not in UTC."""
    return f"{day.isoformat()}T00:00:00"


def days(block: Days) -> alt.LayerChart:
    """A line each, the period before dashed over the same days. None is a gap: a line that went on over it would show
    what nobody knows. The pointer need not hit a point: it is told of the nearest day."""
    long = [
        {"day": at(day), "what": name, "value": value, "open": day in block.open}
        for name, values in block.lines.items()
        for day, value in zip(block.days, values, strict=True)
    ]
    form = _FORMATS.get(block.kind, NUMBER)
    y = alt.Y("value:Q", title=None, axis=alt.Axis(format=form, tickCount=5))
    base = _chart(long, block.title).encode(
        x=alt.X("day:T", title=None, axis=_day_axis(block.days)), y=y, color=_colours(block.lines)
    )
    # A layer without any mark would be a picture without a name to a screen reader.
    states = {point["open"] for point in long if point["value"] is not None}
    dots = []
    if False in states:
        dots.append(base.transform_filter("!datum.open").mark_circle(size=46, opacity=1))
    if True in states:
        hollow = base.transform_filter("datum.open")
        dots.append(hollow.mark_point(size=46, opacity=1, filled=False, strokeWidth=1.8))
    # The data belong to each part of the chart: layers in layers alone would draw nothing.
    return alt.layer(
        *_before(block, y), base.mark_line(strokeWidth=2.2), *dots, *_flags(block.flags), _nearest(block)
    )


def _before(block: Days, y: alt.Y) -> Sequence[alt.Chart]:
    """The period before, each value over the day that it is compared with."""
    data = [
        {"day": at(day), "value": value}
        for values in block.before.values()
        for day, value in zip(block.days, values, strict=False)
    ]
    if all(point["value"] is None for point in data):
        return ()
    dashed = alt.Chart(_frame(data)).mark_line(strokeDash=[5, 4], strokeWidth=1.6, color=PALE)
    return (dashed.encode(x="day:T", y=y),)


def _nearest(block: Days) -> alt.Chart:
    """A rule at the day nearest to the pointer, which tells all values of it."""
    spell = partial(blocks.spelled, block.kind)
    data = []
    for n, day in enumerate(block.days):
        texts = {name: spell(values[n]) for name, values in block.lines.items()}
        if n < len(block.days_before):
            then = next(iter(block.before.values()))
            texts["Before"] = f"{spell(then[n])} ({words.day(block.days_before[n])})"
        if day in block.open:
            texts["State"] = "may still change"
        number: dict[str, Any] = {CLICKED: n} if block.clicks else {}
        data.append({"day": at(day), "when": words.day(day)} | number | texts)
    names = list(dict.fromkeys(name for row in data for name in row if name not in ("day", "when", CLICKED)))
    near = alt.selection_point(
        name="near", fields=["day"], nearest=True, on="pointerover", clear="pointerout", empty=False
    )
    tips = [alt.Tooltip("when:N", title="Day"), *(alt.Tooltip(f"{name}:N") for name in names)]
    chart = alt.Chart(_frame(data)).mark_rule(strokeWidth=1.5, color=PALE)
    chart = chart.encode(x="day:T", opacity=alt.condition(near, alt.value(1), alt.value(0)), tooltip=tips)
    return chart.add_params(near, *([clicked(CLICKED, nearest=True)] if block.clicks else []))


def clicked(field: str, *, nearest: bool = False) -> alt.Parameter:
    """The selection of what the reader clicks: Streamlit tells of its field."""
    return alt.selection_point(name=CLICKED, fields=[field], on="click", nearest=nearest, empty=False)


def _flags(flags: Sequence[Flag]) -> Sequence[alt.Chart]:
    """A dashed line on each day on which a media changed; hovering says how."""
    if not flags:
        return ()
    return (
        alt.Chart(_frame([{"day": at(f.day), "media": f.name, "change": f.what} for f in flags]))
        .mark_rule(strokeDash=[4, 3], strokeWidth=2, color="#c2410c")
        .encode(
            x="day:T",
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%-d %b %Y"),
                alt.Tooltip("media:N", title="Media"),
                alt.Tooltip("change:N", title="Change"),
            ],
        ),
    )


def bars(block: Bars) -> alt.LayerChart:
    """Horizontal bars, each with its number and share."""
    data = [
        {"name": name, "number": n, "share": share, "label": f"{words.count(n)}  ({words.share(share)})"}
        for name, n, share in block.bars
    ]
    most = max((n for _, n, _ in block.bars), default=1)
    base = _chart(data, block.title, height=34 * len(data) + 20).encode(
        # room for the labels beside the bars
        x=alt.X("number:Q", axis=None, scale=alt.Scale(domain=[0, 1.5 * most], nice=False)),
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=150)),
        tooltip=[
            alt.Tooltip("name:N", title=block.column.title),
            alt.Tooltip("number:Q", title=block.unit.title, format=NUMBER),
            alt.Tooltip("share:Q", title=block.share.title, format=".1%"),
        ],
    )
    return alt.layer(
        base.mark_bar(cornerRadiusEnd=3), base.mark_text(align="left", dx=6).encode(text="label:N")
    )


def curve(block: Curve) -> alt.LayerChart:
    """Each line's values over the media's length, at most 400 points drawn of each; what is to be seen is marked."""
    data = []
    for name, values in block.lines.items():
        last, step = max(1, len(values) - 1), -(-len(values) // MOST_POINTS)
        points = range(0, len(values), step)
        data += [{"at": block.seconds * n / last, "what": name, "value": values[n]} for n in points]
    clock = "floor(datum.value / 60) + ':' + format(floor(datum.value % 60), '02')"
    axis = alt.Axis(labelExpr=clock, values=ticks.clock_steps(block.seconds))
    line = (
        _chart(data, block.title)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=alt.X("at:Q", title=None, scale=alt.Scale(domain=[0, block.seconds], nice=False), axis=axis),
            y=alt.Y("value:Q", title="Share of plays", axis=alt.Axis(format=SHARE, tickCount=5)),
            color=_colours(block.lines, legend=True),
            tooltip=[
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("at:Q", title="Second", format=NUMBER),
                alt.Tooltip("value:Q", title="Share of plays", format=".1%"),
            ],
        )
    )
    return alt.layer(*(_mark(m) for m in block.marks), line)


def _mark(mark: Mark) -> alt.Chart:
    """A stretch in which many leave, or that many see again."""
    return (
        alt.Chart(_frame([{"from": mark.start, "to": mark.end, "what": mark.what}]))
        .mark_rect(opacity=0.25, color=TONES["bad" if mark.kind == "drop" else "good"])
        .encode(x="from:Q", x2="to:Q", tooltip=[alt.Tooltip("what:N", title="Here")])
    )


def stack(block: Stack) -> alt.Chart:
    """Stacked bars by day."""
    data = [
        _band(day) | {"what": name, "value": number, "rank": rank}
        for rank, (name, of_day) in enumerate(block.parts.items())
        for day, number in sorted(of_day.items())
    ]
    chart = (
        _chart(data, block.title)
        .mark_bar()
        .encode(
            x=_day_bands(block.days),
            y=alt.Y("value:Q", title=block.unit, axis=alt.Axis(format=NUMBER, tickCount=5)),
            color=_colours(block.parts, block.tones, legend=True),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("value:Q", title=block.unit, format=NUMBER),
            ],
        )
    )
    return chart.add_params(clicked("what")) if block.clicks else chart


def grid(block: Grid) -> alt.Chart:
    """A square for each name and day."""
    data = [_band(day) | {"name": name, "what": state} for (name, day), state in block.squares.items()]
    days = sorted({day for _, day in block.squares})
    names = sorted({name for name, _ in block.squares})
    return (
        _chart(data, block.title, height=alt.Step(26))
        .mark_rect(cornerRadius=2, stroke="#ffffff22")
        .encode(
            x=_day_bands(days),
            y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=160, labelOverlap=False)),
            color=_colours(block.tones, block.tones, legend=True),
            tooltip=[
                alt.Tooltip("name:N", title="Dataset"),
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip("what:N", title="Worst state"),
            ],
        )
    )


DRAWN: Mapping[type, Callable[[Any], Any]] = {Days: days, Bars: bars, Curve: curve, Stack: stack, Grid: grid}


def _chart(data: list[dict[str, Any]], title: str, height: int | alt.Step = HEIGHT) -> alt.Chart:
    return alt.Chart(_frame(data)).properties(description=title, height=height)


def _frame(data: list[dict[str, Any]]) -> pd.DataFrame:
    """Altair checks each value of plain lists against its schema, which takes longer than all the rest."""
    return pd.DataFrame(data)


def _colours(
    names: Iterable[str], tones: Mapping[str, str] | None = None, *, legend: bool = False
) -> alt.Color:
    """A colour for each name: the theme's, or those of the tones. Narrow windows have room for two names a row, or
    for three short ones."""
    names = list(names)
    are_short = len(names) <= 3 and len("".join(names)) <= 36
    scale = {"scale": alt.Scale(domain=names, range=[TONES[tones[n]] for n in names])} if tones else {}
    shown = alt.Legend(orient="top", labelLimit=240, offset=4, columns=3 if are_short else 2)
    return alt.Color(
        "what:N", title=None, sort=names, legend=shown if legend or len(names) > 1 else None, **scale
    )


def _day_axis(days: Sequence[date]) -> alt.Axis:
    """Whole days only: of a short period each day, of a long one what fits."""
    if 0 < len(days) <= 10:
        return alt.Axis(format=_day_format(days), values=[_moment(d) for d in days], labelOverlap=True)
    return alt.Axis(format=_day_format(days), tickCount=8, labelOverlap=True)


def _day_format(days: Sequence[object]) -> str:
    return "%-d %b" if len(days) <= words.LONG_AXIS else "%b %Y"


def _band(day: date) -> Row:
    """A day as a band's name, and in words: nothing that a browser could move to another zone."""
    return {"day": day.isoformat(), "when": words.day(day)}


def _day_bands(days: Sequence[date]) -> alt.X:
    """A band for each day from the first to the last, with its label below its middle: on an axis of time the
    label stands at the band's edge, where it names the day before as well."""
    length = (days[-1] - days[0]).days + 1 if days else 0
    every = [(days[0] + timedelta(days=n)).isoformat() for n in range(length)]
    step = -(-length // 8) if length > 10 else 1
    label = f"timeFormat(toDate(datum.value + 'T00:00:00'), '{_day_format(every)}')"
    axis = alt.Axis(values=every[::step], labelExpr=label, labelAngle=0, labelOverlap=True, ticks=False)
    return alt.X("day:O", title=None, scale=alt.Scale(domain=every), axis=axis)


def _moment(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day)
