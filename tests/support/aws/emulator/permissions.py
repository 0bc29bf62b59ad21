"""IAM: the resource that a call of Glue is about, where the emulator takes a database or a job for a table."""

import json
from typing import Any

from ministack.core import iam_actions

NEEDS = ((iam_actions, ("extract_resource_arn",)),)


def install() -> None:
    """Databases and jobs are asked about under their own names."""
    extract = iam_actions.extract_resource_arn

    def extract_glue(service: str, *where: Any, **more: Any) -> str:
        arn = str(extract(service, *where, **more))
        kind = _kind(where, more) if service == "glue" else ""
        return arn.replace(":table/", f":{kind}/", 1) if kind else arn

    iam_actions.extract_resource_arn = extract_glue


def _kind(where: tuple[Any, ...], more: dict[str, Any]) -> str:
    """What `Name` names in this call, unless it is a table."""
    given = (*where, *more.values())
    headers = next((g for g in given if isinstance(g, dict) and "x-amz-target" in g), {})
    action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    body = next((g for g in given if isinstance(g, bytes) and g.startswith(b"{")), b"{}")
    if "DatabaseName" in json.loads(body):
        return ""
    return {"GetDatabase": "database", "UpdateDatabase": "database", "GetJob": "job"}.get(action, "")
