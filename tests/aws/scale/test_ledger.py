"""What a run asks of the ledger of a thousand media on day 400: as much as is open, and not the history."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws.scale import synthetic
from support.aws.twin import Twin
from support.memory import MemoryObjects
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.contracts.form import ACCOUNT
from wistlake.insight import gaps
from wistlake.insight.status import health
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run import pending, raw_pages
from wistlake.pipeline.run.compact import compact
from wistlake.pipeline.run.handover import RunPlan, decode_verdicts, encode_verdicts
from wistlake.pipeline.run.outcome import Policy, advance
from wistlake.pipeline.run.raw_pages import note_removed
from wistlake.pipeline.run.recover import recover
from wistlake.pipeline.run.select import planned
from wistlake.pipeline.run.view import LedgerView

pytestmark = pytest.mark.aws
MEDIA, FEW = 1_000, 10
OPEN = 15 * 3 + 7 * 3  # intervals of a media that are open
MOST_MB = 300


def timed(what: str, work: Callable[[], Any]) -> Any:
    began = time.monotonic()
    done = work()
    print(f"{what}: {time.monotonic() - began:.1f} s")
    return done


def ledger(twin: Twin) -> DynamoLedger:
    of_lake = DynamoLedger("ledger", "marks", twin)
    of_lake.watermarks = list  # type: ignore[method-assign]  # a table of their own
    return of_lake


def plan(count: int) -> dict[str, Any]:
    """What a plan asks of the ledger, and what it comes to."""
    twin = synthetic.twin(count, signed=False)
    asked = ledger(twin)
    view = LedgerView.of(asked)
    recover(asked, MemoryObjects(), "run", view)
    fetches = planned(synthetic.SPEC, asked, asked.media(), view)
    return {
        "requests": dict(twin.requests),
        "read": dict(twin.read),
        "megabytes": twin.bytes_read / 1e6,
        "fetches": len(fetches),
        "keys": Counter(dataset for f in fetches for dataset, _, _ in f.keys),
        "sampled": len({key for f in fetches for key in f.keys if key[2] < synthetic.day(10)}),
        "peak_megabytes": _peak_megabytes(),
    }


def _peak_megabytes() -> float:
    """Of this process alone: `ru_maxrss` begins with what the one that started it had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def test_a_plan_reads_what_is_open_and_stays_small() -> None:
    """In a process of its own, whose memory is the plan's."""
    work = "import json; from aws.scale.test_ledger import *; print(json.dumps(plan(MEDIA)))"
    began = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", work],
        capture_output=True, text=True, timeout=300, check=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    found = json.loads(answer.stdout.splitlines()[-1])
    print(f"a plan: {time.monotonic() - began:.1f} s, the making of what it reads included; {found}")
    assert found["read"]["intervals"] <= MEDIA * OPEN + 10 * OPEN  # and three days to read again
    assert found["read"]["compacted"] == MEDIA
    assert found["read"]["months"] <= 6
    assert "scan" not in found["requests"]
    assert found["requests"]["query"] <= MEDIA + 40
    assert found["megabytes"] < 60
    assert found["peak_megabytes"] < MOST_MB
    assert found["keys"]["events"] >= 7 * MEDIA
    assert 6 <= found["sampled"] <= 9


def test_what_is_open_does_not_grow_with_the_history() -> None:
    twin = synthetic.twin(1)
    asked = ledger(twin)
    assert len(asked.open_intervals(["m0000"])) == OPEN
    assert twin.read["intervals"] == OPEN
    assert len(asked.intervals(media_id="m0000")) == synthetic.DAYS * 6


def test_items_stay_far_below_what_dynamodb_holds() -> None:
    twin = synthetic.twin(1)
    asked = ledger(twin)
    everything = asked.intervals(media_id="m0000")
    asked.compact([(synthetic.compacted("m0000"), everything)])
    months = {m.isoformat()[:7] for m in (i.day for i in everything)}
    print(f"the largest item: {twin.largest:,} bytes")
    assert twin.largest < 60_000
    assert twin.requests["transaction"] <= len(everything) / 97 + len(months) + 1


@pytest.fixture(scope="module")
def view() -> tuple[Twin, DynamoLedger, LedgerView]:
    twin = synthetic.twin(MEDIA, signed=False)
    asked = ledger(twin)
    return twin, asked, timed("the open intervals of a thousand media", lambda: LedgerView.of(asked))


