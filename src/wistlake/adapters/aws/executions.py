"""Executions of the state machines: whether one is still under way."""

from typing import Any

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained

_UNDER_WAY = ("RUNNING", "PENDING_REDRIVE")


def is_over(execution: str, states: Any = None) -> bool:
    """Whether the execution, by its ARN, has ended, or is so old that Step Functions has forgotten it."""
    states = states or client("stepfunctions")
    with explained(f"the execution {execution}"):
        try:
            status = states.describe_execution(executionArn=execution)["status"]
        except ClientError as e:
            if code_of(e) == "ExecutionDoesNotExist":
                return True
            raise
    return status not in _UNDER_WAY
