"""The report: the lake's own numbers, in a file that can do nothing but be read."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from support.lake import Lake
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake_dashboard import figures
from wistlake_dashboard.report import chosen_scope, page
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.tiles import TILES

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def text(lake: Lake) -> str:
    query = DuckDBQuery(lake.ledger)
    return page(query, chosen_scope(query))


def test_tiles_are_what_a_query_says(lake: Lake, text: str) -> None:
    scope = chosen_scope(DuckDBQuery(lake.ledger))
    assert scope is not None
    (row,) = lake.sql(
        "SELECT sum(plays)::BIGINT AS plays, sum(loads)::BIGINT AS loads FROM gold.fact_media_daily "
        f"WHERE {scope.where()}"
    )
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"value\">([^<]+)</dd>", text))
    assert shown["Plays"] == f"{row['plays']:,}"
    assert shown["Loads"] == f"{row['loads']:,}"


def test_names_are_text_and_nothing_else(text: str) -> None:
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_it_asks_no_network(text: str) -> None:
    assert "default-src 'none'" in unescape(text)
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", text) == []
    assert "url(" not in text


def test_every_tile_has_its_definition(text: str) -> None:
    tiles = text.count('class="tile"')
    assert tiles == text.count('class="tip"') == len(TILES)


def test_it_says_that_the_data_are_simulated(text: str) -> None:
    assert "simulated data" in text


class Nothing:
    """A lake in which nothing is published."""

    def sql(self, text: str) -> pa.Table:
        return pa.table({"first": pa.array([None], pa.date32()), "last": pa.array([None], pa.date32())})


def test_an_empty_lake_has_a_report_too() -> None:
    empty = Nothing()
    assert "Nothing is published yet" in page(empty, chosen_scope(empty))


def test_one_day_and_one_media(lake: Lake) -> None:
    query = DuckDBQuery(lake.ledger)
    extent = figures.extent(query)
    assert extent is not None
    media = lake.rows("silver.dim_media")[1]["media_id"]
    one: Any = Scope(extent[1], extent[1], (media,))
    assert 'class="tile"' in page(query, one)


def test_it_is_small_enough_for_an_email(text: str, tmp_path: Path) -> None:
    assert len(text.encode()) < 500_000
