"""Deploys one stage and proves that it works: the same script in the workflow and in the tests.

    python infra/deploy.py doctor    --stage S [--repository R]  what is missing, before anything is made
    python infra/deploy.py check                              what the environment lacks, by name
    python infra/deploy.py changeset --stage S --version V    upload the build, make a change set, show it
    python infra/deploy.py execute   --stage S [--changeset N]  carry it out, store the token
    python infra/deploy.py smoke     --stage S                call each function, then one run of the machine
    python infra/deploy.py rerun     --stage S --from D [--to D] [--media IDS]  read days again, and wait
    python infra/deploy.py rollback  --stage S                the functions of the version before, at once

`make aws-build` (or infra/build.py) comes before `changeset`. Exit code 0, or 1 with one line that says why.

Environment: AWS_REGION, AWS_DEPLOY_ROLE_ARN, MEDIA_IDS and WISTIA_API_TOKEN must be set; PARAMETERS below lists
what may be set beside them. SAM may name another `sam` than the one on the PATH.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

sys.path.insert(0, str(Path(__file__).parent))  # wherever this script is called from
import old_code

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "infra" / "template.yaml"
REQUIRED = ("AWS_REGION", "AWS_DEPLOY_ROLE_ARN", "MEDIA_IDS", "WISTIA_API_TOKEN")
EARS = ("ALERT_EMAIL", "SLACK_SECRET_ARN", "TEAMS_SECRET_ARN")  # one of them must be set, or ALERTS=nobody
PARAMETERS = {
    "MEDIA_IDS": "MediaIds",
    "WISTLAKE_MEDIA_FOLDER": "MediaFolder",
    "WISTLAKE_MEDIA_TAG": "MediaTag",
    "WISTIA_BASE_URL": "BaseUrl",
    "WISTIA_API_VERSION": "ApiVersion",
    "WISTIA_AUTH": "Auth",
    "WISTIA_TIMEOUT": "AnswerSeconds",
    "WISTIA_PER_PAGE": "RecordsPerPage",
    "WISTLAKE_DATASETS": "Datasets",
    "WISTLAKE_CHANNELS": "ChannelRules",
    "WISTLAKE_ACCOUNT_TIMEZONE": "AccountTimezone",
    "WISTLAKE_LOOKBACK_DAYS": "LookbackDays",
    "WISTLAKE_START_DATE": "StartDate",
    "WISTLAKE_TOLERATED_PERCENT": "ToleratedPercent",
    "WISTLAKE_LINEAGE": "Lineage",
    "LINEAGE_SECRET_ARN": "LineageSecret",
    "WISTLAKE_BRONZE_RETENTION_DAYS": "BronzeRetentionDays",
    "WISTLAKE_BRONZE_REDACTION": "BronzeRedaction",
    "WISTLAKE_CITY": "KeepCity",
    "WISTLAKE_REQUESTS_PER_MINUTE": "RequestsPerMinute",
    "WISTLAKE_MAX_CONCURRENCY": "RequestsAtOnce",
    "DDB_TABLE": "WatermarkTableName",
    "SCHEDULE": "Schedule",
    "UPKEEP_SCHEDULE": "UpkeepSchedule",
    "SCHEDULE_ZONE": "ScheduleZone",
    "SCHEDULE_STATE": "ScheduleState",
    "WISTLAKE_DIGEST_DAY": "DigestDay",
    "ALERT_EMAIL": "AlertEmail",
    "SLACK_SECRET_ARN": "SlackSecret",
    "TEAMS_SECRET_ARN": "TeamsSecret",
    "WISTLAKE_MAIL_TO": "MailTo",
    "WISTLAKE_MAIL_FROM": "MailFrom",
    "SMTP_SECRET_ARN": "SmtpSecret",
    "MAX_DATA_AGE_HOURS": "MaxDataAgeHours",
    "MAX_QUARANTINED_ROWS": "MaxQuarantinedRows",
    "MEDIA_AT_ONCE": "MediaAtOnce",
    "FUNCTION_MEMORY": "FunctionMemory",
    "GLUE_WORKERS": "GlueWorkers",
    "GLUE_WORKER_TYPE": "GlueWorkerType",
    "GLUE_TIMEOUT_MINUTES": "GlueTimeoutMinutes",
    "BUILD_ENGINE": "BuildEngine",
    "EMR_RELEASE": "EmrRelease",
    "EMR_IMAGE": "EmrImage",
    "EMR_PYTHON": "EmrPython",
    "EMR_EXECUTORS": "EmrExecutors",
    "BUDGET_DOLLARS": "BudgetDollars",
    "LOG_RETENTION_DAYS": "LogRetentionDays",
    "QUERY_RESULT_DAYS": "QueryResultDays",
    "SCAN_LIMIT_BYTES": "ScanLimitBytes",
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OF_THE_SCRIPT = ("Stage", "ArtifactBucket", "CodePrefix", "PermissionsBoundary")
# What the functions' package brings: files of the repository by the setting that names them, and a list of media
# that is too long for a function's environment, which holds 4 KB in all.
FILES = {
    "WISTLAKE_CHANNELS": "channels.toml",
    "WISTLAKE_LABELS": "labels.csv",
    "WISTLAKE_ALERTS": "alerts.toml",
}
LONGEST_MEDIA_IDS = 2000
# What the functions promise: names and types of their answers.
NOTHING = type(None)
PLAN = {"run_id": str, "plan_key": str, "batches": list, "nothing_to_do": bool}
INGEST = {"batch": str, "done": bool, "continuation": (dict, NOTHING), "landed": int, "requests": int}
PUBLISH = {"run_id": str, "published": dict, "failed": int, "verdict": str, "errors": list}
FEW = 3  # media of a smoke test
PATIENCE = 1800.0  # seconds for which it waits for a run that is under way
OF_A_MEDIA = ("SourceChanged", "SourceUnavailable", "ContractViolation")
# A function that still runs is not called a second time.
WAITING = Config(read_timeout=960, retries={"total_max_attempts": 1}, tcp_keepalive=True)
Shape = Mapping[str, Any]
Answer = dict[str, Any]
_GLUE_ENDS = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")


class Broken(Exception):
    """What is deployed, or what it should be deployed with, is not right; the text says what."""


class Raised(Broken):
    """A function raised an error; `kind` is its name."""

    def __init__(self, function: str, body: Mapping[str, Any]) -> None:
        self.kind = str(body.get("errorType"))
        super().__init__(f"{function} raised {self.kind}: {body.get('errorMessage')}")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one step; its exit code."""
    asked = _arguments(argv)
    try:
        _STEPS[asked.step](asked)
    except (Broken, ClientError, BotoCoreError, subprocess.CalledProcessError) as e:
        say(f"FAILED: {e}")
        return 1
    return 0


