"""What is looked for before anything is made: each finding against an account, or a repository, that has the fault."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.aws.script import script
from support.some import some

pytestmark = pytest.mark.aws
doctor = script("doctor")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
OPEN = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
REPOSITORY = {
    "private": True,
    "created_at": "2026-11-01T00:00:00Z",
    "name": "wistlake",
    "id": 202,
    "owner": {"login": "acme", "id": 101},
}


class Account:
    """An account that answers as AWS does: healthy unless a test changes it."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {
            "get_caller_identity": {
                "Account": "123456789012",
                "Arn": "arn:aws:iam::123456789012:user/somebody",
            },
            "list_open_id_connect_providers": {"OpenIDConnectProviderList": []},
            "get_open_id_connect_provider": {"ClientIDList": ["sts.amazonaws.com"]},
            "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
            "list_service_quotas": {"Quotas": [{"QuotaName": "Max task DPUs per account", "Value": 300.0}]},
            "get_data_lake_settings": {
                "DataLakeSettings": {
                    "CreateDatabaseDefaultPermissions": OPEN,
                    "CreateTableDefaultPermissions": OPEN,
                }
            },
            "list_buckets": {"Buckets": []},
            "list_tables": {"TableNames": []},
            "describe_secret": {"Name": "wistlake-dev/slack"},
        }

    def client(self, _service: str) -> "Account":
        return self

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803, boto3's name
        if StackName in self.stacks:
            return {"Stacks": [self.stacks[StackName]]}
        error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
        raise ClientError({"Error": error}, "DescribeStacks")

    def get_paginator(self, name: str) -> Any:
        answer = self.answers[name]
        return type("Pages", (), {"paginate": staticmethod(lambda **_: [answer])})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(**_: Any) -> Any:
            if isinstance(found := self.answers[name], Exception):
                raise found
            return found

        return answer


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def repository() -> dict[str, Any]:
    """What GitHub answers about the repository, by path."""
    at = "repos/acme/wistlake"
    return {
        at: REPOSITORY,
        f"{at}/environments": {"environments": [{"name": "dev"}]},
        f"{at}/actions/variables?per_page=100": {
            "variables": [{"name": "AWS_REGION"}, {"name": "MEDIA_IDS"}]
        },
        f"{at}/environments/dev/variables?per_page=100": {"variables": [{"name": "AWS_DEPLOY_ROLE_ARN"}]},
        f"{at}/actions/secrets?per_page=100": {"secrets": [{"name": "WISTIA_API_TOKEN"}]},
    }


