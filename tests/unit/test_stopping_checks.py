"""A broken promise stops its media's day, where it has one; else nothing of the table is written."""

from datetime import date

import pytest

from wistlake.errors import ContractViolation
from wistlake.pipeline.tables.checks import reject_table, stopped
from wistlake.quality.checks import Effect, Finding
from wistlake.quality.reconciliation import Verdict

DAY = date(2026, 3, 1)
BROKEN, HOLDS = Verdict.BROKEN, Verdict.HOLDS


def finding(verdict: Verdict, effect: Effect, media_id: str = "", day: date | None = None) -> Finding:
    return Finding("unique", "gold.t", verdict, effect, 9, 2, detail="twice", media_id=media_id, day=day)


def test_a_broken_check_of_a_day_stops_that_day() -> None:
    found = [
        finding(BROKEN, Effect.STOP, "m1", DAY),
        finding(HOLDS, Effect.STOP, "m2", DAY),
        finding(BROKEN, Effect.WARN, "m3", DAY),
        finding(BROKEN, Effect.STOP, "m4"),
        finding(BROKEN, Effect.STOP, "", DAY),
    ]
    assert stopped(found) == {("m1", DAY): f"2 rows for {found[0].table} break unique (twice)"}


@pytest.mark.parametrize(("media_id", "day"), [("", None), ("m1", None), ("", DAY)])
def test_a_broken_check_of_no_day_refuses_the_whole_table(media_id: str, day: date | None) -> None:
    with pytest.raises(
        ContractViolation, match=r"2 of 9 rows break unique \(twice\); nothing of it was written"
    ):
        reject_table([finding(HOLDS, Effect.STOP), finding(BROKEN, Effect.STOP, media_id, day)])


@pytest.mark.parametrize(
    "harmless",
    [
        finding(HOLDS, Effect.STOP),
        finding(BROKEN, Effect.WARN),
        finding(BROKEN, Effect.QUARANTINE),
        finding(BROKEN, Effect.STOP, "m1", DAY),
    ],
)
def test_nothing_else_refuses_a_table(harmless: Finding) -> None:
    reject_table([harmless])