def check(_asked: argparse.Namespace) -> None:
    """Broken, naming every variable that is missing."""
    if missing := [name for name in REQUIRED if not os.environ.get(name, "").strip()]:
        raise Broken(
            f"not set: {', '.join(missing)}. Variables and secrets of the repository: docs/setup.md, step 4"
        )
    _require_ears()
    _require_no_key()
    _require_mails()
    say("every variable is set")


def _is_declined() -> bool:
    """Whether somebody has said that nobody is to be told of failures."""
    return os.environ.get("ALERTS", "").strip() == "nobody"


def _require_ears() -> None:
    """Broken if nobody would hear of a failure, and nobody has said that it is meant so."""
    if not _is_declined() and not any(os.environ.get(name, "").strip() for name in EARS):
        raise Broken(
            f"nobody would hear of a failure: set {' or '.join(EARS)}, or ALERTS=nobody to go without"
        )


def _require_no_key() -> None:
    """Broken if a key is set that no function would get: in their settings whoever looks at them could read it."""
    if os.environ.get("WISTLAKE_LINEAGE_KEY", "").strip():
        raise Broken(
            "WISTLAKE_LINEAGE_KEY does not reach the functions: store it in a secret below wistlake-<stage>/, "
            "name that in LINEAGE_SECRET_ARN, and unset it"
        )


