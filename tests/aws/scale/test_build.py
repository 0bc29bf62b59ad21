"""What a build costs where there is much to build: a hundred million sessions, a thousand media."""

import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from support.aws.templates import of_type, template
from support.memory import MemoryObjects
from support.small import land
from wistlake import bronze
from wistlake.contracts import source
from wistlake.errors import StoreDamaged
from wistlake.pipeline.run.pending import assemble, within_memory
from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import reconcile
from wistlake.pipeline.tables.damage import damaged
from wistlake.pipeline.tables.plan import interval_key
from wistlake.planning import shared_keys
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.pool import WORKERS
from wistlake.wiring.aws_glue import rows_per_build
from wistlake.zones import zone

pytestmark = pytest.mark.aws
NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
FIRST = date(2025, 2, 1)
SYSTEM = template("template.yaml")
JOB = of_type(SYSTEM, "AWS::Glue::Job")["BuildJob"]


class Counted(MemoryObjects):
    """Objects that count what is asked of them, and how many calls are under way at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        self.seconds, self.now, self.most = seconds, 0, 0
        self.count = threading.Lock()

    def get(self, key: str) -> bytes:
        with self.count:
            self.calls["get"] += 1
            self.read[key] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            threading.Event().wait(self.seconds)
            return super().get(key)
        finally:
            with self.count:
                self.now -= 1


def sessions(media: int, days: int, rows: int) -> list[Interval]:
    """Days of sessions that wait for a build, as a rebuild of everything finds them."""
    return [
        Interval("events", f"m{m:04}", FIRST + timedelta(days=d), State.LANDED, "r", NOW, landing_id="x", rows=rows)
        for d in range(days)
        for m in range(media)
    ]  # fmt: skip


def builds(waiting: list[Interval], usual: int) -> list[int]:
    """The rows of one build after the other."""
    found, left = [], waiting
    while left:
        chosen = {i.key for i in within_memory(left, usual)}
        found.append(sum(i.rows for i in left if i.key in chosen))
        left = [i for i in left if i.key not in chosen]
    return found


@pytest.mark.parametrize(
    ("workers", "worker_type", "expected"),
    [(2, "G.1X", 33), (3, "G.1X", 17), (10, "G.1X", 4), (10, "G.2X", 2)],
)
def test_a_hundred_million_sessions_take_builds_by_the_workers(
    workers: int, worker_type: str, expected: int
) -> None:
    """With the rows of one laptop there would be 200, one after the other."""
    cores = int(SYSTEM["Mappings"]["WorkerTypes"][worker_type]["Cores"])
    found = builds(sessions(media=10, days=400, rows=25_000), rows_per_build(workers, cores))
    assert sum(found) == 100_000_000
    assert len(found) == expected
    assert max(found) <= 1.5 * rows_per_build(workers, cores)


def test_the_job_knows_its_workers() -> None:
    arguments = JOB["DefaultArguments"]
    assert arguments["--workers"] == {"Fn::Sub": "${GlueWorkers}"}
    assert arguments["--cores"] == {"Fn::FindInMap": ["WorkerTypes", {"Ref": "GlueWorkerType"}, "Cores"]}
    offered = SYSTEM["Parameters"]["GlueWorkerType"]["AllowedValues"]
    assert set(offered) == set(SYSTEM["Mappings"]["WorkerTypes"])
    assert all(type(of["Cores"]) is str for of in SYSTEM["Mappings"]["WorkerTypes"].values()), (
        "as arguments are"
    )
    assert (JOB["NumberOfWorkers"], JOB["WorkerType"]) == ({"Ref": "GlueWorkers"}, {"Ref": "GlueWorkerType"})


def landed(objects: MemoryObjects, count: int) -> list[bronze.Manifest]:
    return [land(objects, "events", FIRST, [{"event_key": "a"}], media_id=f"m{n:04}") for n in range(count)]


def test_every_part_is_hashed_once_and_few_at_a_time() -> None:
    objects = Counted(seconds=0.001)
    landings = landed(objects, 1_000)
    broken = landings[7]
    objects.put(broken.parts[0].key, b"cut")
    began = time.monotonic()
    found = damaged(landings, objects)
    print(f"1,000 parts of a millisecond each: {time.monotonic() - began:.2f} s")
    assert list(found) == [interval_key(broken)]
    assert "does not match its manifest" in found[interval_key(broken)]
    assert objects.calls == {"get": 1_000}
    assert set(objects.read.values()) == {1}
    assert 1 < objects.most <= WORKERS


def planned(objects: Counted, intervals: list[Interval]) -> tuple[bronze.Manifest, ...]:
    window = Window(NOW, zone("UTC"), 7)
    spec = RunSpec("run", "scheduled", "live", "UTC", window, (source("events"),), MediaChoice(("m0000",)))
    media = [MediaEntry(m, FIRST, NOW) for m in sorted({i.media_id for i in intervals})]
    return assemble(spec, media, LedgerView(intervals), RawPages(objects), (b"key",)).landings


def test_every_manifest_is_read_once_and_few_at_a_time() -> None:
    objects = Counted(seconds=0.001)
    landings = landed(objects, 1_000)
    intervals = [
        Interval("events", m.media_id, m.day, State.LANDED, "r", NOW, landing_id=m.landing_id, rows=1)
        for m in landings
    ]
    found = planned(objects, intervals)
    assert [m.landing_id for m in found] == [m.landing_id for m in landings]
    assert objects.calls == {"get": 1_000}
    assert 1 < objects.most <= WORKERS


def test_a_manifest_that_is_gone_is_named() -> None:
    objects = Counted()
    (landing,) = landed(objects, 1)
    objects.delete([bronze.manifest_key(landing.landing_id)])
    gone = Interval("events", "m0000", FIRST, State.LANDED, "r", NOW, landing_id=landing.landing_id, rows=1)
    with pytest.raises(StoreDamaged, match=landing.landing_id):
        planned(objects, [gone])


@pytest.mark.parametrize("history", [40, 400, 4_000])
def test_keys_are_looked_for_in_as_many_days_however_long_the_history(history: int) -> None:
    days = [FIRST + timedelta(days=n) for n in range(history)]
    searched = shared_keys.elsewhere({days[-1]}, [])
    assert len(searched.intersection(days)) == shared_keys.REACH.days
    assert len(searched) == 2 * shared_keys.REACH.days


class Rows:
    """A frame of rows that notes how often an engine is asked for them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.asked = rows, 0

    def where(self, _: str) -> "Rows":
        return self

    def select(self, *_: str) -> "Rows":
        return self

    def collect(self) -> list[dict[str, Any]]:
        self.asked += 1
        return self.rows


def test_thousands_of_suspicious_days_are_one_question_to_the_engine() -> None:
    doubtful = {(f"m{n:04}", FIRST): 900 for n in range(5_000)}
    twice = [{"media_id": m, "date": day, "play_count": 900} for m, day in doubtful for _ in range(2)]
    rows = Rows(twice[:-2])
    context: Any = SimpleNamespace(store=SimpleNamespace(read=lambda _: rows))
    assert reconcile._observed_again(context, doubtful) == set(doubtful) - {("m4999", FIRST)}
    assert rows.asked == 1
