"""What people are told of a build: each check that is broken and stops nothing, and why a day was stopped."""

from datetime import date

import pytest

from wistlake.pipeline.run.result import unreconciled, warnings
from wistlake.pipeline.tables import BuildResult
from wistlake.quality.checks import Effect, Finding
from wistlake.quality.reconciliation import Judgement, Verdict

DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
HOLDS, BROKEN = Verdict.HOLDS, Verdict.BROKEN


def built(*, findings: tuple[Finding, ...] = (), judgements: tuple[Judgement, ...] = ()) -> BuildResult:
    return BuildResult({}, {}, judgements, {}, {}, frozenset(), {}, findings)


def finding(check: str, verdict: Verdict, effect: Effect, **more: str) -> Finding:
    return Finding(check, "gold.t", verdict, effect, 9, 2, **more)


def judgement(
    name: str, verdict: Verdict, *, blocking: bool, media_id: str = "m1", day: date = DAY
) -> Judgement:
    return Judgement(name, media_id, day, verdict, blocking, 7, 9.5)


def test_only_broken_checks_that_stop_nothing_are_warned_of() -> None:
    found = warnings(
        built(
            findings=(
                finding("rows", BROKEN, Effect.WARN, detail="Two of them."),
                finding("healthy", HOLDS, Effect.WARN),
                *(finding(f"stops_{e}", BROKEN, e) for e in Effect if e is not Effect.WARN),
                finding("not_asked", Verdict.NOT_APPLICABLE, Effect.WARN),
            )
        )
    )
    assert found == ["gold.t: rows is broken by 2 of 9. Two of them"]


def test_only_broken_identities_that_block_nothing_are_warned_of() -> None:
    found = warnings(
        built(
            judgements=(
                judgement("plays", BROKEN, blocking=False),
                judgement("healthy", HOLDS, blocking=False),
                judgement("stops", BROKEN, blocking=True),
                judgement("not_asked", Verdict.NOT_APPLICABLE, blocking=False),
            )
        )
    )
    assert found == ["m1 on 2026-03-01: plays is broken, ours 7, theirs 9.5"]


@pytest.mark.parametrize(("ours", "theirs"), [(None, 3.0), (3.0, None), (None, None)])
def test_a_figure_that_is_not_known_is_not_written(ours: float | None, theirs: float | None) -> None:
    (found,) = warnings(built(judgements=(Judgement("i", "m1", DAY, BROKEN, False, ours, theirs),)))
    assert found == "m1 on 2026-03-01: i is broken, figures unknown"


def test_a_stopped_day_names_what_blocks_it_and_nothing_else() -> None:
    stopped = built(
        judgements=(
            judgement("mine", BROKEN, blocking=True),
            judgement("healthy", HOLDS, blocking=True),
            judgement("warns", BROKEN, blocking=False),
            judgement("other_day", BROKEN, blocking=True, day=NEXT),
            judgement("other_media", BROKEN, blocking=True, media_id="m2"),
        )
    )
    text = str(unreconciled(stopped, "m1", DAY))
    assert "m1 on 2026-03-01 does not reconcile (mine: ours 7, theirs 9.5); gold" in text
    assert "backfill --from 2026-03-01 --to 2026-03-01 --media m1" in text
    assert "(its gold breaks its contract)" in str(unreconciled(stopped, "m3", DAY))
