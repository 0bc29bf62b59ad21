"""What both engines are told, each in a process of its own: their sessions can't share one.

The ten days of `support.stories`, but with runs on few of them, for each costs Spark half a minute; what was
slept through is caught up. Runs are due at 02:15 and at 09:15 UTC, and the clocks change between them.
"""

from dataclasses import replace
from pathlib import Path

from support.evolution import gained
from support.lake import Lake, Scenario
from support.stories import HOSTILE, moment
from wistlake.contracts import SOURCES, fact_events
from wistlake.contracts.form import Column, Privacy, Type

NEW_COLUMN = Column("media_name", Type.STRING, Privacy.NONE, "The media's name when the session was listed.")
EARLY, LATE = moment(8, 2, 15), moment(9, 9, 15)
RUNS = (moment(0, 2, 15), EARLY, LATE)
SCENARIO = Scenario(
    replace(HOSTILE, canary="canary"),
    starts=RUNS[0],
    settings={"datasets": tuple(s.name for s in SOURCES)},
)


def tell(folder: Path, scenario: Scenario) -> None:
    """All runs but the last, and that one with a contract that has a column more."""
    lake = Lake(folder, scenario)
    for now in RUNS[:-1]:
        lake.run_day(now)
    with gained(fact_events.TABLE, NEW_COLUMN):
        lake.run_day(RUNS[-1])
