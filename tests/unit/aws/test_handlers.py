"""What the handlers of the state machine take and return; the steps themselves are stood in for."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from dashboard.published import DAILY, Published, days
from support.mailbox import Mailbox
from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from support.receiver import Receiver
from wistlake.adapters.notify import slack_message, teams_message
from wistlake.contracts import source
from wistlake.entrypoints.aws import (
    chat,
    digest,
    events,
    glue_build,
    glue_keep,
    ingest,
    plan,
    publish,
    release,
    watch,
)
from wistlake.errors import ConfigError, StoreError
from wistlake.pipeline.jobs.request import FORGET
from wistlake.pipeline.run.handover import RunPlan, encode_plan
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.stages import Round
from wistlake.planning.intervals import Fetch
from wistlake.planning.plan import Window
from wistlake.ports import LEASE, LEASE_SECONDS, Notice, Publication
from wistlake.settings import ArgumentsOnly
from wistlake.wiring import aws as aws_parts

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
ORDER = RunSpec(
    "r1", "scheduled", "live", "UTC", Window(NOW, UTC, 7), (source("events"),), MediaChoice(("m1",))
)
PLANNED = RunPlan(ORDER, (), (), NOW)
EVENT = {"run_id": "r1", "plan_key": "runs/r1/plan.json", "batch": "by_date-1", "continuation": None}


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Settings of a lake on AWS, a bucket with a plan, and the leases that are renewed in it."""
    objects, leases = MemoryObjects(), []
    objects.put(EVENT["plan_key"] or "", encode_plan(PLANNED))
    for module in (plan, ingest, publish):
        monkeypatch.setattr(module, "Settings", lambda: SimpleNamespace(stage="prod"))
        monkeypatch.setattr(module.events, "configure_logs", lambda: None)
    monkeypatch.setattr(ingest.aws, "objects", lambda settings: objects)
    ledger = SimpleNamespace(renew=lambda *lease: leases.append(lease[:2]))
    monkeypatch.setattr(ingest.aws, "ledger", lambda settings, execution="": ledger)
    monkeypatch.setattr(
        ingest.aws,
        "dependencies",
        lambda settings, runtime: SimpleNamespace(ledger="seen", clock=runtime.clock),
    )
    return leases


@pytest.mark.parametrize(
    ("left", "before", "continuation"),
    [
        (0, None, None),
        (0, {"round": 3, "left": 9}, None),
        (5, None, {"round": 1, "left": 5}),
        (4, {"round": 1, "left": 5}, {"round": 2, "left": 4}),
    ],
)
def test_a_round_says_whether_it_wants_to_be_called_again(
    renewed: list[Any], monkeypatch: pytest.MonkeyPatch, left: int, before: Any, continuation: Any
) -> None:
    def round_of(planned: RunPlan, batch: str, deps: Any, seconds_left: Any, _wall: Any, fence: Any) -> Round:
        assert (planned, batch, seconds_left(), deps.clock()) == (PLANNED, "by_date-1", 90.5, NOW)
        assert renewed == [(LEASE, "r1")]
        fence()  # before it writes
        return Round(landed=7, requests=8, left=left)

    monkeypatch.setattr(ingest, "ingest_round", round_of)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 90_500)
    assert ingest.handler(EVENT | {"continuation": before}, context) == {
        "batch": "by_date-1", "done": left == 0, "continuation": continuation, "landed": 7, "requests": 8,
    }  # fmt: skip
    assert renewed == [(LEASE, "r1")] * 2