def test_status_and_gaps_read_no_month(
    view: tuple[Twin, DynamoLedger, LedgerView], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, asked, known = view
    monkeypatch.setattr(LedgerView, "of", lambda *_: known)
    twin.forget()
    window = replace(synthetic.SPEC.window)
    state = timed("status", lambda: health(asked, window))
    missing, failed = timed("gaps", lambda: gaps.open_work(asked, window))
    assert state["certificates"]["final"] == MEDIA * (synthetic.DAYS - 9)
    assert state["gaps"] == []
    assert (missing, failed) == ((), ())
    assert twin.read["months"] == twin.read["intervals"] == 0


def test_a_publication_moves_each_watermark_once(
    view: tuple[Twin, DynamoLedger, LedgerView],
) -> None:
    twin, asked, known = view
    twin.forget()
    media = synthetic.media(MEDIA)
    timed("watermarks", lambda: advance(synthetic.SPEC, asked, media, known))
    assert twin.requests["transaction"] == MEDIA * 5 / 100
    assert twin.requests["put"] == MEDIA * 5


def test_a_week_of_days_is_compacted_by_few_writes() -> None:
    twin = synthetic.twin(FEW)
    asked = ledger(twin)
    known = LedgerView.of(asked)
    twin.forget()
    made_by = pending.built_from_all(synthetic.SPEC, synthetic.EPOCH)
    timed("compaction of ten media", lambda: compact(synthetic.SPEC, asked, known, synthetic.EPOCH, made_by))
    moved = twin.requests["delete"]
    assert FEW * 7 * 3 <= moved <= FEW * OPEN
    assert twin.requests["transaction"] <= FEW * 3
    assert twin.read["months"] <= FEW * 3
    assert twin.largest < 60_000
    twin.forget()
    left = asked.open_intervals([f"m{n:04}" for n in range(FEW)])
    assert len(left) == FEW * OPEN - moved


class Asked(MemoryObjects):
    """Objects that count what is asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def exists(self, key: str) -> bool:
        self.calls["head"] += 1
        return super().exists(key)

    def list(self, prefix: str) -> Any:
        self.calls["list"] += 1
        return super().list(prefix)

    def get(self, key: str) -> bytes:
        self.calls["get"] += 1
        return super().get(key)


def build(of: DynamoLedger, objects: MemoryObjects) -> Any:
    """The step, where nothing needs an engine."""
    from types import SimpleNamespace

    deps: Any = SimpleNamespace(ledger=of, objects=objects, keys=lambda: (b"k",), rows_per_build=1)
    run_plan = RunPlan(synthetic.SPEC, (), (), synthetic.NOW)
    return build_step._Build(deps, run_plan, Policy.AT_THE_END)


def test_after_a_new_version_expired_landings_are_known_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else 20,000 landings of ten media would be asked for one by one, at each run."""
    twin, objects = synthetic.twin(FEW), Asked()
    asked = ledger(twin)
    for m in synthetic.media(FEW):
        twin.keep(f"intervals#{m.media_id}", f"months#{m.media_id}")  # as the version before has signed them
    note_removed(asked, synthetic.NOW - synthetic.timedelta(days=30))
    monkeypatch.setattr(pending, "TRANSFORM_VERSION", 99)
    monkeypatch.setattr(raw_pages, "MOST_ASKED", FEW - 1)
    work = timed("a build after a new version", lambda: build(asked, objects))
    found = work.run()
    assert found.built is None
    days, datasets = 30 + 9, len(synthetic.SPEC.sources)
    assert objects.calls["head"] == 0
    assert objects.calls["list"] <= days * datasets
    assert objects.calls["get"] == 0
    assert twin.read["months"] <= FEW * 3
    stamped = {i.key for i in found.intervals}
    assert stamped == {k for k in ((i.key) for i in asked.open_intervals()) if k[0] != "gold"}

    objects.calls.clear()
    asked.record(found.intervals)
    told = decode_verdicts(encode_verdicts(found))  # as the next process reads it
    compact(synthetic.SPEC, asked, LedgerView.of(asked), told.epoch, told.built_from)
    assert build(asked, objects).run().intervals == ()
    assert objects.calls == {}


def test_the_account_counts_as_a_media_that_may_have_intervals() -> None:
    twin = synthetic.twin(1)
    ledger(twin).open_intervals()
    assert twin.requests["query"] == 4  # media, roster, the account's and the one media's
    assert ACCOUNT not in {m.media_id for m in synthetic.media(1)}
