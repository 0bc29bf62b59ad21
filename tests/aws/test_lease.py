"""Executions that are stopped, and two at once, in the deployed stage. Nothing is built: each is stopped before."""

import time
from datetime import timedelta

import pytest

from support.aws.stage import Stage
from support.lake import START

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1800)]
_WITHIN = 120.0


def owner(stage: Stage) -> str:
    """Who holds the lake's lease; "" if nobody does."""
    key = {"pk": {"S": "lease"}, "sk": {"S": "lake"}}
    found = stage.cloud.client("dynamodb").get_item(
        TableName=stage.outputs["LedgerTable"], Key=key, ConsistentRead=True
    )
    return str(found.get("Item", {}).get("owner", {}).get("S", ""))


def begun(stage: Stage, name: str) -> str:
    """The ARN of an execution of that name, as soon as it holds the lease."""
    moment = START - timedelta(days=1)
    stage.world.clock.set(moment)
    given = f'{{"trigger": "schedule", "scheduled_time": "{moment.isoformat()}"}}'
    machine = stage.outputs["MachineArn"]
    started = stage.cloud.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=name, input=given
    )["executionArn"]
    waited_for(stage, name)
    return str(started)


def waited_for(stage: Stage, name: str) -> None:
    until = time.monotonic() + _WITHIN
    while owner(stage) != name:
        assert time.monotonic() < until, f"{name} does not hold the lease: {owner(stage)} does"
        time.sleep(0.2)


def test_a_stopped_execution_lets_go_by_itself_and_the_next_one_runs(deployed: Stage) -> None:
    states = deployed.cloud.client("stepfunctions")
    for name in ("stopped-1", "stopped-2"):
        execution = begun(deployed, name)
        states.stop_execution(executionArn=execution)
        waited_for(deployed, "")
        assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
