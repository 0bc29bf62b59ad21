"""What a run landed before it died is known to the next one."""

from datetime import UTC, date, datetime, timedelta

from support.memory import MemoryLedger, MemoryObjects
from wistlake import bronze
from wistlake.pipeline.run.recover import recover
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Run

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 5)


def _land(objects: MemoryObjects, run_id: str, at: datetime, media_id: str = "m1") -> str:
    landing = bronze.landing_id("events", media_id, DAY, run_id)
    manifest = bronze.Manifest(landing, "events", media_id, DAY, run_id, at, True, 0, 1, run_id, "", ())
    objects.put(bronze.manifest_key(landing), bronze.encode_manifest(manifest))
    return landing


def _planned(run_id: str, media_id: str = "m1") -> Interval:
    return Interval("events", media_id, DAY, State.PLANNED, run_id, NOW)


def test_the_newest_landing_of_dead_runs_is_adopted() -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    for n, run_id in enumerate(("dead-1", "dead-2")):
        ledger.put_run(Run(run_id, "scheduled", "live", "running", NOW + timedelta(minutes=n)))
        newest = _land(objects, run_id, NOW + timedelta(minutes=n))
    ledger.record([_planned("dead-2")])
    (found,) = recover(ledger, objects, "me")
    assert (found.state, found.landing_id) == (State.LANDED, newest)
    assert ledger.intervals()[0] == found


def test_what_a_good_run_left_is_left_alone() -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    ledger.put_run(Run("good", "scheduled", "live", "succeeded", NOW))
    _land(objects, "good", NOW)
    ledger.record([_planned("good")])
    assert recover(ledger, objects, "me") == ()


def test_an_older_landing_than_the_known_one_is_no_news() -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    ledger.put_run(Run("dead", "scheduled", "live", "running", NOW))
    _land(objects, "dead", NOW - timedelta(days=1))
    _land(objects, "dead", NOW, media_id="m2")
    known = _planned("dead")
    ledger.record([Interval(*known.key, State.PLANNED, "dead", NOW, landing_id="x", observed_at=NOW)])
    (as_before,) = recover(ledger, objects, "me")
    assert (as_before.state, as_before.landing_id, as_before.observed_at) == (State.LANDED, "x", NOW)