def _require_mails() -> None:
    """Broken if there are recipients of mails, and no secret that says who sends them, or if one is no address."""
    to, server = (os.environ.get(name, "").strip() for name in ("WISTLAKE_MAIL_TO", "SMTP_SECRET_ARN"))
    if to and not server:
        raise Broken(
            "WISTLAKE_MAIL_TO names who gets the digest, and SMTP_SECRET_ARN no mail server: set both, or neither"
        )
    _require_addresses()
    if to and not os.environ.get("WISTLAKE_DIGEST_DAY", "").strip():
        say("WISTLAKE_MAIL_TO is set, and WISTLAKE_DIGEST_DAY is not: nobody gets the digest by mail")


def _require_addresses() -> None:
    """Broken if the function that mails could not read its addresses."""
    sys.path.insert(0, str(ROOT / "src"))
    from wistlake.errors import ConfigError
    from wistlake.settings import ArgumentsOnly

    try:
        ArgumentsOnly(
            mail_to=os.environ.get("WISTLAKE_MAIL_TO", ""), mail_from=os.environ.get("WISTLAKE_MAIL_FROM", "")
        )
    except ConfigError as e:
        raise Broken("; ".join(e.problems)) from None


def changeset(asked: argparse.Namespace) -> None:
    """Upload the build and let CloudFormation work out what would change."""
    _require_ears()
    _require_no_key()
    _require_mails()
    made = outputs(_bootstrap(asked.stage))
    prefix = old_code.prefix(asked.version)
    packaged = _package(ROOT / "build" / "lambda", os.environ)
    _upload(made["ArtifactBucket"], prefix)
    parameters = {
        "Stage": asked.stage,
        "ArtifactBucket": made["ArtifactBucket"],
        "CodePrefix": prefix,
        "PermissionsBoundary": made["PermissionsBoundary"],
        **chosen({name: value for name, value in os.environ.items() if name not in packaged}),
    }
    before = datetime.now(UTC) - timedelta(seconds=5)
    subprocess.run(
        [
            *(
                os.environ.get("SAM", "sam"),
                "deploy",
                "--no-execute-changeset",
                "--no-fail-on-empty-changeset",
            ),
            *("--no-progressbar", "--template-file", str(TEMPLATE)),
            *(
                "--stack-name",
                _stack(asked.stage),
                "--s3-bucket",
                made["ArtifactBucket"],
                "--s3-prefix",
                f"{prefix}/sam",
            ),
            *("--role-arn", made["ExecutionRoleArn"]),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--tags", f"stage={asked.stage}"),
            "--parameter-overrides",
            *(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items()),
        ],
        check=True,
        cwd=ROOT,
        stdout=sys.stderr,
    )
    name = _newest_changeset(asked.stage, before)
    _show(asked.stage, name)
    if asked.discard and name:
        boto3.client("cloudformation").delete_change_set(StackName=_stack(asked.stage), ChangeSetName=name)
    _output("changeset", name)


def look(asked: argparse.Namespace) -> None:
    """Say what would stop a deployment before anything is made."""
    import doctor

    found = list(doctor.findings(doctor.here(asked.stage, asked.repository)))
    for verdict, text in found:
        say(f"{verdict:6}{text}")
    if wrong := sum(verdict == doctor.WRONG for verdict, _ in found):
        raise Broken(f"{wrong} to mend first")


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """Every parameter: as its variable says, else as the template does. One that is left out would keep the value of
    the deployment before, so that a variable that was unset stayed in force."""
    declared = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Template)["Parameters"]  # noqa: S506, it is a safe one
    defaults = {name: str(p.get("Default", "")) for name, p in declared.items() if name not in OF_THE_SCRIPT}
    given = {PARAMETERS[v]: environment[v].strip() for v in PARAMETERS if environment.get(v, "").strip()}
    if media := given.get("MediaIds"):
        given["MediaIds"] = ",".join(filter(None, re.split(r"[\s,]+", media)))
    if day := given.get("DigestDay", "").lower():
        if day not in WEEKDAYS:
            raise Broken(f"WISTLAKE_DIGEST_DAY is {day}: write a weekday, {WEEKDAYS[0]} to {WEEKDAYS[-1]}")
        given["DigestDay"] = day[:3].upper()  # as schedules call it
    return defaults | given


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which parameters do not use."""


_Template.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def _package(functions: Path, environment: Mapping[str, str]) -> set[str]:
    """Put what only the functions' package can bring into it, as its settings file; the variables that are in it."""
    settings = {}
    for variable, name in FILES.items():
        (functions / name).unlink(missing_ok=True)
        given = environment.get(variable, "").strip()
        if given.startswith("s3://"):
            if variable not in PARAMETERS:
                raise Broken(f"{variable}: {given} lies in a bucket: name a file of the repository")
        elif given:  # an object is a parameter: the run reads it
            if not (ROOT / given).is_file():
                raise Broken(f"{variable}: the repository has no file {given}")
            _require_readable(variable, ROOT / given)
            shutil.copyfile(ROOT / given, functions / name)
            settings[variable] = name
    if len(media := environment.get("MEDIA_IDS", "").strip()) > LONGEST_MEDIA_IDS:
        settings["MEDIA_IDS"] = media
    lines = [f"{variable} = {json.dumps(value)}\n" for variable, value in settings.items()]
    (functions / "wistlake.toml").write_text("".join(lines), encoding="utf-8")
    return set(settings)


