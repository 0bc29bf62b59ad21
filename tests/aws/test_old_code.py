"""Code in the bucket of the bootstrap stack: what nobody runs goes after its time, what somebody runs never does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.aws.script import script
from support.aws.templates import of_type, roles, template

pytestmark = pytest.mark.aws
deploy, old_code = script("deploy"), script("old_code")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LIMIT = NOW - timedelta(days=90)


class Bucket:
    """Objects by key, with their age in days; `refused` keys can't be deleted."""

    def __init__(self, refused: str = "", **ages: int) -> None:
        self.objects = {
            f"code/{name.replace('__', '/')}": NOW - timedelta(days=age) for name, age in ages.items()
        }
        self.refused = refused

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        found = [
            {"Key": k, "LastModified": at} for k, at in self.objects.items() if k.startswith(asked["Prefix"])
        ]
        return [{"Contents": found[:1]}, {"Contents": found[1:]}] if found else [{}]

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        return {
            "KeyCount": len([k for k in self.objects if k.startswith(asked["Prefix"])][: asked["MaxKeys"]])
        }

    def delete_objects(self, **asked: Any) -> dict[str, Any]:
        keys = [o["Key"] for o in asked["Delete"]["Objects"]]
        assert len(keys) <= 1000
        if self.refused:
            return {"Errors": [{"Key": keys[0], "Code": self.refused}]}
        for key in keys:
            del self.objects[key]
        return {}


class CloudFormation:
    """A stack that runs one version; change sets with theirs, and whether they may still be executed."""

    def __init__(self, runs: str, **waiting: str) -> None:
        self.runs, self.waiting = runs, waiting

    def _described(self, where: str) -> dict[str, Any]:
        other = {"ParameterKey": "Stage", "ParameterValue": "dev"}
        return {"Parameters": [other, {"ParameterKey": "CodePrefix", "ParameterValue": where}]}

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [self._described(self.runs)]}

    def get_paginator(self, name: str) -> "CloudFormation":
        assert name == "list_change_sets"
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        status = {"done": "EXECUTE_COMPLETE"}
        return [
            {
                "Summaries": [
                    {"ChangeSetName": n, "ExecutionStatus": status.get(n, "AVAILABLE")} for n in self.waiting
                ]
            }
        ]

    def describe_change_set(self, **asked: str) -> dict[str, Any]:
        return self._described(self.waiting[asked["ChangeSetName"]])


def test_what_runs_or_waits_to_is_used() -> None:
    stack = CloudFormation("code/a", waits="code/b", done="code/c")
    assert old_code.used("wistlake-dev", stack) == {"code/a", "code/b"}


def test_only_old_code_goes_that_nobody_uses() -> None:
    bucket = Bucket(
        runs__wistlake=400, runs__sam__x=400, waits__wistlake=100, old__wistlake=91, old__sam__x=100,
        young__wistlake=89, half__wistlake=91, half__sam__x=1,
    )  # fmt: skip
    assert old_code.remove("artifacts", {"code/runs", "code/waits"}, LIMIT, bucket) == ["code/old"]
    assert {k.split("/")[1] for k in bucket.objects} == {"runs", "waits", "young", "half"}
    assert old_code.remove("artifacts", {"code/runs", "code/waits"}, LIMIT, bucket) == []


def test_more_objects_than_one_request_takes() -> None:
    bucket = Bucket(**{f"old__{n}": 99 for n in range(2_001)})
    assert old_code.remove("artifacts", set(), LIMIT, bucket) == ["code/old"]
    assert bucket.objects == {}


def test_what_cannot_be_deleted_is_named() -> None:
    with pytest.raises(old_code.Stays, match="code/old/x: AccessDenied"):
        old_code.remove("artifacts", set(), LIMIT, Bucket(refused="AccessDenied", old__x=99))


class TestDeployment:
    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Bucket:
        bucket = Bucket(runs__x=9_999, old__x=9_999)
        clients = {
            "s3": bucket,
            "cloudformation": CloudFormation("code/runs", gone="code/gone", old="code/old"),
        }
        monkeypatch.setattr(deploy.boto3, "client", lambda name: clients[name])
        monkeypatch.setattr(deploy, "outputs", lambda stack: {"ArtifactBucket": "artifacts"})
        monkeypatch.setattr(deploy, "_parameters", lambda stack: {"CodeRetentionDays": "90"})
        return bucket

    def test_a_change_set_whose_code_is_gone_is_not_executed(self, bucket: Bucket) -> None:
        deploy._require_code("dev", "old")
        with pytest.raises(deploy.Broken, match="code/gone is gone from artifacts: make the change set anew"):
            deploy._require_code("dev", "gone")

    def test_a_deployment_clears_what_nobody_runs(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        deploy._remove_old_code("dev")
        assert set(bucket.objects) == {"code/runs/x", "code/old/x"}, "the change set still waits for it"
        monkeypatch.setattr(deploy.boto3.client("cloudformation"), "waiting", {})
        bucket.refused = "AccessDenied"
        deploy._remove_old_code("dev")
        assert "older code stays: code/old/x: AccessDenied" in capsys.readouterr().out
        bucket.refused = ""
        deploy._remove_old_code("dev")
        assert set(bucket.objects) == {"code/runs/x"}


def test_the_deploy_role_may_delete_code_and_nothing_else() -> None:
    may = [s for s in roles(template("bootstrap.yaml"))["DeployRole"] if "s3:DeleteObject" in s["Action"]]
    assert [s["Resource"] for s in may] == [{"Fn::Sub": "${Artifacts.Arn}/code/*"}]


def test_what_was_deleted_is_gone_for_good_some_day() -> None:
    """A delete marker without a version behind it goes too, in every bucket: lists would pass by it for ever."""
    both = (template("template.yaml"), template("bootstrap.yaml"))
    buckets = {name: b for stack in both for name, b in of_type(stack, "AWS::S3::Bucket").items()}
    assert set(buckets) == {"BronzeBucket", "SilverBucket", "Artifacts"}
    for name, bucket in buckets.items():
        rules = [r for r in bucket["LifecycleConfiguration"]["Rules"] if r.get("ExpiredObjectDeleteMarker")]
        (rule,) = rules
        assert (rule["Status"], "Prefix" in rule, "ExpirationInDays" in rule) == ("Enabled", False, False), (
            name
        )
        assert "NoncurrentVersionExpiration" in rule
