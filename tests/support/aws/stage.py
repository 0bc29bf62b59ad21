"""`Stage`: one deployed stage with a simulated Wistia beside it, and what its readers see."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.table import StaticTable
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from support.aws import mirror
from support.aws.cloud import TOKEN, Cloud, Execution
from support.lake import KEY, Scenario
from wistia_simulator import ServerOptions, create_app
from wistia_simulator.main import running
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.lake_bytes import unpacked
from wistlake.pipeline.jobs.request import result_key
from wistlake.privacy.scan import Piece

Row = dict[str, Any]


@dataclass
class Trouble:
    """What goes wrong at the source: `poisoned` answers nonsense about its stats, `limited` is turned away
    `times` times. Both are media ids."""

    poisoned: str = ""
    limited: str = ""
    times: int = 0
    seen: list[str] = field(default_factory=list)

    def answer(self, path: str) -> JSONResponse | None:
        """The answer instead of the real one."""
        if self.poisoned and path.endswith(f"/stats/medias/{self.poisoned}"):
            self.seen.append("poison")
            return JSONResponse(["not what was promised"])
        if self.times and self.limited and path.endswith(f"/stats/medias/{self.limited}/engagement"):
            self.times -= 1
            self.seen.append("limit")
            return JSONResponse({"error": "rate limited"}, 429, {"Retry-After": "1"})
        return None


def _troubled(app: ASGIApp, trouble: Trouble) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        answer = trouble.answer(scope["path"]) if scope["type"] == "http" else None
        await (answer or app)(scope, receive, send)

    return serve


@dataclass
class Stage:
    """The stage `name` of `cloud`, fed by `scenario`'s world."""

    name: str
    cloud: Cloud
    scenario: Scenario
    url: str
    world: Any
    trouble: Trouble
    orders: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """What a repository sets: docs/setup.md, step 4."""
        settings = {f"WISTLAKE_{name.upper()}": str(value) for name, value in self.scenario.settings.items()}
        return {
            "AWS_DEPLOY_ROLE_ARN": self.cloud.outputs(f"wistlake-bootstrap-{self.name}")["DeployRoleArn"],
            "MEDIA_IDS": ",".join(self.scenario.media),
            "WISTIA_API_TOKEN": TOKEN,
            "ALERTS": "nobody",
            "WISTIA_BASE_URL": f"{self.url}/modern",
            "WISTLAKE_ACCOUNT_TIMEZONE": self.scenario.profile.account_timezone,
            **settings,
        }

    def deploy(self, version: str = "v1") -> None:
        """Deploy what lies in `build/`. Visitors get the pseudonyms that they have on the laptop."""
        self.cloud.deploy(self.name, self.variables, version)
        self.cloud.client("secretsmanager").put_secret_value(
            SecretId=self.outputs["KeySecret"],
            SecretString=json.dumps({"format": 1, "keys": [KEY.hex()]}),
        )

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        return self.cloud.outputs(f"wistlake-{self.name}")

    def day(self, now: datetime, **given: Any) -> Execution:
        """The run that is due at `now`; the world's clock goes there first. Runs are named as a laptop's are,
        for some tables tell of runs."""
        self.world.clock.set(now)
        self.orders += 1
        return self.cloud.day(self.outputs["MachineArn"], f"run-{self.orders:04d}", now, **given)

    @property
    def lake(self) -> dict[str, str]:
        """What somebody sets whose lake this stage is: docs/setup.md, "Reading"."""
        made = self.outputs
        return self.variables | {
            "WISTLAKE_PLACE": "aws",
            "WISTLAKE_STAGE": self.name,
            "BRONZE_BUCKET": made["BronzeBucket"],
            "SILVER_BUCKET": made["SilverBucket"],
            "DDB_TABLE": made["WatermarkTable"],
            "LEDGER_TABLE": made["LedgerTable"],
            "WISTLAKE_KEY_SECRET": made["KeySecret"],
        }

    @property
    def reading(self) -> dict[str, str]:
        """The same, with where Athena finds it and how this process reaches the account."""
        return self.cloud.environment | self.lake | self.athena

    @property
    def athena(self) -> dict[str, str]:
        """Where Athena finds the tables."""
        return {"GLUE_DATABASE": self.outputs["Database"], "ATHENA_WORKGROUP": self.outputs["Workgroup"]}

    def command(self, *arguments: str, now: datetime | None = None, **settings: str) -> str:
        """What a command prints to somebody whose lake this stage is."""
        program = (sys.executable, "-m", "wistlake.entrypoints.cli.main")
        at = ("--now", now.isoformat()) if now else ()
        return self.cloud.step(*program, *arguments, *at, **self.lake, **settings)

    def kept(self, run_id: str) -> dict[str, Any]:
        """What the keeping job did in that run."""
        objects = S3Objects(self.outputs["BronzeBucket"], self.cloud.client("s3"))
        found: dict[str, Any] = json.loads(objects.get(result_key(run_id)))
        return found

    # reading

    def everything(self) -> Iterator[Piece]:
        """Every version of every object in the lake's buckets, unpacked."""
        for bucket in (self.outputs["BronzeBucket"], self.outputs["SilverBucket"]):
            objects = S3Objects(bucket, self.cloud.client("s3"))
            for key, read in objects.contents():
                yield from unpacked(f"{bucket}/{key}", read())

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger, as readers see it."""
        made = self.outputs
        return DynamoLedger(made["LedgerTable"], made["WatermarkTable"], self.cloud.client("dynamodb"))

    def watermarks(self) -> dict[tuple[str, str], Any]:
        """The last published day of each dataset and media."""
        return {(w.dataset, w.media_id): w.last_date for w in self.ledger.watermarks()}

    def tables(self) -> dict[str, list[Row]]:
        """All published rows of every table, read from what lies in the bucket."""
        return {name: rows.to_pylist() for name, rows in self._published().items()}

    def sql(self, text: str) -> pa.Table:
        """The rows of a SELECT over `layer.table`s as they are published: the port `Query`."""
        connection = duckdb.connect()
        for name, rows in self._published().items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.split('.')[0]}")
            connection.register("rows", rows)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
        return connection.execute(text).to_arrow_table()

    def _published(self) -> dict[str, pa.Table]:
        published = self.ledger.publication()
        assert published
        folder = self.copied(self.outputs["SilverBucket"])
        way = {"py-io-impl": f"{mirror.__name__}.MirrorIO", mirror.ROOT: str(folder)}
        return {
            name: StaticTable.from_metadata(ref.metadata_location, way).scan().to_arrow()
            for name, ref in published.tables.items()
        }

    def copied(self, bucket: str) -> Path:
        """A folder with the bucket's objects in it, below the bucket's name."""
        s3, folder = self.cloud.client("s3"), self.cloud.folder / "copy"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for key in (o["Key"] for page in pages for o in page.get("Contents", [])):
            path = folder / bucket / key
            if not path.exists() and not key.endswith("/"):  # data files are written once
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, key, str(path))
        return folder

    def query(self, text: str) -> list[dict[str, str | None]]:
        """The rows of a SELECT in Athena."""
        made = self.outputs
        return self.cloud.query(made["Workgroup"], made["Database"], text)

    # permissions

    @contextmanager
    def without(self, role: str, action: str) -> Iterator[None]:
        """The block without one action of one role; `role` is its logical id."""
        name = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=f"wistlake-{self.name}", LogicalResourceId=role
        )["StackResourceDetail"]["PhysicalResourceId"]
        iam = self.cloud.client("iam")
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        plain = document if isinstance(document, dict) else json.loads(document)
        less = {**plain, "Statement": list(_without(plain["Statement"], action))}
        assert less != plain, f"{role} has no {action}"
        put = {"RoleName": name, "PolicyName": policy}
        iam.put_role_policy(**put, PolicyDocument=json.dumps(less))
        try:
            yield
        finally:
            iam.put_role_policy(**put, PolicyDocument=json.dumps(plain))


def _without(statements: list[Mapping[str, Any]], action: str) -> Iterator[Mapping[str, Any]]:
    for statement in statements:
        named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if left := [a for a in named if a != action]:
            yield {**statement, "Action": left}


@contextmanager
def stage(cloud: Cloud, scenario: Scenario, name: str = "dev") -> Iterator[Stage]:
    """A stage that is not deployed yet, in an account without anything."""
    world, trouble = scenario.world(), Trouble()
    options = ServerOptions(token=TOKEN, rate_limit_per_minute=None)
    app = _troubled(create_app(world, options, scenario.faults), trouble)
    with running(app) as url:  # type: ignore[arg-type]  # any ASGI app will do
        yield Stage(name, cloud, scenario, url, world, trouble)
