"""A lake that has something of everything the documentation talks about."""

from datetime import date, timedelta

import pytest

from support.lake import START, Lake, Scenario, at
from wistia_simulator import MediaChange, Profile
from wistlake.contracts import SOURCES

DATASETS = (*(s.name for s in SOURCES if not s.optional), "traffic_daily")


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two runs, early in the account's day, so that the second finds the first one's counts restated."""
    profile = Profile(
        media=3,
        sessions_per_day=40,
        history_days=20,
        embed_query_share=0.3,
        conversion_share=0.1,
        actions=True,
        changes=(MediaChange(1, START + timedelta(hours=12), "rename", "Product tour, second cut"),),
    )
    made = Lake(
        tmp_path_factory.mktemp("docs") / "lake",
        Scenario(profile=profile, settings={"lookback_days": 15, "datasets": DATASETS}),
    )
    for day in (2, 3):
        made.run_day(at(date(2026, 3, day), 5, 5))
    return made
