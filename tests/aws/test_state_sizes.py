"""What the machine's states carry for a thousand media, counted with the machine's own expressions: ten batches of
descriptions, twenty of daily counts, twenty of snapshots, and three of sessions."""

import json
import re
from datetime import date
from typing import Any

import pytest

from support.aws.jsonata import evaluate
from support.aws.templates import machine
from wistlake.contracts import SOURCES
from wistlake.contracts.form import ACCOUNT
from wistlake.planning.intervals import Fetch
from wistlake.planning.packing import BATCH_MEDIA, MOST_MEDIA, batches

pytestmark = pytest.mark.aws
MEDIAS = [f"media{n:05d}" for n in range(1000)]
OF_MEDIA = [
    {"batch": f"{kind}-{n + 1}", "phase": phase, "datasets": datasets, "medias": MEDIAS[most * n :][:most]}
    for phase, kind, datasets, most in (
        (0, "metadata", ["media_metadata"], MOST_MEDIA),
        (0, "by_date", ["media_by_date"], BATCH_MEDIA),
        (1, "snapshots", ["media_stats", "media_engagement"], BATCH_MEDIA),
    )
    for n in range(len(MEDIAS) // most)
]
SESSIONS = [
    {"batch": f"events-{n}", "phase": 0, "datasets": ["events"], "medias": ["1000 media"]} for n in (1, 2, 3)
]
BATCHES = [*SESSIONS, *OF_MEDIA]
MOST = 64 * 1024


def size(value: Any) -> int:
    """Bytes of a state."""
    return len(json.dumps(value, separators=(",", ":")).encode())


def failed_item(number: int) -> tuple[str, dict[str, Any]]:
    """What a batch that fails leaves behind, as the expression in its Catch and what that is given."""
    catch = machine()["States"]["EachBatch"]["ItemProcessor"]["States"]["IngestByDate"]["Catch"][0]
    cause = json.dumps(
        {"errorMessage": "x" * 3000, "errorType": "SourceUnavailable", "stackTrace": ["y"] * 99}
    )
    given = {"batch": BATCHES[number]["batch"], "nth": number}
    error = {"Error": "SourceUnavailable", "Cause": cause}
    return catch["Output"], {"states": {"input": given, "errorOutput": error}}


@pytest.fixture(scope="module")
def all_failed() -> list[Any]:
    """A day on which every batch fails."""
    return evaluate(*(failed_item(n) for n in range(len(BATCHES))))


def test_what_plan_hands_on() -> None:
    plan = {"run_id": "r" * 80, "plan_key": "runs/x/plan.json", "batches": BATCHES, "nothing_to_do": False}
    state = machine()["States"]["Plan"]
    given = {"states": {"result": {"Payload": plan}}}
    output, batches = evaluate((state["Output"], given), (state["Assign"]["batches"], given))
    assert output == {"nothing_to_do": False}
    assert batches == BATCHES
    assert size(batches) < MOST


@pytest.mark.parametrize(("phase", "expected"), [(0, 33), (1, 20), (2, 0)])
def test_the_map_goes_over_the_batches_of_one_phase(phase: int, expected: int) -> None:
    states = machine()["States"]
    variables = {"batches": BATCHES, "phase": phase, "landed": 1}
    (another,) = (c["Condition"] for c in states["AnythingLanded"]["Choices"] if c["Next"] == "EachBatch")
    items, is_more = evaluate((states["EachBatch"]["Items"], variables), (another, variables))
    assert (len(items), is_more) == (expected, expected > 0)
    assert {b["phase"] for b in items} <= {phase}


def test_one_batch_is_a_list_of_one() -> None:
    (items,) = evaluate((machine()["States"]["EachBatch"]["Items"], {"batches": BATCHES[:1], "phase": 0}))
    assert items == BATCHES[:1]


def after_the_map(results: list[Any], failed: list[Any]) -> list[Any]:
    """The variables after a Map with these results: phase, landed, failed."""
    assigned = machine()["States"]["EachBatch"]["Assign"]
    given = {"states": {"result": results}, "phase": 0, "landed": 2, "failed": failed}
    return evaluate(*((assigned[name], given) for name in ("phase", "landed", "failed")))


def test_what_the_map_leaves_when_all_is_well() -> None:
    done = [{"batch": b["batch"]} for b in BATCHES]
    assert after_the_map(done, []) == [1, 2 + len(BATCHES), []]


def test_what_the_map_leaves_when_everything_fails(all_failed: list[Any]) -> None:
    assert size(all_failed) < MOST
    assert all_failed[0]["message"] == "x" * 300
    assert after_the_map(all_failed, []) == [1, 2, all_failed]
    assert after_the_map(all_failed[3:], all_failed[:3]) == [1, 2, all_failed]
    assert after_the_map(all_failed[:1], []) == [1, 2, all_failed[:1]]


@pytest.mark.parametrize("count", [0, 1, len(BATCHES)])
def test_publish_hears_of_each_with_a_message(all_failed: list[Any], count: int) -> None:
    expression = machine()["States"]["Publish"]["Arguments"]["Payload"]["failed"]
    (payload,) = evaluate((expression, {"failed": all_failed[:count]}))
    assert len(payload) == count
    assert all({"batch", "error", "message"} == set(f) for f in payload)
    assert size(payload) < 4 * MOST  # a call may carry that


@pytest.mark.parametrize(
    ("batch", "state"),
    [
        ("events-12", "IngestEvents"),
        ("by_date-3", "IngestByDate"),
        ("played-1", "IngestByDate"),
        ("metadata-1", "IngestMetadata"),
        ("snapshots-20", "IngestLifetime"),
    ],
)
def test_each_dataset_is_read_by_a_state_of_its_own(batch: str, state: str) -> None:
    choice = machine()["States"]["EachBatch"]["ItemProcessor"]["States"]["Dataset"]
    given = {"states": {"input": {"batch": batch}}}
    fits = evaluate(*((c["Condition"], given) for c in choice["Choices"]))
    nexts = [c["Next"] for c, is_it in zip(choice["Choices"], fits, strict=True) if is_it]
    assert [*nexts, choice["Default"]][0] == state


def test_every_kind_of_batch_that_a_plan_names_has_its_state() -> None:
    day = date(2026, 3, 1)
    fetches = [Fetch(s.name, ACCOUNT if s.account_wide else MEDIAS[0], day, day) for s in SOURCES]
    kinds = {b.name.rpartition("-")[0] for b in batches(fetches)}
    choice = machine()["States"]["EachBatch"]["ItemProcessor"]["States"]["Dataset"]
    named = set(re.findall(r"= '(\w+)'", " ".join(c["Condition"] for c in choice["Choices"])))
    assert kinds == named | {"events"}


def test_a_thousand_media_leave_room_in_an_executions_history() -> None:
    """Step Functions ends an execution at 25,000 events. Each batch here fails three times before it is read in four
    rounds."""
    states = machine()["States"]["EachBatch"]["ItemProcessor"]["States"]
    enter_and_exit, of_iteration, of_a_try = 2, 2, 3  # a try: scheduled, started, ended
    a_round = sum(enter_and_exit for name in ("Dataset", "IngestEvents", "Through") if states[name])
    a_batch = of_iteration + 4 * (a_round + of_a_try) + 3 * of_a_try + enter_and_exit
    assert len(BATCHES) * a_batch < 5_000
