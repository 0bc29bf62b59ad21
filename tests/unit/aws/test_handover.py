"""The documents that steps hand on come back as they went."""

import json
from datetime import UTC, date, datetime

import pytest

from support.memory import MemoryObjects
from wistlake.contracts import SOURCES
from wistlake.contracts.form import ACCOUNT
from wistlake.errors import ConfigError, StoreError
from wistlake.pipeline.run import handover
from wistlake.pipeline.run.fetched import FetchLine, FetchSummary
from wistlake.pipeline.run.handover import RunPlan, Verdicts
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.plan import Window
from wistlake.planning.shared_keys import SharedDays
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Effect, Finding
from wistlake.quality.reconciliation import Judgement, Verdict
from wistlake.transforms.channels import Rule

NOW = datetime(2026, 3, 2, 2, 15, 0, 5, tzinfo=UTC)
DAY, NEXT, LATER = date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 2)
WINDOW = Window(NOW, zone("-05:00"), 7, DAY, None, date(2026, 1, 1), include_open_days=True)
ORDER = RunSpec(
    "r1", "backfill", "simulated", "-05:00", WINDOW, SOURCES[:2], MediaChoice((), "folder", "tag"), 8,
    (Rule("c", "tags", "x"),), accept_shrink=frozenset({"m1"}),
)  # fmt: skip
FULL = Interval(
    "events", "m1", DAY, State.PUBLISHED, "r1", NOW, "why", "landing", NOW, "c0ffee", 17, True, True, 2, "sig", NOW,
    "f00d", NOW,
)  # fmt: skip
KEY = ("events", "m1", DAY)


def test_a_plan_with_listings_of_one_media_and_of_many() -> None:
    fetches = (
        Fetch(
            "events", ACCOUNT, DAY, LATER, (("m1", DAY, LATER), ("m2", DAY, DAY), ("m2", LATER, LATER)), 250
        ),
        Fetch("media_by_date", "m1", DAY, LATER),
        Fetch("media_stats", "m1", LATER, LATER, if_moved=True),
    )
    planned = RunPlan(ORDER, fetches, ("gone",), NOW, ("absent",))
    assert handover.decode_plan(handover.encode_plan(planned)) == planned


def test_verdicts_keep_what_publishing_needs() -> None:
    broken = Judgement("events_and_plays", "m1", DAY, Verdict.BROKEN, False, 7, 9.5, -2, None)
    findings = (
        Finding("rows", "gold.x", Verdict.BROKEN, Effect.WARN, 9, 2, "two", "m1", DAY),
        Finding("freshness", "events", Verdict.HOLDS, Effect.WARN, 9, 0),
    )
    holds = Judgement("unique_event_keys", "m1", DAY, Verdict.HOLDS, blocking=True)
    built = BuildResult(
        {"gold.x": {"new": 3}}, {KEY: {"rows": 4, "quarantined": 1}}, (holds, broken), {KEY: "lost rows"},
        {("m1", DAY): Certificate.SETTLED}, frozenset({("m1", NEXT)}), {"gold.x": TableRef("s3://x", 2**62)},
        findings, frozenset({("m1", LATER)}),
        frozenset({SharedDays("m1", DAY, NEXT, -1), SharedDays("m1", DAY, LATER)}), {"m1": "5160"},
    )  # fmt: skip
    plain = Interval("events", "m2", DAY, State.FAILED, "r1", NOW)
    made_by = {"events": "0123456789abcdef"}
    found = handover.decode_verdicts(handover.encode_verdicts(Verdicts(built, (FULL, plain), 3, made_by)))
    assert (found.intervals, found.epoch, found.built_from) == ((FULL, plain), 3, made_by)
    assert found.built
    assert found.built.judgements == (broken,)
    kept = (
        "counts",
        "by_interval",
        "stopped",
        "published",
        "blocked",
        "tables",
        "findings",
        "withdrawn",
        "shared",
        "labelled",
    )
    for name in kept:
        assert getattr(found.built, name) == getattr(built, name), name


def test_nothing_built_is_not_an_empty_build() -> None:
    assert handover.decode_verdicts(handover.encode_verdicts(Verdicts(None, ()))) == Verdicts(None, ())


