"""Wistia's own analytics beside sessions: like with like, each kind by itself, and what a message says of them."""

from datetime import date, timedelta
from typing import Any

import pytest

from dashboard.published import DAILY, Published, days
from wistlake.quality.scope import Scope
from wistlake_dashboard import analytics
from wistlake_dashboard.digest import digest

FIRST = date(2026, 3, 2)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
DAYS = Scope(FIRST, THIRD)


def traffic(
    day: date, value: str, plays: int, dimension: str = "utm_source", media: str = "a"
) -> dict[str, Any]:
    return {
        "media_id": media, "date": day, "dimension": dimension, "value": value, "plays": plays, "loads": 2 * plays,
        "engagement": 0.5,
    }  # fmt: skip


def sessions(day: date, source: str | None, count: int, media: str = "a") -> list[dict[str, Any]]:
    return [
        {"event_key": f"{media}{day}{source}{n}", "media_id": media, "visitor_id": f"v{n}", "event_date": day,
         "event_date_local": day, "received_at": f"{day} 15:00", "channel": "facebook", "percent_viewed": 0.25,
         "utm_source": source}
        for n in range(count)
    ]  # fmt: skip


def action(
    day: date, kind: str, shown: int | None, taken: int, before: date | None = None, media: str = "a"
) -> dict[str, Any]:
    basis = "between_snapshots" if before else "day"
    return {
        "media_id": media, "date": day, "kind": kind, "basis": basis, "previous_date": before,
        "impressions": shown, "actions": taken,
    }  # fmt: skip


def lake(**tables: list[dict[str, Any]]) -> Published:
    named = {f"gold.{name}": rows for name, rows in tables.items() if name != "sessions"}
    return Published({
        DAILY: [*days("a", FIRST, [9, 9, 9]), *days("b", FIRST, [9, 9])], **named,
        "silver.fact_events": tables.get("sessions", []),
    })  # fmt: skip


def test_campaigns_are_compared_on_media_days_that_both_have() -> None:
    query = lake(
        traffic_daily=[
            traffic(FIRST, "fb", 5), traffic(FIRST, "", 2),
            traffic(THIRD, "fb", 50, media="b"),  # gold has not published that day
        ],
        sessions=[
            *sessions(FIRST, "fb", 7), *sessions(FIRST, "news", 1),
            *sessions(SECOND, "fb", 30),  # Wistia's analytics of that day were not read
            *sessions(FIRST, "fb", 40, media="b"),
        ],
    )  # fmt: skip
    counted = [
        (r["dimension"], r["value"], r["analytics_plays"], r["plays_from_events"])
        for r in analytics.campaigns(query, DAYS)
    ]
    assert counted == [
        ("utm_source", "fb", 5, 7), ("utm_source", "", 2, 0), ("utm_source", "news", 0, 1),
    ]  # fmt: skip
    assert analytics.campaigns(query, Scope(FIRST, THIRD, channels=("youtube",))) == analytics.campaigns(
        query, DAYS
    ), "of all channels, whichever are chosen"


def test_a_breakdown_is_of_the_days_and_media_chosen() -> None:
    query = lake(
        traffic_daily=[
            traffic(FIRST, "x.example", 6, "referrer_domain"), traffic(SECOND, "x.example", 2, "referrer_domain"),
            traffic(FIRST, "y.example", 4, "referrer_domain", "b"), traffic(FIRST, "fb", 9),
        ]
    )  # fmt: skip

    def plays(scope: Scope) -> dict[str, tuple[int, float]]:
        rows = analytics.breakdown(query, scope, dimension="referrer_domain")
        return {r["value"]: (r["analytics_plays"], r["share"]) for r in rows}

    assert plays(DAYS) == {"x.example": (8, pytest.approx(8 / 12)), "y.example": (4, pytest.approx(4 / 12))}
    assert plays(Scope(FIRST, FIRST, ("a",))) == {"x.example": (6, 1.0)}
    assert plays(Scope(THIRD, THIRD)) == {}


def test_actions_of_a_kind_add_up_and_kinds_never_do() -> None:
    query = lake(
        conversion_daily=[
            action(FIRST, "cta", 10, 1), action(SECOND, "cta", 30, 3), action(SECOND, "lead", None, 3),
            action(FIRST, "call_to_action", 99, 9, FIRST - timedelta(days=1)),  # of the day before
            action(THIRD, "call_to_action", 40, 4, FIRST),
            action(THIRD + timedelta(days=1), "call_to_action", 8, 2, THIRD),  # of the last day
        ]
    )  # fmt: skip
    rows = [
        (r["kind"], r["impressions"], r["actions"], r["action_rate"]) for r in analytics.actions(query, DAYS)
    ]
    assert rows == [
        ("cta", 40, 4, pytest.approx(0.1)), ("lead", None, 3, None), ("call_to_action", 48, 6, pytest.approx(0.125)),
    ]  # fmt: skip


def test_a_rate_is_of_days_of_which_both_are_known() -> None:
    before = FIRST - timedelta(days=1)
    query = lake(
        conversion_daily=[
            action(SECOND, "call_to_action", 10, 1, FIRST),
            action(SECOND, "call_to_action", None, 5, before, "b"),  # Wistia has taken impressions back
        ]
    )
    (row,) = analytics.actions(query, DAYS)
    assert (row["impressions"], row["actions"], row["action_rate"]) == (10, 6, pytest.approx(0.1))
    assert (row["since"], row["last"]) == (before, SECOND)


def test_the_digest_has_a_line_for_each_kind_and_one_for_referrers() -> None:
    query = lake(
        conversion_daily=[
            action(FIRST, "cta", 40, 4), action(FIRST, "form", None, 2), action(SECOND, "call_to_action", 40, 4, FIRST),
        ],
        traffic_daily=[
            traffic(FIRST, value, plays, "referrer_domain")
            for value, plays in (("x" * 90, 9), ("", 7), ("y.example", 3), ("z.example", 2))
        ],
    )  # fmt: skip
    lines = digest(query).lines
    assert "Calls to action: 4 of 40 (10.0 %)" in lines
    assert "Forms: 2" in lines
    assert f"Referrers, in plays: {'x' * 30} 9; none, or not told 7; y.example 3" in lines
    assert not [line for line in lines if line.startswith("Call to action")], "the same clicks, counted again"


def test_the_digest_falls_back_on_lifetime_figures_and_is_silent_where_there_is_nothing() -> None:
    query = lake(conversion_daily=[action(SECOND, "call_to_action", 40, 4, FIRST)])
    assert "Call to action: 4 of 40 (10.0 %)" in digest(query).lines
    assert not [line for line in digest(lake()).lines if "eferrer" in line or "action" in line.lower()]
