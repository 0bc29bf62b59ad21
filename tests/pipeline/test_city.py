"""A session's city: in bronze alone, unless WISTLAKE_CITY keeps it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.lake import START, Lake, Scenario
from wistia_simulator import Profile
from wistlake.contracts import TABLES

pytestmark = pytest.mark.engine
SCENARIO = Scenario(Profile(media=2, sessions_per_day=25, history_days=3), settings={"lookback_days": 2})
KEPT = {"keep_city": True}


def cities(lake: Lake) -> Counter[Any]:
    """How many sessions have which city, in silver."""
    return Counter(r["city"] for r in lake.rows("silver.fact_events"))


def true_cities(lake: Lake) -> Counter[Any]:
    """The same at the source."""
    listed = {r["event_key"] for r in lake.rows("silver.fact_events")}
    return Counter(s.city or None for s in lake.world.truth.sessions() if s.event_key in listed)


def test_it_ends_in_bronze_unless_it_is_asked_for(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO)
    lake.run_day(START)
    assert set(cities(lake)) == {None}
    assert len(true_cities(lake)) > 3


@pytest.mark.parametrize("redaction", [False, True])
def test_kept_it_is_the_sources_with_redaction_too_and_in_no_other_table(
    tmp_path: Path, redaction: bool
) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO)
    lake.run_day(START, changes={**KEPT, "bronze_redaction": redaction})
    assert cities(lake) == true_cities(lake)
    assert sum(n for city, n in cities(lake).items() if city) > 10
    assert [t.full_name for t in TABLES if t.has("city")] == ["silver.fact_events"]


def test_switched_on_later_it_comes_from_raw_pages(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO)
    lake.run_day(START)
    lake.run_day(START + timedelta(days=1), changes=KEPT)
    assert cities(lake) == true_cities(lake)
    assert set(cities(lake)) > {None}


@pytest.mark.parametrize("raw_pages", ["there", "gone"])
def test_switched_off_it_leaves_every_day_and_nothing_else_changes(tmp_path: Path, raw_pages: str) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO)
    lake.run_day(START, changes=KEPT)
    lake.run_day(START + timedelta(days=1), changes=KEPT)
    before = {r["event_key"]: r for r in lake.rows("silver.fact_events")}
    assert {r["city"] for r in before.values()} > {None}
    if raw_pages == "gone":
        for path in (lake.folder / "bronze").rglob("*"):
            if path.is_file():
                path.unlink()
    lake.run_day(START + timedelta(days=2))
    assert set(cities(lake)) == {None}
    after = {r["event_key"]: r for r in lake.rows("silver.fact_events")}
    assert before.keys() <= after.keys()
    for key, row in before.items():
        for name in ("visitor_id", "country", "region", "channel", "first_observed_at"):
            assert after[key][name] == row[name]
    assert lake.ledger.facts("cities") == {"kept": False}
