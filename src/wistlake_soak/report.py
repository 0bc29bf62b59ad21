"""A whole soak and its report."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wistlake.wiring.laptop import query_folder
from wistlake_soak.judge import Judgement, Sql, judge
from wistlake_soak.rebuilt import FACTS, differences
from wistlake_soak.script import Script, write
from wistlake_soak.week import Lived, Week, moved


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak injected and survived, and how its tables compare with the truth."""

    script: Script
    lived: Lived
    judgement: Judgement

    @property
    def passed(self) -> bool:
        """Whether no row is lost, duplicated, wrong or falsely certified, every day got its run, everything promised
        happened, and a rebuild changes nothing."""
        judgement = self.judgement
        return not (
            judgement.lost
            or judgement.duplicated
            or judgement.wrong
            or judgement.contradicted
            or judgement.moved_by_rebuild
            or self.lived.unfinished_days
            or self.lived.second_run_moved
            or self.lived.broken
            or self.absent
        )

    @property
    def absent(self) -> list[str]:
        """What the script promised and never happened: a soak without it proves nothing."""
        absent = sorted(kind for kind in self.script.promised if not self.lived.injected[kind])
        nothing_certified = self.script.promised and not self.judgement.certified
        return [*absent, *(["certified_day"] if nothing_certified else [])]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        judgement = self.judgement
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
            "moved_by_rebuild": judgement.moved_by_rebuild,
            "certified_days": judgement.certified,
            "contradicted_days": judgement.contradicted,
            "never_happened": self.absent,
            "runs": self.lived.runs,
            "failed_runs": self.lived.failed_runs,
            "requests": self.lived.requests,
            "rows": judgement.rows,
            "tables": judgement.tables,
            "lost": judgement.lost,
            "duplicated": judgement.duplicated,
            "wrong": judgement.wrong,
            "passed": self.passed,
            "findings": [*self.lived.broken, *judgement.findings],
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
    judgement = judge(
        week.world,
        lake,
        week.settings().tz,
        _reader(week),
        week.settings().lookback_days,
        script.is_scaled,
    )
    lived.injected.update(judgement.refused if script.hostile else {})
    _rebuilt(week, judgement)
    return Outcome(script, lived, judgement)


def _reader(week: Week) -> Sql:
    query = query_folder(week.lake)
    return lambda text: query.sql(text).to_pylist()


def _rebuilt(week: Week, judgement: Judgement) -> None:
    """A rebuild from the raw pages must change no row of any table."""
    before = {t: _reader(week)(f"SELECT * FROM {t.full_name}") for t in FACTS}
    week.rebuild()
    for t in FACTS:
        after = _reader(week)(f"SELECT * FROM {t.full_name}")
        moved = differences(t.key, t.compared, before[t], after)
        judgement.moved_by_rebuild += len(moved)
        for line in moved:
            judgement.report(f"rebuild changes {t.full_name}", line)


def _by_the_source(week: Week, script: Script) -> dict[str, int]:
    if not script.hostile:
        return {}
    changes = {f"media_{c.kind}": 1 for c in script.profile.changes}
    return moved(week.world, script) | changes | {"schema_addition": 1}