@pytest.mark.parametrize("idle", [True, False])
def test_a_plan_names_its_media_and_ends_a_run_without_work(
    renewed: list[Any], monkeypatch: pytest.MonkeyPatch, idle: bool
) -> None:
    ended: list[RunPlan] = []
    asked: list[Any] = []
    day = NOW.date()
    fetches = (
        Fetch("media_by_date", "m1", day, day),
        Fetch("events", "_account", day, day, tuple((f"m{n}", day, day) for n in range(120))),
        Fetch("media_stats", "m1", day, day, if_moved=True),
    )
    planned = RunPlan(ORDER, () if idle else fetches, (), NOW)
    monkeypatch.setattr(plan, "run_spec", lambda settings, **order: asked.append(order) or ORDER)
    monkeypatch.setattr(plan, "plan_run", lambda spec, deps, lease, wall: planned)
    monkeypatch.setattr(plan, "is_idle", lambda planned, ledger: idle)
    monkeypatch.setattr(plan, "end_idle", lambda planned, deps, lease: ended.append(planned))
    event = {
        "run_id": "r1",
        "trigger": "backfill",
        "from": "2026-02-01",
        "scheduled_time": "2026-03-02T02:15:00Z",
        "most_media": 3,
    }
    assert plan.handler(event, None) == {
        "run_id": "r1", "plan_key": "runs/r1/plan.json", "nothing_to_do": idle,
        "batches": [] if idle else [
            {"batch": "by_date-1", "phase": 0, "datasets": ("media_by_date",), "medias": ("m1",)},
            {"batch": "events-1", "phase": 0, "datasets": ("events",), "medias": ("120 media",)},
            {"batch": "snapshots-1", "phase": 1, "datasets": ("media_stats",), "medias": ("m1",)},
        ],
        "items": [],
    }  # fmt: skip
    assert ended == [planned] * idle
    days = {"start": date(2026, 2, 1), "end": None}
    assert asked == [{"run_id": "r1", "trigger": "backfill", "now": NOW, "media": (), "most": 3, **days}]


def test_batches_that_are_executions_of_their_own_are_left_where_the_machine_reads_them(
    renewed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    day, objects = NOW.date(), MemoryObjects()
    fetches = (Fetch("events", "m1", day, day), Fetch("media_stats", "m1", day, day, if_moved=True))
    planned = RunPlan(ORDER, fetches, (), NOW)
    deps = SimpleNamespace(ledger="seen", objects=objects)
    monkeypatch.setattr(plan.aws, "dependencies", lambda settings, runtime: deps)
    monkeypatch.setattr(plan, "run_spec", lambda settings, **order: ORDER)
    monkeypatch.setattr(plan, "plan_run", lambda spec, deps, lease, wall: planned)
    monkeypatch.setattr(plan, "is_idle", lambda planned, ledger: False)
    event = {"run_id": "r1", "trigger": "manual", "distributed": True}
    answer = plan.handler(event, None)
    keys = ["runs/r1/batches-0.json", "runs/r1/batches-1.json"]
    assert (answer["batches"], answer["items"]) == ([], keys)
    of_events = {"batch": "events-1", "phase": 0, "datasets": ["events"], "medias": ["m1"]}
    assert json.loads(objects.get(keys[0])) == [of_events]
    assert [b["batch"] for b in json.loads(objects.get(keys[1]))] == ["snapshots-1"]


@pytest.mark.parametrize("given", [0, -1, True, "3", 2.5, []])
def test_a_number_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="most_media is"):
        events.count({"most_media": given}, "most_media")
    assert events.count({}, "most_media") is None


