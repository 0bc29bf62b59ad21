"""Glue jobs, started and waited for."""

from collections.abc import Callable, Mapping
from typing import Any

from wistlake.adapters.aws.client import client, explained
from wistlake.errors import StoreError

_SECONDS_BETWEEN, _PATIENCE_SECONDS = 5.0, 3 * 3600.0
_UNDER_WAY = ("STARTING", "RUNNING", "STOPPING", "WAITING")


def run(job: str, arguments: Mapping[str, str], sleep: Callable[[float], None], glue: Any = None) -> None:
    """Start the job and wait for its end. StoreError with what it said of itself if it did not succeed."""
    glue, waited = glue or client("glue"), 0.0
    with explained(f"the job {job}"):
        started = glue.start_job_run(JobName=job, Arguments=dict(arguments))["JobRunId"]
        while (found := glue.get_job_run(JobName=job, RunId=started)["JobRun"])["JobRunState"] in _UNDER_WAY:
            if waited >= _PATIENCE_SECONDS:
                raise StoreError(f"{job} {started} is still {found['JobRunState']}: look at it in Glue")
            sleep(_SECONDS_BETWEEN)
            waited += _SECONDS_BETWEEN
    if found["JobRunState"] != "SUCCEEDED":
        said = found.get("ErrorMessage") or "it says nothing"
        raise StoreError(f"{job} {started} ended {found['JobRunState']}: {said}")
