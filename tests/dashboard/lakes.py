"""A lake as the dashboard's tests need it: two days of a small account whose names are hostile."""

from datetime import timedelta
from pathlib import Path

from support.lake import START, Lake, Scenario
from wistia_simulator import MediaChange, Profile

EVIL = "<script>alert('x')</script> ![x](https://x.example/x.png)"


def hostile(folder: Path) -> Lake:
    """Two media; the first has a name that is HTML and Markdown."""
    renamed = MediaChange(0, START - timedelta(days=1), "rename", EVIL)
    made = Lake(
        folder, Scenario(profile=Profile(media=2, sessions_per_day=20, history_days=10, changes=(renamed,)))
    )
    made.run_days(2)
    return made
