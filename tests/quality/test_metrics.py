"""Metrics as code: what follows from the declarations, and what they refuse."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from support.published import Published
from wistlake.contracts.conversion_daily import TABLE as CONVERSION_DAILY
from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.contracts.traffic_daily import TABLE as TRAFFIC_DAILY
from wistlake.entrypoints.docs import pages
from wistlake.errors import ConfigError
from wistlake.quality.metrics import ANALYTICS, METRICS, Adds, definition, metric, misuses
from wistlake.quality.views import views

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT avg(play_rate) FROM wistia_gold_fact_media_daily",
        "SELECT sum(d.unique_viewers) FROM gold.fact_media_daily d",
        "SELECT AVG( completion_share ) FROM gold.media_daily_metrics",
        "SELECT sum(unique_visitors) / 2 FROM wistia_gold_fact_media_daily",
        "SELECT sum(coalesce(d.unique_viewers, 0)) FROM gold.fact_media_daily d",
        "SELECT sum(CASE WHEN loads > 0 THEN unique_viewers END) / sum(loads) FROM gold.fact_media_daily",
        "SELECT avg(viewers_per_load) FROM gold.media_metrics",
        "SELECT avg(rate) FROM gold.conversion_daily",
        "SELECT sum(share_of_plays) FROM gold.traffic_daily",
    ],
)
def test_averaged_ratios_and_summed_uniques_are_refused(sql: str) -> None:
    assert len(misuses(sql)) == 1


def test_sums_and_ratios_of_sums_are_allowed() -> None:
    assert misuses("SELECT sum(plays) / sum(loads), max(unique_viewers) FROM gold.fact_media_daily") == ()


def test_no_view_misuses_a_metric() -> None:
    assert [misuses(sql) for _, sql in views()] == [()] * len(views())


@pytest.mark.parametrize("name", ["unique_viewers", "viewers_per_load"])
def test_uniques_cannot_be_asked_for_over_days(name: str) -> None:
    with pytest.raises(ConfigError, match="count distinct visitors"):
        metric(name).over_days()


@pytest.mark.parametrize("name", ["play_rate_estimated", "play_rate_analytics"])
def test_a_play_rate_is_of_a_day_and_no_period_has_one(name: str) -> None:
    with pytest.raises(ConfigError, match="a value of a media's day"):
        metric(name).over_days()


def test_viewers_per_load_of_a_media_counts_who_came_twice_once() -> None:
    """Two viewers in two days, one of them on both; a third on a day whose loads are not known."""
    loads = {2: 10, 3: 10, 4: None}
    query = Published(
        {
            "gold.fact_media_daily": [
                {"media_id": "m", "date": date(2026, 3, day), "loads": n} for day, n in loads.items()
            ],
            "gold.fact_media_engagement": [
                {"media_id": "m", "date": date(2026, 3, day), "visitor_id": visitor}
                for visitor, day in (("a", 2), ("a", 3), ("b", 3), ("c", 4))
            ],
        }
    )
    (row,) = query.sql("SELECT * FROM gold.media_metrics").to_pylist()
    assert (row["unique_viewers"], row["viewers_per_load"]) == (3, 0.1)


def test_numerators_and_denominators_are_columns_of_the_contract() -> None:
    used = {c for m in METRICS for c in (m.numerator, m.denominator) if c}
    assert used <= set(DAILY.column_names)


def test_metrics_of_the_analytics_are_made_of_their_tables_columns() -> None:
    columns = {*TRAFFIC_DAILY.column_names, *CONVERSION_DAILY.column_names}
    words = {w for m in ANALYTICS for w in re.findall(r"\b[a-z_]+\b", f"{m.numerator} {m.denominator}")}
    assert words <= columns
    assert all(definition(m.name).startswith(m.doc) and metric(m.name) is m for m in ANALYTICS)


def test_every_column_of_the_daily_table_has_a_definition() -> None:
    assert all(definition(name) for name in DAILY.column_names)


def test_a_ratio_over_days_is_the_ratio_of_the_sums() -> None:
    asked = f"SELECT {metric('plays_per_load').over_days()} FROM (VALUES (1, 1), (1, 9)) AS d(plays, loads)"
    assert duckdb.sql(asked).fetchone() == (0.2,)  # the average of the ratios would be 0.55


def test_every_metric_says_how_it_adds_up() -> None:
    ratios = {m.name for m in METRICS if m.adds is Adds.RATIO and m.denominator}
    assert {"plays_per_load", "completion_share", "average_viewed_share"} <= ratios
    assert {m.name for m in METRICS if m.adds is Adds.RECOUNT} == {"unique_viewers", "viewers_per_load"}


@pytest.mark.parametrize("name", ["metrics.md", "datasets.md"])
def test_the_generated_pages_are_fresh(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "python -m wistlake.entrypoints.docs"


@pytest.mark.parametrize(
    ("rows", "seconds"),
    [
        ("(2, 2, 3000), (1, 0, NULL), (0, 0, 0)", 3.0),
        ("(4, 0, NULL), (0, 0, 0)", None),  # a day without sessions does not make the others zero
        ("(0, 0, 0), (0, 0, 0)", 0.0),
    ],
)
def test_watch_time_over_days_is_unknown_if_it_is_known_for_no_session(
    rows: str, seconds: float | None
) -> None:
    days = f"(VALUES {rows}) AS d(sessions, timed_sessions, watch_milliseconds)"
    asked = f"SELECT {metric('watch_seconds').over_days()} FROM {days}"
    assert duckdb.sql(asked).fetchone() == (seconds,)
