"""Log groups that Glue makes by itself, under names that depend on its version and on the job's settings."""

import re
from typing import Any

from wistlake.adapters.aws.client import client, explained

_GLUE = "/aws-glue/"


def expire(stage: str, days: int, logs: Any = None) -> list[str]:
    """Keep the logs of the stage's Glue jobs for `days`; the groups that this changes. Each of them has the name of
    the stage's security configuration, or role, in its own; groups of others stay as they are."""
    logs = logs or client("logs")
    of_stage = re.compile(rf"wistlake-{re.escape(stage)}(?![a-z0-9])")
    changed = []
    with explained(f"the log groups below {_GLUE}"):
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_GLUE):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                if of_stage.search(name) and group.get("retentionInDays") != days:
                    logs.put_retention_policy(logGroupName=name, retentionInDays=days)
                    changed.append(name)
    return changed
