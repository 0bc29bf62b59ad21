"""Deploys one stage and proves that it works: the same script in the workflow and in the tests.

    python infra/deploy.py check                              what the environment lacks, by name
    python infra/deploy.py changeset --stage S --version V    upload the build, make a change set, show it
    python infra/deploy.py execute   --stage S [--changeset N]  carry it out, store the token
    python infra/deploy.py smoke     --stage S                call each function, then one run of the machine

`make aws-build` (or infra/build.py) comes before `changeset`. Exit code 0, or 1 with one line that says why.

Environment: AWS_REGION, AWS_DEPLOY_ROLE_ARN, MEDIA_IDS and WISTIA_API_TOKEN must be set; PARAMETERS below lists
what may be set beside them. SAM may name another `sam` than the one on the PATH.
"""

import argparse
import json
import os
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
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

ROOT = Path(__file__).parents[1]
BOOTSTRAP = "wistlake-bootstrap"
REQUIRED = ("AWS_REGION", "AWS_DEPLOY_ROLE_ARN", "MEDIA_IDS", "WISTIA_API_TOKEN")
PARAMETERS = {
    "MEDIA_IDS": "MediaIds",
    "WISTLAKE_MEDIA_FOLDER": "MediaFolder",
    "WISTLAKE_MEDIA_TAG": "MediaTag",
    "WISTIA_BASE_URL": "BaseUrl",
    "WISTIA_API_VERSION": "ApiVersion",
    "WISTLAKE_DATASETS": "Datasets",
    "WISTLAKE_ACCOUNT_TIMEZONE": "AccountTimezone",
    "WISTLAKE_LOOKBACK_DAYS": "LookbackDays",
    "WISTLAKE_START_DATE": "StartDate",
    "WISTLAKE_TOLERATED_PERCENT": "ToleratedPercent",
    "WISTLAKE_BRONZE_RETENTION_DAYS": "BronzeRetentionDays",
    "WISTLAKE_REQUESTS_PER_MINUTE": "RequestsPerMinute",
    "SCHEDULE": "Schedule",
    "UPKEEP_SCHEDULE": "UpkeepSchedule",
    "SCHEDULE_STATE": "ScheduleState",
    "ALERT_EMAIL": "AlertEmail",
    "SLACK_SECRET_ARN": "SlackSecret",
}
# What the functions promise: names and types of their answers.
NOTHING = type(None)
PLAN = {"run_id": str, "plan_key": str, "batches": list, "nothing_to_do": bool}
INGEST = {"batch": str, "done": bool, "continuation": (dict, NOTHING), "landed": int, "requests": int}
PUBLISH = {"run_id": str, "published": dict, "failed": int, "verdict": str, "errors": list}
Shape = Mapping[str, Any]
Answer = dict[str, Any]
_GLUE_ENDS = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")


class Broken(Exception):
    """What is deployed, or what it should be deployed with, is not right; the text says what."""


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
    say("every variable is set")


