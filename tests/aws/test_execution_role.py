"""What CloudFormation may be when it makes a stack: every right that its handlers declare, and no broad one."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from support.aws.templates import INFRA, filled, of_type, roles, template
from support.some import some

pytestmark = pytest.mark.aws
HANDLERS = Path(__file__).parents[2].parent / "shared/aws/cloudformation-handler-permissions.json"
BOOTSTRAP = template("bootstrap.yaml")
GIVEN = {a for s in roles(BOOTSTRAP)["ExecutionRole"] for a in s["Action"]}
MADE = {
    r["Type"]
    for resources in (template("template.yaml"), json.loads((INFRA / "athena.json").read_text("utf-8")))
    for r in resources["Resources"].values()
}
AS_MADE = {  # what SAM's own types become
    "AWS::Serverless::Function": ["AWS::Lambda::Function"],
    "AWS::Serverless::StateMachine": ["AWS::StepFunctions::StateMachine"],
}
# Types whose handlers are not in the list: from their documentation.
DOCUMENTED = {
    "AWS::Budgets::Budget": (
        "budgets:ViewBudget budgets:ModifyBudget budgets:ListTagsForResource budgets:TagResource budgets:UntagResource"
    ),
    "AWS::SQS::QueuePolicy": "sqs:GetQueueAttributes sqs:SetQueueAttributes",
    "AWS::CloudFormation::Stack": (
        "cloudformation:CreateStack cloudformation:UpdateStack cloudformation:DeleteStack cloudformation:DescribeStacks"
        " cloudformation:DescribeStackEvents cloudformation:GetStackPolicy cloudformation:SetStackPolicy"
        " cloudformation:UpdateTerminationProtection cloudformation:TagResource cloudformation:UntagResource"
    ),
    "AWS::Glue::SecurityConfiguration": (
        "glue:CreateSecurityConfiguration glue:DeleteSecurityConfiguration glue:GetSecurityConfiguration"
    ),
    "AWS::Glue::Table": "glue:CreateTable glue:UpdateTable glue:DeleteTable glue:GetTable",
    "AWS::Logs::LogGroup": (
        "logs:CreateLogGroup logs:DeleteLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy"
        " logs:DeleteRetentionPolicy logs:AssociateKmsKey logs:DisassociateKmsKey logs:TagResource"
        " logs:UntagResource logs:ListTagsForResource logs:GetDataProtectionPolicy logs:PutDataProtectionPolicy"
        " logs:DeleteDataProtectionPolicy logs:CreateLogDelivery logs:PutResourcePolicy"
        " logs:DescribeResourcePolicies logs:PutIndexPolicy logs:DeleteIndexPolicy logs:DescribeIndexPolicies"
    ),
    "AWS::SNS::Subscription": (
        "sns:Subscribe sns:Unsubscribe sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes"
        " sns:ListSubscriptionsByTopic iam:GetRole iam:PassRole"
    ),
    "AWS::SNS::TopicPolicy": "sns:GetTopicAttributes sns:SetTopicAttributes",
}
WITHHELD = {
    "iam:DeleteRolePermissionsBoundary",  # with it the role makes roles beyond the boundary
    # of an application that is in a network of ours, or known to an identity centre: this one is neither
    "ec2:CreateNetworkInterface",
    *(f"sso:{verb}Application" for verb in ("Create", "Delete")),
    *(
        f"sso:PutApplication{what}"
        for what in ("AccessScope", "AssignmentConfiguration", "AuthenticationMethod", "Grant")
    ),
    "3:GetBucketWebsite",  # a slip of the pen in the handler: the `s3:` one is given
}
IAM_POLICY_CHARACTERS = 6144
# As long as names may be.
NAMES = {
    "Stage": "twelvesigns2",
    "AWS::StackName": "wistlake-bootstrap-twelvesigns2",
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::AccountId": "123456789012",
    "WatermarkTableName": "A-Name-That-Somebody-Has-Chosen",
    "Artifacts.Arn": "arn:aws-us-gov:s3:::wistlake-artifacts-twelvesigns2-123456789012-ap-southeast-2",
    "ExecutionRole.Arn": "arn:aws-us-gov:iam::123456789012:role/wistlake-bootstrap-twelvesigns2-ExecutionRole-ABC",
    "Boundary": "arn:aws-us-gov:iam::123456789012:policy/wistlake-bootstrap-twelvesigns2-Boundary-ABCDEFGHIJKL",
}


def declared(kind: str) -> set[str]:
    """What the handlers of a resource type may call."""
    if kind in DOCUMENTED:
        return set(DOCUMENTED[kind].split())
    if not HANDLERS.exists():
        pytest.skip(f"{HANDLERS.name} is not beside this repository")
    handlers = json.loads(HANDLERS.read_text("utf-8"))
    return {
        action
        for made in AS_MADE.get(kind, [kind])
        for actions in handlers[made].values()
        for action in actions
    }


@pytest.mark.parametrize("kind", sorted(MADE))
def test_it_has_what_the_handlers_declare(kind: str) -> None:
    missing = [
        action
        for action in some(declared(kind) - WITHHELD)
        if not any(fnmatchcase(action, given) for given in GIVEN)
    ]
    assert not missing, f"{kind}: {', '.join(sorted(missing))}"


def test_what_is_withheld_is_not_given_by_a_wildcard() -> None:
    for action in some(WITHHELD):
        assert not any(fnmatchcase(action, given) for given in GIVEN)


def test_no_wildcard_spans_a_service_and_none_touches_roles() -> None:
    for action in some(a for a in GIVEN if "*" in a):
        service, _, name = action.partition(":")
        assert service != "iam", action
        assert len(name.strip("*")) >= len("Get"), action
        assert name.count("*") == 1, action


def test_nothing_is_changed_beyond_what_carries_our_name() -> None:
    """On everything: looks, and what AWS gives no resources to name."""
    looks = ("Get", "List", "Describe", "Validate")
    nameless = {
        "kms:CreateKey",
        "glue:CreateSecurityConfiguration",
        "glue:DeleteSecurityConfiguration",
        *(f"logs:{verb}LogDelivery" for verb in ("Create", "Update", "Delete")),
        "logs:PutResourcePolicy",
        "logs:*IndexPolicy",
    }
    for statement in some(s for s in roles(BOOTSTRAP)["ExecutionRole"] if s["Resource"] == "*"):
        for action in statement["Action"]:
            assert action in nameless or action.partition(":")[2].startswith(looks), action


def test_no_policy_is_longer_than_iam_allows() -> None:
    policies: dict[str, Any] = of_type(BOOTSTRAP, "AWS::IAM::ManagedPolicy")
    for name, made in some(policies.items()):
        text = json.dumps(filled(made["PolicyDocument"], NAMES), separators=(",", ":"))
        assert len(text) <= IAM_POLICY_CHARACTERS, f"{name}: {len(text)}"