def test_publishing_returns_figures_and_the_first_errors(
    renewed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Any] = []
    emitted: list[Any] = []
    lines = [{"rows": 3}, {"rows": 4}]
    result = RunResult(
        "r1", "scheduled", "failed", intervals=lines, days_published=5, errors=[f"e{n}" for n in range(12)]
    )
    done = SimpleNamespace(result=result, figures={"MediaFailed": 2.0}, intervals=6, watermarks=1)

    def publish_run(planned: RunPlan, deps: Any, lease: Any, wall: Any, failed: list[Any], build: Any) -> Any:
        failures.append(([(f.batch, str(f)) for f in failed], build and str(build)))
        return done

    monkeypatch.setattr(publish, "publish_run", publish_run)
    monkeypatch.setattr(publish.aws, "emit_metrics", lambda figures, stage: emitted.append((figures, stage)))
    failed = [{"error": "X", "message": "no answer", "batch": "by_date-1"}]
    assert publish.handler(EVENT | {"failed": failed}, None) == {
        "run_id": "r1", "published": {"days": 5, "rows": 7, "intervals": 6, "watermarks": 1}, "failed": 2,
        "verdict": "failed", "errors": [f"e{n}" for n in range(10)],
    }  # fmt: skip
    publish.handler(EVENT | {"build_failed": {"error": "X", "message": "no disk"}}, None)
    (media, none), (nobody, build) = failures
    assert (media[0][0], none, nobody) == ("by_date-1", None, [])
    assert "no answer" in media[0][1]
    assert "no disk" in build
    assert emitted == [(done.figures, "prod")] * 2


def test_an_execution_that_was_ended_by_force_lets_go_of_its_own_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freed: list[Any] = []
    monkeypatch.setattr(release, "Settings", SimpleNamespace)
    monkeypatch.setattr(release.events, "configure_logs", lambda: None)
    ledger = SimpleNamespace(release=lambda *lease: freed.append(lease))
    monkeypatch.setattr(release.aws, "ledger", lambda settings: ledger)
    ended = {"name": "r1", "status": "ABORTED", "executionArn": "arn:aws:states:x:y:execution:m:r1"}
    assert release.handler({"source": "aws.states", "detail": ended}, None) is None
    assert freed == [(LEASE, "r1")]
    with pytest.raises(ConfigError, match="the input lacks name"):
        release.handler({"detail": None}, None)


def test_alerts_are_evaluated_once_for_each_publication_and_a_failure_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = [{"name": "fell", "kind": "drop"}]
    ledger, people, asked = MemoryLedger(), RecordingNotifier(), []

    def query(_settings: Any) -> Any:
        asked.append(True)
        raise StoreError("Athena is away")

    monkeypatch.setattr(watch.events, "Settings", lambda: ArgumentsOnly(alerts=rules))
    monkeypatch.setattr(watch.events, "configure_logs", lambda: None)
    monkeypatch.setattr(watch.aws, "ledger", lambda _: ledger)
    monkeypatch.setattr(watch.aws, "notifier", lambda _: people)
    monkeypatch.setattr(watch.aws, "query", query)
    assert watch.handler({}, None) == {"new": 0, "withdrawn": 0}
    assert asked == [], "nothing is published"
    ledger.publish(Publication("r1", datetime(2026, 3, 2, tzinfo=UTC), {}))
    assert watch.handler({}, None) == {"new": 0, "withdrawn": 0}
    assert [n.text for n in people.notices] == ["Athena is away"]
    monkeypatch.setattr(watch.aws, "query", lambda _: asked.append(True) or Published({}))
    for _ in range(3):
        watch.handler({}, None)
    assert len(asked) == 2, "a publication that was looked at is not looked at again"
    rules.append({"name": "rose", "kind": "spike"})
    watch.handler({}, None)
    assert len(asked) == 3
    assert len(people.notices) == 1


