"""Glue: Spark jobs are run, not said to have succeeded.

The job's script and packages are read from the emulated S3 with the job's own role, and handed to a runner
that keeps one Spark alive (`support.aws.glue_runner`). It sees `s3://` as folders that it keeps equal to the
job's buckets with the job's role, so that a right that is missing in the template is missing here.
"""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from ministack.core.lambda_runtime import execution_credentials
from ministack.core.responses import get_account_id
from ministack.services import glue, s3

NEEDS = (
    (glue, ("_execute_spark_docker", "_get_docker", "_resolve_script")),
    (s3, ("_buckets",)),
)
REGION = "us-east-1"
RUNNERS: list["_Runner"] = []  # the one that is installed
PACKAGES, SCRATCH = "--extra-py-files", "--TempDir"


class _Images:
    def get(self, name: str) -> str:
        return name


class _Docker:
    """The emulator asks whether it could run a container; the runner is there instead."""

    images = _Images()


def install() -> None:
    """Spark jobs go to the runner."""
    runner = _Runner(Path(os.environ["EMULATED_FOLDER"]))
    RUNNERS.append(runner)
    glue._get_docker = _Docker

    def execute(
        run: dict[str, Any], job: dict[str, Any], name: str, arguments: dict[str, str], _s: str, _d: Any
    ) -> None:
        try:
            error = runner.run(job, name, arguments)
        except Exception as e:
            error = f"{type(e).__name__}: {e}"
        run["JobRunState"] = "FAILED" if error else "SUCCEEDED"
        run["ErrorMessage"] = error[:2000]

    glue._execute_spark_docker = execute
    glue._resolve_script = lambda location: location  # read by the job's role, later


def run_application_job(asked: dict[str, Any]) -> str:
    """A job of EMR Serverless, in the same process: what went wrong, or nothing."""
    driver = asked["JobDriver"]["SparkSubmit"]
    flat, submitted = driver["EntryPointArguments"], driver["SparkSubmitParameters"]
    package, *settings = submitted.removeprefix("--py-files ").split(" --conf ")
    catalog = [
        s for s in settings if s.startswith("spark.sql.")
    ]  # the others are about machines of the service
    arguments = dict(zip(flat[::2], flat[1::2], strict=True))
    arguments |= {PACKAGES: package.strip(), "--conf": " --conf ".join(catalog)}
    job = {"Role": asked["ExecutionRoleArn"], "Command": {"ScriptLocation": driver["EntryPoint"]}}
    return RUNNERS[0].run(job, asked["Name"], arguments)


class _Runner:
    """The process that runs jobs, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.mirror = folder / "mirror"
        self.code = folder / "code"
        self.log = folder / "glue.log"
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None

    def run(self, job: dict[str, Any], name: str, arguments: dict[str, str]) -> str:
        """What went wrong, or nothing."""
        role = job["Role"]
        if not role.startswith("arn:"):
            role = f"arn:aws:iam::{get_account_id()}:role/{role}"
        keys = execution_credentials(
            {
                "Role": role,
                "FunctionName": f"glue-{name}",
                "FunctionArn": f"arn:aws:lambda:{REGION}:{get_account_id()}:function:glue-{name}",
            }
        )
        client = _client(keys)
        with self.lock:
            script = self._fetch(client, job["Command"]["ScriptLocation"])
            packages = [self._fetch(client, p) for p in arguments.get(PACKAGES, "").split(",") if p]
            return self._ask(
                {
                    "script": str(script),
                    "packages": [str(p) for p in packages],
                    "arguments": arguments,
                    "buckets": {b: str(self.mirror / b) for b in _buckets_of(arguments)},
                    "environment": {
                        **keys,
                        "AWS_ENDPOINT_URL": os.environ["EMULATED_ENDPOINT"],
                        "AWS_DEFAULT_REGION": REGION,
                        "AWS_REGION": REGION,
                    },
                }
            )

    def _fetch(self, client: Any, location: str) -> Path:
        address = urlsplit(location)
        key = address.path.lstrip("/")
        path = self.code / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.get_object(Bucket=address.netloc, Key=key)["Body"].read())
        return path

    def _ask(self, order: dict[str, Any]) -> str:
        process = self._alive()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            return f"the runner died with {process.wait(10)}: see {self.log}"
        return str(json.loads(answer)["error"])

    def _alive(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                json.loads(os.environ["EMULATED_GLUE_RUNNER"]),
                env={**_own_environment(), **json.loads(os.environ["EMULATED_GLUE_ENVIRONMENT"])},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log.open("a"),
                text=True,
            )
        return self.process


def _buckets_of(arguments: dict[str, str]) -> list[str]:
    """The buckets that the job's arguments name, but for where its code and its logs lie."""
    said = [v for k, v in arguments.items() if k not in (PACKAGES, SCRATCH) and "event-log" not in k]
    return sorted(b for b in s3._buckets if any(b == v or f"s3://{b}/" in f"{v}/" for v in said))


def _client(keys: dict[str, str]) -> Any:
    return botocore.session.get_session().create_client(
        "s3",
        region_name=REGION,
        endpoint_url=os.environ["EMULATED_ENDPOINT"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"] or None,
    )


def _own_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "JAVA_HOME", "LANG", "AWS_CA_BUNDLE")
    return {name: value for name, value in os.environ.items() if name in kept}
