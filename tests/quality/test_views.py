"""Views show the tables by other names: the same rows, in the units that the names promise."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from support.published import Published
from wistlake.errors import ConfigError
from wistlake.quality.metrics import misuses

DAY, LATER = date(2026, 3, 1), date(2026, 3, 2)
AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def query() -> Published:
    def visit(visitor: str, day: date, plays: int, milliseconds: int | None, share: float) -> dict[str, Any]:
        names = ("media_id", "visitor_id", "date", "play_count", "watch_milliseconds", "watched_share")
        return dict(zip(names, ("m", visitor, day, plays, milliseconds, share), strict=True))

    def session(key: str, removed: datetime | None) -> dict[str, Any]:
        given = {"event_key": key, "media_id": "m", "event_date": DAY, "received_at": AT}
        return given | {"event_date_local": LATER, "removed_at": removed}

    return Published(
        {
            "gold.fact_media_engagement": [
                visit("a", DAY, 2, 90_500, 0.25),
                visit("b", DAY, 1, None, 1.0),
                visit("a", LATER, 1, 0, 0.0),
            ],
            "gold.fact_media_daily": [
                {
                    "media_id": "m",
                    "date": DAY,
                    "loads": 5,
                    "play_rate_analytics": 0.375,
                    "play_rate_estimated": 0.4,
                },
                {"media_id": "m", "date": LATER, "loads": 4, "play_rate_estimated": 0.25},
                {"media_id": "other", "date": DAY, "loads": 1, "play_rate_estimated": 0.75},
            ],
            "silver.fact_events": [session("listed", None), session("gone", AT)],
            "silver.fact_media_by_date": [{"media_id": "m", "date": DAY, "load_count": 5, "play_count": 3}],
            "silver.dim_media": [{"media_id": "abc123def4", "numeric_id": 17, "title": "One"}],
            "gold.dim_visitor": [{"visitor_id": "a", "country": "DE"}],
        }
    )


@pytest.mark.parametrize("name", ["fact_media_engagement", "fct_media_engagement"])
def test_a_visitors_day_has_seconds_and_percent_and_the_play_rate_of_its_media(
    query: Published, name: str
) -> None:
    rows = query.sql(f"SELECT * FROM {name} ORDER BY date, visitor_id").to_pylist()
    values = ("visitor_id", "date", "dt", "play_count", "play_rate", "total_watch_time", "watched_percent")
    assert [tuple(row[v] for v in values) for row in rows] == [
        ("a", DAY, DAY, 2, 0.375, 90.5, 25.0),
        ("b", DAY, DAY, 1, 0.375, None, 100.0),
        ("a", LATER, LATER, 1, 0.25, 0.0, 0.0),
    ]


@pytest.mark.parametrize("name", ["wistia_gold_fact_media_daily", "gold.wistia_gold_fact_media_daily"])
def test_the_daily_table_answers_to_its_older_name_with_a_schema_and_without(
    query: Published, name: str
) -> None:
    rows = query.sql(f"SELECT media_id, dt, play_rate FROM {name} ORDER BY 1, 2").to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("m", DAY, 0.375), ("m", LATER, 0.25), ("other", DAY, 0.75),
    ]  # fmt: skip


def test_sessions_have_their_utc_day_and_removed_ones_are_left_out(query: Published) -> None:
    rows = query.sql("SELECT event_key, dt FROM fact_events").to_pylist()
    assert rows == [{"event_key": "listed", "dt": DAY}]


def test_daily_counts_have_dt(query: Published) -> None:
    rows = query.sql("SELECT dt, load_count, play_count FROM fact_media_by_date").to_pylist()
    assert rows == [{"dt": DAY, "load_count": 5, "play_count": 3}]


def test_a_media_has_both_of_its_ids(query: Published) -> None:
    (row,) = query.sql("SELECT media_id, hashed_id, id, title FROM dim_media").to_pylist()
    assert row == {"media_id": "abc123def4", "hashed_id": "abc123def4", "id": 17, "title": "One"}


@pytest.mark.parametrize(
    "name",
    [
        "Dim_Media",
        "main.dim_media",
        "memory.main.dim_media",
        '"dim_media"',
        "gold . media_metrics",
        'memory."gold".media_metrics',
    ],
)
def test_a_view_is_found_however_it_is_written(name: str) -> None:
    assert Published({}).sql(f"SELECT count(*) AS n FROM {name}").to_pylist() == [{"n": 0}]


def test_a_view_is_proposed_for_a_name_that_is_nearly_its_own() -> None:
    with pytest.raises(ConfigError, match="media_daily_metrics"):
        Published({}).sql("SELECT * FROM gold.media_daily_metric")


def test_visitors_have_no_address(query: Published) -> None:
    table = query.sql("SELECT * FROM dim_visitor")
    assert table.to_pylist()[0]["country"] == "DE"
    assert "ip_address" not in table.column_names


def test_an_average_of_the_views_shares_is_warned_of() -> None:
    assert len(misuses("SELECT avg(watched_percent), avg(play_rate) FROM fact_media_engagement")) == 2
