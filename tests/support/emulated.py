"""One emulated AWS for the tests of adapters: a process on loopback, with empty buckets and tables on demand."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from support.aws import tools

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Account:
    """The emulated account at `endpoint`."""

    endpoint: str
    folder: Path

    def client(self, service: str) -> Any:
        """A boto3 client."""
        import boto3  # most tests need none

        return boto3.client(service, endpoint_url=self.endpoint, **KEYS)

    def bucket(self) -> str:
        """A new bucket that keeps versions."""
        name = f"bucket-{secrets.token_hex(6)}"
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def table(self, hash_key: str, range_key: str, suffix: str = "") -> str:
        """A new table of two text keys."""
        name = f"table-{secrets.token_hex(6)}{suffix}"
        self.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in (hash_key, range_key)],
            KeySchema=[
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def environment(self) -> dict[str, str]:
        """What a process needs to take the emulated account for AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }


@contextmanager
def emulator(folder: Path) -> Iterator[Account]:
    """The emulator, with the project's hooks and without access control; ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account = Account(f"http://127.0.0.1:{port}", folder)
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [tools.python("emulator"), "-m", "support.aws.emulator"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "PYTHONPATH": str(ROOT / "tests"),
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "IOT_MTLS_ENABLED": "0",
                "EMULATED_FOLDER": str(folder),
                "EMULATED_ENDPOINT": account.endpoint,
                "EMULATED_CALLS": str(folder / "calls.jsonl"),
                "EMULATED_MOMENTS": str(folder / "moments"),
                "EMULATED_LAMBDA_PYTHON": sys.executable,
                "EMULATED_GLUE_RUNNER": json.dumps(
                    [str(tools.python("spark")), "-m", "support.aws.glue_runner"]
                ),
                "EMULATED_GLUE_ENVIRONMENT": json.dumps(
                    {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "TMPDIR": str(folder)}
                ),
            },
            stdin=subprocess.PIPE,  # closed by our end, even a violent one
            stdout=log,
            stderr=log,
            start_new_session=True,  # what it starts ends with it
        )
        try:
            _wait(process, account)
            yield account
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # it keeps nothing that is worth an orderly end
            process.communicate(timeout=10)


def _wait(process: "subprocess.Popen[bytes]", account: Account) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        try:
            with urlopen(f"{account.endpoint}/_ministack/health", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    said = (account.folder / "emulator.log").read_text()[-2000:]
    raise AssertionError(f"the emulator does not answer:\n{said}")
