"""Checks that follow from the contracts, and those that need a media's own past."""

from datetime import date, timedelta

import pytest

from support.some import some
from wistlake.contracts import TABLES
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.derive import checks
from wistlake.pipeline.tables.checks import effect
from wistlake.quality.checks import (
    Effect,
    Past,
    finding,
    freshness,
    is_refused,
    references,
    refused_rows,
    together,
    volume,
)
from wistlake.quality.reconciliation import Verdict

DAY = date(2026, 3, 20)


def test_conditions_follow_from_the_contract() -> None:
    found = checks.violations(FACT_EVENTS)
    assert "(event_key is null)" in found[checks.NULLS]
    assert "(percent_viewed < 0) or (percent_viewed > 1)" in found[checks.RANGES]
    assert "event_date = cast(received_at as date)" in found[checks.RULES]
    assert checks.violations(DAILY)[checks.VALUES] == (
        "(certificate not in ('provisional', 'settled', 'certified'))"
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_every_promise_of_every_contract_is_checked(table) -> None:  # type: ignore[no-untyped-def]
    names = checks.names(table)
    assert (checks.NULLS in names) == any(not c.nullable for c in table.columns)
    assert (checks.RANGES in names) == any(
        c.minimum is not None or c.maximum is not None for c in table.columns
    )
    assert (checks.VALUES in names) == any(c.allowed for c in table.columns)
    assert all(checks.by_column(table)[n] for n in some(names) if n != checks.KEYS)


def test_facts_and_gold_stop_their_day_others_where_keys_are_at_stake() -> None:
    by_name = {t.full_name: t for t in TABLES}
    assert effect(FACT_EVENTS, checks.RANGES) is Effect.STOP
    assert effect(DAILY, checks.VALUES) is Effect.STOP
    assert effect(by_name["silver.dim_media"], checks.RANGES) is Effect.WARN
    assert effect(by_name["silver.dim_media"], checks.KEYS) is Effect.STOP


def test_a_verdict_follows_from_the_figures() -> None:
    assert finding("c", "t", Effect.WARN, 0, 0).verdict is Verdict.NOT_APPLICABLE
    assert finding("c", "t", Effect.WARN, 3, 0).verdict is Verdict.HOLDS
    broken = finding("c", "t", Effect.WARN, 3, 1, media_id="m", day=DAY)
    assert (broken.verdict, broken.scope) == (Verdict.BROKEN, "t m 2026-03-20")


def test_a_check_that_is_done_in_steps_has_one_finding() -> None:
    steps = [
        finding("c", "t", Effect.WARN, 3, 1, "plays"),
        finding("c", "t", Effect.WARN, 2, 0),
        finding("c", "t", Effect.WARN, 3, 1, "plays", media_id="m"),
        finding("d", "t", Effect.WARN, 2, 0),
    ]
    assert together(steps) == [finding("c", "t", Effect.WARN, 5, 1, "plays"), *steps[2:]]


def test_a_fact_without_its_media_is_named() -> None:
    assert references("t", ["a"], ["a", "b"]).verdict is Verdict.HOLDS
    lost = references("t", ["a", "z"], ["a"])
    assert (lost.violations, lost.effect) == (1, Effect.WARN)
    assert "z" in lost.detail


def test_a_dataset_that_stopped_coming_is_late() -> None:
    fresh = freshness("events", {"a": DAY, "b": DAY - timedelta(days=1)}, DAY)
    assert fresh.verdict is Verdict.HOLDS
    late = freshness("events", {"a": DAY, "b": DAY - timedelta(days=2), "c": None}, DAY)
    assert (late.violations, late.checked) == (2, 3)
    assert late.detail.endswith("c ends at nothing")


def _past(sessions: int, days: int) -> list[Past]:
    return [Past("m", DAY - timedelta(days=n + 1), 9, 9, sessions, "certified") for n in range(days)]


@pytest.mark.parametrize(
    ("count", "broken"), [(100, False), (501, True), (499, False), (19, True), (21, False)]
)
def test_a_day_is_held_against_the_medias_own_past(count: int, broken: bool) -> None:
    whole, *unusual = volume({("m", DAY): count}, _past(100, 10))
    assert (whole.verdict is Verdict.BROKEN) is broken
    assert bool(unusual) is broken


def test_small_numbers_and_short_pasts_are_not_unusual() -> None:
    assert volume({("m", DAY): 50}, _past(1, 10))[0].verdict is Verdict.HOLDS
    assert volume({("m", DAY): 5000}, _past(1, 6))[0].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("rows", "refused", "stops"),
    [
        (48, 47, True), (50, 5, True), (51, 5, False), (1_000, 99, False), (1_000, 100, True),
        (20, 4, False), (4, 4, True), (1, 1, True), (4, 3, False), (0, 0, False), (10, 0, False),
    ],
)  # fmt: skip
def test_a_tenth_and_five_rows_or_all_of_them_stop_a_landing(rows: int, refused: int, stops: bool) -> None:
    assert is_refused(rows, refused) is stops
    found = refused_rows("events", rows, {"bad_percent_viewed": refused}, "m1", DAY)
    assert found.effect is (Effect.STOP if stops else Effect.QUARANTINE)
    assert found.detail == f"bad_percent_viewed {refused}"
    assert refused_rows("events", rows, {"bad": refused}).effect is Effect.QUARANTINE, "of all media"


def test_reasons_are_told_by_how_often_they_come() -> None:
    found = refused_rows("events", 9, {"b": 1, "a": 1, "c": 3})
    assert found.detail == "c 3, a 1, b 1"
