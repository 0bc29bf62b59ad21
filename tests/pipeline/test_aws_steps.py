"""Planning, ingesting in rounds and publishing by the handlers on the emulated account; no engine takes part."""

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from typer.testing import CliRunner

from support.aws_lake import AwsLake, Context, aws_lake
from support.emulated import Account
from support.lake import START, Scenario
from support.some import some
from wistia_simulator import Fault, FaultPlan, Nth, Profile
from wistlake.adapters.aws.objects import S3Objects
from wistlake.channel_rules import Rule
from wistlake.contracts.form import ACCOUNT
from wistlake.entrypoints.aws import ingest, plan, publish
from wistlake.entrypoints.cli.main import app
from wistlake.errors import ConfigError, LeaseHeld, SourceUnavailable, StoreError
from wistlake.pipeline.run import labels
from wistlake.pipeline.run.handover import (
    RunPlan,
    Verdicts,
    decode_plan,
    encode_plan,
    encode_verdicts,
    verdicts_key,
)
from wistlake.pipeline.run.stages import is_idle
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import Fetch, State
from wistlake.planning.labels import MediaLabels
from wistlake.ports import LEASE, LEASE_SECONDS, TableRef
from wistlake.quality.certificates import Certificate

pytestmark = pytest.mark.aws
SCENARIO = Scenario(Profile(media=2, sessions_per_day=5, history_days=4), settings={"lookback_days": 2})
Start = Callable[..., AwsLake]


