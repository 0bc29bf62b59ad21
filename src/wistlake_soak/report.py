"""A whole soak, and what it says at its end."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wistlake.contracts import TABLES
from wistlake.wiring.laptop import query_folder
from wistlake_soak.judge import Judgement, Sql, differing, judge
from wistlake_soak.script import Script, write
from wistlake_soak.week import Lived, Week, moved


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak injected, survived and found."""

    script: Script
    lived: Lived
    judgement: Judgement

    @property
    def passed(self) -> bool:
        """Nothing lost, duplicated, wrong or falsely certified, every day got its run, all that was promised
        happened, and building the lake anew changes nothing."""
        found = self.judgement
        return not (
            found.lost
            or found.duplicated
            or found.wrong
            or found.contradicted
            or found.moved_by_rebuild
            or self.lived.unfinished_days
            or self.lived.second_run_moved
            or self.lived.broken
            or self.absent
        )

    @property
    def absent(self) -> list[str]:
        """What the script promised and what never happened: a soak without it proves nothing."""
        absent = sorted(kind for kind in self.script.promised if not self.lived.injected[kind])
        nothing_certified = self.script.promised and not self.judgement.certified
        return [*absent, *(["certified_day"] if nothing_certified else [])]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = self.judgement
        injected = dict(sorted(self.lived.injected.items()))
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
            "moved_by_rebuild": found.moved_by_rebuild,
            "certified_days": found.certified,
            "contradicted_days": found.contradicted,
            "never_happened": self.absent,
            "runs": self.lived.runs,
            "failed_runs": self.lived.failed_runs,
            "requests": self.lived.requests,
            "rows": found.rows,
            "tables": found.tables,
            "lost": found.lost,
            "duplicated": found.duplicated,
            "wrong": found.wrong,
            "passed": self.passed,
            "findings": [*self.lived.broken, *found.findings],
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
    found = judge(
        week.world,
        lake,
        week.settings().tz,
        _reader(week),
        week.settings().lookback_days,
        script.is_scaled,
    )
    lived.injected.update(found.refused if script.hostile else {})
    _rebuilt(week, found)
    return Outcome(script, lived, found)


def _reader(week: Week) -> Sql:
    query = query_folder(week.lake)
    return lambda text: query.sql(text).to_pylist()


def _rebuilt(week: Week, found: Judgement) -> None:
    """Building the lake anew from its pages must change no row of any table."""
    names = [t.full_name for t in TABLES if t.layer != "ops"]
    before = {name: _reader(week)(f"SELECT * FROM {name}") for name in names}
    week.rebuild()
    for table in (t for t in TABLES if t.layer != "ops"):
        name = table.full_name
        after = _reader(week)(f"SELECT * FROM {name}")
        moved = differing(before[name], after, table.key, table.compared)
        found.moved_by_rebuild += len(moved)
        for text in moved:
            found.report(f"rebuild changes {name}", text)


def _by_the_source(week: Week, script: Script) -> dict[str, int]:
    if not script.hostile:
        return {}
    changes = {f"media_{c.kind}": 1 for c in script.profile.changes}
    return moved(week.world, script) | changes | {"schema_addition": 1}
