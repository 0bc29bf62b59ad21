"""The story that both engines are told, one in a process of its own: their sessions can't share one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from support.evolution import gained
from support.lake import START, Lake, Scenario
from wistia_simulator import MediaChange, Profile
from wistlake.contracts import SOURCES, fact_events
from wistlake.contracts.form import Column, Privacy, Type

DAYS = 2
NEW_COLUMN = Column("media_name", Type.STRING, Privacy.NONE, "The media's name when the session was listed.")
SCENARIO = Scenario(
    replace(
        Profile.hostile(),
        media=3,
        sessions_per_day=25.0,
        history_days=5,
        canary="canary",
        vanishing=0.05,
        late=0.1,
        changes=(
            MediaChange(0, START + timedelta(hours=12), "retag", ("Été", "youtube")),
            MediaChange(1, START + timedelta(hours=12), "duration", 99.5),
        ),
    ),
    seed=11,
    settings={"lookback_days": 2, "datasets": tuple(s.name for s in SOURCES)},
)


def tell(folder: Path, scenario: Scenario) -> None:
    """Two days, and a third one on which a contract has a column more."""
    lake = Lake(folder, scenario)
    lake.run_days(DAYS)
    with gained(fact_events.TABLE, NEW_COLUMN):
        lake.run_day(START + timedelta(days=DAYS))
