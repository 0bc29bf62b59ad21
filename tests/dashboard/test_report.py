"""The report: the lake's own numbers, in a file that can do nothing but be read."""

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from support.lake import Lake
from support.some import some
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.quality.scope import Scope
from wistlake_dashboard import words
from wistlake_dashboard.blocks import Days, Flag, Kind
from wistlake_dashboard.reader import extent
from wistlake_dashboard.report import newest_scope, page
from wistlake_dashboard.report.render import html
from wistlake_dashboard.tiles import HEADLINE, TILES

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def text(lake: Lake) -> str:
    query = DuckDBQuery(lake.ledger)
    return page(query, newest_scope(query))


def test_tiles_are_what_a_query_says(lake: Lake, text: str) -> None:
    scope = newest_scope(DuckDBQuery(lake.ledger))
    assert scope is not None
    (row,) = lake.sql(
        "SELECT sum(plays)::BIGINT AS plays, sum(loads)::BIGINT AS loads FROM gold.fact_media_daily "
        f"WHERE {scope.where()}"
    )
    title = r'<span class="term"[^>]*>([^<]+)</span>'
    tile = title + r'<span class="tip"[^>]*>[^<]*</span></dt><dd class="value">([^<]+)</dd>'
    shown = dict(re.findall(tile, text))
    assert shown["Plays"] == f"{row['plays']:,}"
    assert shown["Plays per load"] == f"{row['plays'] / row['loads']:.2f}"


def test_names_are_text_and_nothing_else(text: str) -> None:
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_it_asks_no_network(text: str) -> None:
    assert "default-src 'none'" in unescape(text)
    assert re.findall(r"src=\"([^\"]*)\"", text) == []
    assert re.findall(r'<(\w+)[^>]* href="(?:https://)?', text) == ["a"] * text.count(
        " href="
    )  # asked on a click alone
    assert "url(" not in text


def test_every_number_has_its_definition_for_mouse_and_keyboard(text: str) -> None:
    assert 5 <= text.count('class="tile"') <= len(HEADLINE)
    described = re.findall(r'class="term" tabindex="0" aria-describedby="([^"]+)"', text)
    tips = dict(re.findall(r'class="tip" role="tooltip" id="([^"]+)">([^<]+)<', text))
    assert described == list(tips)
    assert len(described) == text.count('class="term"') > len(TILES)
    numeric = re.findall(r'<th scope="col" class="n">(.*?)</th>', text)
    assert [h for h in some(numeric) if h and 'class="term"' not in h] == []


def test_every_chart_is_named_and_has_a_table(text: str) -> None:
    charts = re.findall(r'<svg [^>]*role="img"[^>]*>', text)
    assert all('aria-label="' in c for c in some(charts))
    with_charts = [section for section in text.split("<h2>")[1:] if 'role="img"' in section]
    assert [section[:20] for section in some(with_charts) if "<table" not in section] == []


def test_the_period_before_stands_beside_this_one(lake: Lake, text: str) -> None:
    scope = newest_scope(DuckDBQuery(lake.ledger))
    assert scope is not None
    days = re.search(r'aria-label="By day">.*?</table>', text, re.S)
    assert days is not None
    assert days.group(0).count('<th scope="row">') == scope.length
    assert 'class="line past"' in text
    assert f" vs previous {words.plural(scope.length, 'day')}" in text


def test_a_renamed_media_is_flagged_in_the_chart() -> None:
    day = date(2026, 3, 2)
    chart = html(
        Days("Plays by day", [day], {"Plays": [2]}, Kind.COUNT, flags=[Flag(day, "New <b>", "renamed")])
    )
    assert 'class="note"' in chart
    assert "New &lt;b&gt;: renamed" in chart


def test_it_says_that_the_data_are_simulated(text: str) -> None:
    assert "simulated data" in text


class Nothing:
    """A lake in which nothing is published."""

    def sql(self, text: str) -> pa.Table:
        return pa.table({"first": pa.array([None], pa.date32()), "last": pa.array([None], pa.date32())})


def test_an_empty_lake_has_a_report_too() -> None:
    empty = Nothing()
    assert "Nothing is published yet" in page(empty, newest_scope(empty))


def test_one_day_and_one_media(lake: Lake) -> None:
    query = DuckDBQuery(lake.ledger)
    published = extent(query)
    assert published is not None
    media = lake.rows("silver.dim_media")[1]["media_id"]
    one: Any = Scope(published[1], published[1], (media,))
    assert 'class="tile"' in page(query, one)


def test_it_is_small_enough_for_an_email(text: str, tmp_path: Path) -> None:
    assert len(text.encode()) < 500_000
