"""Resources that the emulator's CloudFormation rejects or takes half."""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, iam, scheduler
from ministack.services.cloudformation import provisioners

NEEDS = (
    (provisioners, ("_RESOURCE_HANDLERS", "_scheduler_schedule_create")),
    (athena, ("_named_queries", "_create_named_query")),
    (iam, ("_oidc_providers",)),
    (scheduler, ("_schedules",)),
)
Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]


def install() -> None:
    """The kinds of resource that are missing; schedules keep their zone."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Athena::NamedQuery"] = {
        "create": _create_query,
        "update": _update_query,
        "update_with_logical_id": True,
        "delete": _delete_query,
    }
    handlers["AWS::IAM::OIDCProvider"] = {
        "create": _create_provider,
        "delete": lambda provider, properties: iam._oidc_providers.pop(provider, None),
    }
    handlers["AWS::Glue::SecurityConfiguration"] = {
        "create": lambda logical_id, properties, stack: (properties["Name"], {}),
        "delete": lambda name, properties: None,
    }
    handlers["AWS::EMRServerless::Application"] = {
        "create": _create_application,
        "delete": lambda name, properties: None,
    }
    handlers["AWS::Budgets::Budget"] = {
        "create": lambda logical_id, properties, stack: (properties["Budget"]["BudgetName"], {}),
        "delete": lambda name, properties: None,
    }
    schedule = handlers["AWS::Scheduler::Schedule"]
    create = schedule["create"]

    def with_zone(logical_id: str, properties: Properties, stack: str) -> Made:
        name, attributes = create(logical_id, properties, stack)
        kept = scheduler._schedules[f"{properties.get('GroupName', 'default')}/{name}"]
        kept["ScheduleExpressionTimezone"] = properties.get("ScheduleExpressionTimezone", "UTC")
        return name, attributes

    schedule["create"] = with_zone


def _create_application(logical_id: str, properties: Properties, _stack: str) -> Made:
    if properties["Type"] != "SPARK" or not properties["ReleaseLabel"].startswith("emr-"):
        raise ValueError(f"{logical_id} is no Spark application of a release")
    name = f"00f{properties['Name'].encode().hex()[:13]}"
    arn = f"arn:aws:emr-serverless:{get_region()}:{get_account_id()}:/applications/{name}"
    return name, {"ApplicationId": name, "Arn": arn}


def _create_query(logical_id: str, properties: Properties, stack: str) -> Made:
    for required in ("Database", "QueryString"):
        if not properties.get(required):
            raise ValueError(f"Property validation failure: [The property {{/{required}}} is required]")
    wanted = {**properties, "Name": properties.get("Name") or f"{stack}-{logical_id}"}
    status, _headers, body = athena._create_named_query(wanted)
    if status >= 400:
        raise ValueError(body)
    query = json.loads(body)["NamedQueryId"]
    return query, {"NamedQueryId": query}


def _update_query(query: str, old: Properties, new: Properties, stack: str, logical_id: str = "") -> Made:
    if old == new:
        return query, {"NamedQueryId": query}
    made = _create_query(logical_id, new, stack)  # a replacement, as on AWS
    _delete_query(query, old)
    return made


def _delete_query(query: str, _properties: Properties) -> None:
    athena._named_queries.pop(query, None)


def _create_provider(_logical_id: str, properties: Properties, _stack: str) -> Made:
    host = properties["Url"].removeprefix("https://").rstrip("/")
    arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{host}"
    iam._oidc_providers[arn] = {
        "Url": properties["Url"],
        "ClientIDList": properties.get("ClientIdList", []),
        "ThumbprintList": properties.get("ThumbprintList", []),
        "Tags": [],
        "CreateDate": "2026-01-01T00:00:00Z",
    }
    return arn, {"Arn": arn}