def test_the_digest_is_sent_once_a_day_and_a_failure_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, people, asked = MemoryLedger(), RecordingNotifier(), []
    today = [datetime(2026, 3, 9, 8, tzinfo=UTC)]
    week = Published({DAILY: days("m1", date(2026, 3, 2), [10] * 7)})

    def query(_settings: Any) -> Any:
        asked.append(True)
        if len(asked) == 1:
            raise StoreError("Athena is away")
        return week

    monkeypatch.setattr(digest.events, "Settings", ArgumentsOnly)
    monkeypatch.setattr(digest.events, "configure_logs", lambda: None)
    monkeypatch.setattr(digest.events, "wall", lambda: today[0])
    monkeypatch.setattr(digest.aws, "ledger", lambda _: ledger)
    monkeypatch.setattr(digest.aws, "notifier", lambda _: people)
    monkeypatch.setattr(digest.aws, "query", query)
    with capture_logs() as logs:
        assert digest.handler({}, None) == {"sent": False}
    assert [(n.title, n.text, n.failed) for n in people.notices] == [
        ("wistlake digest could not be sent", "Athena is away", True)
    ]
    assert [(line["event"], line["error"]) for line in logs] == [
        ("the digest could not be sent", "Athena is away")
    ]
    assert [digest.handler({}, None) for _ in range(2)] == [{"sent": True}, {"sent": False}]
    (sent,) = people.notices[1:]
    assert (sent.title, sent.failed) == ("Wistia, 2–8 Mar 2026", False)
    assert sent.text.startswith("Plays: 70")
    assert len(asked) == 2, "what was sent is not asked for again"
    today[0] += timedelta(days=7)
    assert digest.handler({}, None) == {"sent": True}


def test_a_digest_that_nobody_took_goes_with_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, taken = MemoryLedger(), iter([False, True])
    deaf = SimpleNamespace(notify=lambda _: next(taken))
    monkeypatch.setattr(digest.events, "Settings", ArgumentsOnly)
    monkeypatch.setattr(digest.events, "configure_logs", lambda: None)
    monkeypatch.setattr(digest.aws, "ledger", lambda _: ledger)
    monkeypatch.setattr(digest.aws, "notifier", lambda _: deaf)
    monkeypatch.setattr(digest.aws, "query", lambda _: Published({}))
    assert [digest.handler({}, None) for _ in range(2)] == [{"sent": False}, {"sent": True}]


def raising(error: BaseException) -> Callable[..., Any]:
    def raises(*_: Any) -> Any:
        raise error

    return raises


PUBLISHED = {DAILY: days("m1", date(2026, 2, 23), [10] * 14)}


@pytest.fixture
def mailed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mailbox, dict[str, Any], RecordingNotifier]]:
    """Where mails arrive, what the secret says of the mail server, and who hears the topic."""
    people = RecordingNotifier()
    settings = ArgumentsOnly(mail_to="ada@example.org,bob@example.org", smtp_secret="a-server")
    monkeypatch.setattr(digest.events, "Settings", lambda: settings)
    monkeypatch.setattr(digest.events, "configure_logs", lambda: None)
    ledger = MemoryLedger()
    monkeypatch.setattr(digest.aws, "ledger", lambda _: ledger)
    monkeypatch.setattr(digest.aws, "notifier", lambda _: people)
    monkeypatch.setattr(digest.aws, "query", lambda *_: Published(PUBLISHED))
    with Mailbox().listening() as mailbox:
        server: dict[str, Any] = {
            "WISTLAKE_SMTP_HOST": "127.0.0.1", "WISTLAKE_SMTP_PORT": mailbox.port, "WISTLAKE_SMTP_SECURITY": "none",
        }  # fmt: skip
        monkeypatch.setattr(aws_parts.aws_secrets, "read", lambda _: json.dumps(server))
        yield mailbox, server, people


