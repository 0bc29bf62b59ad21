"""What would stop a deployment, looked for before anything is made: `infra/deploy.py doctor`.

Each check asks one thing and answers with findings: what is well, what must be mended and how, what is worth knowing.
Nothing is changed. Signed in as the person who bootstraps the account; what only GitHub knows is asked through `gh`,
where it is there and signed in.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

FINE, WRONG, NOTE = "ok", "WRONG", "note"
IMMUTABLE_SINCE = "2026-07-15"  # repositories made later have their ids in the tokens of their workflows
ISSUER = "token.actions.githubusercontent.com"
EVERYBODY = "IAM_ALLOWED_PRINCIPALS"  # Lake Formation's word for: IAM decides
FUNCTIONS_BESIDE = 3  # plan, publish, and one that is called while the others still run
SECRETS = {
    "SLACK_SECRET_ARN": "Slack's",
    "TEAMS_SECRET_ARN": "Teams'",
    "SMTP_SECRET_ARN": "the mail server's",
    "LINEAGE_SECRET_ARN": "the lineage's",
}
Finding = tuple[str, str]
Client = Callable[[str], Any]


@dataclass(frozen=True)
class Asked:
    """What is to be deployed: the stage, from which repository (may be unknown), with which variables."""

    stage: str
    repository: str
    environment: Mapping[str, str]
    client: Client
    github: Callable[[str], Any]

    def region(self) -> str:
        """Where everything goes."""
        return self.environment.get("AWS_REGION", "")


def findings(asked: Asked) -> Iterator[Finding]:
    """All findings, in the order in which a person meets them."""
    checks: Sequence[Callable[[Asked], Iterator[Finding]]] = (
        _region,
        _account,
        _provider,
        _bootstrap,
        _leftovers,
        _functions,
        _workers,
        _application,
        _budget,
        _lake_formation,
        _secrets,
        _repository,
    )
    for check in checks:
        try:
            yield from check(asked)
        except (ClientError, BotoCoreError) as e:
            yield WRONG, f"could not ask AWS: {e}"
            if check is _account:
                return  # nothing else will answer


def _region(asked: Asked) -> Iterator[Finding]:
    region, other = asked.region(), asked.environment.get("AWS_DEFAULT_REGION", "")
    if not region:
        yield WRONG, "AWS_REGION is not set: export AWS_REGION=eu-central-1, or where else the lake shall be"
    elif other != region:
        yield (
            WRONG,
            (
                f"AWS_DEFAULT_REGION is {other or 'not set'}, and AWS_REGION {region}: the AWS CLI reads the first; "
                f"export AWS_DEFAULT_REGION={region}"
            ),
        )
    else:
        yield FINE, f"everything goes to {region}"


def _account(asked: Asked) -> Iterator[Finding]:
    who = asked.client("sts").get_caller_identity()
    yield FINE, f"signed in to account {who['Account']} as {who['Arn']}"


def _provider(asked: Asked) -> Iterator[Finding]:
    found = asked.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    arn = next((p["Arn"] for p in found if p["Arn"].endswith(ISSUER)), "")
    if not arn:
        yield FINE, "the account has no OIDC provider for GitHub: the bootstrap stack makes it"
        return
    audiences = asked.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
    if "sts.amazonaws.com" in audiences:
        yield FINE, f"GitHub's OIDC provider is there: give the bootstrap stack ProviderArn={arn}"
    else:
        cure = f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn}"
        yield WRONG, f"{arn} lets nobody in to AWS: {cure} --client-id sts.amazonaws.com"


def _bootstrap(asked: Asked) -> Iterator[Finding]:
    name = f"wistlake-bootstrap-{asked.stage}"
    stack = _stack(asked, name)
    if stack is None:
        yield NOTE, f"there is no stack {name} yet: docs/setup.md, step 2"
        return
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}
    trusted = parameters.get("Repository", "")
    if not stack["StackStatus"].endswith("COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
        yield WRONG, f"{name} is {stack['StackStatus']}: its events in CloudFormation's console say why"
    elif asked.repository and trusted != (wanted := _in_tokens(asked)):
        yield (
            WRONG,
            f"{name} trusts {trusted}, and tokens will name {wanted}: step 2 again with Repository={wanted}",
        )
    else:
        yield FINE, f"{name} trusts {trusted}"


def _leftovers(asked: Asked) -> Iterator[Finding]:
    name = f"wistlake-{asked.stage}"
    stack = _stack(asked, name)
    status = stack["StackStatus"] if stack else ""
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        yield (
            WRONG,
            f"{name} is {status} and can only be deleted: aws cloudformation delete-stack --stack-name {name}",
        )
    elif status in ("", "REVIEW_IN_PROGRESS"):
        left = [*_buckets(asked), *_tables(asked)]
        cure = "delete them, or give the stage another name (docs/runbook.md, Leave)"
        yield (
            (WRONG, f"of an earlier {name} are left: {', '.join(left)}: {cure}")
            if left
            else (
                FINE,
                f"nothing is in the way of {name}",
            )
        )
    else:
        yield FINE, f"{name} is {status}"


def _functions(asked: Asked) -> Iterator[Finding]:
    limit = asked.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    at_once = int(asked.environment.get("MEDIA_AT_ONCE") or 4)
    need = at_once + FUNCTIONS_BESIDE
    if limit < need:
        fits = max(1, limit - FUNCTIONS_BESIDE)
        yield (
            WRONG,
            (
                f"Lambda runs {limit} functions at once in this account, and a run needs {need}: set "
                f"MEDIA_AT_ONCE={fits}, or ask for more under Service Quotas, AWS Lambda, Concurrent executions"
            ),
        )
    else:
        yield FINE, f"Lambda runs {limit} functions at once, a run needs {need}"


def _workers(asked: Asked) -> Iterator[Finding]:
    units = {"G.1X": 1, "G.2X": 2, "G.4X": 4}[asked.environment.get("GLUE_WORKER_TYPE") or "G.1X"]
    need = 2 * units * int(asked.environment.get("GLUE_WORKERS") or 2)  # a build, and upkeep beside it
    pages = asked.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="glue")
    quotas = {q["QuotaName"]: q["Value"] for page in pages for q in page["Quotas"]}
    limit = next((v for name, v in quotas.items() if name.lower().startswith("max task dpus")), None)
    if limit is None:
        yield NOTE, f"Glue does not say how many workers this account may have; {need} DPUs are needed"
    elif limit < need:
        yield (
            WRONG,
            (
                f"Glue gives this account {limit:.0f} DPUs, and {need} are needed: ask for more under Service Quotas, "
                "AWS Glue, Max task DPUs per account"
            ),
        )
    else:
        yield FINE, f"Glue gives this account {limit:.0f} DPUs, {need} are needed"


def _application(asked: Asked) -> Iterator[Finding]:
    if asked.environment.get("BUILD_ENGINE") != "emr-serverless":
        return
    need = 4 * (1 + int(asked.environment.get("EMR_EXECUTORS") or 8))  # a driver and its executors
    client = asked.client("service-quotas")
    pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="emr-serverless")
    quotas = {q["QuotaName"]: q["Value"] for page in pages for q in page["Quotas"]}
    limit = next((v for name, v in quotas.items() if "concurrent vcpu" in name.lower()), None)
    if limit is not None and limit < need:
        yield (
            WRONG,
            (
                f"EMR Serverless gives this account {limit:.0f} vCPUs, and {need} are needed: set EMR_EXECUTORS="
                f"{max(1, int(limit) // 4 - 1)}, or ask for more under Service Quotas, Amazon EMR Serverless"
            ),
        )
    else:
        yield FINE, f"a build on EMR Serverless takes at most {need} vCPUs"
    image = asked.environment.get("EMR_IMAGE", "")
    if image and f"/wistlake-{asked.stage}-" not in image:
        yield (
            WRONG,
            f"EMR_IMAGE: the stage may read ECR repositories whose names begin wistlake-{asked.stage}- only",
        )


def _budget(asked: Asked) -> Iterator[Finding]:
    if asked.environment.get("BUDGET_DOLLARS", "0").strip() in ("", "0"):
        return
    try:
        found = asked.client("ce").list_cost_allocation_tags(TagKeys=["stage"], Status="Active")
    except ClientError as e:  # in an organization the payer's account alone may ask
        yield NOTE, f"whether the budget counts anything is not known: {e}"
        return
    if found["CostAllocationTags"]:
        yield FINE, "the budget counts what carries the tag stage"
    else:
        yield (
            NOTE,
            (
                "the budget counts nothing before the tag stage is active, which it can be a day after the first "
                "deployment: aws ce update-cost-allocation-tags-status --cost-allocation-tags-status "
                "TagKey=stage,Status=Active"
            ),
        )


def _lake_formation(asked: Asked) -> Iterator[Finding]:
    settings = asked.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    closed = [
        kind
        for kind in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")
        if not any(p["Principal"]["DataLakePrincipalIdentifier"] == EVERYBODY for p in settings.get(kind, []))
    ]
    if closed:
        yield (
            WRONG,
            (
                "Lake Formation keeps new databases and tables from roles that IAM lets in: in its console, Data "
                "Catalog settings, tick both boxes 'Use only IAM access control', and save"
            ),
        )
    else:
        yield FINE, "Lake Formation leaves new databases and tables to IAM"


def _secrets(asked: Asked) -> Iterator[Finding]:
    for variable, whose in SECRETS.items():
        if arn := asked.environment.get(variable, ""):
            yield _secret(asked, variable, arn, whose)


def _secret(asked: Asked, variable: str, arn: str, whose: str) -> Finding:
    if f":secret:wistlake-{asked.stage}/" not in arn:
        return WRONG, f"{variable}: the stage may read secrets below wistlake-{asked.stage}/ only"
    found = asked.client("secretsmanager").describe_secret(SecretId=arn)
    if key := found.get("KmsKeyId"):
        return (
            WRONG,
            f"{variable} is encrypted with {key}: make it with the account's own key, as step 4 does",
        )
    return FINE, f"{whose} secret is there"


def _repository(asked: Asked) -> Iterator[Finding]:
    if not asked.repository:
        yield NOTE, "give --repository owner/name, and what GitHub knows is checked too"
        return
    if (found := asked.github(f"repos/{asked.repository}")) is None:
        yield (
            NOTE,
            f"gh can't see {asked.repository}: variables and environments are not checked (gh auth login)",
        )
        return
    named = asked.github(f"repos/{asked.repository}/environments") or {}
    have = {e["name"] for e in named.get("environments", [])}
    if asked.stage in have:
        yield FINE, f"the environment {asked.stage} is there"
    elif found.get("private") and not have:
        yield NOTE, "no environments: a private repository on GitHub Free has none (docs/setup.md, step 3)"
    else:
        yield (
            WRONG,
            f"there is no environment {asked.stage}: GitHub makes one without protection (docs/setup.md, step 3)",
        )
    yield from _settings(asked)


def _settings(asked: Asked) -> Iterator[Finding]:
    """Whether the repository, or the stage's environment, has what a deployment needs."""
    wanted = (
        ("variables", ("AWS_REGION", "AWS_DEPLOY_ROLE_ARN", "MEDIA_IDS")),
        ("secrets", ("WISTIA_API_TOKEN",)),
    )
    for kind, names in wanted:
        have = {
            item["name"]
            for path in (f"actions/{kind}", f"environments/{asked.stage}/{kind}")
            for item in (asked.github(f"repos/{asked.repository}/{path}?per_page=100") or {}).get(kind, [])
        }
        if missing := [name for name in names if name not in have]:
            yield WRONG, f"{kind} that are not set: {', '.join(missing)} (docs/setup.md, step 4)"
        else:
            yield FINE, f"{kind} are set: {', '.join(names)}"


