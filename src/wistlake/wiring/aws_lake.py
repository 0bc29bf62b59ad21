"""A lake on AWS as commands on a signed-in laptop see it: read from here, its jobs started there."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NoReturn

from wistlake.adapters import lake_bytes
from wistlake.adapters.aws import jobs
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.table_files import FilesInspector
from wistlake.codec import encode
from wistlake.errors import ConfigError, WistlakeError
from wistlake.insight import doctor
from wistlake.insight.doctor import FAILED, OK, Check
from wistlake.insight.preview import Inputs
from wistlake.pipeline.jobs import request as keep
from wistlake.pipeline.jobs.forget import Who, ask_source
from wistlake.pipeline.jobs.request import Request
from wistlake.pipeline.run.lake import LAKE
from wistlake.ports import ObjectStore, Query
from wistlake.privacy.keys import KeyChain
from wistlake.privacy.scan import Piece
from wistlake.quality.views import views
from wistlake.settings import Settings
from wistlake.wiring import aws
from wistlake.wiring.laptop import Receipt
from wistlake.wiring.runtime import Runtime


@dataclass(frozen=True, slots=True)
class AwsLake:
    """The lake of a stack."""

    settings: Settings
    runtime: Runtime
    builds_here: ClassVar[bool] = False  # the tables

    @property
    def label(self) -> str:
        """Where the lake is, for people."""
        return f"on AWS, stage {self.settings.stage}"

    def here(self) -> NoReturn:
        """ConfigError: what this machine can do to a folder, the stack does to this lake."""
        raise ConfigError(
            "WISTLAKE_PLACE is aws: there the state machine does this, start an execution of it; "
            "or set WISTLAKE_PLACE=laptop"
        )

    # Stores

    def ledger(self, *, read_only: bool = False) -> DynamoLedger:
        """Its ledger."""
        return aws.ledger(self.settings)

    def objects(self) -> S3Objects:
        """Its raw pages."""
        return aws.objects(self.settings)

    def inspector(self) -> FilesInspector:
        """Looks at the files of its tables."""
        return FilesInspector(aws.table_files(self.settings))

    def query(self, *, held: bool = False) -> Query:
        """SQL over its published tables: by DuckDB straight from S3, `held` for a reader of many figures, or by
        Athena."""
        from wistlake.adapters.aws.query import AthenaQuery, open_s3
        from wistlake.adapters.duckdb_query import DuckDBQuery
        from wistlake.adapters.held_query import HeldQuery

        if self.settings.query == "duckdb":
            kind = HeldQuery if held else DuckDBQuery
            return kind(self.ledger(), views(), prepare=open_s3, inspector=self.inspector())
        database, workgroup = self.settings.glue_database, self.settings.athena_workgroup
        missing = [
            f"{variable} is not set: the stack's outputs name it"
            for variable, value in (("GLUE_DATABASE", database), ("ATHENA_WORKGROUP", workgroup))
            if not value
        ]
        if missing:
            raise ConfigError(missing)
        return AthenaQuery(self.ledger(), database, workgroup, views())

    def plan_inputs(self) -> Inputs:
        """What a plan depends on, of its ledger."""
        return Inputs.of(self.ledger())

    # Jobs on the whole lake

    def forget(self, run_id: str, now: datetime, who: Who, *, dry_run: bool) -> Receipt:
        """Forget a person; the receipt. Wistia is asked from here, with this machine's token."""
        visitors = asyncio.run(ask_source(lambda: aws.client(self.settings, self.runtime), who))
        return self._by_the_job(run_id, Request(keep.FORGET, now, who, visitors, dry_run))

    def key_chain(self) -> KeyChain:
        """The pseudonym keys, a pending one included."""
        return aws.key_ring(self.settings).load()

    def rotate(self, run_id: str, now: datetime) -> Receipt:
        """Begin a new epoch of pseudonyms; what was done."""
        return self._by_the_job(run_id, Request(keep.ROTATE, now))

    def maintain(self, run_id: str, now: datetime) -> Receipt:
        """Upkeep of the tables; what was done."""
        return self._by_the_job(run_id, Request(keep.MAINTAIN, now))

    def _by_the_job(self, run_id: str, request: Request) -> Receipt:
        """Leave the request where the Glue job finds it, and wait for the result. The request may name a person:
        it does not outlive this call."""
        objects, key = self.objects(), keep.request_key(run_id)
        objects.put(key, json.dumps(encode(Request, request)).encode())
        try:
            arguments = {"--task": request.task, "--run_id": run_id, "--request_key": key}
            jobs.run(f"wistlake-{self.settings.stage}-keep", arguments, time.sleep)
        finally:
            objects.delete([key])
        receipt: Receipt = json.loads(objects.get(keep.result_key(run_id)))
        return receipt

    # What `wistlake doctor` looks at

    def examine(self) -> Iterator[Check]:
        """Whether the lake can be read from here, and is the one that the settings describe."""
        table = aws.ledger_table(self.settings)
        try:
            described = self.ledger().facts(LAKE)
            next(self.objects().list("bronze/"), None)
        except WistlakeError as e:
            yield Check("lake", FAILED, str(e))
            return
        if not described:
            yield Check("lake", OK, f"{table}: none yet, the first execution begins it")
        elif (zone := described["zone"]) != self.settings.account_timezone:
            yield Check("lake", FAILED, f"its days are in {zone}: set WISTLAKE_ACCOUNT_TIMEZONE={zone}")
        else:
            yield Check("lake", OK, f"{table}, s3://{self.settings.bronze_bucket}")

    def look_deep(self) -> Iterator[Check]:
        """Every file of the published tables against what their metadata say of it (S3 keeps checksums itself), and
        every raw page."""
        yield doctor.deep("tables", self.inspector().damaged(self.ledger().publication))
        yield doctor.deep("raw pages", doctor.damaged_raw_pages(self.objects()))

    def clean_pieces(self, objects: ObjectStore) -> Iterator[Piece]:
        """Everything in both buckets that should hold no personal data, unpacked, older versions included: every
        byte travels to this machine."""
        for bucket, prefix in ((self.objects(), ""), (aws.table_files(self.settings).objects, "silver/")):
            for key, read in bucket.contents():
                if doctor.must_be_clean(objects, place := f"{prefix}{key}"):
                    yield from lake_bytes.unpacked(place, read())

    def look_for_people(self) -> Iterator[Check]:
        """What personal data and secrets seem to be where they should not, a check for each kind."""
        objects = self.objects()
        yield from doctor.personal_data(self.clean_pieces(objects), objects, self.settings.secrets())
