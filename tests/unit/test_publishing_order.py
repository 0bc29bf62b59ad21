"""A crash between any two writes of publication leaves work to do, never a watermark that lies."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from support.memory import MemoryLedger
from wistlake.bronze import Manifest
from wistlake.contracts import source
from wistlake.pipeline.run.outcome import advance, publish_build
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables.plan import BuildPlan, BuildResult
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake_soak.dying import Died, Dying

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
DAYS = [date(2026, 3, 3) + timedelta(days=n) for n in range(3)]
MEDIA = [MediaEntry("m1", DAYS[0], NOW)]
ORDER = RunSpec(
    "run", "scheduled", "live", "UTC-5", Window(NOW, UTC, 7), (source("events"),), MediaChoice(("m1",))
)


def _manifest(day: date) -> Manifest:
    landing = f"events/dt={day}/media_id=m1/run_id=run"
    return Manifest(landing, "events", "m1", day, "run", NOW, True, 0, 1, "hash", "", ())


PLAN = BuildPlan("run", NOW, "UTC-5", (b"key",), tuple(map(_manifest, DAYS)), frozenset(), frozenset())
RESULT = BuildResult({}, {}, (), {}, {}, frozenset(), {})


def _ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.put_media(MEDIA)
    ledger.record(
        Interval(
            "events", "m1", day, State.LANDED, "run", NOW, landing_id="x", observed_at=NOW, finished=True
        )
        for day in DAYS
    )
    return ledger


def _publish(ledger: MemoryLedger, seen: MemoryLedger, result: BuildResult = RESULT) -> None:
    publish_build(ORDER, seen, MEDIA, LedgerView(ledger.intervals()), PLAN, result)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 4))
def test_a_watermark_never_passes_what_readers_have(write: int, after: bool) -> None:
    ledger = _ledger()
    death = Dying(at=write, after=after)
    try:
        _publish(ledger, death.around(ledger))
    except Died:
        pass
    else:
        assert death.calls < write or after
    published = {i.day for i in ledger.intervals("events") if i.state is State.PUBLISHED}
    for mark in ledger.watermarks():
        assert ledger.publication() is not None
        assert {day for day in DAYS if day <= mark.last_date} <= published
    if published:
        assert ledger.publication() is not None
    _publish(ledger, ledger)
    assert [w.last_date for w in ledger.watermarks()] == [DAYS[-1]]


def test_a_watermark_stops_before_a_day_that_was_refused() -> None:
    ledger = _ledger()
    refused = replace(RESULT, stopped={("events", "m1", DAYS[1]): "it lost too much"})
    _publish(ledger, ledger, refused)
    assert [w.last_date for w in ledger.watermarks()] == [DAYS[0]]
    assert ledger.intervals("events", "m1", DAYS[1], DAYS[1])[0].state is State.FAILED


def _played(*days: int, failed: int = 0) -> MemoryLedger:
    """Breakdowns of days with plays; of the `failed` one nothing could be read."""
    ledger = MemoryLedger()
    ledger.put_media([replace(MEDIA[0], first_day=date(2026, 2, 1))])
    state = {failed: State.FAILED}
    ledger.record(
        Interval(
            "traffic_daily", "m1", date(2026, 2, day), state.get(day, State.PUBLISHED), "run", NOW,
            landing_id="x", finished=True, published_at=None if day == failed else NOW,
        )
        for day in (*days, *filter(None, [failed]))
    )  # fmt: skip
    return ledger


@pytest.mark.parametrize(
    ("days", "failed", "last"), [((3, 4, 9, 15), 0, 15), ((3, 4, 9, 15), 12, 9), ((9,), 4, None)]
)
def test_a_day_without_plays_is_no_hole_in_what_is_asked_of_days_with_plays(
    days: tuple[int, ...], failed: int, last: int | None
) -> None:
    ledger = _played(*days, failed=failed)
    advance(ORDER, ledger, ledger.media(), LedgerView(ledger.intervals()))
    assert [w.last_date.day for w in ledger.watermarks()] == ([last] if last else [])