def test_the_digest_goes_by_mail_with_the_report_and_to_the_topic(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier],
) -> None:
    mailbox, _, people = mailed
    assert [digest.handler({}, None) for _ in range(2)] == [{"sent": True}, {"sent": False}]
    (told,) = people.notices
    assert (told.title, told.failed, told.facts) == ("Wistia, 2–8 Mar 2026", False, {})
    assert [mail["To"] for mail in mailbox.mails] == ["ada@example.org", "bob@example.org"]
    for mail in mailbox.mails:
        body, (report,) = mail.get_body(("plain",)), mail.iter_attachments()
        assert mail["Subject"] == told.title
        assert body is not None
        assert set(told.text.splitlines()) <= set(body.get_content().splitlines())
        assert report.get_filename() == "wistlake-2026-03-02-to-2026-03-08.html"
        assert report.get_content().startswith("<!doctype html>")
        assert "2–8 Mar 2026" in report.get_content()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"WISTLAKE_SMTP_PORT": 9}, "the mail server did not take it"),
        ({"WISTLAKE_SMTP_HOST": ""}, "WISTLAKE_SMTP_HOST is not set: mails need it"),
        ({"WISTLAKE_SMTP_PASSWORD": "hush"}, "WISTLAKE_SMTP_USER and WISTLAKE_SMTP_PASSWORD: set both, or neither"),
        ({"WISTLAKE_SMTP_PORT": "hush"}, "the secret a-server is wrong in WISTLAKE_SMTP_PORT"),
        ({"WISTLAKE_SMTP_SECURITY": "hush"}, "the secret a-server is wrong in WISTLAKE_SMTP_SECURITY"),
        ({"WISTLAKE_SMTP_PASWORD": "hush"}, "the secret a-server is wrong in WISTLAKE_SMTP_PASWORD"),
        ({"MEDIA_IDS": "hush"}, "the secret a-server is no mail server"),
    ],
)  # fmt: skip
def test_a_digest_that_could_not_be_mailed_is_told_and_says_why(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier], changed: dict[str, Any], reason: str
) -> None:
    mailbox, server, people = mailed
    server |= changed
    with capture_logs() as logs:
        assert digest.handler({}, None) == {"sent": True}
    week, told = people.notices
    assert (week.title, week.failed) == ("Wistia, 2–8 Mar 2026", False)
    assert (told.title, told.failed) == ("wistlake digest not mailed", True)
    assert reason in told.text
    assert logs[-1]["error"] == told.text
    assert mailbox.mails == []
    assert "hush" not in f"{told} {logs}"


def test_a_further_call_sends_only_what_nobody_took(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier],
) -> None:
    mailbox, server, people = mailed
    port = server["WISTLAKE_SMTP_PORT"]
    server["WISTLAKE_SMTP_PORT"] = 9
    assert digest.handler({}, None) == {"sent": True}
    server["WISTLAKE_SMTP_PORT"] = port
    assert [digest.handler({}, None) for _ in range(2)] == [{"sent": True}, {"sent": False}]
    assert [n.title for n in people.notices] == ["Wistia, 2–8 Mar 2026", "wistlake digest not mailed"]
    assert len(mailbox.mails) == 2


