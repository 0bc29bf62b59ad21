"""IAM: what a call is about. The emulator takes Glue's databases and jobs for tables, every call about one alias
of a function for a list of aliases, and a query of Athena's that has begun for no workgroup's."""

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import athena

NEEDS = (
    (iam_actions, ("extract_resource_arn", "_lambda_action")),
    (athena, ("_executions",)),
)
_OF_ONE_ALIAS = {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}


def install() -> None:
    """Databases, jobs, aliases and workgroups are asked about under their own names."""
    extract, action = iam_actions.extract_resource_arn, iam_actions._lambda_action

    def extract_named(service: str, *where: Any, **more: Any) -> str:
        if service == "athena" and (workgroup := _workgroup(where, more)):
            more, where = (
                {},
                tuple(workgroup if isinstance(g, bytes) else g for g in (*where, *more.values())),
            )
        arn = str(extract(service, *where, **more))
        kind = _kind(where, more) if service == "glue" else ""
        return arn.replace(":table/", f":{kind}/", 1) if kind else arn

    def action_of_alias(method: str, path: str) -> str | None:
        _, _, alias = path.partition("/aliases/")
        return _OF_ONE_ALIAS.get(method) if alias else action(method, path)

    iam_actions.extract_resource_arn = extract_named
    iam_actions._lambda_action = action_of_alias


def _workgroup(where: tuple[Any, ...], more: dict[str, Any]) -> bytes:
    """A call about a query, as one about the query's workgroup."""
    body = next((g for g in (*where, *more.values()) if isinstance(g, bytes) and g.startswith(b"{")), b"{}")
    asked = json.loads(body).get("QueryExecutionId")
    named = (e["WorkGroup"] for (*_, query), e in athena._executions._data.items() if query == asked)
    return next((json.dumps({"WorkGroup": name}).encode() for name in named), b"")


def _kind(where: tuple[Any, ...], more: dict[str, Any]) -> str:
    """What `Name` names in this call, unless it is a table."""
    given = (*where, *more.values())
    headers = next((g for g in given if isinstance(g, dict) and "x-amz-target" in g), {})
    action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    body = next((g for g in given if isinstance(g, bytes) and g.startswith(b"{")), b"{}")
    if "DatabaseName" in json.loads(body):
        return ""
    return {"GetDatabase": "database", "UpdateDatabase": "database", "GetJob": "job"}.get(action, "")
