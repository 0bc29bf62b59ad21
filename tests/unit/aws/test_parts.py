"""The parts of a lake on AWS, as far as they can be had without AWS."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from wistlake.adapters.aws.query import AthenaQuery
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.errors import ConfigError, StoreError
from wistlake.insight.doctor import FAILED, OK
from wistlake.ports import Publication, TableRef
from wistlake.settings import ArgumentsOnly
from wistlake.wiring import aws, aws_glue
from wistlake.wiring.aws_lake import AwsLake
from wistlake.wiring.runtime import Runtime

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
ON_AWS = {
    "place": "aws", "stage": "dev", "token": "simulated", "media_ids": ("abcdef1234",), "bronze_bucket": "bronze",
    "silver_bucket": "silver", "account_timezone": "UTC",
}  # fmt: skip
ARGUMENTS = (
    *("--run_id", "r1", "--stage", "dev", "--bronze_bucket", "b", "--silver_bucket", "s", "--database", "db"),
    *("--watermark_table", "w", "--ledger_table", "l", "--key_secret", "k", "--JOB_NAME", "Glue adds this"),
)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """The lake's ledger, in memory; boto3 asks for a region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    made = MemoryLedger()
    monkeypatch.setattr(aws, "ledger", lambda _: made)
    monkeypatch.setattr(aws, "objects", lambda _: MemoryObjects())
    return made


def lake(**more: Any) -> AwsLake:
    return AwsLake(ArgumentsOnly(**ON_AWS, **more), Runtime(lambda: NOW, lambda: 0.0))


def test_a_jobs_arguments_are_its_own_and_what_glue_adds_is_left_aside() -> None:
    parser = ArgumentParser()
    parser.add_argument("--task")
    given, job = aws_glue.parsed(parser, ["--task", "forget", *ARGUMENTS])
    assert (given.task, given.run_id, given.stage) == ("forget", "r1", "dev")
    assert job == aws_glue.Job("b", "s", "w", "l", "k", "db")
    with pytest.raises(SystemExit):
        aws_glue.parsed(ArgumentParser(), ARGUMENTS[2:])


def test_a_lake_is_asked_by_the_query_of_the_settings(ledger: MemoryLedger) -> None:
    assert isinstance(lake(query="duckdb").query(), DuckDBQuery)
    athena = {"glue_database": "db", "athena_workgroup": "wg"}
    assert isinstance(lake(query="athena", **athena).query(), AthenaQuery)
    with pytest.raises(ConfigError, match=r"GLUE_DATABASE is not set.*\n.*ATHENA_WORKGROUP is not set"):
        lake(query="athena").query()
    with pytest.raises(ConfigError, match=r"^ATHENA_WORKGROUP is not set"):
        lake(query="athena", glue_database="db").query()


@pytest.mark.parametrize(
    ("facts", "verdict", "text"),
    [
        ({}, OK, "none yet"),
        ({"zone": "UTC"}, OK, "s3://bronze"),
        ({"zone": "-05:00"}, FAILED, "set WISTLAKE_ACCOUNT_TIMEZONE=-05:00"),
    ],
)
def test_a_lake_of_another_zone_is_told(
    ledger: MemoryLedger, facts: dict[str, str], verdict: str, text: str
) -> None:
    ledger.put_facts("lake", facts)
    (check,) = lake().examine()
    assert (check.verdict, text in check.detail) == (verdict, True), check


def test_a_lake_that_can_not_be_reached_is_told(
    monkeypatch: pytest.MonkeyPatch, ledger: MemoryLedger
) -> None:
    def away(_: object) -> Iterator[str]:
        raise StoreError("out of reach")

    monkeypatch.setattr(aws, "objects", away)
    (check,) = lake().examine()
    assert (check.verdict, check.detail) == (FAILED, "out of reach")


@pytest.mark.parametrize("published", [True, False])
def test_a_failure_beside_a_damaged_table_is_that_of_the_table(
    monkeypatch: pytest.MonkeyPatch, ledger: MemoryLedger, published: bool
) -> None:
    _, job = aws_glue.parsed(ArgumentParser(), ARGUMENTS)
    monkeypatch.setattr(aws_glue, "S3Objects", lambda _: SimpleNamespace())
    monkeypatch.setattr(aws_glue, "ledger", lambda _: ledger)
    if published:
        ledger.publish(Publication("r0", NOW, {"silver.fact_events": TableRef("s3://elsewhere/x", 1)}))
    kind = StoreError if published else ZeroDivisionError
    with pytest.raises(kind), aws_glue._damage_named(job):
        raise ZeroDivisionError
    with pytest.raises(ConfigError, match="ours"), aws_glue._damage_named(job):
        raise ConfigError("ours")
