"""The script of the deployment against a broken build and a good one, in a second stage beside the first."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from support.aws.cloud import REPOSITORY, Cloud
from support.aws.stage import Stage, stage
from support.lake import START, Scenario
from wistia_simulator import Profile

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.timeout(3600)]
QUIET = Scenario(Profile(media=4, sessions_per_day=3, history_days=2), settings={"lookback_days": 1})
NOW = START + timedelta(days=1)


@pytest.fixture(scope="module")
def other(deployed: Stage) -> Iterator[Stage]:
    """A stage of another name in the same account, not deployed yet."""
    deployed.cloud.bootstrap("other")
    with stage(deployed.cloud, QUIET, "other") as made:
        yield made


def smoke(stage: Stage) -> str:
    """What the script says; CalledProcessError if it finds the stage broken."""
    stage.world.clock.set(NOW)
    asked = ("--now", NOW.isoformat(), "--poll", "1")
    return stage.cloud.script("smoke", stage.name, *asked, settings=stage.variables)


def test_a_first_deployment_that_fails_is_not_in_the_way_of_the_second(other: Stage) -> None:
    cloud, s3 = other.cloud, other.cloud.client("s3")
    cloud.bootstrap("third")
    artifacts = cloud.outputs("wistlake-bootstrap-third")["ArtifactBucket"]
    with stage(cloud, QUIET, "third") as third:
        chosen = cloud.changeset("third", third.variables)
        (queries,) = (  # the stack within the stack, which is made when most of it is there
            {"Bucket": artifacts, "Key": found["Key"]}
            for found in s3.list_objects_v2(Bucket=artifacts, Prefix="code/")["Contents"]
            if found["Key"].endswith(".template")
            and b"AWS::Athena::NamedQuery" in s3.get_object(Bucket=artifacts, Key=found["Key"])["Body"].read()
        )
        good = s3.get_object(**queries)["Body"].read()
        s3.put_object(**queries, Body=b'{"Resources": {"Odd": {"Type": "AWS::Odd::Kind"}}}')
        with pytest.raises(subprocess.CalledProcessError) as failure:
            cloud.execute("third", third.variables, chosen)
        assert "wistlake-third is ROLLBACK_COMPLETE: Queries" in failure.value.stderr
        assert _of_third(cloud) == set()

        s3.put_object(**queries, Body=good)
        cloud.client("cloudformation").delete_stack(StackName="wistlake-third")
        third.deploy("second")
        kept = {
            third.outputs[name] for name in ("BronzeBucket", "SilverBucket", "LedgerTable", "WatermarkTable")
        }
        assert _of_third(cloud) == kept


def _of_third(cloud: Cloud) -> set[str]:
    """The buckets and tables of the stage `third`, but the bucket for code."""
    buckets = (b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"])
    names = [*buckets, *cloud.client("dynamodb").list_tables()["TableNames"]]
    return {name for name in names if "third" in name and "artifacts" not in name}


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


def test_a_few_media_are_enough_for_a_smoke_test(other: Stage) -> None:
    followed = {m.media_id for m in other.ledger.media()}
    assert len(followed) == 3
    assert followed < {m.media_id for m in other.world.truth.medias()}


def test_two_stages_share_nothing(deployed: Stage, other: Stage) -> None:
    assert not set(deployed.outputs.values()) & set(other.outputs.values())
    found = other.cloud.client("scheduler").get_schedule(Name=other.outputs["Schedule"])
    assert found["Target"]["Arn"] == other.outputs["MachineArn"]


def test_the_token_reaches_its_secret_and_no_log(deployed: Stage) -> None:
    said = deployed.cloud.script("execute", deployed.name, settings=deployed.variables)
    token = deployed.variables["WISTIA_API_TOKEN"]
    assert token not in said
    stored = deployed.cloud.client("secretsmanager").get_secret_value(
        SecretId=deployed.outputs["TokenSecret"]
    )
    assert stored["SecretString"] == token


class TestLogin:
    """Who may be which role: the trust of the bootstrap stacks, asked with tokens as GitHub makes them."""

    @pytest.mark.parametrize(
        ("stage", "environment", "role"),
        [
            ("dev", "dev", "DeployRoleArn"),
            ("other", "other", "DeployRoleArn"),
            ("other", "other-changeset", "ChangesetRoleArn"),
            ("dev", "contract", "ContractRoleArn"),
        ],
    )
    def test_each_environment_is_one_role(
        self, other: Stage, stage: str, environment: str, role: str
    ) -> None:
        assert other.cloud.login(role, stage, environment=environment)["AWS_SESSION_TOKEN"]

    @pytest.mark.parametrize(
        ("role", "repository", "environment"),
        [
            ("DeployRoleArn", "acme@101/other@203", "other"),
            ("DeployRoleArn", "acme@999/wistlake@202", "other"),
            ("DeployRoleArn", "acme/wistlake", "other"),  # the name alone may be somebody else's by now
            ("DeployRoleArn", REPOSITORY, "dev"),
            ("DeployRoleArn", REPOSITORY, "other-changeset"),
            ("DeployRoleArn", REPOSITORY, "other2"),
            ("ChangesetRoleArn", REPOSITORY, "other"),
            ("ContractRoleArn", REPOSITORY, "other"),
        ],
    )
    def test_nobody_else(self, other: Stage, role: str, repository: str, environment: str) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            other.cloud.login(role, "other", repository, environment)

    def test_who_may_deploy_one_stage_may_not_deploy_another(self, deployed: Stage, other: Stage) -> None:
        of_dev = other.cloud.login("DeployRoleArn", deployed.name)
        with pytest.raises(subprocess.CalledProcessError) as failure:
            other.cloud.step(sys.executable, "infra/deploy.py", "smoke", "--stage", other.name, **of_dev)
        assert "AccessDenied" in failure.value.stderr