def found(account: Account, github: dict[str, Any] | None = None, **environment: str) -> dict[str, list[str]]:
    """The findings by their verdict."""
    region = {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    name = "" if github is None else "acme/wistlake"
    asked = doctor.Asked("dev", name, region | environment, account.client, (github or {}).get)
    told: dict[str, list[str]] = {doctor.FINE: [], doctor.WRONG: [], doctor.NOTE: []}
    for verdict, text in doctor.findings(asked):
        told[verdict].append(text)
    return told


@pytest.mark.parametrize(
    ("vcpus", "executors", "says"),
    [(16.0, "", "EMR_EXECUTORS=3,"), (36.0, "", ""), (16.0, "3", ""), (16.0, "4", "EMR_EXECUTORS=3,")],
)
def test_an_application_must_find_room(account: Account, vcpus: float, executors: str, says: str) -> None:
    account.answers["list_service_quotas"] = {
        "Quotas": [
            {"QuotaName": "Max task DPUs per account", "Value": 300.0},
            {"QuotaName": "Max concurrent vCPUs per account", "Value": vcpus},
        ]
    }
    told = found(account, BUILD_ENGINE="emr-serverless", EMR_EXECUTORS=executors)[doctor.WRONG]
    assert len(told) == bool(says)
    assert says in "".join(told)


def test_an_image_is_of_a_repository_that_the_stage_may_read(account: Account) -> None:
    place = "1.dkr.ecr.eu-central-1.amazonaws.com"
    for name, faults in (("wistlake-dev-build", 0), ("wistlake-prod-build", 1), ("spark", 1)):
        told = found(account, BUILD_ENGINE="emr-serverless", EMR_IMAGE=f"{place}/{name}:1")
        assert len(told[doctor.WRONG]) == faults


def test_a_budget_counts_once_its_tag_is_active(account: Account) -> None:
    assert not any("budget" in text for texts in found(account).values() for text in texts)
    account.answers["list_cost_allocation_tags"] = {"CostAllocationTags": []}
    assert "update-cost-allocation-tags-status" in "".join(found(account, BUDGET_DOLLARS="50")[doctor.NOTE])
    account.answers["list_cost_allocation_tags"] = {"CostAllocationTags": [{"TagKey": "stage"}]}
    assert any("budget counts" in text for text in found(account, BUDGET_DOLLARS="50")[doctor.FINE])
    refused = {"Code": "AccessDeniedException", "Message": "linked account"}
    account.answers["list_cost_allocation_tags"] = ClientError({"Error": refused}, "ListCostAllocationTags")
    assert "not known" in "".join(found(account, BUDGET_DOLLARS="50")[doctor.NOTE])


def test_an_empty_account_has_nothing_to_mend(account: Account, repository: dict[str, Any]) -> None:
    told = found(account, repository)
    assert told[doctor.WRONG] == []
    assert len(told[doctor.FINE]) >= 8
    assert told[doctor.NOTE] == ["there is no stack wistlake-bootstrap-dev yet: docs/setup.md, step 2"]


def bootstrap(**stack: Any) -> dict[str, Any]:
    trusted = [{"ParameterKey": "Repository", "ParameterValue": "acme/wistlake"}]
    return {"StackStatus": "CREATE_COMPLETE", "Parameters": trusted} | stack


@pytest.mark.parametrize(
    ("answer", "value", "cure"),
    [
        ("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 5}}, "set MEDIA_AT_ONCE=2"),
        (
            "list_service_quotas",
            {"Quotas": [{"QuotaName": "Max task DPUs per account", "Value": 2.0}]},
            "4 are needed",
        ),
        (
            "get_data_lake_settings",
            {"DataLakeSettings": {"CreateTableDefaultPermissions": OPEN}},
            "Lake Formation",
        ),
        (
            "list_buckets",
            {"Buckets": [{"Name": "wistlake-bronze-dev-1-eu-central-1"}]},
            "wistlake-bronze-dev-1",
        ),
        ("list_tables", {"TableNames": ["WistlakeLedger-dev", "Another"]}, "left: WistlakeLedger-dev:"),
    ],
)
def test_what_the_account_lacks_is_said_with_its_cure(
    account: Account, answer: str, value: Any, cure: str
) -> None:
    account.answers[answer] = value
    (wrong,) = found(account)[doctor.WRONG]
    assert cure in wrong


def test_what_another_stage_or_region_has_is_not_in_the_way(account: Account) -> None:
    others = ("wistlake-bronze-dev2-1-eu-central-1", "wistlake-bronze-dev-1-us-east-1", "dev")
    account.answers["list_buckets"] = {"Buckets": [{"Name": name} for name in others]}
    account.answers["list_tables"] = {"TableNames": ["WistlakeLedger-prod"]}
    assert found(account)[doctor.WRONG] == []


@pytest.mark.parametrize(
    "regions", [{"AWS_REGION": ""}, {"AWS_DEFAULT_REGION": ""}, {"AWS_DEFAULT_REGION": "us-east-1"}]
)
def test_a_region_that_is_not_named_for_every_tool(account: Account, regions: dict[str, str]) -> None:
    (wrong,) = found(account, **regions)[doctor.WRONG]
    assert "export AWS_" in wrong


def test_a_provider_that_is_there_is_used(account: Account) -> None:
    account.answers["list_open_id_connect_providers"] = {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]}
    assert any(f"ProviderArn={PROVIDER}" in text for text in found(account)[doctor.FINE])
    account.answers["get_open_id_connect_provider"] = {"ClientIDList": ["https://github.com/acme"]}
    (wrong,) = found(account)[doctor.WRONG]
    assert f"{PROVIDER} --client-id sts.amazonaws.com" in wrong


def test_nobody_is_signed_in(account: Account) -> None:
    error = {"Code": "ExpiredToken", "Message": "The security token is expired"}
    account.answers["get_caller_identity"] = ClientError({"Error": error}, "GetCallerIdentity")
    (wrong,) = found(account)[doctor.WRONG]  # and not once for each check
    assert "expired" in wrong


def test_a_stack_that_failed_names_how_it_is_removed(account: Account) -> None:
    account.stacks["wistlake-dev"] = {"StackStatus": "ROLLBACK_COMPLETE"}
    (wrong,) = found(account)[doctor.WRONG]
    assert "delete-stack --stack-name wistlake-dev" in wrong
    account.stacks["wistlake-dev"] = {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}
    assert found(account)[doctor.WRONG] == []
    account.stacks["wistlake-bootstrap-dev"] = bootstrap(StackStatus="ROLLBACK_COMPLETE")
    (wrong,) = found(account)[doctor.WRONG]
    assert "wistlake-bootstrap-dev is ROLLBACK_COMPLETE" in wrong


@pytest.mark.parametrize(
    ("made", "named"),
    [("2026-11-01T00:00:00Z", "acme@101/wistlake@202"), ("2024-01-01T00:00:00Z", "acme/wistlake")],
)
def test_trust_is_compared_with_what_tokens_will_say(
    account: Account, repository: dict[str, Any], made: str, named: str
) -> None:
    assert date.fromisoformat(doctor.IMMUTABLE_SINCE) == date(2026, 7, 15)
    repository["repos/acme/wistlake"] = REPOSITORY | {"created_at": made}
    for trusted in some(["acme/wistlake", "acme@101/wistlake@202", "acme/other"]):
        account.stacks["wistlake-bootstrap-dev"] = bootstrap(
            Parameters=[{"ParameterKey": "Repository", "ParameterValue": trusted}]
        )
        wrong = found(account, repository)[doctor.WRONG]
        assert bool(wrong) is (trusted != named)
        assert all(f"Repository={named}" in text for text in wrong)


def test_what_the_repository_lacks(account: Account, repository: dict[str, Any]) -> None:
    at = "repos/acme/wistlake"
    del repository[f"{at}/environments/dev/variables?per_page=100"]
    repository[f"{at}/environments"] = {"environments": [{"name": "prod"}]}
    wrong = found(account, repository)[doctor.WRONG]
    assert any("no environment dev" in text for text in wrong)
    assert any("AWS_DEPLOY_ROLE_ARN" in text for text in wrong)
    repository[f"{at}/environments"] = {"environments": []}  # a private one on GitHub Free
    assert any("GitHub Free" in text for text in found(account, repository)[doctor.NOTE])
    assert any("gh can't see" in text for text in found(account, {"repos/acme/other": {}})[doctor.NOTE])


@pytest.mark.parametrize(
    ("arn", "key", "wrong"),
    [
        ("arn:aws:secretsmanager:eu-central-1:1:secret:wistlake-dev/slack-Ab12", None, ""),
        ("arn:aws:secretsmanager:eu-central-1:1:secret:wistlake-dev/slack-Ab12", "alias/ours", "alias/ours"),
        (
            "arn:aws:secretsmanager:eu-central-1:1:secret:wistlake-prod/slack-Ab12",
            None,
            "below wistlake-dev/",
        ),
    ],
)
def test_a_secret_that_the_stage_did_not_make(
    account: Account, arn: str, key: str | None, wrong: str
) -> None:
    account.answers["describe_secret"] = {"KmsKeyId": key} if key else {}
    for variable in some(doctor.SECRETS):
        told = found(account, **{variable: arn})[doctor.WRONG]
        assert bool(told) is bool(wrong)
        assert all(wrong in text and text.startswith(variable) for text in told)
