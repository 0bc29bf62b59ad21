"""Requests for work on a whole lake on AWS: as they went, refused plainly, done by the rules of the last run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from unit.aws.test_handover import NOW, ORDER
from wistlake.codec import encode
from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError, LeaseHeld, StoreError
from wistlake.pipeline.jobs import request as keep
from wistlake.pipeline.jobs.forget import Who
from wistlake.pipeline.jobs.request import Keeper, Request
from wistlake.pipeline.run.handover import RunPlan, encode_plan, plan_key
from wistlake.pipeline.run.spec import LakeDependencies, MediaChoice
from wistlake.planning.intervals import MediaEntry
from wistlake.ports import LEASE, LEASE_SECONDS, Run
from wistlake.privacy.keys import KeyChain, fresh
from wistlake.wiring import aws_glue

LATER = NOW + timedelta(days=3)


@pytest.mark.parametrize(
    "request_",
    [
        Request("forget", NOW, Who(email="a@example.com"), [{"visitor_key": "k"}], dry_run=True),
        Request("forget", NOW, Who(visitor_key="k"), None),
        Request("forget", NOW, Who(email="m\u00fcller@example.com", devices=145), []),
        Request("rotate", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_request_comes_back_as_it_went(request_: Request) -> None:
    assert keep.decoded(json.dumps(encode(Request, request_)).encode()) == request_


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"{}", b'{"task": "forget", "who": {"email": "a@example.com"}}']
)
def test_a_damaged_request_is_told_and_never_quoted(data: bytes) -> None:
    with pytest.raises(StoreError, match="give the order again") as told:
        keep.decoded(data)
    assert "example" not in str(told.value)


def test_a_request_never_shows_whom_it_names() -> None:
    shown = repr(Request("forget", NOW, Who(email="a@example.com"), [{"visitor_key": "kkk"}]))
    assert "example" not in shown
    assert "kkk" not in shown


@pytest.mark.parametrize("run_id", ["../up", "a/b", "", "x" * 81])
def test_a_run_id_is_no_path(run_id: str) -> None:
    for key in (keep.request_key, keep.result_key):
        with pytest.raises(ConfigError, match="isn't a run's id"):
            key(run_id)


def lake(**documents: bytes) -> tuple[MemoryLedger, MemoryObjects]:
    ledger, objects = MemoryLedger(), MemoryObjects()
    ledger.put_media([MediaEntry("m1", NOW.date(), NOW), MediaEntry("m2", NOW.date(), NOW, retired_at=NOW)])
    for run_id, data in documents.items():
        ledger.put_run(Run(run_id, "scheduled", "simulated", "succeeded", NOW))
        objects.put(plan_key(run_id), data)
    return ledger, objects


def test_the_order_is_that_of_the_last_run_about_everything() -> None:
    ledger, objects = lake(r1=encode_plan(RunPlan(ORDER, {}, (), NOW)))
    ledger.put_run(Run("turned", "rotate", "simulated", "succeeded", LATER))  # it has no plan
    found = keep.whole_lake(ledger, objects, "mine", "forget", LATER)
    window = replace(ORDER.window, now=LATER, start=None, end=None)
    expected = replace(
        ORDER, run_id="mine", trigger="forget", window=window, sources=SOURCES,
        choice=MediaChoice(("m1", "m2")), accept_shrink=frozenset(),
    )  # fmt: skip
    assert found == expected


def test_without_any_plan_the_cure_is_named() -> None:
    with pytest.raises(StoreError, match="let the daily run end once"):
        keep.whole_lake(*lake(), "mine", "forget", LATER)


class Ring:
    """A chain of keys in memory."""

    def __init__(self, chain: KeyChain) -> None:
        self.chain = chain

    def load(self) -> KeyChain:
        return self.chain

    def save(self, chain: KeyChain) -> None:
        self.chain = chain


def asked_for(task: str, chain: KeyChain, who: Who | None = None) -> None:
    ledger, objects = lake(r1=encode_plan(RunPlan(ORDER, {}, (), NOW)))

    def never(*_: object, **__: object) -> Any:
        raise AssertionError

    parts = LakeDependencies(objects, ledger, never, never, lambda: NOW)
    keeper = Keeper(Ring(chain), never, never, never, 30)  # type: ignore[arg-type]
    keep.keep(Request(task, NOW, who), "mine", parts, keeper)


@pytest.mark.parametrize(
    ("task", "who"), [("forget", None), ("erase", None), ("erase", Who(visitor_key="k"))]
)
def test_what_nobody_can_do_is_refused(task: str, who: Who | None) -> None:
    with pytest.raises(ConfigError, match="one of forget, rotate, maintain"):
        asked_for(task, fresh(), who)


def test_a_person_is_forgotten_by_the_keys_of_the_lake() -> None:
    with pytest.raises(AssertionError):  # it asks for them
        asked_for("forget", fresh(), Who(visitor_key="k"))


@pytest.mark.parametrize("task", ["forget", "maintain"])
def test_an_interrupted_rotation_comes_first(task: str) -> None:
    """Its ids are of two epochs, and it knows the tables by their snapshots."""
    with pytest.raises(StoreError, match="wistlake key rotate"):
        asked_for(task, fresh().begun())


@pytest.mark.parametrize("task", keep.TASKS)
def test_nothing_is_written_before_the_job_has_the_lease(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """The run that has it may have begun after the job asked for it: an engine takes its time to start."""
    ledger, objects = lake(r1=encode_plan(RunPlan(ORDER, {}, (), NOW)))
    touched: list[str] = []

    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            return touched.append(name)

    @contextmanager
    def engine(*_: Any) -> Iterator[Any]:
        yield SimpleNamespace(spark=None, ensure=lambda _: touched.append("ensure")), Untouchable()

    monkeypatch.setattr(aws_glue, "_engine", engine)
    monkeypatch.setattr(aws_glue, "_damage_named", lambda _: nullcontext())
    monkeypatch.setattr(aws_glue, "S3Objects", lambda bucket: objects)
    monkeypatch.setattr(aws_glue, "ledger", lambda _: ledger)
    keys = SimpleNamespace(load=lambda: KeyChain((fresh(),)))
    monkeypatch.setattr(aws_glue.aws_secrets, "SecretKeys", lambda _: keys)
    request = Request(task, NOW, Who(email="a@example.com"), [])
    job = aws_glue.Job("b", "s", "w", "l", "k", "db")
    with (
        ledger.lease(LEASE, "run-1", NOW, LEASE_SECONDS),
        aws_glue.keeping(job, "upkeep", lambda: NOW, 30) as parts,
        pytest.raises(LeaseHeld),
    ):
        keep.keep(request, "upkeep", *parts)
    assert touched == []
