"""Clients of AWS services, and their errors as ours. Credentials, region and endpoint are the process's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from wistlake.errors import StoreError

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=60,
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_CURES = {
    **dict.fromkeys(_DENIED, "let the role do this, and run again"),
    "NoSuchBucket": "deploy the stack that makes the bucket, or correct the setting that names it",
    "EntityNotFoundException": "deploy the stack that makes it, or correct WISTLAKE_STAGE",
    "ResourceNotFoundException": "deploy the stack that makes it, or correct the setting that names it",
}


def client(service: str, **options: Any) -> Any:
    """A client of one service; `options` go to boto3 (tests name an endpoint)."""
    make: Any = boto3.client  # its types know every service by name, not a text
    return make(service, config=_CONFIG, **options)


def code_of(error: ClientError) -> str:
    """What AWS calls the error, or the HTTP status where it says nothing else."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """An error of AWS, or on the way there, as the StoreError that names `what`, AWS's word and the cure."""
    try:
        yield
    except ClientError as e:
        code = code_of(e)
        cure = _CURES.get(code, "if it stays so, look at the service's status")
        raise StoreError(f"{e.operation_name} on {what}: {code}: {_said(e)}: {cure}") from e
    except BotoCoreError as e:
        raise StoreError(f"{what}: AWS was not reached ({type(e).__name__}): run again later") from e


def _said(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")).rstrip(". ")
