"""What is wrong with AWS's settings of this machine is named, and is nobody's mistake but theirs."""

from pathlib import Path

import boto3
import duckdb
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, SSOTokenLoadError

from wistlake.adapters.aws import secrets as aws_secrets
from wistlake.adapters.aws.client import client, explained
from wistlake.adapters.aws.query import open_s3
from wistlake.errors import ConfigError, StoreError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that is set up for AWS, and nothing else."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_PROFILE", "nobody"),
        ("AWS_DEFAULT_REGION", ""),
        ("AWS_DEFAULT_REGION", "eu west"),
        ("AWS_CONFIG_FILE", __file__),
        ("AWS_ENDPOINT_URL", "nowhere"),
    ],
)
def test_the_variable_that_is_wrong_is_named(machine: pytest.MonkeyPatch, variable: str, value: str) -> None:
    machine.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable):
        client("s3")


def test_a_region_that_is_not_set_is_named(machine: pytest.MonkeyPatch) -> None:
    machine.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION is not set"):
        client("dynamodb")


def test_a_machine_that_is_set_up_gets_its_client(machine: pytest.MonkeyPatch) -> None:
    assert client("s3").meta.region_name == "eu-west-1"


@pytest.mark.parametrize("error", [NoCredentialsError(), SSOTokenLoadError(error_msg="expired")])
def test_who_is_signed_out_is_told_to_sign_in_and_not_to_wait(error: Exception) -> None:
    with pytest.raises(ConfigError, match="sign in"), explained("the ledger"):
        raise error


def test_a_network_that_is_down_is_still_worth_another_try() -> None:
    with pytest.raises(StoreError, match="run again later"), explained("the ledger"):
        raise EndpointConnectionError(endpoint_url="https://x.example")


@pytest.mark.parametrize("stored", ["tok123", ' "tok123"\r\n', "'tok123'"])
def test_a_secret_is_read_without_the_marks_around_it(stored: str) -> None:
    class Manager:
        def get_secret_value(self, **_: str) -> dict[str, str]:
            return {"SecretString": stored}

    assert aws_secrets.read("token", Manager()) == "tok123"


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_duckdb_reads_with_the_machines_credentials(machine: pytest.MonkeyPatch, endpoint: str) -> None:
    machine.setenv("AWS_ACCESS_KEY_ID", "AKIAOFNOBODY")
    machine.setenv("AWS_SECRET_ACCESS_KEY", "secret of nobody")
    if endpoint:
        machine.setenv("AWS_ENDPOINT_URL", endpoint)
    with duckdb.connect() as connection:
        open_s3(connection)
        ((kind, text),) = connection.execute("SELECT type, secret_string FROM duckdb_secrets()").fetchall()
    settings = dict(part.split("=", maxsplit=1) for part in text.split(";"))
    assert (kind, settings["key_id"], settings["region"]) == ("s3", "AKIAOFNOBODY", "eu-west-1")
    assert settings["secret"] == "redacted"
    seen = {name: settings.get(name) for name in ("endpoint", "url_style", "use_ssl")}
    if endpoint:
        assert seen == {"endpoint": "127.0.0.1:9", "url_style": "path", "use_ssl": "false"}
    else:
        assert "127.0.0.1" not in text


def test_a_machine_without_credentials_is_told_so_before_duckdb_is_asked(machine: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        machine.delenv(name, raising=False)
    machine.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with duckdb.connect() as connection:
        with pytest.raises(ConfigError):
            open_s3(connection)
        assert connection.execute("SELECT count(*) FROM duckdb_secrets()").fetchone() == (0,)