def _in_tokens(asked: Asked) -> str:
    """How tokens of the repository's workflows name it."""
    found = asked.github(f"repos/{asked.repository}")
    if found is None or str(found["created_at"]) < IMMUTABLE_SINCE:
        return asked.repository
    return f"{found['owner']['login']}@{found['owner']['id']}/{found['name']}@{found['id']}"


def _stack(asked: Asked, name: str) -> Any:
    try:
        return asked.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as e:
        if "does not exist" in str(e):
            return None
        raise


def _buckets(asked: Asked) -> Iterator[str]:
    begins = tuple(f"wistlake-{layer}-{asked.stage}-" for layer in ("bronze", "silver"))
    found = asked.client("s3").list_buckets()["Buckets"]
    yield from (
        b["Name"] for b in found if b["Name"].startswith(begins) and b["Name"].endswith(asked.region())
    )


def _tables(asked: Asked) -> Iterator[str]:
    marks = asked.environment.get("DDB_TABLE") or "WistiaWatermarks"
    ours = {f"WistlakeLedger-{asked.stage}", f"{marks}-{asked.stage}"}
    pages = asked.client("dynamodb").get_paginator("list_tables").paginate()
    yield from (name for page in pages for name in page["TableNames"] if name in ours)


def github(path: str) -> Any:
    """What GitHub's API answers to gh; None if it can't be asked, or does not say."""
    if (gh := shutil.which("gh")) is None:
        return None
    done = subprocess.run([gh, "api", path], capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def here(stage: str, repository: str) -> Asked:
    """What is asked for on this machine."""
    return Asked(stage, repository, os.environ, boto3.client, github)
