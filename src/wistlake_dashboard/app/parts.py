"""Pieces that several pages are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from wistlake_dashboard import gaps, words
from wistlake_dashboard.app import theme
from wistlake_dashboard.coverage import Coverage
from wistlake_dashboard.definitions import definition
from wistlake_dashboard.figures import Comparison, Pair, Row, Totals
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.spreadsheet import to_csv
from wistlake_dashboard.tiles import Tile, tiles

SHARE, COUNT = "%.1f %%", "localized"


def headline(scope: Scope, compared: Comparison, names: Mapping[str, str]) -> None:
    """The period's tiles, each with its definition and how it moved, and what the figures lack."""
    whole = compared.whole
    with st.container(horizontal=True):
        for tile in tiles(scope):
            _tile(tile, whole)
    if whole.before is None:
        st.caption(gaps.NO_COMPARISON)
    else:
        st.caption(f"Changes are against {words.span(scope.before.start, scope.before.end)}.")
    lacking(compared.coverage, names, compared=whole.before is not None)


def lacking(coverage: Coverage, names: Mapping[str, str], *, compared: bool = False) -> None:
    """What the period lacks, if anything. Titles are people's: they are shown as text."""
    lines = gaps.sentences(coverage, names, compared=compared)
    if lines:
        with st.container(border=True, gap="xsmall"):
            for line in lines:
                st.text(line)


def _tile(tile: Tile, whole: Pair) -> None:
    moved = tile.moved(whole)
    # A minus sign of typography would be taken for growth.
    st.metric(
        tile.title, tile.now(whole), moved.replace("−", "-") or None, help=definition(tile.metric), border=True,
        width=166, delta_color="off" if moved == "no change" else "normal",
        delta_arrow="off" if moved == "no change" else "auto",
    )  # fmt: skip


def draw(chart: Any) -> None:
    """A chart as wide as its place. What is written in it stands out as the page's own text does: Streamlit's
    default for axes is too pale."""
    ink = theme.CHART_INK["dark" if st.context.theme.type == "dark" else "light"]
    written = {"labelColor": ink, "titleColor": ink}
    config = {"axis": written, "legend": written, "text": {"color": ink}}
    st.altair_chart(chart.properties(config=config), width="stretch")


def table(
    name: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], *, empty: str = "Nothing here."
) -> None:
    """Rows with the columns named (a heading, or a Streamlit column) and, below, the same as a CSV file, which
    also has the media's id: a title may be that of several."""
    if not rows:
        st.caption(empty)
        return
    shown = [{key: row[key] for key in columns} for row in rows]
    st.dataframe(shown, column_config=dict(columns), hide_index=True, width="stretch")
    file = list(dict.fromkeys((*(("media_id",) if "media_id" in rows[0] else ()), *columns)))
    st.download_button(
        "Download CSV", to_csv(file, rows), f"wistlake-{name}.csv", "text/csv", key=f"csv-{name}",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def as_table(name: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]) -> None:
    """A chart's numbers, folded away."""
    with st.expander("As a table"):
        table(name, rows, columns)


def number(title: str, metric: str | None = None, form: str = COUNT) -> Any:
    """A column of numbers; `metric` names its definition."""
    return st.column_config.NumberColumn(title, help=definition(metric) if metric else None, format=form)


def day(title: str = "Day") -> Any:
    """A column of days."""
    return st.column_config.DateColumn(title, format="D MMM YYYY")


def moment(title: str) -> Any:
    """A column of moments, in UTC."""
    return st.column_config.DatetimeColumn(f"{title} (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC")


def percent(share: float | None) -> float | None:
    """A share of 1 as a share of 100, for SHARE columns."""
    return None if share is None else 100 * share


def of_totals(totals: Totals) -> Row:
    """One row of a table: everything that the tiles say, in numbers."""
    return {
        "plays": totals.plays,
        "plays_from_events": totals.plays_from_events,
        "unique_viewers": totals.unique_viewers,
        "loads": totals.loads,
        "viewers_per_load": percent(totals.viewers_per_load),
        "watch_hours": totals.watch_hours,
        "average_viewed": percent(totals.average_viewed),
        "completion": percent(totals.completion),
        "conversions": totals.conversions,
    }


def columns_of_totals(scope: Scope) -> dict[str, Any]:
    """The columns for `of_totals` that the scope has an answer for."""
    columns = {
        "plays": number("Plays", "plays"),
        "plays_from_events": number("Plays in sessions", "plays_from_events"),
        "unique_viewers": number("Unique viewers", "unique_viewers"),
        "loads": number("Loads", "loads"),
        "viewers_per_load": number("Viewers per load", "viewers_per_load", SHARE),
        "watch_hours": number("Hours watched", "watch_seconds", "%.1f"),
        "completion": number("Completion", "completion_share", SHARE),
        "average_viewed": number("Average seen", "average_viewed_share", SHARE),
        "conversions": number("Conversions", "conversions"),
    }
    left_out = ("plays", "loads", "viewers_per_load") if scope.channels else ("plays_from_events",)
    return {key: column for key, column in columns.items() if key not in left_out}