def _require_readable(variable: str, path: Path) -> None:
    """Broken if the functions could not read the file: each of them would fail."""
    sys.path.insert(0, str(ROOT / "src"))
    from wistlake import alert_rules, channel_rules
    from wistlake.errors import ConfigError

    read = {"WISTLAKE_ALERTS": alert_rules.read, "WISTLAKE_CHANNELS": channel_rules.read}.get(variable)
    try:
        if read:
            read(path)
    except ConfigError as e:
        raise Broken(f"{variable}: {e}") from None


def execute(asked: argparse.Namespace) -> None:
    """Carry out the change set (an empty name: nothing changes), let the aliases be the new versions, store the token.

    A version is made where code or settings of the function differ from the last one; else that one is found."""
    cloudformation, stack = boto3.client("cloudformation"), _stack(asked.stage)
    if asked.changeset:
        _require_code(asked.stage, asked.changeset)
        exists = _status(stack) not in ("", "REVIEW_IN_PROGRESS")
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=asked.changeset)
        waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
        try:
            waiter.wait(StackName=stack, WaiterConfig={"Delay": asked.poll, "MaxAttempts": 720})
        except WaiterError as e:
            raise Broken(f"{stack} is {_status(stack)}: {_first_failure(stack)}") from e
        say(f"{stack} is {_status(stack)}")
    made = outputs(stack)
    for function, alias in _live(made):
        version = boto3.client("lambda").publish_version(FunctionName=function)["Version"]
        _point(function, alias, version)
    boto3.client("secretsmanager").put_secret_value(
        SecretId=made["TokenSecret"], SecretString=os.environ["WISTIA_API_TOKEN"].strip()
    )
    say("the token is stored")
    _remove_old_code(asked.stage)


def _require_code(stage: str, changeset: str) -> None:
    """Broken if the code of a change set is gone: it has waited longer than code is kept."""
    bucket, s3 = outputs(_bootstrap(stage))["ArtifactBucket"], boto3.client("s3")
    for where in old_code.of_changeset(_stack(stage), changeset, boto3.client("cloudformation")):
        if not old_code.is_there(bucket, where, s3):
            raise Broken(f"{where} is gone from {bucket}: make the change set anew")


def _remove_old_code(stage: str) -> None:
    """Delete the code of versions that neither run nor wait to, once it is as old as the bootstrap stack says. What
    can't be deleted is no reason to fail a deployment that is done."""
    bucket = outputs(_bootstrap(stage))["ArtifactBucket"]
    days = int(_parameters(_bootstrap(stage))["CodeRetentionDays"])
    before = datetime.now(UTC) - timedelta(days=days)
    try:
        keep = old_code.used(_stack(stage), boto3.client("cloudformation"))
        for gone in old_code.remove(bucket, keep, before, boto3.client("s3")):
            say(f"deleted {gone}, which nobody runs")
    except (ClientError, old_code.Stays) as e:
        say(f"older code stays: {e}")


