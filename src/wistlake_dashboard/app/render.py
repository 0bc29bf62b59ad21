"""Blocks in Streamlit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any

import streamlit as st

from wistlake.quality.scope import Scope
from wistlake_dashboard import words
from wistlake_dashboard.app import charts, theme
from wistlake_dashboard.blocks import (
    Answer,
    Beside,
    Block,
    Click,
    Column,
    Days,
    Heading,
    Kind,
    Notes,
    Number,
    Numbers,
    Picture,
    Stack,
    Table,
    Text,
)
from wistlake_dashboard.html import picture
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections import Section, View
from wistlake_dashboard.sparkline import spark
from wistlake_dashboard.spreadsheet import to_csv

# How a value of a kind is shown in a column of numbers: its format, what it is multiplied by, and its unit.
_NUMBERS = {
    Kind.COUNT: ("localized", 1, ""),
    Kind.CHANGE: ("%+d", 1, ""),
    Kind.NUMBER: ("localized", 1, ""),
    Kind.SHARE: ("%.1f %%", 100, ""),
    Kind.RATIO: ("%.2f", 1, ""),
    Kind.SECONDS: ("%.1f", 1 / 3600, " (hours)"),
    Kind.CLOCK: ("%.0f", 1, " (seconds)"),
}
WIDTH = 180  # of a headline number
FOLLOWED = "followed"  # how many clicks were: what is drawn after one has nothing selected


def sections(view: View, shown: Iterable[Section]) -> Click | None:
    """Sections one below the other, halves in pairs; what the reader has clicked in them."""
    clicked = None
    # One by one: what stands above is seen while the rest is computed.
    of_view = ((section, content) for section in shown if (content := section.blocks(view)))
    for half, group in groupby(of_view, lambda pair: pair[0].half):
        while row := list(islice(group, 2 if half else 1)):
            places = st.columns(2, gap="large") if half else [st.container()]
            for place, (section, content) in zip(places, row, strict=False):
                with place:
                    clicked = _section(section.title, content, view.scope) or clicked
    return clicked


def _section(title: str, content: Sequence[Block], scope: Scope) -> Click | None:
    if title:
        st.header(title)
    clicked = [draw(block, scope) for block in content]
    return next((c for c in clicked if c), None)


def draw(block: Block, scope: Scope | None = None) -> Click | None:
    """One block; what the reader has clicked in it."""
    match block:
        case Numbers(numbers):
            with st.container(horizontal=True, gap="xxsmall"):
                for number in numbers:
                    _number(number)
            st.caption(". ".join(dict.fromkeys(n.against.capitalize() for n in numbers if n.change)))
        case Table(folded=True):
            with st.expander("As a table"):
                return _table(block, scope)
        case Table():
            return _table(block, scope)
        case Beside(left, right):
            for place, half in zip(st.columns(2, gap="large"), (left, right), strict=True):
                with place:
                    for part in half:
                        draw(part, scope)
        case Answer() | Notes() | Text() | Heading() | Picture():
            _written(block)
        case Days(clicks=clicks) | Stack(clicks=clicks) if clicks:
            return _clickable(block, clicks)
        case _:
            _chart(charts.DRAWN[type(block)](block))
    return None


def _clickable(block: Days | Stack, clicks: Mapping[Any, Click]) -> Click | None:
    """A chart; what the part of it that the reader has clicked stands for."""
    chart = charts.DRAWN[type(block)](block)
    state = _chart(chart, key=_key("chart", block.title), on_select="rerun", selection_mode=charts.CLICKED)
    points = state.selection.get(charts.CLICKED) or ()
    return next((clicks[value] for point in points for value in point.values() if value in clicks), None)


def _key(kind: str, name: str) -> str:
    return f"{kind}-{name}-{st.session_state.get(FOLLOWED, 0)}"


def _written(block: Answer | Notes | Text | Heading | Picture) -> None:
    """Lines, and pictures. Those that may hold names are text, never Markdown."""
    match block:
        case Answer(sentence, note):
            with st.container(key="answer"):
                st.text(sentence)
            st.caption(note)
        case Notes(lines):
            st.text("\n".join(lines))
        case Text(line):
            st.caption(line)
        case Heading(line):
            st.text(line)
        case Picture(url, what):
            st.html(picture(url, what))


def _number(number: Number) -> None:
    # A minus sign of typography would be taken for growth.
    grey = not number.clear or number.change == "no change"
    with st.container(border=True, width=WIDTH, height="stretch", gap="xxsmall"):
        st.metric(
            number.title, number.value, number.change.replace("−", "-") or None, help=number.meaning,
            delta_color="off" if grey else "normal", delta_arrow="off" if grey else "auto",
        )  # fmt: skip
        if number.spark:  # as in the report: the marks of Streamlit's own have no name for a screen reader
            st.markdown(spark(number.spark), unsafe_allow_html=True)


def _chart(chart: Any, **selects: Any) -> Any:
    """A chart as wide as its place. What is written in it stands out as the page's own text does: Streamlit's
    default for axes is too pale."""
    ink = theme.CHART_INK["dark" if st.context.theme.type == "dark" else "light"]
    written = {"labelColor": ink, "titleColor": ink}
    config = {"axis": written, "legend": written, "text": {"color": ink}}
    return st.altair_chart(chart.properties(config=config), width="stretch", **selects)


def _table(table: Table, scope: Scope | None) -> Click | None:
    """The rows and, below, the same as a CSV file, which also has the media's id: a title may be that of several. What
    the row that the reader has clicked stands for."""
    shown = [{c.key: _value(c, row) for c in table.columns} for row in table.rows]
    config = {c.key: _column(c, table.rows) for c in table.columns}
    selects: dict[str, Any] = {"on_select": "rerun", "selection_mode": "single-row"} if table.opens else {}
    state = st.dataframe(
        shown, column_config=config, hide_index=True, width="stretch", placeholder=words.NOTHING,
        key=_key("table", table.name), **selects,
    )  # fmt: skip
    st.download_button(
        "Download CSV", to_csv(_keys(table), table.rows, _headers(table)), _file(table, scope), "text/csv",
        key=f"csv-{table.name}", icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip
    chosen = state.selection.rows if table.opens else ()
    return (table.opens, table.rows[chosen[0]][table.opens]) if chosen else None


def _file(table: Table, scope: Scope | None) -> str:
    days = f"-{scope.start}-to-{scope.end}" if scope else ""
    return f"wistlake-{table.name}{days}.csv"


def _headers(table: Table) -> dict[str, str]:
    """Headers of the file that name the unit where the metric's name does not."""
    units = {Kind.SHARE: "share of 1", Kind.CLOCK: "seconds"}
    return {c.key: f"{c.key} ({units[c.kind]})" for c in table.columns if c.kind in units}