def changeset(asked: argparse.Namespace) -> None:
    """Upload the build and let CloudFormation work out what would change."""
    made = outputs(BOOTSTRAP)
    prefix = f"code/{asked.version}"
    _upload(made["ArtifactBucket"], prefix)
    parameters = {
        "Stage": asked.stage,
        "ArtifactBucket": made["ArtifactBucket"],
        "CodePrefix": prefix,
        "PermissionsBoundary": made["PermissionsBoundary"],
        **{name: os.environ[variable] for variable, name in PARAMETERS.items() if os.environ.get(variable)},
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
            *("--no-progressbar", "--template-file", str(ROOT / "infra" / "template.yaml")),
            *(
                "--stack-name",
                _stack(asked.stage),
                "--s3-bucket",
                made["ArtifactBucket"],
                "--s3-prefix",
                "sam",
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
    _output("changeset", name)


def execute(asked: argparse.Namespace) -> None:
    """Carry out the change set (an empty name: nothing changes), then store the token."""
    cloudformation, stack = boto3.client("cloudformation"), _stack(asked.stage)
    if asked.changeset:
        exists = _status(stack) not in ("", "REVIEW_IN_PROGRESS")
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=asked.changeset)
        waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
        try:
            waiter.wait(StackName=stack, WaiterConfig={"Delay": asked.poll, "MaxAttempts": 720})
        except WaiterError as e:
            raise Broken(f"{stack} is {_status(stack)}: {_first_failure(stack)}") from e
        say(f"{stack} is {_status(stack)}")
    boto3.client("secretsmanager").put_secret_value(
        SecretId=outputs(stack)["TokenSecret"], SecretString=os.environ["WISTIA_API_TOKEN"].strip()
    )
    say("the token is stored")


def smoke(asked: argparse.Namespace) -> None:
    """Each function by hand, in the machine's order; then the machine itself for the same day."""
    stack = _stack(asked.stage)
    made, settings = outputs(stack), _parameters(stack)
    now = asked.now or datetime.now(UTC)
    day = last_finished_day(now, settings["AccountTimezone"])
    order = {"trigger": "backfill", "scheduled_time": now.isoformat(), "from": str(day), "to": str(day)}
    order["reason"] = "smoke test of a deployment"
    _by_hand(made, order)
    _by_machine(made, order, asked.poll)


def _by_hand(made: Mapping[str, str], order: Mapping[str, str]) -> None:
    run_id = f"smoke-{uuid.uuid4()}"
    plan = call(made["PlanFunction"], {**order, "run_id": run_id}, PLAN)
    if plan["nothing_to_do"] or not plan["batches"]:
        raise Broken(f"the plan for {order['from']} asks for nothing: are MEDIA_IDS right?")
    ids = {"run_id": run_id, "plan_key": plan["plan_key"]}
    build_failed, failed = None, []
    try:
        for batch in sorted(plan["batches"], key=lambda b: int(b["phase"])):
            failed += _ingest(made["IngestFunction"], {**ids, "batch": batch["batch"]})
        _build(made["BuildJob"], ids)
    except Broken as e:
        build_failed = {"error": "Broken", "message": str(e)}
        raise
    finally:  # publish ends the run and frees the lease, whatever happened
        end = {**ids, "failed": failed, "build_failed": build_failed}
        published = call(made["PublishFunction"], end, PUBLISH)
    if published["verdict"] != "succeeded":
        raise Broken(f"publish says {published['verdict']}: {'; '.join(published['errors'])}")


def _ingest(function: str, given: Answer) -> list[Answer]:
    """Call until it is done; what failed is for publish to hear, and then for the caller."""
    continuation = None
    while True:
        answer = call(function, {**given, "continuation": continuation}, INGEST)
        if answer["done"]:
            return []
        continuation = answer["continuation"]


def _build(job: str, ids: Mapping[str, str]) -> None:
    glue = boto3.client("glue")
    run = glue.start_job_run(JobName=job, Arguments={f"--{name}": value for name, value in ids.items()})

    def found() -> Any:
        return glue.get_job_run(JobName=job, RunId=run["JobRunId"])["JobRun"]

    state = _until(lambda: str(found()["JobRunState"]), _GLUE_ENDS, 5)
    if state != "SUCCEEDED":
        raise Broken(f"{job} ended {state}: {found().get('ErrorMessage', '')}")
    say(f"{job}: {state}")


def _by_machine(made: Mapping[str, str], order: Mapping[str, str], poll: int) -> None:
    machine = boto3.client("stepfunctions")
    run = machine.start_execution(stateMachineArn=made["MachineArn"], input=json.dumps(order))["executionArn"]
    state = _until(
        lambda: machine.describe_execution(executionArn=run)["status"],
        ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"),
        poll,
    )
    found = machine.describe_execution(executionArn=run)
    if state != "SUCCEEDED":
        raise Broken(f"the machine ended {state}: {found.get('error', '')} {found.get('cause', '')}")
    result = json.loads(found["output"])
    _expect("the machine", result, PUBLISH)
    if result["verdict"] != "succeeded":
        raise Broken(f"the machine succeeded, but its run is {result['verdict']}")
    say(f"the machine: {json.dumps(result)}")


def call(function: str, event: Mapping[str, Any], shape: Shape) -> Answer:
    """The function's answer; Broken if it raises, or answers in another shape."""
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    body = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise Broken(f"{function} raised {body.get('errorType')}: {body.get('errorMessage')}")
    _expect(function, body, shape)
    say(f"{function}: {json.dumps(body)[:500]}")
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
    events = boto3.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
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


def say(text: str) -> None:
    """A line for people, in the workflow's log too. Nothing secret comes this way."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


_STEPS = {"check": check, "changeset": changeset, "execute": execute, "smoke": smoke}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deploy one stage and prove that it works.")
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--version", default="local", help="names this build in the artifact bucket")
    parser.add_argument("--changeset", default="", help="the change set to execute")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the smoke run's clock (ISO, with zone)")
    parser.add_argument("--poll", type=int, default=5, help="seconds between two looks")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