def smoke(asked: argparse.Namespace) -> None:
    """Each function by hand, in the machine's order; then the machine itself for the same day. A few media are enough,
    and one that has trouble of its own isn't a fault of the deployment."""
    stack = _stack(asked.stage)
    made, settings = outputs(stack), _parameters(stack)
    now = asked.now or datetime.now(UTC)
    day = last_finished_day(now, settings["AccountTimezone"])
    order = {"trigger": "backfill", "scheduled_time": now.isoformat(), "from": str(day), "to": str(day)}
    order |= {"most_media": FEW, "reason": "smoke test of a deployment"}
    _by_hand(made, order, asked.poll)
    result = _by_machine(made, order, asked.poll)
    _judge("the machine", result)
    say(f"the machine: {json.dumps(result)}")
    _require_subscriber(made["TopicArn"], asked.patience, asked.poll)


def _by_hand(made: Mapping[str, str], order: Mapping[str, Any], poll: int) -> None:
    """The lease that `plan` takes ends by itself a quarter of an hour after a smoke test that was killed."""
    run_id = f"smoke-{uuid.uuid4()}"
    plan = _plan(made["PlanFunction"], {**order, "run_id": run_id}, poll)
    if plan["nothing_to_do"] or not plan["batches"]:
        raise Broken(f"the plan for {order['from']} asks for nothing: are MEDIA_IDS right?")
    ids = {"run_id": run_id, "plan_key": plan["plan_key"]}
    failed: list[Answer] = []
    try:
        for batch in sorted(plan["batches"], key=lambda b: int(b["phase"])):
            failed += _ingest(made["IngestFunction"], {**ids, "batch": batch["batch"]})
        if len(failed) == len(plan["batches"]):
            raise Broken(f"nothing could be read: {failed[0]['error']}: {failed[0]['message']}")
        _build(made["BuildJob"], ids)
    except Broken as e:  # publish ends the run and frees the lease, whatever happened
        end = {**ids, "failed": failed, "build_failed": {"error": "Broken", "message": str(e)}}
        call(made["PublishFunction"], end, PUBLISH)
        raise
    _judge("publish", call(made["PublishFunction"], {**ids, "failed": failed, "build_failed": None}, PUBLISH))


def _plan(function: str, order: Answer, poll: int) -> Answer:
    """The plan, once the lake is free: a run that is under way is waited for."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return call(function, order, PLAN)
        except Raised as e:
            if e.kind != "LeaseHeld" or time.monotonic() > until:
                raise
            say(f"a run is under way, waiting for it: {e}")
            time.sleep(12 * poll)


def _ingest(function: str, given: Answer) -> list[Answer]:
    """Call until it is done; what failed by its media is for publish to hear."""
    continuation = None
    while True:
        try:
            answer = call(function, {**given, "continuation": continuation}, INGEST)
        except Raised as e:
            if e.kind not in OF_A_MEDIA:
                raise
            say(f"{given['batch']} failed: {e}")
            return [{"batch": given["batch"], "error": e.kind, "message": str(e)}]
        if answer["done"]:
            return []
        continuation = answer["continuation"]


def _judge(who: str, published: Answer) -> None:
    """Broken unless the run succeeded, or only lacks what some of its media did not give."""
    if published["verdict"] in ("succeeded", "partial"):
        return
    errors = "; ".join(published["errors"])
    if not 0 < published["failed"] < FEW:
        raise Broken(f"{who} says {published['verdict']}: {errors}")
    say(f"{who} says {published['verdict']}, for {published['failed']} media: {errors}")


def _build(job: str, ids: Mapping[str, str]) -> None:
    glue = boto3.client("glue")
    run = glue.start_job_run(JobName=job, Arguments={f"--{name}": value for name, value in ids.items()})

    def found() -> Any:
        return glue.get_job_run(JobName=job, RunId=run["JobRunId"])["JobRun"]

    state = _until(lambda: str(found()["JobRunState"]), _GLUE_ENDS, 5)
    if state != "SUCCEEDED":
        raise Broken(f"{job} ended {state}: {found().get('ErrorMessage', '')}")
    say(f"{job}: {state}")


def _by_machine(made: Mapping[str, str], order: Mapping[str, Any], poll: int) -> Answer:
    machine = boto3.client("stepfunctions")
    run = machine.start_execution(stateMachineArn=made["MachineArn"], input=json.dumps(order))["executionArn"]
    state = _until(
        lambda: machine.describe_execution(executionArn=run)["status"],
        ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"),
        poll,
    )
    found = machine.describe_execution(executionArn=run)
    told = found.get("output") or found.get("cause") or ""
    try:
        result = json.loads(told)
        _expect("the machine", result, PUBLISH)
    except (ValueError, Broken):
        raise Broken(f"the machine ended {state}: {found.get('error', '')} {told}") from None
    return dict(result)


def rerun(asked: argparse.Namespace) -> None:
    """Read days again, of all media or of some, and wait for the end."""
    if asked.first is None:
        raise Broken("which day? give --from, and --to for more than one")
    order: Answer = {"trigger": "backfill", "from": str(asked.first), "to": str(asked.last or asked.first)}
    order["reason"] = asked.reason or "asked for by hand"
    if media := [m for m in re.split(r"[\s,]+", asked.media) if m]:
        order["medias"] = media
    result = _by_machine(outputs(_stack(asked.stage)), order, asked.poll)
    say(f"the machine: {json.dumps(result)}")
    if result["verdict"] not in ("succeeded", "partial"):
        raise Broken(f"the run is {result['verdict']}: {'; '.join(result['errors'])}")


def rollback(asked: argparse.Namespace) -> None:
    """Let each function's alias be the version before again, at once. Jobs and machine stay as they are: deploy the
    earlier commit next."""
    functions = boto3.client("lambda")
    for function, alias in _live(outputs(_stack(asked.stage))):
        now = functions.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
        pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        versions = [v["Version"] for page in pages for v in page["Versions"] if v["Version"].isdigit()]
        earlier = [int(v) for v in versions if now.isdigit() and int(v) < int(now)]
        if not earlier:
            raise Broken(f"{function} has no version before {now}: deploy an earlier commit instead")
        _point(function, alias, str(max(earlier)))


def _live(made: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each function that the machine calls, and the alias by which it does."""
    arns = (made[name] for name in ("PlanFunction", "IngestFunction", "PublishFunction"))
    return [(function, alias) for function, _, alias in (arn.rpartition(":") for arn in arns)]


