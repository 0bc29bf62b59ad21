"""Clients of AWS services, and their errors as wistlake's. Credentials, region and endpoint come from the process."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from wistlake.errors import ConfigError, StoreBusy, StoreError
from wistlake.pool import WORKERS

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=WORKERS,
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_CURES = {
    **dict.fromkeys(_DENIED, "let the role do this, and run again"),
    "NoSuchBucket": "deploy the stack that makes the bucket, or correct the setting that names it",
    "EntityNotFoundException": "deploy the stack that makes it, or correct WISTLAKE_STAGE",
    "ResourceNotFoundException": "deploy the stack that makes it, or correct the setting that names it",
}
# The setting that an error of botocore's is about, by the error's name.
_SETTINGS = {
    "ProfileNotFound": "AWS_PROFILE names a profile that is not there",
    "NoRegionError": "AWS_DEFAULT_REGION is not set",
    "InvalidRegionError": "AWS_DEFAULT_REGION isn't a region",
    "ConfigParseError": "AWS_CONFIG_FILE, or AWS_SHARED_CREDENTIALS_FILE, can't be read",
    "ConfigNotFound": "AWS_CONFIG_FILE names a file that is not there",
    "ValueError": "AWS_DEFAULT_REGION isn't a region, or AWS_ENDPOINT_URL isn't a URL",
}
# In the codes of errors that pass by themselves; DynamoDB and Glue answer 400 even to these.
_TRANSIENT = (
    "Throttl", "TooManyRequests", "Exceeded", "SlowDown", "Conflict", "TransactionCanceled", "RequestTimeout",
)  # fmt: skip
_SIGNED_OUT = ("Credential", "SSO", "Token")  # in the names of errors about the caller's identity


def client(service: str, **options: Any) -> Any:
    """A client of one service; `options` go to boto3 (tests name an endpoint). ConfigError if this machine is
    not set up for AWS."""
    make: Any = boto3.client  # its type stubs take literal names of services only
    with set_up():
        return make(service, config=_CONFIG, **options)


@contextmanager
def set_up() -> Iterator[None]:
    """Translate errors about AWS's variables and files on this machine into a ConfigError that names them."""
    try:
        yield
    except (BotoCoreError, ValueError) as e:
        raise _setup_error(e) from e


def _setup_error(error: Exception) -> ConfigError:
    name = type(error).__name__
    if any(word in name for word in _SIGNED_OUT):
        return ConfigError(
            f"AWS credentials are missing or have expired ({name}): sign in (aws sso login), or set AWS_PROFILE"
        )
    what = _SETTINGS.get(name, f"one of AWS's settings on this machine is of no use ({name})")
    return ConfigError(f"{what}: correct it")


def code_of(error: ClientError) -> str:
    """AWS's code for the error; the HTTP status if there is no other."""
    return str(error.response.get("Error", {}).get("Code", ""))


def conditionally(call: Callable[..., Mapping[str, Any]], **request: Any) -> Mapping[str, Any] | None:
    """DynamoDB's response to a conditional write; None if the condition does not hold."""
    try:
        return call(**request)
    except ClientError as e:
        if code_of(e) != "ConditionalCheckFailedException":
            raise
        return None


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Translate errors of AWS, or of the network, into a StoreError that names `what`, AWS's message and the cure."""
    try:
        yield
    except ClientError as e:
        code = code_of(e)
        cure = _CURES.get(code, "if it stays so, look at the service's status")
        message = str(e.response.get("Error", {}).get("Message", "")).rstrip(". ")
        error = StoreBusy if _is_transient(e) else StoreError
        raise error(f"{e.operation_name} on {what}: {code}: {message}: {cure}") from e
    except BotoCoreError as e:
        if any(word in type(e).__name__ for word in _SIGNED_OUT):
            raise _setup_error(e) from e
        raise StoreBusy(f"{what}: AWS was not reached ({type(e).__name__}): run again later") from e


def _is_transient(error: ClientError) -> bool:
    """Whether the same call may succeed soon: the service throttles, has failed, or met another writer."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status == 429 or status >= 500 or any(word in code_of(error) for word in _TRANSIENT)
