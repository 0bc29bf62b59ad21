"""Logs of Glue's jobs: those of the stage end, those of others are none of our business."""

from typing import Any

from wistlake.adapters.aws import logs


class Logs:
    """Log groups by name, with their retention."""

    def __init__(self, **groups: int | None) -> None:
        self.groups = {name.replace("__", "/").replace("_", "-"): days for name, days in groups.items()}
        self.prefixes: list[str] = []

    def get_paginator(self, name: str) -> "Logs":
        assert name == "describe_log_groups"
        return self

    def paginate(self, **asked: str) -> list[dict[str, Any]]:
        self.prefixes.append(asked["logGroupNamePrefix"])
        found = [
            {"logGroupName": n, **({"retentionInDays": days} if days else {})}
            for n, days in self.groups.items()
        ]
        return [{"logGroups": found[:2]}, {"logGroups": found[2:]}]

    def put_retention_policy(self, **asked: Any) -> None:
        self.groups[asked["logGroupName"]] = asked["retentionInDays"]


def test_only_groups_of_the_stage_are_changed_and_only_once() -> None:
    held = Logs(
        __aws_glue__jobs__error=None,
        __aws_glue__jobs__wistlake_dev_role__x__error=None,
        __aws_glue__jobs_wistlake_dev_BuildRole_1_wistlake_dev__output=365,
        __aws_glue__jobs__logs_v2_wistlake_dev=30,
        __aws_glue__jobs__logs_v2_wistlake_dev2=None,
    )
    changed = logs.expire("dev", 30, held)
    assert changed == [
        "/aws-glue/jobs/wistlake-dev-role/x/error",
        "/aws-glue/jobs-wistlake-dev-BuildRole-1-wistlake-dev/output",
    ]
    assert held.prefixes == ["/aws-glue/"]
    assert held.groups["/aws-glue/jobs/error"] is None
    assert held.groups["/aws-glue/jobs/logs-v2-wistlake-dev2"] is None
    assert logs.expire("dev", 30, held) == []
