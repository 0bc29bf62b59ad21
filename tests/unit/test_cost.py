"""The estimate of what runs on AWS cost."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.planning import cost
from wistlake.planning.intervals import Fetch, Interval, State

DAY = date(2026, 3, 1)


def daily(media: int, days: int = 8) -> list[Fetch]:
    return [
        fetch
        for n in range(media)
        for fetch in (
            *(Fetch("events", f"media{n}", DAY + timedelta(d), DAY + timedelta(d)) for d in range(days)),
            Fetch("media_by_date", f"media{n}", DAY, DAY + timedelta(days - 1)),
        )
    ]


def seen(media: int, rows: int) -> list[Interval]:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        Interval("events", f"media{n}", DAY, State.PUBLISHED, "r", now, landing_id="x", rows=rows)
        for n in range(media)
    ]


def estimate(media: int, rows: int = 50) -> cost.Estimate:
    return cost.estimate(daily(media), seen(media, rows), per_minute=540, concurrency=16)


def test_requests_are_counted_by_page() -> None:
    assert estimate(2).requests == 18
    assert estimate(2, rows=101).requests == 34
    assert cost.estimate(daily(2), [], per_minute=540, concurrency=16).requests == 18


def test_two_media_cost_a_few_dollars_and_mostly_what_stands_there_anyway() -> None:
    found = estimate(2)
    assert 3 < found.dollars_a_month < 10
    assert found.glue_dpu_minutes == pytest.approx(4, abs=0.01)
    assert {c.what for c in found.costs} == set(cost.PRICES)
    assert sum(c.dollars for c in found.costs) == found.dollars_a_month


def test_the_pace_bounds_the_minutes() -> None:
    assert estimate(1000).minutes == pytest.approx(9000 / 540, rel=0.01)


def test_more_media_cost_more_in_every_way() -> None:
    small, large = estimate(2), estimate(200, rows=5000)
    for name in ("requests", "minutes", "lambda_gb_seconds", "glue_dpu_minutes", "dollars_a_month"):
        assert getattr(small, name) < getattr(large, name), name


def test_dollars_are_units_times_the_stated_price() -> None:
    for line in estimate(3).costs:
        price, unit = cost.PRICES[line.what]
        assert (line.unit, line.dollars) == (unit, pytest.approx(line.units * price))
