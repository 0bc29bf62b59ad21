"""How many events one execution's history gets, counted from the machine's definition: AWS ends it at 25,000."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.aws.jsonata import evaluate
from support.aws.templates import machine, of_type, roles, template
from support.memory import MemoryObjects
from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT
from wistlake.entrypoints.aws.plan import INLINE_BATCHES, INLINE_MEDIA, are_many, shown, written
from wistlake.pipeline.run.handover import RunPlan
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.planning.intervals import Fetch
from wistlake.planning.packing import (
    METADATA,
    MOST_BATCHES,
    SNAPSHOTS,
    Volume,
    batches,
    cover,
    descriptions,
    ranges,
)
from wistlake.planning.plan import Window
from wistlake.planning.publishing import BY_DATE, EVENTS

pytestmark = pytest.mark.aws
MOST = 20_000  # of 25,000
MOST_STATE = 256 * 1024
NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
LAST = NOW.date() - timedelta(days=1)
MEDIA = [f"media{n:05}" for n in range(1_000)]
MACHINE = machine()
STATES = MACHINE["States"]
INLINE, APART = STATES["EachBatch"], STATES["EachBatchApart"]


def attempts(state: dict[str, Any]) -> int:
    """How often a state is tried before it is given up."""
    return 1 + sum(retry["MaxAttempts"] for retry in state.get("Retry", ()))


def task(state: dict[str, Any], tries: int) -> int:
    """Entered and left; each try is scheduled and started, and ends. A job that is waited for is submitted too."""
    each = 4 if state["Resource"].endswith(".sync") else 3
    return 2 + each * min(tries, attempts(state))


def of_item(processor: dict[str, Any], rounds: int, tries: int) -> int:
    """Events of one batch that is called in so many rounds, each of which is tried so often."""
    states, name, count, left = processor["States"], processor["StartAt"], 0, rounds
    while True:
        state = states[name]
        match state["Type"]:
            case "Task":
                count, name = count + task(state, tries), state["Next"]
            case "Choice":
                count, name = count + 2, state["Default"]
                if "$states.input.done" in state["Choices"][0]["Condition"]:
                    left -= 1
                    name = name if left else state["Choices"][0]["Next"]
            case "Pass":
                count += 2
                if state.get("End"):
                    return count
                name = state["Next"]
            case other:
                raise AssertionError(other)


def of_map(state: dict[str, Any], packs: int, rounds: int, tries: int) -> int:
    """Events of a Map in the history of the execution that it is in."""
    processor = state["ItemProcessor"]
    if processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED":
        return 6  # entered, started, run started and succeeded, succeeded, left: however many packs
    return 4 + packs * (2 + of_item(processor, rounds, tries))


def history_events(packs_by_phase: list[int], *, apart: bool, rounds: int = 1, tries: int = 1) -> int:
    """Events of one execution of the machine over so many packs."""
    each = APART if apart else INLINE
    count = 1 + task(STATES["Plan"], tries) + 2  # started; AnythingToDo
    for packs in packs_by_phase:
        count += of_map(each, packs, rounds, tries) + 2  # AnythingLanded
    ends = sum(task(STATES[name], tries) for name in ("Build", "Publish"))
    return count + ends + 2 + 2 + 1  # Succeeded, Done, the execution's end


def daily(media: list[str]) -> list[Fetch]:
    """What a day asks of so many media, of 30 sessions each."""
    days = [LAST - timedelta(days=n) for n in reversed(range(8))]
    rows = {(m, day): 30 for m in media for day in days}
    volume = Volume(rows, tuple(media), 0.9, dict.fromkeys(media, 30.0), 30.0)
    return [
        *cover(dict.fromkeys(media, days), volume),
        *descriptions(METADATA, media, LAST),
        *(f for m in media for f in ranges(BY_DATE, m, days, 365)),
        *(Fetch(s, m, LAST, LAST, if_moved=True) for s in SNAPSHOTS for m in media),
    ]


def plan(fetches: list[Fetch]) -> RunPlan:
    spec = RunSpec(
        "r", "scheduled", "live", "UTC", Window(NOW, UTC, 7), (source(EVENTS),), MediaChoice(("m1",))
    )
    return RunPlan(spec, tuple(fetches), (), NOW)


def phases(fetches: list[Fetch]) -> list[int]:
    of_all = [b.phase for b in batches(fetches)]
    return [of_all.count(n) for n in range(max(of_all) + 1)]


def test_a_day_of_a_thousand_media_takes_tens_of_invocations() -> None:
    fetches = daily(MEDIA)
    by_phase = phases(fetches)
    print(f"packs of 1,000 media, by phase: {by_phase}")
    assert sum(by_phase) <= 80
    assert are_many(plan(fetches), shown(fetches))
    assert history_events(by_phase, apart=True) < 50
    assert history_events(by_phase, apart=False) < 1_200  # that is what it was


@pytest.mark.parametrize(("media", "apart"), [(2, False), (INLINE_MEDIA, False), (INLINE_MEDIA + 1, True)])
def test_above_five_hundred_media_each_batch_is_an_execution_of_its_own(media: int, apart: bool) -> None:
    fetches = daily(MEDIA[:media])
    assert are_many(plan(fetches), shown(fetches)) is apart


def backfill(listings: int) -> list[Fetch]:
    """So many listings of 149 pages each."""
    return [
        Fetch(EVENTS, f"m{n % 99:04}", date(2025, 1, 1), date(2025, 1, 9), rows=14_700)
        for n in range(listings)
    ]


@pytest.mark.parametrize(("listings", "apart"), [(INLINE_BATCHES, False), (INLINE_BATCHES + 1, True)])
def test_many_batches_of_few_media_are_told_apart_too(listings: int, apart: bool) -> None:
    fetches = backfill(listings)
    assert len(batches(fetches)) == listings
    assert are_many(plan(fetches), shown(fetches)) is apart


def test_the_longest_history_of_few_batches_is_far_from_its_end() -> None:
    """Every batch needs three rounds, and every round every try."""
    most = max(attempts(s) for s in INLINE["ItemProcessor"]["States"].values())
    found = history_events([INLINE_BATCHES], apart=False, rounds=3, tries=100)
    print(f"{INLINE_BATCHES} batches, three rounds of {most} tries each: {found:,} events")
    assert found < MOST
    assert history_events([2 * INLINE_BATCHES], apart=False, rounds=3, tries=100) > 25_000, (
        "the limit is needed"
    )


@pytest.mark.parametrize("listings", [300, 7_000, 70_000])
def test_a_backfill_of_any_size_fits(listings: int) -> None:
    """7,000 listings are a hundred million sessions."""
    by_phase = phases(backfill(listings))
    assert by_phase[0] <= MOST_BATCHES
    assert history_events(by_phase, apart=True, tries=100) < 1_000
    pages = 149 * listings / by_phase[0]
    rounds = 1 + int(pages / 900)  # twelve minutes, 540 requests a minute, shared by several
    child = 2 + of_item(APART["ItemProcessor"], rounds, tries=100)
    assert child < MOST


def test_what_the_machine_carries_when_every_batch_of_the_largest_run_fails() -> None:
    fetches = backfill(70_000)
    catch = APART["ItemProcessor"]["States"]["IngestApart"]["Catch"][0]["Output"]
    error = {"Error": "SourceUnavailable", "Cause": json.dumps({"errorMessage": "x" * 3000})}
    names = [b["batch"] for b in shown(fetches)]
    two = [names[0], names[-1]]
    found = evaluate(
        *(
            (catch, {"states": {"input": {"batch": name, "nth": 9 + n}, "errorOutput": error}})
            for n, name in enumerate(two)
        )
    )
    assert [set(f) for f in found] == [{"batch", "error", "message"}, {"batch", "error"}]
    carried = [{**found[0], "batch": n} for n in names[:10]] + [{**found[1], "batch": n} for n in names[10:]]
    told = [{"message": "", **f} for f in carried]
    assert len(json.dumps(told)) < MOST_STATE / 2


def test_the_machine_reads_what_the_plan_has_written() -> None:
    objects, fetches = MemoryObjects(), daily(MEDIA)
    keys = written(shown(fetches), "r1", objects)
    assert keys == ["runs/r1/batches-0.json", "runs/r1/batches-1.json"]
    read = [json.loads(objects.get(key)) for key in keys]
    assert [b["batch"] for of_phase in read for b in of_phase] == [b.name for b in batches(fetches)]
    assert [{b["phase"] for b in of_phase} for of_phase in read] == [{0}, {1}]
    reader = APART["ItemReader"]
    assert reader["Arguments"]["Bucket"] == "${BronzeBucket}"
    assert evaluate((reader["Arguments"]["Key"], {"items": keys, "phase": 1})) == [keys[1]]
    assert written([], "r1", objects) == []
    later = [b for b in shown(fetches) if b["phase"] == 1]
    assert written(later, "r1", objects) == keys[1:], "a list without batches is not read"


@pytest.mark.parametrize(
    ("items", "given", "expected"),
    [
        ([], {"phase": 1, "batches": [{"phase": 1}]}, "EachBatch"),
        ([], {"phase": 2, "batches": [{"phase": 1}]}, "Build"),
        (["k0", "k1"], {"phase": 1, "batches": []}, "EachBatchApart"),
        (["k0", "k1"], {"phase": 2, "batches": []}, "Build"),
        (["k0", "k1"], {"phase": 1, "batches": [], "landed": 0, "failed": [{}]}, "NothingLanded"),
        ([], {"phase": 1, "batches": [{"phase": 1}], "landed": 0, "failed": [{}]}, "NothingLanded"),
        (
            [],
            {"phase": 1, "batches": [{"phase": 1}], "landed": 0},
            "EachBatch",
        ),  # the first phase had no batch
        ([], {"phase": 1, "batches": [], "landed": 0}, "Build"),  # nothing was asked for
        ([], {"phase": 2, "batches": [{"phase": 1}], "failed": [{}]}, "Build"),  # some failed
        ([], {"phase": 2, "batches": [{"phase": 1}], "landed": 0, "failed": [{}]}, "NothingLanded"),
        (["k0"], {"phase": 1, "batches": []}, "Build"),
    ],
)
def test_the_machine_goes_from_phase_to_phase(items: list[str], given: dict[str, Any], expected: str) -> None:
    """It builds unless all that it tried has failed."""
    variables = {"items": items, "landed": 1, "failed": [], **given}
    state = STATES["AnythingLanded"]
    holds = evaluate(*((choice["Condition"], variables) for choice in state["Choices"]))
    chosen = next((c["Next"] for c, h in zip(state["Choices"], holds, strict=True) if h), state["Default"])
    assert chosen == expected


@pytest.mark.parametrize("batches_", [[], [{"phase": 1, "batch": "snapshots-1"}]])
def test_a_phase_without_batches_leaves_nothing_landed_and_nothing_failed(batches_: list[Any]) -> None:
    (items,) = evaluate((INLINE["Items"], {"batches": batches_, "phase": 0}))
    assert items == []
    variables = {"phase": 0, "landed": 0, "failed": [], "states": {"result": items}}
    assigned = evaluate(*((INLINE["Assign"][name], variables) for name in ("phase", "landed", "failed")))
    assert assigned == [1, 0, []]


@pytest.mark.parametrize(("items", "chosen"), [([], False), (["k0"], True)])
def test_the_plan_decides_how(items: list[str], chosen: bool) -> None:
    choice = STATES["AnythingToDo"]["Choices"][1]
    assert choice["Next"] == "EachBatchApart"
    assert evaluate((choice["Condition"], {"items": items})) == [chosen]
    assert STATES["AnythingToDo"]["Default"] == "EachBatch"


def test_both_ways_do_the_same_for_a_batch() -> None:
    for name in ("MaxConcurrency", "ItemSelector", "Catch", "Assign", "Output", "Next"):
        assert APART[name] == INLINE[name], name
    apart = json.loads(json.dumps(APART["ItemProcessor"]["States"]).replace("Apart", ""))
    inline = INLINE["ItemProcessor"]["States"]
    calls = [s for s in inline.values() if s["Type"] == "Task"]
    assert all({**s, "Next": "Through"} == {**apart["Ingest"], "Next": "Through"} for s in calls)
    assert apart["Through"]["Choices"] == inline["Through"]["Choices"]
    assert set(APART["ItemProcessor"]["States"]).isdisjoint({*STATES, *inline}), "names are the machine's"


def test_the_machine_may_begin_executions_of_itself_and_read_their_batches() -> None:
    may = {
        (a, json.dumps(s["Resource"]))
        for s in roles(template("template.yaml"))["MachineRole"]
        for a in s["Action"]
    }
    assert any(a == "states:StartExecution" and ':stateMachine:wistlake-${Stage}"' in r for a, r in may)
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert any(a == action and "execution:wistlake-${Stage}/*" in r for a, r in may), action
    assert ("s3:GetObject", json.dumps({"Fn::Sub": "${BronzeBucket.Arn}/runs/*"})) in may
    given = of_type(template("template.yaml"), "AWS::Serverless::StateMachine")["Machine"][
        "DefinitionSubstitutions"
    ]
    assert given["BronzeBucket"] == {"Ref": "BronzeBucket"}


def test_all_of_the_account_is_one_listing() -> None:
    """A media that is counted is one that the plan lists, whether it has a listing of its own or not."""
    day = LAST
    parts = tuple((m, day, day) for m in MEDIA)
    fetches = [Fetch(EVENTS, ACCOUNT, day, day, parts, 10)]
    assert are_many(plan(fetches), shown(fetches))
