"""Code of versions that nobody runs any more, in the bucket of the bootstrap stack.

No lifecycle rule can tell the version that runs from one that does not: it knows how old an object is, and a stage may
run the same version for a year. So the deployment that replaces a version looks.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

FOLDER = "code/"
_MOST = 1000  # objects in one request


class Stays(Exception):
    """An object can't be deleted."""


def prefix(version: str) -> str:
    """Where a version's code lies."""
    return f"{FOLDER}{version}"


def used(stack: str, cloudformation: Any) -> set[str]:
    """The prefixes that the stack has, or would have by one of its change sets."""
    found = set(_prefixes(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]))
    for page in cloudformation.get_paginator("list_change_sets").paginate(StackName=stack):
        for change in page["Summaries"]:
            if change.get("ExecutionStatus") == "AVAILABLE":
                found |= set(of_changeset(stack, change["ChangeSetName"], cloudformation))
    return found


def of_changeset(stack: str, name: str, cloudformation: Any) -> list[str]:
    """The prefix that a change set brings."""
    return _prefixes(cloudformation.describe_change_set(StackName=stack, ChangeSetName=name))


def is_there(bucket: str, where: str, s3: Any) -> bool:
    """Whether any object lies below the prefix."""
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=f"{where}/", MaxKeys=1).get("KeyCount"))


def remove(bucket: str, keep: Collection[str], before: datetime, s3: Any) -> list[str]:
    """Delete every version of which all was uploaded `before`, but those to `keep`; their prefixes. The bucket holds on
    to what was deleted for a time."""
    versions: dict[str, list[dict[str, Any]]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=FOLDER):
        for entry in page.get("Contents", ()):
            versions.setdefault("/".join(entry["Key"].split("/")[:2]), []).append(entry)
    old = [v for v, of in versions.items() if v not in keep and all(e["LastModified"] < before for e in of)]
    gone = [{"Key": entry["Key"]} for version in old for entry in versions[version]]
    for first in range(0, len(gone), _MOST):
        order = {"Objects": gone[first : first + _MOST], "Quiet": True}
        for refused in s3.delete_objects(Bucket=bucket, Delete=order).get("Errors", ()):
            raise Stays(f"{refused['Key']}: {refused.get('Code')}")
    return old


def _prefixes(described: dict[str, Any]) -> list[str]:
    parameters = described.get("Parameters", [])
    return [p["ParameterValue"] for p in parameters if p["ParameterKey"] == "CodePrefix"]