def test_a_function_that_ends_at_the_report_has_told_the_topic_and_tells_it_once(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, _, people = mailed
    with monkeypatch.context() as ending:
        ending.setattr(digest.aws, "report", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            digest.handler({}, None)
    assert len(people.notices) == 1
    assert digest.handler({}, None) == {"sent": True}
    assert [n.title for n in people.notices] == ["Wistia, 2–8 Mar 2026"]
    assert len(mailbox.mails) == 2


def test_what_the_topic_does_not_take_goes_by_mail(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, _, people = mailed
    with monkeypatch.context() as silent:
        silent.setattr(digest.aws, "notifier", lambda _: SimpleNamespace(notify=lambda _: False))
        assert digest.handler({}, None) == {"sent": True}
    assert digest.handler({}, None) == {"sent": True}
    assert (len(people.notices), len(mailbox.mails)) == (1, 2)


def test_a_mail_that_some_took_is_sent_and_says_how_many(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier],
) -> None:
    mailbox, _, people = mailed
    mailbox.refuse = ("ada@",)
    assert [digest.handler({}, None) for _ in range(2)] == [{"sent": True}, {"sent": False}]
    _, told = people.notices
    assert (told.title, told.text, told.failed) == (
        "wistlake digest not mailed to all", "the mail server took it for 1 of 2 recipients", True,
    )  # fmt: skip
    assert [mail["To"] for mail in mailbox.mails] == ["bob@example.org"]


def test_a_digest_that_could_not_be_recorded_was_sent(
    mailed: tuple[Mailbox, dict[str, Any], RecordingNotifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, _, people = mailed
    ledger = MemoryLedger()
    monkeypatch.setattr(ledger, "put_facts", raising(StoreError("the table is away")))
    monkeypatch.setattr(digest.aws, "ledger", lambda _: ledger)
    assert digest.handler({}, None) == {"sent": True}
    assert [n.title for n in people.notices] == [
        "Wistia, 2–8 Mar 2026", *["wistlake digest was sent, but not recorded"] * 2,
    ]  # fmt: skip
    assert people.notices[-1].text == "a further call today sends it again: the table is away"
    assert len(mailbox.mails) == 2


@pytest.mark.parametrize(
    ("function", "answer", "title"),
    [
        (digest, {"sent": False}, "wistlake digest could not be sent"),
        (watch, {"new": 0, "withdrawn": 0}, "wistlake alerts could not be evaluated"),
    ],
)
def test_settings_that_are_wrong_are_told_to_the_topic(
    monkeypatch: pytest.MonkeyPatch, function: Any, answer: dict[str, Any], title: str
) -> None:
    people = {"a-topic": RecordingNotifier()}
    monkeypatch.setenv("WISTLAKE_TOPIC_ARN", "a-topic")
    monkeypatch.setenv("WISTLAKE_MAIL_TO", "a@x.org;b@y.org")
    monkeypatch.setattr(function.events, "configure_logs", lambda: None)
    monkeypatch.setattr(function.aws, "notifier", lambda settings: people[settings.topic_arn])
    assert function.handler({}, None) == answer
    (told,) = people["a-topic"].notices
    assert (told.title, told.failed) == (title, True)
    assert told.text.startswith("WISTLAKE_MAIL_TO holds something that is no address")


@pytest.mark.parametrize("text", ["smtp.example.org", "[]", '"x"'])
def test_a_secret_that_is_no_mail_server_is_not_quoted(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(aws_parts.aws_secrets, "read", lambda _: text)
    with pytest.raises(ConfigError, match="the secret s is no mail server") as refused:
        aws_parts.mail(ArgumentsOnly(mail_to="ada@example.org", smtp_secret="s"))
    assert text not in str(refused.value)


ALARM = {
    "AlarmName": "wistlake-prod-no-run", "AlarmDescription": "No run has succeeded.", "NewStateValue": "ALARM",
    "NewStateReason": "Threshold", "Region": "US East",
}  # fmt: skip
SAID: dict[str, Any] = {
    "title": "wistlake run partial",
    "text": "m1: odd",
    "failed": True,
    "facts": {"run_id": "r1"},
}


@pytest.mark.parametrize(
    ("subject", "message", "title", "text", "failed"),
    [
        ("wistlake run partial", json.dumps(SAID), "wistlake run partial", "m1: odd", True),
        ("A", json.dumps({**SAID, "failed": False}), "wistlake run partial", "m1: odd", False),
        ("Wistlake prod: a run failed", "Run r1 failed in plan: x", None, "Run r1 failed in plan: x", True),
        ("ALARM: x", json.dumps(ALARM), "wistlake-prod-no-run is ALARM", "No run has succeeded.\nThreshold", True),
        ("OK: x", json.dumps({**ALARM, "NewStateValue": "OK"}), "wistlake-prod-no-run is OK", None, False),
        (None, "[1]", "Wistlake", "[1]", True),
        (None, '{"title": 5}', "Wistlake", '{"title": 5}', True),
    ],
)  # fmt: skip
def test_whatever_the_topic_says_is_a_notice(
    subject: str | None, message: str, title: str | None, text: str | None, failed: bool
) -> None:
    found = chat.notice_of({"Subject": subject, "Message": message})
    assert (found.title, found.failed) == (title or subject, failed)
    assert text is None or found.text == text


def test_a_chat_is_asked_for_when_there_is_something_to_say_and_its_absence_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def away(secret: str) -> str:
        read.append(secret)
        raise StoreError("there is no such secret")

    monkeypatch.setattr(aws_parts.aws_secrets, "read", away)
    settings = ArgumentsOnly(slack_secret="wistlake-slack", teams_secret="wistlake-teams", topic_arn="")
    monkeypatch.setattr(chat, "Settings", lambda: settings)
    monkeypatch.setattr(chat.events, "configure_logs", lambda: None)
    aws_parts.notifier(settings)
    assert read == [], "publish needs no secret"
    with capture_logs() as logs:
        chat.handler({"Records": [{"Sns": {"Message": "a"}}, {"Sns": {"Message": "b"}}]}, None)
    assert read == ["wistlake-slack", "wistlake-teams"] * 2
    assert [(line["way"], line["reason"]) for line in logs] == [
        ("slack", "StoreError"), ("teams", "StoreError"),
    ] * 2  # fmt: skip


@pytest.mark.parametrize("named", [("slack",), ("teams",), ("slack", "teams")])
def test_slack_and_teams_hear_it_as_far_as_they_have_a_secret(
    monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...]
) -> None:
    with Receiver().listening() as receiver:
        monkeypatch.setattr(aws_parts.aws_secrets, "read", lambda _: receiver.url)
        settings = ArgumentsOnly(**{f"{name}_secret": f"a-{name}" for name in named})
        monkeypatch.setattr(chat, "Settings", lambda: settings)
        monkeypatch.setattr(chat.events, "configure_logs", lambda: None)
        chat.handler({"Records": [{"Sns": {"Message": json.dumps(SAID)}}]}, None)
    notice = Notice(SAID["title"], SAID["text"], True, SAID["facts"])
    messages = {"slack": slack_message(notice), "teams": teams_message(notice)}
    assert receiver.received == [messages[name] for name in named]


def test_a_chat_that_nobody_is_in_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="WISTLAKE_SLACK_SECRET or WISTLAKE_TEAMS_SECRET is not set"):
        aws_parts.chat(ArgumentsOnly())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T02:15:00Z", NOW),
        ("2026-03-02T02:15:00", NOW),
        ("2026-03-02T04:15:00+02:00", NOW),
    ],
)
def test_a_moment_of_an_event_is_of_utc_or_of_its_offset(text: str, expected: datetime) -> None:
    assert events.moment({"at": text}, "at") == expected
    assert events.moment({"at": text}, "at").utcoffset() is not None


def test_what_an_event_lacks_is_now_none_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "wall", lambda: NOW)
    assert events.moment({}, "at") == NOW
    assert (events.day({}, "on"), events.day({"on": "2026-03-02"}, "on")) == (None, date(2026, 3, 2))
    assert events.text({"name": "x"}, "name") == "x"
    for event in ({}, {"name": ""}, {"name": 5}, {"name": None}):
        with pytest.raises(ConfigError, match="the input lacks name"):
            events.text(event, "name")
    for name, read in (("noon", events.moment), ("noon", events.day), ("5", events.moment)):
        with pytest.raises(ConfigError, match="write"):
            read({"at": name}, "at")


