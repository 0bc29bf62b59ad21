"""The weekly upkeep that meets a run: it waits for it, for hours, and says at the end what it was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.aws.jsonata import evaluate
from support.aws.templates import machine
from support.emulated import Account
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.errors import LeaseHeld
from wistlake.ports import LEASE, LEASE_SECONDS
from wistlake.wiring import aws_glue

pytestmark = pytest.mark.aws
KEEP = machine("keep")
STATES = KEEP["States"]
NOW = datetime(2026, 3, 8, 5, 45, tzinfo=UTC)


def failed(message: str) -> dict[str, Any]:
    """What Step Functions says of a job that failed: whatever did, the error has one name."""
    cause = json.dumps({"JobName": "wistlake-dev-keep", "JobRunState": "FAILED", "ErrorMessage": message})
    return {"Error": "States.TaskFailed", "Cause": cause}


def after(message: str, waits: int) -> bool:
    """Whether the machine waits after that failure, and so many waits before it."""
    (catch,) = STATES["Keep"]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "IsHeld")
    (output,) = evaluate((catch["Output"], {"states": {"errorOutput": failed(message)}}))
    (choice,) = STATES["IsHeld"]["Choices"]
    (waiting,) = evaluate((choice["Condition"], {"states": {"input": output}, "waits": waits}))
    assert choice["Next"] == "Wait"
    return bool(waiting)


HELD = "LeaseHeld: the lease `lake` is taken: run-1 has held it since 2026-03-08T02:15:00+00:00"


@pytest.mark.parametrize(
    ("message", "waits", "expected"),
    [
        (HELD, 0, True),
        (f"Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 44; wistlake.errors.{HELD}", 19, True),
        (HELD, 20, False),
        ("StoreDamaged: silver.fact_events is damaged", 0, False),
    ],
)
def test_upkeep_waits_for_a_run_and_for_nothing_else(message: str, waits: int, expected: bool) -> None:
    assert after(message, waits) is expected
    assert STATES["IsHeld"]["Default"] == "Failed"


def test_it_waits_most_of_a_day_and_longer_each_time() -> None:
    assert STATES["Begin"]["Assign"] == {"waits": 0}
    assert (KEEP["StartAt"], STATES["Begin"]["Next"]) == ("Begin", "Keep")
    assert STATES["Wait"]["Next"] == "Keep"
    seconds = evaluate(*((STATES["Wait"]["Seconds"], {"waits": n}) for n in range(20)))
    assert seconds[:4] == [900, 1800, 3600, 3600]
    assert (
        timedelta(hours=18)
        < timedelta(seconds=sum(seconds))
        < timedelta(seconds=KEEP["TimeoutSeconds"] - 4 * 3600)
    )
    assert evaluate((STATES["Wait"]["Assign"]["waits"], {"waits": 4})) == [5]


def test_a_job_asks_for_the_lease_before_it_starts_an_engine(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = account.table("pk", "sk"), account.table("dataset", "media_id")
    ledger = DynamoLedger(*tables, account.client("dynamodb"))
    monkeypatch.setattr(aws_glue, "ledger", lambda _: ledger)
    job = aws_glue.Job("b", "s", "w", "l", "k", "db")
    aws_glue.require_free(job, "upkeep", NOW)
    with ledger.lease(LEASE, "run-1", NOW, LEASE_SECONDS), pytest.raises(LeaseHeld, match="run-1"):
        aws_glue.require_free(job, "upkeep", NOW)
    ledger.take(LEASE, "upkeep", NOW, LEASE_SECONDS)  # a try that was killed
    aws_glue.require_free(job, "upkeep", NOW)
    with ledger.lease(LEASE, "run-2", NOW, LEASE_SECONDS):
        pass
