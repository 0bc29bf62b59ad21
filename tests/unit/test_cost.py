"""The estimate of what runs on AWS cost."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.insight import cost
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
    assert (
        estimate(2, rows=101).requests == 66
    )  # two pages, and both again to prove that the list stood still
    assert cost.estimate(daily(2), [], per_minute=540, concurrency=16).requests == 18


def test_two_media_cost_a_few_dollars_and_mostly_what_stands_there_anyway() -> None:
    found = estimate(2)
    assert 3 < found.dollars_a_month < 10
    assert found.glue_dpu_minutes == pytest.approx(4, abs=0.01)
    assert {c.what: c.unit for c in found.costs} == {what: unit for what, (_, unit) in cost.PRICES.items()}
    standing = sum(c.dollars for c in found.costs if c.what in ("secrets", "kms key", "alarms", "metrics"))
    assert standing == pytest.approx(5.20)
    assert found.dollars_a_month - standing == pytest.approx(1.65, abs=0.01)


def test_the_pace_bounds_the_minutes() -> None:
    assert estimate(1000).minutes == pytest.approx(9000 / 540, rel=0.01)


def test_more_media_cost_more_in_every_way() -> None:
    small, large = estimate(2), estimate(200, rows=5000)
    for name in ("requests", "minutes", "lambda_gb_seconds", "glue_dpu_minutes", "dollars_a_month"):
        assert getattr(small, name) < getattr(large, name), name


def test_the_bill_of_two_media_is_what_the_price_list_makes_of_it() -> None:
    """Two media, eight days of 50 sessions each, worked out by hand with the prices of January 2025."""
    runs = 30.4
    assert {line.what: line.dollars for line in estimate(2).costs} == pytest.approx(
        {
            "lambda": 0.5 * (2 + 4 * 4) * runs * 0.0000166667,
            "glue": 2 * (2 * runs + 8 * 4.3) * 0.44 / 60,
            "athena": 50 * runs * 10 / 1e6 * 5,
            "s3 storage": 2 * 50 * 600 * 760 / 1e9 * 0.023,
            "s3 writes": (3 * 32 + 400) * runs * 0.005 / 1000,
            "s3 reads": 10 * (3 * 32 + 400) * runs * 0.0004 / 1000,
            "dynamodb writes": (6 * 32 + 2 * 18) * runs * 0.625 / 1e6,
            "dynamodb reads": 760 * 3 * 2 * runs * 0.125 / 1e6,
            "step functions": (8 + 4 * 2) * runs * 0.025 / 1000,
            "secrets": 2 * 0.40,
            "kms key": 1.00,
            "alarms": 10 * 0.10,
            "metrics": 8 * 0.30,
        },
        rel=1e-3,
    )
