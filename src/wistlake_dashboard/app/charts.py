"""The app's charts. Colours come from the app's theme, so that light and dark both work."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import pandas as pd

from wistlake_dashboard import words
from wistlake_dashboard.figures import Row

HEIGHT = 260
NUMBER, SHARE = ",.0f", ".0%"


def at(day: date) -> str:
    """A day as the browser must get it: midnight where the browser is, not in UTC."""
    return f"{day.isoformat()}T00:00:00"


def days(
    rows: Sequence[Row], measures: dict[str, str], title: str, unit: str = "", form: str = NUMBER
) -> alt.LayerChart:
    """A line a measure: `measures` maps keys of `rows` (which have `date`) to names. None is a gap: a line that
    went on over it would show what nobody knows."""
    long = [
        {"day": at(r["date"]), "what": name, "value": r[key]} for key, name in measures.items() for r in rows
    ]
    base = _chart(long, title).encode(
        x=alt.X("day:T", title=None, axis=_day_axis(rows)),
        y=alt.Y("value:Q", title=unit or None, axis=alt.Axis(format=form, tickCount=5)),
        color=alt.Color(
            "what:N", title=None, sort=list(measures.values()), legend=_legend(len(measures) > 1)
        ),
        tooltip=[
            alt.Tooltip("day:T", title="Day", format="%-d %b %Y"),
            alt.Tooltip("what:N", title="What"),
            alt.Tooltip("value:Q", title=unit or "Number", format=form if form != SHARE else ".1%"),
        ],
    )
    return alt.layer(base.mark_line(strokeWidth=2.2), base.mark_circle(size=40, opacity=1))


def with_notes(chart: alt.LayerChart, notes: Sequence[Row]) -> alt.LayerChart:
    """The chart, with a dashed line on each day on which a media changed; hovering says how."""
    if not notes:
        return chart
    flags = [{"day": at(n["day"]), "media": n["name"], "change": n["what"]} for n in notes]
    drawn = (
        alt.Chart(_frame(flags))
        .mark_rule(strokeDash=[4, 3], strokeWidth=2, color="#c2410c")
        .encode(
            x="day:T",
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%-d %b %Y"),
                alt.Tooltip("media:N", title="Media"),
                alt.Tooltip("change:N", title="Change"),
            ],
        )
    )
    # The data belong to the chart as a whole: its layers alone would draw nothing.
    return alt.layer(chart, drawn)


def bars(shares: Sequence[tuple[str, int, float]], title: str) -> alt.Chart:
    """Horizontal bars of (name, plays, share), in the order given."""
    data = [{"name": n, "plays": p, "share": s} for n, p, s in shares]
    return (
        _chart(data, title, height=max(90, 34 * len(data) + 40))
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("share:Q", title="Share of plays in sessions", axis=alt.Axis(format=SHARE, tickCount=5)),
            y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=150)),
            tooltip=[
                alt.Tooltip("name:N", title="Name"),
                alt.Tooltip("plays:Q", title="Plays", format=NUMBER),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )


def funnel(steps: Sequence[tuple[str, int | None, float | None]], title: str) -> alt.LayerChart:
    """Bars of (name, number, share of the first), each with its number."""
    data = [
        {"step": name, "number": n, "share": s, "said": f"{n:,}" + (f"  ({s:.1%})" if s is not None else "")}
        for name, n, s in steps
        if n is not None
    ]
    most = max((n for _, n, _ in steps if n is not None), default=0)
    base = _chart(data, title, height=40 * max(1, len(data)) + 20).encode(
        # room for the numbers beside the bars
        x=alt.X("number:Q", axis=None, scale=alt.Scale(domain=[0, 1.5 * max(most, 1)], nice=False)),
        y=alt.Y("step:N", title=None, sort=None),
        tooltip=[
            alt.Tooltip("step:N", title="Step"),
            alt.Tooltip("number:Q", title="Number", format=NUMBER),
            alt.Tooltip("share:Q", title="Share of the first", format=".1%"),
        ],
    )
    return alt.layer(
        base.mark_bar(cornerRadiusEnd=3), base.mark_text(align="left", dx=6).encode(text="said:N")
    )


def curve(lines: Mapping[str, Sequence[float]], seconds: float, title: str) -> alt.Chart:
    """Retention: each line's values over the media's length, at most 400 points drawn of each."""
    data = []
    for name, values in lines.items():
        last = max(1, len(values) - 1)
        step = -(-len(values) // 400)
        data += [
            {"at": seconds * n / last, "what": name, "value": values[n]} for n in range(0, len(values), step)
        ]
    clock = "floor(datum.value / 60) + ':' + format(floor(datum.value % 60), '02')"
    return (
        _chart(data, title)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=alt.X(
                "at:Q",
                title=None,
                scale=alt.Scale(domain=[0, seconds], nice=False),
                axis=alt.Axis(labelExpr=clock, tickCount=8),
            ),
            y=alt.Y("value:Q", title="Share of plays", axis=alt.Axis(format=SHARE, tickCount=5)),
            color=alt.Color("what:N", title=None, sort=list(lines), legend=_legend(True)),
            tooltip=[
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("at:Q", title="Second", format=NUMBER),
                alt.Tooltip("value:Q", title="Share of plays", format=".1%"),
            ],
        )
    )


def stacked(
    rows: Sequence[Row],
    key: str,
    value: str,
    title: str,
    order: Sequence[str],
    unit: str,
    colours: Sequence[str] = (),
) -> alt.Chart:
    """Stacked bars by `date`, a colour a value of `key`, in the given order; `colours` in that order, too."""
    days = sorted({r["date"] for r in rows})
    scale = {"scale": alt.Scale(domain=list(order), range=list(colours))} if colours else {}
    data = [_band(r["date"]) | {"what": r[key], "value": r[value], "rank": order.index(r[key])} for r in rows]
    return (
        _chart(data, title)
        .mark_bar()
        .encode(
            x=_day_bands(days),
            y=alt.Y("value:Q", title=unit, axis=alt.Axis(format=NUMBER, tickCount=5)),
            color=alt.Color("what:N", title=None, sort=list(order), legend=_legend(True), **scale),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("value:Q", title=unit, format=NUMBER),
            ],
        )
    )


CERTIFICATES = {"certified": "#2f8f5b", "settled": "#5b8fd6", "provisional": "#c98a1b"}
STATES = {"published": "#2f8f5b", "not there": "#8a93a3", "waiting": "#c98a1b", "failed": "#c2303f"}


def calendar(rows: Sequence[Row], title: str) -> alt.Chart:
    """A square a dataset and day, coloured by the worst interval's state."""
    datasets = sorted({r["dataset"] for r in rows})
    data = [r | _band(r["day"]) for r in rows]
    days = sorted({r["day"] for r in rows})
    return (
        _chart(data, title, height=alt.Step(26))
        .mark_rect(cornerRadius=2, stroke="#ffffff22")
        .encode(
            x=_day_bands(days),
            y=alt.Y("dataset:N", title=None, sort=datasets, axis=alt.Axis(labelLimit=160, labelOverlap=False)),
            color=alt.Color(
                "state:N", title=None, legend=alt.Legend(orient="top", columns=2),
                scale=alt.Scale(domain=list(STATES), range=list(STATES.values())),
            ),
            tooltip=[
                alt.Tooltip("dataset:N", title="Dataset"),
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip("state:N", title="Worst state"),
                alt.Tooltip("intervals:Q", title="Media"),
                alt.Tooltip("failed:Q", title="Failed"),
                alt.Tooltip("waiting:Q", title="Waiting"),
            ],
        )
    )  # fmt: skip


def _chart(data: list[dict[str, Any]], title: str, height: int | alt.Step = HEIGHT) -> alt.Chart:
    return alt.Chart(_frame(data)).properties(description=title, height=height)


def _frame(data: list[dict[str, Any]]) -> pd.DataFrame:
    """Altair checks each value of plain lists against its schema, which takes longer than all the rest."""
    return pd.DataFrame(data)


def _legend(wanted: bool) -> Any:
    return alt.Legend(orient="top", labelLimit=240, offset=4) if wanted else None


def _day_axis(rows: Sequence[Row]) -> alt.Axis:
    """Whole days only: of a short period each day, of a long one what fits."""
    days = sorted({r["date"] for r in rows})
    if 0 < len(days) <= 10:
        return alt.Axis(format=_day_format(days), values=[_moment(d) for d in days], labelOverlap=True)
    return alt.Axis(format=_day_format(days), tickCount=8, labelOverlap=True)


def _day_format(days: Sequence[object]) -> str:
    return "%-d %b" if len(days) < 180 else "%b %Y"


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