def _point(function: str, alias: str, version: str) -> None:
    boto3.client("lambda").update_alias(FunctionName=function, Name=alias, FunctionVersion=version)
    say(f"{function}:{alias} is version {version}")


def call(function: str, event: Mapping[str, Any], shape: Shape) -> Answer:
    """The function's answer; Broken if it raises, or answers in another shape."""
    answer = boto3.client("lambda", config=WAITING).invoke(
        FunctionName=function, Payload=json.dumps(event).encode()
    )
    body = json.loads(answer["Payload"].read() or b"null")
    name = re.sub(r"^arn:.*:function:|:[^:]*$", "", function)  # people know it without its address and alias
    if answer.get("FunctionError"):
        raise Raised(name, body)
    _expect(name, body, shape)
    say(f"{name}: {json.dumps(body)[:500]}")
    return dict(body)


def _expect(who: str, body: Any, shape: Shape) -> None:
    if not isinstance(body, dict):
        raise Broken(f"{who} answered {type(body).__name__} instead of an object")
    wrong = [name for name, kind in shape.items() if name not in body or not isinstance(body[name], kind)]
    if wrong:
        raise Broken(f"{who} answered without a proper {', '.join(wrong)}: {json.dumps(body)[:300]}")


def last_finished_day(now: datetime, zone: str) -> date:
    """The newest local day that is over, with every UTC day that it touches."""
    tz = ZoneInfo(zone)
    day = now.astimezone(tz).date()
    while True:
        day -= timedelta(days=1)
        end = datetime(day.year, day.month, day.day, tzinfo=tz) + timedelta(days=1)
        if (end - timedelta(seconds=1)).astimezone(UTC).date() < now.astimezone(UTC).date():
            return day