def _keys(table: Table) -> Sequence[str]:
    ids = ("media_id",) if "media_id" in table.rows[0] else ()
    return list(dict.fromkeys((*ids, *(c.key for c in table.columns))))


def _value(column: Column, row: Row) -> Any:
    if _is_text(column):
        return column.spelled(row[column.key])
    if column.kind is Kind.LINK:  # of Wistia: nothing else is ever a link
        return value if (value := row[column.key]) and value.startswith("https://") else None
    value, (_, factor, _) = row[column.key], _NUMBERS.get(column.kind, ("", 1, ""))
    return value if factor == 1 or value is None else factor * value


def _is_text(column: Column) -> bool:
    """Whether the column has a word for what is absent: Streamlit has none."""
    return column.absent != words.NOTHING


def _column(column: Column, rows: Sequence[Row] = ()) -> Any:
    """How Streamlit shows a column."""
    meaning, form = column.meaning or None, st.column_config
    if _is_text(column):
        return form.TextColumn(column.title, help=meaning)
    if column.bar:
        most = max((row[column.key] or 0 for row in rows), default=0) or 1
        return form.ProgressColumn(
            column.title, help=meaning, format="localized", min_value=0, max_value=most
        )
    if column.kind in _NUMBERS:
        spelled, _, unit = _NUMBERS[column.kind]
        return form.NumberColumn(f"{column.title}{unit}", help=meaning, format=spelled)
    others: dict[Kind, Callable[..., Any]] = {
        Kind.DAY: partial(form.DateColumn, format="D MMM YYYY"),
        Kind.MOMENT: partial(form.DatetimeColumn, format="D MMM YYYY, HH:mm", timezone="UTC"),
        Kind.LINK: partial(form.LinkColumn, display_text="open", validate="^https://"),
        Kind.PICTURE: form.ImageColumn,
    }
    return others.get(column.kind, form.Column)(column.title, help=meaning)
