"""A whole soak, and what it says at its end."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wistlake.entrypoints.soak.judge import Judgement, judge, told
from wistlake.entrypoints.soak.script import Script, write
from wistlake.entrypoints.soak.week import Lived, Week, moved
from wistlake.wiring import laptop


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak injected, survived and found."""

    script: Script
    lived: Lived
    judgement: Judgement

    @property
    def passed(self) -> bool:
        """Nothing lost, duplicated or wrong, and every day got its run."""
        found = self.judgement
        return not (
            found.lost
            or found.duplicated
            or found.wrong
            or self.lived.unfinished_days
            or self.lived.second_run_moved
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = self.judgement
        injected = told(self.lived.injected)
        return {
            "seed": self.script.seed,
            "profile": "hostile" if self.script.hostile else "calm",
            "days": self.script.days,
            "zone": self.script.zone,
            "faults": injected,
            "faults_injected": sum(injected.values()),
            "survived": sum(injected.values()) if not self.lived.unfinished_days else 0,
            "unfinished_days": self.lived.unfinished_days,
            "moved_by_a_repeated_run": self.lived.second_run_moved,
            "runs": self.lived.runs,
            "failed_runs": self.lived.failed_runs,
            "requests": self.lived.requests,
            "rows": found.rows,
            "tables": found.tables,
            "lost": found.lost,
            "duplicated": found.duplicated,
            "wrong": found.wrong,
            "passed": self.passed,
            "findings": found.said,
        }


def soak(
    profile: str, seed: int, days: int, tell: Callable[[str], None], lake: Path | None = None
) -> Outcome:
    """Live through the script of `seed` in `lake` (default: a temporary folder), and judge it."""
    script = write(profile, seed, days)
    with tempfile.TemporaryDirectory(prefix="wistlake-soak-") as folder:
        return _in(lake or Path(folder) / "lake", script, tell)


def _in(lake: Path, script: Script, tell: Callable[[str], None]) -> Outcome:
    lake.parent.mkdir(parents=True, exist_ok=True)
    week = Week(script, lake)
    lived = week.live(tell)
    lived.injected.update(_by_the_source(week, script))
    reader = laptop.query(week.settings())
    found = judge(week.world, lake, week.settings().tz, lambda text: reader.sql(text).to_pylist())
    return Outcome(script, lived, found)


def _by_the_source(week: Week, script: Script) -> dict[str, int]:
    if not script.hostile:
        return {}
    changes = {f"media_{c.kind}": 1 for c in script.profile.changes}
    return moved(week.world, script) | changes | {"schema_addition": 1}