def _require_subscriber(topic: str, patience: int, poll: int) -> None:
    """Broken unless somebody who confirmed it hears the topic within so many seconds, or ALERTS=nobody."""
    if _is_declined():
        say("nobody is told of failures: ALERTS says so")
        return
    pages, until = (
        boto3.client("sns").get_paginator("list_subscriptions_by_topic"),
        time.monotonic() + patience,
    )
    while not any(
        s["SubscriptionArn"].startswith("arn:")  # else it reads PendingConfirmation
        for page in pages.paginate(TopicArn=topic)
        for s in page["Subscriptions"]
    ):
        if time.monotonic() >= until:
            raise Broken(
                f"nobody has confirmed that they hear {topic}: open the link in the mail that AWS has sent to "
                "ALERT_EMAIL, and run this again"
            )
        say("waiting for somebody to confirm the mail that AWS has sent to ALERT_EMAIL")
        time.sleep(poll)


def outputs(stack: str) -> dict[str, str]:
    """What a stack says of itself; Broken if there is none."""
    found = _describe(stack)
    if found is None:
        raise Broken(f"there is no stack {stack}: docs/setup.md says how to make it")
    return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}


def _parameters(stack: str) -> dict[str, str]:
    found = _describe(stack) or {}
    return {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", [])}


def _status(stack: str) -> str:
    return str((_describe(stack) or {}).get("StackStatus", ""))


def _describe(stack: str) -> Any:
    try:
        return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as e:
        if "does not exist" in str(e):
            return None
        raise


def _first_failure(stack: str) -> str:
    """What failed first, out of events that come newest first and a hundred at a time."""
    pages = boto3.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    failed = [e for page in pages for e in page["StackEvents"] if e["ResourceStatus"].endswith("FAILED")]
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason')}" if failed else ""


def _upload(bucket: str, prefix: str) -> None:
    s3 = boto3.client("s3")
    paths = [*sorted((ROOT / "build" / "glue").iterdir()), *sorted((ROOT / "build" / "dist").glob("*.whl"))]
    for path in paths:
        s3.upload_file(str(path), bucket, f"{prefix}/{path.name}")
    say(f"uploaded {', '.join(p.name for p in paths)} to {prefix}")


def _newest_changeset(stage: str, since: datetime) -> str:
    """The change set that was just made; nothing if nothing would change."""
    made = boto3.client("cloudformation").list_change_sets(StackName=_stack(stage))["Summaries"]
    ready = [c for c in made if c.get("Status") == "CREATE_COMPLETE" and c["CreationTime"] >= since]
    return str(max(ready, key=lambda c: c["CreationTime"])["ChangeSetName"]) if ready else ""


def _show(stage: str, name: str) -> None:
    if not name:
        say("nothing changes")
        return
    found = boto3.client("cloudformation").describe_change_set(StackName=_stack(stage), ChangeSetName=name)
    for change in (c["ResourceChange"] for c in found["Changes"]):
        replaced = " REPLACED" if change.get("Replacement") == "True" else ""
        say(f"{change['Action']:7}{change['LogicalResourceId']} ({change['ResourceType']}){replaced}")


def _until(state: Callable[[], str], ends: Sequence[str], poll: int) -> str:
    while (now := state()) not in ends:
        time.sleep(poll)
    return now


def _output(name: str, value: str) -> None:
    """Hand a value to the workflow's next step."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")


def _stack(stage: str) -> str:
    return f"wistlake-{stage}"


def _bootstrap(stage: str) -> str:
    return f"wistlake-bootstrap-{stage}"


def say(text: str) -> None:
    """A line for people, in the workflow's log too. Nothing secret comes this way."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


_STEPS = {
    "doctor": look,
    "check": check,
    "changeset": changeset,
    "execute": execute,
    "smoke": smoke,
    "rerun": rerun,
    "rollback": rollback,
}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deploy one stage and prove that it works.")
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--repository", default="", help="on GitHub, as owner/name")
    parser.add_argument("--version", default="local", help="names this build in the artifact bucket")
    parser.add_argument("--changeset", default="", help="the change set to execute")
    parser.add_argument("--discard", action="store_true", help="show the change set, and throw it away")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day to read again")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last one (default: the same)")
    parser.add_argument("--media", default="", help="only these media: hashed ids with commas between")
    parser.add_argument("--reason", default="", help="why, for the ledger")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the smoke run's clock (ISO, with zone)")
    parser.add_argument(
        "--patience", type=int, default=600, help="seconds to wait for a confirmed subscriber"
    )
    parser.add_argument("--poll", type=int, default=5, help="seconds between two looks")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
