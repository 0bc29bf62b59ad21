"""Blocks in Streamlit."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import streamlit as st

from wistlake_dashboard import words
from wistlake_dashboard.app import charts, theme
from wistlake_dashboard.blocks import Beside, Block, Column, Heading, Kind, Number, Numbers, Table, Text
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections import Section, View
from wistlake_dashboard.spreadsheet import to_csv

# How a value of a kind is shown in a column of numbers: its format, what it is multiplied by, and its unit.
_NUMBERS = {
    Kind.COUNT: ("localized", 1, ""),
    Kind.CHANGE: ("localized", 1, ""),
    Kind.NUMBER: ("localized", 1, ""),
    Kind.SHARE: ("%.1f %%", 100, ""),
    Kind.SECONDS: ("%.1f", 1 / 3600, " (hours)"),
    Kind.CLOCK: ("%.0f", 1, " (seconds)"),
}
WIDTH = 166  # of a headline number


def sections(view: View, shown: Iterable[Section]) -> None:
    """Sections one below the other, halves in pairs."""
    for half, group in groupby(shown, lambda section: section.half):
        of_kind = list(group)
        for at in range(0, len(of_kind), 2 if half else 1):
            row = of_kind[at : at + 2] if half else of_kind[at : at + 1]
            for place, section in zip(
                st.columns(2, gap="large") if half else [st.container()], row, strict=False
            ):
                with place:
                    _section(view, section)


def _section(view: View, section: Section) -> None:
    if section.title:
        st.subheader(section.title)
    for block in section.blocks(view):
        draw(block)


def draw(block: Block) -> None:
    """One block."""
    match block:
        case Text(line):
            st.caption(line)
        case Heading(line):  # it may be a name: as text, never as Markdown
            st.text(line)
        case Numbers(numbers):
            with st.container(horizontal=True):
                for number in numbers:
                    _number(number)
        case Table(folded=True):
            with st.expander("As a table"):
                _table(block)
        case Table():
            _table(block)
        case Beside(left, right):
            for place, half in zip(st.columns(2, gap="large"), (left, right), strict=True):
                with place:
                    for part in half:
                        draw(part)
        case _:
            _chart(charts.DRAWN[type(block)](block))


def _number(number: Number) -> None:
    # A minus sign of typography would be taken for growth.
    st.metric(
        number.title, number.value, number.change.replace("−", "-") or None, help=number.meaning, border=True,
        width=WIDTH, delta_color="off" if number.change == "no change" else "normal",
        delta_arrow="off" if number.change == "no change" else "auto",
    )  # fmt: skip


def _chart(chart: Any) -> None:
    """A chart as wide as its place. What is written in it stands out as the page's own text does: Streamlit's
    default for axes is too pale."""
    ink = theme.CHART_INK["dark" if st.context.theme.type == "dark" else "light"]
    written = {"labelColor": ink, "titleColor": ink}
    config = {"axis": written, "legend": written, "text": {"color": ink}}
    st.altair_chart(chart.properties(config=config), width="stretch")


def _table(table: Table) -> None:
    """The rows and, below, the same as a CSV file, which also has the media's id: a title may be that of several."""
    shown = [{c.key: _value(c, row) for c in table.columns} for row in table.rows]
    config = {c.key: _column(c) for c in table.columns}
    st.dataframe(
        shown, column_config=config, hide_index=True, width="stretch", placeholder=words.NOTHING
    )  # fmt: skip
    st.download_button(
        "Download CSV", to_csv(_keys(table), table.rows), f"wistlake-{table.name}.csv", "text/csv",
        key=f"csv-{table.name}", icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def _keys(table: Table) -> Sequence[str]:
    ids = ("media_id",) if "media_id" in table.rows[0] else ()
    return list(dict.fromkeys((*ids, *(c.key for c in table.columns))))


def _value(column: Column, row: Row) -> Any:
    if _is_text(column):
        return column.spelled(row[column.key])
    value, (_, factor, _) = row[column.key], _NUMBERS.get(column.kind, ("", 1, ""))
    return value if factor == 1 or value is None else factor * value


def _is_text(column: Column) -> bool:
    """Whether the column has a word for what is absent: Streamlit has none."""
    return column.absent != words.NOTHING


def _column(column: Column) -> Any:
    meaning = column.meaning or None
    if _is_text(column):
        return st.column_config.TextColumn(column.title, help=meaning)
    if column.kind is Kind.DAY:
        return st.column_config.DateColumn(column.title, help=meaning, format="D MMM YYYY")
    if column.kind is Kind.MOMENT:
        form = "D MMM YYYY, HH:mm"
        return st.column_config.DatetimeColumn(column.title, help=meaning, format=form, timezone="UTC")
    if column.kind in _NUMBERS:
        form, _, unit = _NUMBERS[column.kind]
        return st.column_config.NumberColumn(f"{column.title}{unit}", help=meaning, format=form)
    return st.column_config.Column(column.title, help=meaning)