def test_logs_of_a_handler_are_json_lines_without_steps_of_debugging(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import structlog

    events.configure_logs()
    try:
        structlog.get_logger().debug("nobody sees it")
        structlog.get_logger().info("began", run_id="r1")
    finally:
        structlog.reset_defaults()
    (line,) = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["run_id"], logged["level"]) == ("began", "r1", "info")
    assert datetime.fromisoformat(logged["timestamp"]).utcoffset() is not None


JOB = (
    "--stage", "prod", "--bronze_bucket", "b", "--silver_bucket", "s", "--watermark_table", "w", "--ledger_table", "l",
    "--key_secret", "k", "--database", "d", "--run_id", "r1", "--JOB_NAME", "of Glue",
)  # fmt: skip


def test_the_glue_script_builds_the_plan_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    objects = MemoryObjects()
    objects.put("runs/r1/plan.json", encode_plan(PLANNED))
    deps = SimpleNamespace(objects=objects, clock=lambda: NOW)
    rows: list[int] = []
    monkeypatch.setattr(
        glue_build.aws_glue,
        "dependencies",
        lambda job, run_id, clock, of_build: rows.append(of_build) or deps,
    )
    ledger = SimpleNamespace(renew=lambda *lease: built.append(lease))
    monkeypatch.setattr(glue_build.aws_glue, "ledger", lambda job: ledger)
    monkeypatch.setattr(glue_build, "build_run", lambda deps, planned: built.append(planned))
    glue_build.main(["script", "--plan_key", "runs/r1/plan.json", *JOB])
    assert built == [(LEASE, "r1", NOW, LEASE_SECONDS), PLANNED]
    glue_build.main(["script", "--plan_key", "runs/r1/plan.json", "--workers", "10", "--cores", "4", *JOB])
    assert rows == [750_000, 36 * 750_000]
    with pytest.raises(SystemExit):
        glue_build.main(["script", *JOB])
    with pytest.raises(SystemExit):
        glue_build.main(["script", "--plan", "runs/r1/plan.json", *JOB])  # no shortened names