@pytest.mark.parametrize(("data", "cure"), [(b"{", "start the run anew"), (b'{"format": 3}', "deploy every")])
def test_damage_and_newer_programs_are_told(data: bytes, cure: str) -> None:
    for decode in (handover.decode_plan, handover.decode_verdicts):
        with pytest.raises(StoreError, match=cure):
            decode(data)


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", "a" * 81, "a.b"])
def test_an_id_that_could_leave_its_folder_is_refused(run_id: str) -> None:
    with pytest.raises(ConfigError, match="isn't a run's id"):
        handover.plan_key(run_id)


def test_documents_of_the_version_before_are_read() -> None:
    """Literal: a run may be under way while the functions are deployed again."""
    plan = handover.decode_plan(
        b'{"format":1,"run_id":"r1","trigger":"backfill","origin":"simulated","zone":"-05:00",'
        b'"now":"2026-03-02T02:15:00.000005+00:00","lookback_days":7,"start":"2026-02-27","end":null,'
        b'"start_date":"2026-01-01","include_open_days":true,"datasets":["media_metadata","media_stats"],'
        b'"choice":{"ids":[],"folder":"folder","tag":"tag"},"max_concurrency":8,"rules":[["c","tags","x"]],'
        b'"accept_shrink":["m1"],"fetches":{"m1":[["events","2026-02-27","2026-02-28",true]]},"left":["gone"],'
        b'"began":"2026-03-02T02:15:00.000005+00:00"}'
    )
    days = tuple(Fetch("events", "m1", day, day) for day in (DAY, NEXT))
    assert plan == RunPlan(ORDER, days, ("gone",), NOW)
    verdicts = handover.decode_verdicts(
        b'{"format":1,"built":{"counts":{"gold.x":{"new":3}},"by_interval":[["events","m1","2026-02-27",{"rows":4}]],'
        b'"broken":[["plays","m1","2026-02-27",true,7,9.5,-2,null]],"stopped":[["events","m1","2026-02-27","why"]],'
        b'"published":[["m1","2026-02-27","settled"]],"blocked":[["m1","2026-02-28"]],'
        b'"tables":{"gold.x":["s3://x",7]},"findings":[{"check":"rows","table":"gold.x","verdict":"broken",'
        b'"effect":"warn","checked":9,"violations":2,"detail":"two","media_id":"m1","day":null}],"withdrawn":[],'
        b'"shared":{"days":[["m1","2026-02-27","2026-02-28",-1]]}},"intervals":[{"dataset":"events","media_id":"m1",'
        b'"day":"2026-02-27","state":"published","run_id":"r1","updated_at":"2026-03-02T02:15:00.000005+00:00",'
        b'"reason":"why","landing_id":"landing","observed_at":"2026-03-02T02:15:00.000005+00:00",'
        b'"content_hash":"c0ffee","rows":17,"finished":true,"missing":true,"confirmations":2,'
        b'"built_signature":"sig","published_at":"2026-03-02T02:15:00.000005+00:00","steady_hash":"f00d",'
        b'"moved_at":"2026-03-02T02:15:00.000005+00:00"}]}'
    )
    assert verdicts.intervals == (FULL,)
    assert verdicts.built
    assert verdicts.built.judgements == (
        Judgement("plays", "m1", DAY, Verdict.BROKEN, True, 7, 9.5, -2, None),
    )
    assert verdicts.built.findings[0].violations == 2
    assert verdicts.built.tables == {"gold.x": TableRef("s3://x", 7)}


def test_a_summary_of_the_version_before_is_read_and_added_to() -> None:
    objects = MemoryObjects()
    line = {"dataset": "events", "media_id": "m1", "days": 1, "pages": 2, "requests": 3, "rows": 4, "new": 0,
            "updated": 0, "removed": 0, "unchanged": 0, "quarantined": 0, "seconds": 0.5}  # fmt: skip
    old = {"lines": [line], "unavailable": {"visitors": "gone"}, "unknown_keys": {"events": ["b", "a"]}}
    objects.put(handover.summary_key("r1", "m1"), json.dumps(old).encode())
    more = FetchSummary({("events", "m1"): FetchLine("events", "m1", days=2, rows=6, seconds=0.25)})
    handover.add_summary(objects, "r1", "m1", more)
    summary = handover.read_summary(objects, "r1", "m1")
    assert summary.lines[("events", "m1")] == FetchLine("events", "m1", 3, 2, 3, 10, seconds=0.75)
    assert summary.unavailable == {"visitors": "gone"}
    assert summary.unknown_keys == {"events": {"a", "b"}}
