"""The script of the deployment against a broken build and a good one, in a second stage beside the first."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from support.aws.stage import Stage, stage
from support.lake import START, Scenario
from wistia_simulator import Profile

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.timeout(3600)]
QUIET = Scenario(Profile(media=1, sessions_per_day=3, history_days=2), settings={"lookback_days": 1})
NOW = START + timedelta(days=1)


@pytest.fixture(scope="module")
def other(deployed: Stage) -> Iterator[Stage]:
    """A stage of another name in the same account, not deployed yet."""
    with stage(deployed.cloud, QUIET, "other") as made:
        yield made


def smoke(stage: Stage) -> str:
    """What the script says; CalledProcessError if it finds the stage broken."""
    stage.world.clock.set(NOW)
    asked = ("--stage", stage.name, "--now", NOW.isoformat(), "--poll", "1")
    return stage.cloud.script("smoke", *asked, settings=stage.variables)


def test_a_broken_build_is_told_by_its_function(other: Stage, built: Path) -> None:
    handler = built / "lambda" / "wistlake" / "entrypoints" / "aws" / "publish.py"
    good = handler.read_text(encoding="utf-8")
    broken = good.replace('"verdict": ', '"judgement": ')
    assert broken != good
    handler.write_text(broken, encoding="utf-8")
    try:
        other.deploy("broken")
    finally:
        handler.write_text(good, encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        smoke(other)
    assert f"wistlake-{other.name}-publish answered without a proper verdict" in failure.value.stderr


def test_a_good_build_over_it_passes(other: Stage) -> None:
    other.deploy("good-again")
    said = smoke(other)
    for part in ("plan", "ingest", "build", "publish"):
        assert f"wistlake-{other.name}-{part}: " in said
    assert "the machine: " in said


def test_two_stages_share_nothing(deployed: Stage, other: Stage) -> None:
    assert not set(deployed.outputs.values()) & set(other.outputs.values())
    found = other.cloud.client("scheduler").get_schedule(Name=other.outputs["Schedule"])
    assert found["Target"]["Arn"] == other.outputs["MachineArn"]


def test_the_token_reaches_its_secret_and_no_log(deployed: Stage) -> None:
    said = deployed.cloud.script("execute", "--stage", deployed.name, settings=deployed.variables)
    token = deployed.variables["WISTIA_API_TOKEN"]
    assert token not in said
    stored = deployed.cloud.client("secretsmanager").get_secret_value(
        SecretId=deployed.outputs["TokenSecret"]
    )
    assert stored["SecretString"] == token


class TestLogin:
    """Who may be which role: the trust of the bootstrap stack, asked with tokens as GitHub makes them."""

    @pytest.mark.parametrize("environment", ["dev", "prod", "prod-changeset"])
    def test_workflows_in_named_environments_may_deploy(self, deployed: Stage, environment: str) -> None:
        assert deployed.cloud.login("DeployRoleArn", environment=environment)["AWS_SESSION_TOKEN"]

    @pytest.mark.parametrize(
        ("role", "repository", "environment"),
        [
            ("DeployRoleArn", "acme/other", "dev"),
            ("DeployRoleArn", "acme/wistlake-fork", "dev"),
            ("DeployRoleArn", "acme/wistlake", "contract"),
            ("DeployRoleArn", "acme/wistlake", "dev2"),
            ("ContractRoleArn", "acme/wistlake", "dev"),
        ],
    )
    def test_nobody_else(self, deployed: Stage, role: str, repository: str, environment: str) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            deployed.cloud.login(role, repository, environment)