@pytest.mark.parametrize(
    ("task", "error", "shown"),
    [
        (FORGET, ValueError("a@b.example"), StoreError),
        ("maintain", ValueError("a@b.example"), ValueError),
        (FORGET, ConfigError("named with its cure"), ConfigError),
    ],
)
def test_an_error_while_a_person_is_forgotten_does_not_quote_them(
    monkeypatch: pytest.MonkeyPatch, task: str, error: Exception, shown: type[Exception]
) -> None:
    from contextlib import nullcontext

    def keep(*_: Any) -> None:
        raise error

    leases: list[Any] = []
    ledger = SimpleNamespace(
        take=lambda *lease: leases.append(lease[:2]), release=lambda *lease: leases.append(lease)
    )
    monkeypatch.setattr(glue_keep.aws_glue, "ledger", lambda job: ledger)
    monkeypatch.setattr(glue_keep.aws_glue, "keeping", lambda *_: nullcontext(()))
    monkeypatch.setattr(glue_keep, "keep", keep)
    days = ("--retention_days", "30", "--log_retention_days", "60")
    with pytest.raises(shown) as raised:
        glue_keep.main(["script", "--task", task, *days, *JOB])
    assert leases == [(LEASE, "r1"), (LEASE, "r1")]
    assert ("a@b.example" in str(raised.value)) is (shown is ValueError)
    if shown is StoreError:
        assert str(raised.value).startswith("ValueError in keep, ")
    for lacking in (["--task", task], days, ["--task", task, *days[:2]]):
        with pytest.raises(SystemExit):
            glue_keep.main(["script", *lacking, *JOB])


@pytest.mark.parametrize(("task", "limited"), [("maintain", [("prod", 60)]), ("rotate", [])])
def test_upkeep_limits_the_logs_of_the_stages_jobs(
    monkeypatch: pytest.MonkeyPatch, task: str, limited: list[Any]
) -> None:
    from contextlib import nullcontext

    asked: list[Any] = []
    monkeypatch.setattr(glue_keep.aws_glue, "require_free", lambda *_: None)
    monkeypatch.setattr(glue_keep.aws_glue, "keeping", lambda *_: nullcontext(()))
    monkeypatch.setattr(glue_keep.aws_glue, "expire_logs", lambda *given: asked.append(given))
    monkeypatch.setattr(glue_keep, "keep", lambda *_: None)
    days = ("--retention_days", "30", "--log_retention_days", "60")
    glue_keep.main(["script", "--task", task, *days, *JOB])
    assert asked == limited
