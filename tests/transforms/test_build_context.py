"""What a build notes of its landings: how many records of each day were refused, and why; and what it does at once."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from threading import Barrier, get_ident

from support.memory import MemoryObjects
from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.pipeline.tables.context import SMALL_BUILD, BuildContext
from wistlake.pipeline.tables.plan import BuildPlan
from wistlake.ports import TableStore
from wistlake.quality.checks import Effect
from wistlake.quality.reconciliation import Verdict

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
DAY, NEXT = date(2026, 3, 3), date(2026, 3, 4)


def context(store: TableStore, *landings: Manifest) -> BuildContext:
    plan = BuildPlan("run", NOW, "UTC", (b"key",), landings, frozenset(), frozenset())
    return BuildContext(plan, MemoryObjects(), store, lambda pairs, shared=(): None)


def test_the_records_that_were_refused_are_broken_of_all_that_were_landed(store: TableStore) -> None:
    at_work = context(store)
    for media_id, day, rows, reasons in (
        ("m1", DAY, 100, Counter(missing_event_key=3, bad_received_at=1)),
        ("m1", NEXT, 50, Counter[str]()),
        ("m2", DAY, 10, Counter(missing_event_key=1)),
    ):
        at_work.reasons["events", media_id, day] = reasons
        at_work.by_interval["events", media_id, day] = Counter(rows=rows, quarantined=reasons.total())
    findings = {(f.media_id, f.day): f for f in at_work.rejected_findings()}
    assert {key: (f.verdict, f.checked, f.violations) for key, f in findings.items()} == {
        ("", None): (Verdict.BROKEN, 160, 5),
        ("m1", DAY): (Verdict.BROKEN, 100, 4),
        ("m2", DAY): (Verdict.BROKEN, 10, 1),
    }
    assert {f.effect for f in findings.values()} == {Effect.QUARANTINE}
    assert "missing_event_key" in findings["m1", DAY].detail
    assert "bad_received_at" in findings["m1", DAY].detail
    assert "bad_received_at" not in findings["m2", DAY].detail


def test_a_landing_whose_parts_are_not_what_it_promised_is_left_out(store: TableStore) -> None:
    def landed(media_id: str, rows: int, *, missing: bool = False) -> Manifest:
        landing = bronze.landing_id("events", media_id, DAY, "run")
        return Manifest(
            landing, "events", media_id, DAY, "run", NOW, True, rows, 1, "hash", bronze.payload_hash(()), (),
            missing=missing,
        )  # fmt: skip

    at_work = context(store, landed("whole", 0), landed("lost", 7), landed("gone", 0, missing=True))
    assert [m.media_id for m in at_work.manifests("events")] == ["whole"]
    assert at_work.manifests("visitors") == []
    assert list(at_work.stopped_keys) == [("events", "lost", DAY)]
    assert "does not describe its parts" in at_work.stopped_keys["events", "lost", DAY]
    at_work.stopped["whole"] = "a test said so"
    assert at_work.manifests("events") == []


def of_rows(store: TableStore, rows: int) -> BuildContext:
    landing = bronze.landing_id("events", "m1", DAY, "run")
    payload = bronze.payload_hash(())
    return context(
        store, Manifest(landing, "events", "m1", DAY, "run", NOW, True, rows, 1, "hash", payload, ())
    )


def test_the_steps_of_a_small_build_are_done_at_once(store: TableStore) -> None:
    meeting = Barrier(2)

    def step(result: int) -> Callable[[], int]:
        return lambda: meeting.wait(timeout=10) * 0 + result

    assert of_rows(store, SMALL_BUILD).side_by_side(step(1), step(2)) == [1, 2]
    assert of_rows(store, SMALL_BUILD).both(step(3), step(4)) == (3, 4)


def test_the_steps_of_a_large_build_follow_each_other(store: TableStore) -> None:
    under_way: list[int] = []

    def step() -> int:
        under_way.append(get_ident())
        return len(under_way)

    assert of_rows(store, SMALL_BUILD + 1).side_by_side(step, step) == [1, 2]
    assert set(under_way) == {get_ident()}, "a thread for a step that fills the engine by itself"