@pytest.fixture
def start(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """(faults) -> a new lake, whose environment is this process's until the next one."""
    open_lakes = []

    def begin(*faults: Fault) -> AwsLake:
        scenario = Scenario(SCENARIO.profile, settings=SCENARIO.settings, faults=FaultPlan(faults=faults))
        lake = aws_lake(account, scenario, monkeypatch)
        open_lakes.append(lake)
        return lake.__enter__()

    yield begin
    for lake in open_lakes:
        lake.__exit__(None, None, None)


def batch_of(planned: dict[str, Any], dataset: str) -> dict[str, Any]:
    """The first batch that reads the dataset."""
    return next(b for b in planned["batches"] if dataset in b["datasets"])


def landed(lake: AwsLake) -> list[tuple[str, str, date]]:
    return [i.key for i in lake.ledger.intervals() if i.state is State.LANDED]


def hurried(fetches: int) -> Context:
    """Time for so many fetches, then less than three minutes."""
    seconds = chain([900.0] * (1 + fetches), repeat(179.0))  # the round's own time-out asks once
    return Context(lambda: next(seconds))


def test_rounds_land_what_one_round_would(start: Start) -> None:
    whole = start()
    once = whole.ingest(whole.plan("once", START))
    assert all(r["continuation"] is None for r in some(once))

    lake = start()
    planned = lake.plan("rounds", START)
    rounds = lake.ingest(planned, lambda: hurried(2))
    assert len(rounds) > len(planned["batches"])
    assert {r["done"] for r in rounds} == {True, False}
    assert landed(lake) == landed(whole)
    for what in ("landed", "requests"):
        assert sum(r[what] for r in rounds) == sum(r[what] for r in once)


def test_what_failed_is_asked_for_again_and_nothing_else(start: Start) -> None:
    lake = start(Fault("redirect", "by_date", Nth(1)))
    planned = lake.plan("r1", START)
    event = {**planned, **batch_of(planned, "media_by_date"), "continuation": None}
    with pytest.raises(ConfigError, match="redirects"):
        ingest.handler(event, Context())
    failed = [i.key[0] for i in lake.ledger.intervals() if i.state is State.FAILED]
    assert set(failed) == {"media_by_date"}
    again = ingest.handler(event, Context())
    assert again == {
        "batch": event["batch"],
        "done": True,
        "continuation": None,
        "landed": len(failed),
        "requests": 1,
    }
    assert ingest.handler(event, Context())["requests"] == 0


def test_a_round_that_can_do_nothing_is_no_endless_loop(start: Start) -> None:
    lake = start()
    planned = lake.plan("r1", START)
    with pytest.raises(SourceUnavailable, match="more time"):
        lake.ingest(planned, lambda: Context(lambda: 60.0))


def test_one_run_at_a_time(start: Start) -> None:
    lake = start()
    planned = lake.plan("first", START)
    with pytest.raises(LeaseHeld, match="first has held it"):
        lake.plan("second", START + timedelta(minutes=1))
    assert lake.plan("first", START) == planned  # tried again by the machine
    said = lake.publish(planned, build_failed={"error": "States.TaskFailed", "message": "out of memory"})
    assert said["verdict"] == "failed"
    assert lake.plan("second", START + timedelta(minutes=1))["run_id"] == "second"


def test_a_run_that_was_taken_over_changes_nothing_any_more(start: Start) -> None:
    lake = start()
    planned = lake.plan("slow", START)
    lake.ledger.take("lake", "next", datetime.now(UTC) + timedelta(hours=7), 60)
    with pytest.raises(LeaseHeld, match="next has held it"):
        lake.ingest(planned)
    with pytest.raises(LeaseHeld):
        lake.publish(planned, build_failed=None)


@pytest.fixture
def execution(account: Account) -> Callable[[], str]:
    """() -> the ARN of a new execution, which runs until it is stopped."""
    states = account.client("stepfunctions")
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    name = f"m-{secrets.token_hex(4)}"
    machine = states.create_state_machine(
        name=name, definition=json.dumps(waits), roleArn="arn:aws:iam::000000000000:role/x"
    )["stateMachineArn"]

    def start() -> str:
        return str(states.start_execution(stateMachineArn=machine)["executionArn"])

    return start


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@pytest.mark.parametrize("step", ["plan", "ingest", "build", "publish", "told"])
def test_whatever_step_is_killed_the_next_execution_runs(
    start: Start,
    account: Account,
    execution: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """The machine is stopped while a step is at work. Nobody's hand is in what comes after."""
    lake, first = start(), execution()
    dies = {
        "plan": (plan, "plan_run"),
        "publish": (publish, "publish_run"),
        "told": (publish.aws, "emit_metrics"),
    }

    def killed(*given: Any) -> None:
        if step == "plan":
            given[2].take(LEASE, given[0].run_id, given[3], LEASE_SECONDS)
        raise Killed

    with monkeypatch.context() as patch:
        if step in dies:
            patch.setattr(*dies[step], killed)
        with pytest.raises(Killed) if step in dies else nullcontext():
            planned = lake.plan("first", START, execution=first)
            if step != "plan":
                lake.ingest({**planned, "batches": planned["batches"][: 1 if step == "ingest" else None]})
            if step in ("publish", "told"):
                lake.publish(planned, build_failed={"error": "E", "message": "m"})
    if step != "told":  # by then the run has ended
        with pytest.raises(LeaseHeld, match="first has held it"):
            lake.plan("second", START + timedelta(minutes=1), execution=execution())
    account.client("stepfunctions").stop_execution(executionArn=first)
    planned = lake.plan("second", START + timedelta(minutes=2), execution=execution())
    lake.ingest(planned)
    said = lake.publish(planned, build_failed={"error": "E", "message": "m"})
    assert said["errors"] == ["E: m"], "its own, and nothing of the dead run's"
    with lake.ledger.lease(LEASE, "the next", datetime.now(UTC), 60):
        pass


def test_of_two_executions_at_once_one_runs_and_the_other_comes_after_it(
    start: Start, execution: Callable[[], str]
) -> None:
    lake = start()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(lake.plan, name, START, execution=execution()) for name in ("first", "second")]
        errors = [a.exception() for a in asked]
    (refused,) = (e for e in errors if e)
    assert isinstance(refused, LeaseHeld)
    (planned,) = (a.result() for a in asked if not a.exception())
    lake.publish(planned, build_failed={"error": "E", "message": "m"})
    other = ({"first", "second"} - {planned["run_id"]}).pop()
    assert lake.plan(other, START, execution=execution())["run_id"] == other


def test_a_plan_that_fails_ends_its_run_and_lets_go(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = start()
    lake.publish(lake.plan("r1", START), build_failed={"error": "E", "message": "m"})
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", "Europe/Berlin")
    with pytest.raises(ConfigError, match="set it back"):
        lake.plan("r2", START)
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", SCENARIO.profile.account_timezone)
    assert [(r.run_id, r.status) for r in lake.ledger.runs(1)] == [("r2", "failed")]
    lake.plan("r3", START)


def test_failures_are_told_and_nothing_moves(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    lake = start()
    planned = lake.plan("r1", START)
    lost = batch_of(planned, "events")
    lake.ingest({**planned, "batches": [b for b in planned["batches"] if b != lost]})
    failed = [{"batch": lost["batch"], "error": "SourceChanged", "message": "no list"}]
    capsys.readouterr()
    said = lake.publish(planned, failed=failed, build_failed={"error": "Glue", "message": "no memory"})
    assert said["verdict"] == "failed"
    assert said["failed"] == 2
    assert [e.split(": ")[-1] for e in said["errors"]] == ["no list", "no memory"]
    assert lake.ledger.watermarks() == []
    assert lake.ledger.publication() is None
    (run,) = lake.ledger.runs()
    assert (run.status, run.trigger, run.origin) == ("failed", "scheduled", "simulated")
    metrics = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')
    )
    assert metrics["stage"] == "test"
    assert metrics["RunFailed"] == [1.0]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Wistlake"


def test_verdicts_are_published_and_a_media_that_was_stopped_fails_the_run(start: Start) -> None:
    lake = start()
    planned = lake.plan("r1", START)
    lake.ingest(planned)
    good, bad = batch_of(planned, "media_by_date")["medias"]
    landed = [i for i in lake.ledger.intervals() if i.state is State.LANDED]
    done = [replace(i, state=State.PUBLISHED, published_at=START) for i in landed if i.media_id == good]
    stopped = {i.key: "lost rows" for i in landed if i.media_id == bad and i.dataset == "events"}
    failed = [replace(i, state=State.FAILED, reason="lost rows") for i in landed if i.media_id == bad]
    tables = {"gold.fact_media_daily": TableRef("s3://x/1.json", 7)}
    result = BuildResult(
        {}, {}, (), stopped, {(good, START.date()): Certificate.PROVISIONAL}, frozenset(), tables
    )
    objects = S3Objects(lake.bronze, lake.account.client("s3"))
    objects.put(verdicts_key("r1"), encode_verdicts(Verdicts(result, (*done, *failed))))
    for _ in range(2):  # the machine may call it again
        said = lake.publish(planned)
        assert (said["verdict"], said["failed"], said["published"]["days"]) == ("failed", 1, 1)
        assert said["errors"][0] == f"{bad}: lost rows"
        published = lake.ledger.publication()
        assert published
        assert (published.run_id, published.tables) == ("r1", tables)
        assert {w.media_id for w in lake.ledger.watermarks()} == {good}
        lake.ledger.take("lake", "r1", datetime.now(UTC), 60)


def test_a_label_gives_an_execution_work_until_its_verdicts_are_published(start: Start) -> None:
    """Also where Wistia has no news, and every interval is published."""
    lake = start()
    lake.ingest(planned := lake.plan("r1", START))
    media = batch_of(planned, "media_by_date")["medias"][0]
    entry = MediaLabels(media).after({"channel": "podcast"}, START, "ada")
    lake.ledger.put_labels([entry])
    done = [replace(i, state=State.PUBLISHED, published_at=START) for i in lake.ledger.intervals()]
    idle = replace(
        decode_plan(S3Objects(lake.bronze, lake.account.client("s3")).get(planned["plan_key"])), fetches=()
    )
    lake.ledger.record(done)
    assert not is_idle(idle, lake.ledger)

    tables = {"gold.dim_media_label": TableRef("s3://x/1.json", 7)}
    signatures = labels.read(lake.ledger).signatures
    result = BuildResult({}, {}, (), {}, {}, frozenset(), tables, labelled=signatures)
    S3Objects(lake.bronze, lake.account.client("s3")).put(
        verdicts_key("r1"), encode_verdicts(Verdicts(result, tuple(done)))
    )
    assert lake.publish(planned)["verdict"] == "succeeded"
    assert labels.read(lake.ledger).applied == signatures
    assert is_idle(idle, lake.ledger)


def test_operators_work_on_the_ledger_from_their_laptop(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = start()
    planned = lake.plan("r1", START)
    lake.ingest(planned)
    monkeypatch.setenv("WISTLAKE_PLACE", "aws")
    wistlake = CliRunner().invoke
    media = batch_of(planned, "media_by_date")["medias"][0]
    override = ["watermark", "set", "events", media, "2026-02-01", "--reason", "agreed"]
    label = ["media", "label", media, "channel=podcast", "campaign=अभियान 🎉"]
    for change in (override, label):
        assert isinstance(wistlake(app, change).exception, LeaseHeld)  # a run is under way
    lake.publish(planned, build_failed={"error": "E", "message": "m"})
    assert wistlake(app, override).exit_code == 0
    shown = json.loads(wistlake(app, ["watermark", "show", "--json"]).stdout)["watermarks"]
    assert [(w["media_id"], w["last_date"]) for w in shown] == [(media, "2026-02-01")]

    labelled = wistlake(app, label)
    assert "the next execution of the state machine" in labelled.output, labelled.output
    shown = json.loads(wistlake(app, ["media", "label", "list", "--json"]).stdout)["labels"]
    assert [(r["label"], r["value"]) for r in shown] == [("campaign", "अभियान 🎉"), ("channel", "podcast")]

    lake.ledger.record(replace(i, built_signature="built") for i in lake.ledger.intervals())
    rebuilt = wistlake(app, ["rebuild"])
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "start an execution" in rebuilt.output
    assert "built" not in {i.built_signature for i in lake.ledger.intervals() if i.landing_id}

    doctor = {c["name"]: c for c in json.loads(wistlake(app, ["doctor", "--json"]).stdout)["checks"]}
    assert doctor["lake"]["verdict"] == "ok", doctor
    assert set(doctor) == {"settings", "token", "lake", "clock"}
    monkeypatch.setenv("LEDGER_TABLE", "lost")
    doctor = {c["name"]: c for c in json.loads(wistlake(app, ["doctor", "--json"]).stdout)["checks"]}
    assert "ResourceNotFoundException" in doctor["lake"]["detail"]
    monkeypatch.setenv("LEDGER_TABLE", lake.ledger_table)

    said = wistlake(app, ["maintain"])  # there is no job in this account
    assert isinstance(said.exception, StoreError)
    assert "wistlake-test-keep" in str(said.exception)
    assert "deploy the stack" in str(said.exception)
    listed = lake.account.client("s3").list_object_versions(Bucket=lake.bronze, Prefix="requests/")
    assert "Versions" not in listed  # a request does not outlive the command

    for refused in (["run"], ["rebuild", "--zone", "Europe/Berlin"], ["backup", "x.tar"]):
        said = wistlake(app, refused)
        assert isinstance(said.exception, ConfigError), refused
        assert "WISTLAKE_PLACE is aws" in str(said.exception)


@pytest.mark.parametrize(
    ("event", "cure"),
    [
        ({"trigger": "manual"}, "run_id"),
        ({"run_id": "a b", "trigger": "manual"}, "isn't a run's id"),
        ({"run_id": "r", "trigger": "cron"}, "one of schedule, manual, backfill"),
        ({"run_id": "r", "trigger": "manual", "from": "yesterday"}, "YYYY-MM-DD"),
        ({"run_id": "r", "trigger": "manual", "scheduled_time": "noon"}, "write 2026"),
    ],
)
def test_a_wrong_input_says_how_it_should_be(start: Start, event: dict[str, Any], cure: str) -> None:
    start()
    with pytest.raises(ConfigError, match=cure):
        plan.handler(event, Context())


def test_states_stay_small_for_a_thousand_media_over_two_years(start: Start) -> None:
    lake = start()
    planned = lake.plan("r1", START)
    spec = decode_plan(
        lake.account.client("s3").get_object(Bucket=lake.bronze, Key=planned["plan_key"])["Body"].read()
    ).spec
    first, last = START.date() - timedelta(days=730), START.date()
    media = [f"media{n:05}" for n in range(1000)]
    fetches = (
        Fetch("media_metadata", ACCOUNT, last, last, tuple((m, last, last) for m in media)),
        *(Fetch("media_by_date", m, first, last) for m in media),
        *(
            Fetch("events", ACCOUNT, day, day, tuple((m, day, day) for m in media), 14_000)
            for day in (first + timedelta(days=d) for d in range(14))
        ),
        *(Fetch("media_stats", m, last, last, if_moved=True) for m in media),
    )
    whole = RunPlan(spec, fetches, (), START)
    data = encode_plan(whole)
    assert decode_plan(data) == whole
    assert len(data) < 1 << 20
    lake.account.client("s3").put_object(Bucket=lake.bronze, Key=planned["plan_key"], Body=data)
    state = {**planned, "batches": plan.shown(fetches)}
    failed = [{"batch": b["batch"], "error": "SourceUnavailable", "message": ""} for b in state["batches"]]
    assert len(failed) == 10 + 20 + 14 + 20
    assert len(json.dumps(state)) < 64 << 10
    said = lake.publish(planned, failed=failed, build_failed={"error": "E", "message": "x" * 10_000})
    assert len(json.dumps(said)) < 8 << 10


def test_channel_rules_lie_in_the_bucket_and_each_run_reads_them(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = start()
    place = {"Bucket": lake.bronze, "Key": "settings/channels.toml"}
    monkeypatch.setenv("WISTLAKE_CHANNELS", f"s3://{lake.bronze}/{place['Key']}")
    with pytest.raises(ConfigError, match=rf"there is no s3://{lake.bronze}/settings/channels.toml"):
        lake.plan("r0", START)
    s3 = lake.account.client("s3")
    for run_id, channel in (("r1", "intranet"), ("r2", "ours")):
        rules = f"[[rule]]\nchannel = '{channel}'\nfield = 'media_id'\npattern = '^abc'\n"
        s3.put_object(**place, Body=rules.encode())
        planned = lake.plan(run_id, START)
        plan_of = decode_plan(s3.get_object(Bucket=lake.bronze, Key=planned["plan_key"])["Body"].read())
        assert plan_of.spec.rules == (Rule(channel, "media_id", "^abc"),)
        lake.publish(planned, build_failed={"error": "E", "message": "not asked for"})
    s3.put_object(**place, Body=b"[[rule]]\nchannel = 'odd'\nfield = 'colour'\npattern = 'x'\n")
    with pytest.raises(ConfigError, match="no such field colour"):
        lake.plan("r3", START)
