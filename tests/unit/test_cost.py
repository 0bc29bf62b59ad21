"""The estimate of what runs on AWS cost."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from wistlake.insight import cost
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.packing import METADATA, SNAPSHOTS, Volume, cover, descriptions, ranges

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


def steady(media: int, rows: int = 100) -> cost.Estimate:
    """A day of a lake at work: eight days of so many sessions a media, counts, descriptions, and curves."""
    medias, days = [f"media{n:05}" for n in range(media)], [DAY + timedelta(n) for n in range(8)]
    now = datetime(2026, 3, 9, tzinfo=UTC)
    known = [
        Interval("events", m, day, State.PUBLISHED, "r", now, landing_id="x", rows=rows)
        for m in medias
        for day in days
    ]
    fetches = [
        *descriptions(METADATA, medias, days[-1]),
        *(fetch for m in medias for fetch in ranges("media_by_date", m, days, 100)),
        *cover(dict.fromkeys(medias, days), Volume.of(known, medias, 1.0)),
        *(Fetch(name, m, days[-1], days[-1], if_moved=True) for m in medias for name in SNAPSHOTS),
    ]
    return cost.estimate(fetches, known, per_minute=540, concurrency=16)


@pytest.mark.parametrize(("media", "least", "most"), [(2, 9, 12), (100, 18, 25), (1000, 45, 80)])
def test_a_month_of_two_stages_is_within_a_quarter_of_what_is_expected(
    media: int, least: float, most: float
) -> None:
    """20 and 60 dollars were expected at least, with a ledger that each run read whole: docs/costs.md."""
    assert 0.75 * least <= steady(media).dollars_a_month <= 1.25 * most


def test_the_page_says_what_the_estimate_says() -> None:
    page = (Path(__file__).parents[2] / "docs/costs.md").read_text(encoding="utf-8")
    estimates = [steady(media) for media in (2, 100, 1000)]
    lines: dict[str, list[str]] = {line.what: [] for line in estimates[0].costs}
    for found in estimates:
        for line in found.costs:
            lines[line.what].append(f"{line.dollars:.2f}")
    for what, dollars in lines.items():
        assert f"| {what} | {' | '.join(dollars)} |" in page
    whole = " | ".join(f"**{e.dollars_a_month:.2f}**" for e in estimates)
    assert f"| **a month** | {whole} |" in page
    assert cost.AS_OF in page
    assert cost.REGION in page


def test_the_page_says_what_packing_and_unchanged_days_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LANDED_SHARE", 1.0)
    names = ("events", "media_by_date", "media_stats", "media_engagement")
    alone = [
        Fetch(name, f"media{m}", DAY + timedelta(n), DAY + timedelta(n))
        for m in range(1000) for name in names for n in range(8)
    ]  # fmt: skip
    dollars = cost.estimate(alone, seen(1000, 100), per_minute=540, concurrency=16).dollars_a_month
    page = (Path(__file__).parents[2] / "docs/costs.md").read_text(encoding="utf-8")
    assert f"would cost {dollars:.0f} dollars at 1,000 media" in page


def test_what_stands_there_anyway_is_most_of_two_medias_bill() -> None:
    found = estimate(2)
    assert found.glue_dpu_minutes == pytest.approx(8, abs=0.05)
    assert {c.what: c.unit for c in found.costs} == {what: unit for what, (_, unit) in cost.PRICES.items()}
    standing = sum(c.dollars for c in found.costs if c.what in ("secrets", "kms key", "alarms"))
    assert standing == pytest.approx(2 * 3.10)


def test_each_stage_costs_the_same() -> None:
    one = cost.estimate(daily(2), seen(2, 50), per_minute=540, concurrency=16, stages=1)
    assert (one.stages, estimate(2).stages) == (1, 2)
    assert estimate(2).dollars_a_month == pytest.approx(2 * one.dollars_a_month)
    assert estimate(2).requests == one.requests


def test_functions_that_wait_for_each_other_are_paid_for() -> None:
    """Four of them share the pace: each takes as long as all requests do."""
    found = steady(1000)
    assert found.lambda_gb_seconds == pytest.approx(0.5 * 4 * 60 * found.minutes, rel=0.05)


def test_the_pace_bounds_the_minutes() -> None:
    assert estimate(1000).minutes == pytest.approx(9000 / 540, rel=0.01)


def test_more_media_cost_more_in_every_way() -> None:
    small, large = estimate(2), estimate(200, rows=5000)
    for name in ("requests", "minutes", "lambda_gb_seconds", "glue_dpu_minutes", "dollars_a_month"):
        assert getattr(small, name) < getattr(large, name), name


def test_the_bill_of_two_media_is_what_the_price_list_makes_of_it() -> None:
    """Two media, eight days of 50 sessions each, of which four in ten say something new, in two stages; worked out by
    hand with the prices of January 2025."""
    runs, days, requests, functions = 30.4, 32, 18, 2
    landings, stored = 0.4 * days, 2 * 50 * 600 * 760 / 1e9
    build = 4 + 1.5 * 0.4 * 800 / 1e6 + 0.5 * landings / 1000
    objects, known = 2 * landings + 400, 760 * 4 * 2
    assert {line.what: line.dollars for line in estimate(2).costs} == pytest.approx(
        {
            what: 2 * dollars
            for what, dollars in {
                "lambda": 0.5 * (2 * functions + 4 * 4) * runs * 0.0000166667,
                "glue": 2 * (build * runs + (6 + 0.2 * stored) * 4.3) * 0.44 / 60,
                "athena": 50 * runs * 10 / 1e6 * 5,
                "s3 storage": stored * 0.023,
                "s3 writes": objects * runs * 0.005 / 1000,
                "s3 reads": 3 * objects * runs * 0.0004 / 1000,
                "dynamodb writes": (6 * days + 2 * requests) * runs * 0.625 / 1e6,
                "dynamodb reads": 30 * 2 * runs * 0.125 / 1e6,
                "dynamodb storage": known * 400 / 1e9 * 0.25,
                "dynamodb recovery": known * 400 / 1e9 * 0.20,
                "step functions": (8 + 4 * functions) * runs * 0.025 / 1000,
                "secrets": 2 * 0.40,
                "kms key": 1.00,
                "alarms": 13 * 0.10,
                "metrics": (8 + 60) * runs / 730 * 0.30,
                "logs": (10 + 0.05 * functions) * runs / 1000 * 0.53,
            }.items()
        },
        rel=1e-3,
    )
