"""A lake on the emulated account, run by its handlers in this process and by the Glue script in another."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.emulated import Account
from support.lake import KEY, Scenario
from wistia_simulator import ServerOptions, create_app
from wistia_simulator.main import running
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.entrypoints.aws import ingest, plan, publish

STAGE = "test"
Row = dict[str, Any]
_JOB = "wistlake-build"
_PATIENCE_SECONDS = 600.0
_SOURCES = Path(__file__).parents[2] / "src"


@dataclass
class Context:
    """What Lambda tells a handler: here, that there is always the same time left, or what `left` says."""

    left: Callable[[], float] = lambda: 900.0

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds."""
        return int(self.left() * 1000)


class AwsLake:
    """Buckets, tables and secrets of one lake, and the simulated Wistia that feeds it."""

    def __init__(self, account: Account, scenario: Scenario, url: str, world: Any) -> None:
        self.account, self.scenario, self.world = account, scenario, world
        self.bronze, self.silver, self.code = account.bucket(), account.bucket(), account.bucket()
        self.ledger_table = account.table("pk", "sk", f"-{STAGE}")
        self.watermark_table = account.table("dataset", "media_id", f"-{STAGE}")
        self.database = f"lake_{self.bronze[-6:]}"
        account.client("glue").create_database(DatabaseInput={"Name": self.database})
        self.topic = account.client("sns").create_topic(Name=f"notices-{self.bronze[-6:]}")["TopicArn"]
        secrets = account.client("secretsmanager")
        self.token = secrets.create_secret(Name=f"{self.bronze}-token", SecretString="simulated")["ARN"]
        self.key = secrets.create_secret(
            Name=f"{self.bronze}-key", SecretString=json.dumps({"format": 1, "keys": [KEY.hex()]})
        )["ARN"]
        self.environment = {
            **account.environment(),
            "BRONZE_BUCKET": self.bronze,
            "SILVER_BUCKET": self.silver,
            "DDB_TABLE": self.watermark_table.removesuffix(f"-{STAGE}"),
            "LEDGER_TABLE": self.ledger_table,
            "WISTLAKE_STAGE": STAGE,
            "WISTIA_TOKEN_SECRET": self.token,
            "WISTLAKE_KEY_SECRET": self.key,
            "WISTLAKE_TOPIC_ARN": self.topic,
            "WISTIA_BASE_URL": f"{url}/modern",
            "MEDIA_IDS": ",".join(scenario.media),
            "WISTLAKE_ACCOUNT_TIMEZONE": scenario.profile.account_timezone,
            **{f"WISTLAKE_{name.upper()}": str(value) for name, value in scenario.settings.items()},
        }

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger, as readers see it."""
        return DynamoLedger(self.ledger_table, self.watermark_table, self.account.client("dynamodb"))

    # steps

    def plan(self, run_id: str, now: datetime, **asked: Any) -> dict[str, Any]:
        """The plan's output. The world's clock goes to `now`."""
        self.world.clock.set(now)
        event = {"run_id": run_id, "trigger": "schedule", "scheduled_time": now.isoformat(), **asked}
        return plan.handler(event, Context())

    def ingest(
        self, planned: Mapping[str, Any], context: Callable[[], Context] = Context
    ) -> list[dict[str, Any]]:
        """Every round of every batch, each in a new `context`."""
        rounds = []
        for batch in planned["batches"]:
            event = {k: planned[k] for k in ("run_id", "plan_key")} | batch | {"continuation": None}
            while True:
                said = ingest.handler(event, context())
                rounds.append(said)
                if said["done"]:
                    break
                event = {**event, "continuation": said["continuation"]}
        return rounds

    def publish(self, planned: Mapping[str, Any], **failures: Any) -> dict[str, Any]:
        """What the last step says."""
        event = {k: planned[k] for k in ("run_id", "plan_key")}
        return publish.handler({**event, "failed": [], "build_failed": None, **failures}, Context())


@contextmanager
def aws_lake(account: Account, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsLake]:
    """An empty lake; this process's environment is its functions' own while the block runs."""
    world = scenario.world()
    options = ServerOptions(token="simulated", rate_limit_per_minute=None)
    with running(create_app(world, options, scenario.faults)) as url:
        lake = AwsLake(account, scenario, url, world)
        for name, value in lake.environment.items():
            monkeypatch.setenv(name, value)
        yield lake


def moment(text: str) -> datetime:
    """A UTC moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
