"""`Cloud`: one emulated account on this machine. Its clients, its stacks, the runs of its machine."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx2

from support.aws import tools

REGION = "us-east-1"
REPOSITORY = "acme@101/wistlake@202"  # as tokens name one that was created today
TOKEN = "a-token-of-the-simulated-wistia"
_STARTS_WITHIN = 60.0
_RUN_WITHIN = 900.0
_STEP_WITHIN = 600.0
Rows = list[dict[str, str | None]]


@dataclass(frozen=True)
class Execution:
    """A run of the machine that is over."""

    name: str
    status: str
    output: dict[str, Any]
    error: str
    cause: str


class Cloud:
    """The account. `folder` holds all that it writes: its data, its logs, its certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.endpoint = f"https://localhost:{self.port}"
        self._calls = folder / "calls.jsonl"
        self._moments = folder / "moments"

    # the account

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment in which AWS's own tools reach this account, and nothing else of this machine's."""
        kept = ("PATH", "HOME", "LANG", "JAVA_HOME", "PYTHONPATH")
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.folder / "cert.pem"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }

    def client(self, service: str) -> Any:
        """A client of the account's owner."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            verify=str(self.folder / "cert.pem"),
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    # deploying

    def bootstrap(self, stage: str) -> None:
        """What a person does once a stage: docs/setup.md, step 2."""
        providers = self.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        provider = next((p["Arn"] for p in providers if p["Arn"].endswith("githubusercontent.com")), "")
        self.step(
            *(tools.command("sam"), "deploy", "--template-file", "infra/bootstrap.yaml"),
            *("--stack-name", f"wistlake-bootstrap-{stage}", "--capabilities", "CAPABILITY_IAM"),
            *("--no-progressbar", "--no-confirm-changeset"),
            *(
                "--parameter-overrides",
                f"Stage={stage}",
                f"Repository={REPOSITORY}",
                f'ProviderArn="{provider}"',
            ),
        )

    def deploy(self, stage: str, settings: Mapping[str, str], version: str = "v1") -> None:
        """What the workflow does with what lies in `build/`; `settings` are the repository's variables."""
        self.execute(stage, settings, self.changeset(stage, settings, version))

    def changeset(self, stage: str, settings: Mapping[str, str], version: str = "v1") -> str:
        """The workflow's first job: the name of the change set."""
        chosen = self.folder / "github-output"
        chosen.unlink(missing_ok=True)
        self.script("changeset", stage, "--version", version, settings=settings, GITHUB_OUTPUT=str(chosen))
        name = re.search(r"^changeset=(.*)$", chosen.read_text(encoding="utf-8"), re.M)
        assert name
        return name.group(1)

    def execute(self, stage: str, settings: Mapping[str, str], changeset: str) -> None:
        """The workflow's second job."""
        self.script("execute", stage, "--changeset", changeset, "--poll", "1", settings=settings)

    def login(
        self, output: str, stage: str, repository: str = REPOSITORY, environment: str = ""
    ) -> dict[str, str]:
        """The keys that a workflow gets for the role in that output of the stage's bootstrap stack, or AccessDenied."""
        claims = {
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "sts.amazonaws.com",
            "sub": f"repo:{repository}:environment:{environment or stage}",
        }
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "none"}, claims, {})
        )
        role = self.outputs(f"wistlake-bootstrap-{stage}")[output]
        keys = self.client("sts").assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="workflow", WebIdentityToken=token
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def script(
        self, step: str, stage: str, *arguments: str, settings: Mapping[str, str] | None = None, **more: str
    ) -> str:
        """What a step of infra/deploy.py prints, run as the stage's deploy role; CalledProcessError if it fails."""
        given = {**self.login("DeployRoleArn", stage), **(settings or {}), **more}
        return self.step(sys.executable, "infra/deploy.py", step, "--stage", stage, *arguments, **given)

    def step(self, *command: str | Path, **environment: str) -> str:
        """A program of the deployment; what it prints. CalledProcessError with its words if it fails."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tools.ROOT,
            env={**self.environment, "SAM": str(tools.command("sam")), **environment},
            capture_output=True,
            text=True,
            timeout=_STEP_WITHIN,
            check=False,
        )
        if done.returncode:
            said = f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
            failed = subprocess.CalledProcessError(done.returncode, done.args, done.stdout, said)
            failed.add_note(said)
            raise failed
        return done.stdout

    def outputs(self, stack: str) -> dict[str, str]:
        """What a stack says of itself."""
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}

    # running

    def run(self, machine: str, name: str, given: Mapping[str, Any]) -> Execution:
        """One run of the machine under that name, waited for."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=json.dumps(given)
        )
        return self.ended(started["executionArn"])

    def ended(self, arn: str) -> Execution:
        """The run, once it is over."""
        states, until = self.client("stepfunctions"), time.monotonic() + _RUN_WITHIN
        while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < until, f"{arn} takes longer than {_RUN_WITHIN} s"
            time.sleep(0.2)
        return Execution(
            name=found["name"],
            status=found["status"],
            output=json.loads(found.get("output") or "{}"),
            error=found.get("error") or "",
            cause=found.get("cause") or "",
        )

    def day(self, machine: str, name: str, now: datetime, **given: Any) -> Execution:
        """The daily run as the schedule would start it at `now`."""
        return self.run(machine, name, {"trigger": "schedule", "scheduled_time": now.isoformat(), **given})

    def pass_time(self, *moments: datetime) -> None:
        """Let the scheduler's clock stand at each of the moments in turn: what falls due on the way starts."""
        with self._moments.open("a", encoding="utf-8") as file:
            file.writelines(f"{moment.isoformat()}\n" for moment in moments)

    def calls(self) -> list[dict[str, Any]]:
        """Every call that a machine made of a service: resource, arguments, error."""
        if not self._calls.exists():
            return []
        return [json.loads(line) for line in self._calls.read_text(encoding="utf-8").splitlines()]

    def listen(self, topic: str) -> str:
        """A queue that hears what the topic says from now on."""
        sqs = self.client("sqs")
        queue = sqs.create_queue(QueueName=f"ear-{time.monotonic_ns()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
        }
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return str(queue)

    def heard(self, queue: str) -> list[dict[str, Any]]:
        """The notices in the queue; it is empty then."""
        sqs, found = self.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def query(self, workgroup: str, database: str, text: str) -> Rows:
        """The rows of a SELECT, as Athena gives them: every value a text."""
        athena, until = self.client("athena"), time.monotonic() + 60
        asked = athena.start_query_execution(
            QueryString=text, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )["QueryExecutionId"]
        while True:
            status = athena.get_query_execution(QueryExecutionId=asked)["QueryExecution"]["Status"]
            if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                break
            assert time.monotonic() < until
            time.sleep(0.05)
        assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=asked)
        rows = [[c.get("VarCharValue") for c in r["Data"]] for p in pages for r in p["ResultSet"]["Rows"]]
        return [dict(zip((str(name) for name in rows[0]), row, strict=True)) for row in rows[1:]]


@contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """A fresh, empty account in `folder`, for the length of the block."""
    folder.mkdir(parents=True)
    cloud = Cloud(folder)
    _certificate(folder)
    log = (folder / "emulator.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [str(tools.python("emulator")), "-m", "support.aws.emulator"],
        cwd=folder,
        env=_emulator(cloud),
        stdin=subprocess.PIPE,  # closed by our end, even a violent one
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # what it starts ends with it
    )
    try:
        _wait(cloud, process)
        yield cloud
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it keeps nothing that is worth an orderly end
        process.communicate(timeout=20)
        log.close()


def _emulator(cloud: Cloud) -> dict[str, str]:
    folder, tests = cloud.folder, tools.ROOT / "tests"
    own = {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(cloud.port),
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(folder / "cert.pem"),
        "MINISTACK_SSL_KEY": str(folder / "key.pem"),
        "IOT_MTLS_ENABLED": "0",
        "SFN_WAIT_SCALE": "0",  # retries come at once
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(_made(folder / "tmp")),
        "PYTHONPATH": str(tests),
        "EMULATED_FOLDER": str(folder),
        "EMULATED_ENDPOINT": cloud.endpoint,
        "EMULATED_CALLS": str(folder / "calls.jsonl"),
        "EMULATED_MOMENTS": str(folder / "moments"),
        "EMULATED_LAMBDA_PYTHON": str(tools.python("lambda-runtime")),
        "EMULATED_GLUE_RUNNER": json.dumps([str(tools.python("spark")), "-m", "support.aws.glue_runner"]),
        "EMULATED_GLUE_ENVIRONMENT": json.dumps(
            {"PYTHONPATH": f"{tests}:{tools.ROOT / 'src'}", "TMPDIR": str(folder / "tmp")}
        ),
    }
    return {name: value for name, value in cloud.environment.items() if name != "AWS_ENDPOINT_URL"} | own


def _wait(cloud: Cloud, process: "subprocess.Popen[bytes]") -> None:
    import ssl

    until = time.monotonic() + _STARTS_WITHIN
    trusted = ssl.create_default_context(cafile=str(cloud.folder / "cert.pem"))
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx2.get(f"{cloud.endpoint}/_ministack/health", verify=trusted).is_success:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    said = (cloud.folder / "emulator.log").read_text(encoding="utf-8")[-3000:]
    raise RuntimeError(f"the emulator did not start: {said}")


def _certificate(folder: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "the emulator needs openssl for its certificate: apt-get install openssl"
    subprocess.run(
        [
            *(
                openssl,
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
