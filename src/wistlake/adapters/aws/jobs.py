"""Start a Glue job and wait for its end."""

from collections.abc import Callable, Mapping
from typing import Any

from wistlake.adapters.aws.client import client, explained
from wistlake.errors import StoreError

_POLL_SECONDS, _LIMIT_SECONDS = 5.0, 3 * 3600.0
_UNDER_WAY = ("STARTING", "RUNNING", "STOPPING", "WAITING")


def run(job: str, arguments: Mapping[str, str], sleep: Callable[[float], None], glue: Any = None) -> None:
    """Run the job to its end. StoreError with the job's message if it fails or takes too long."""
    glue, waited = glue or client("glue"), 0.0
    with explained(f"the job {job}"):
        started = glue.start_job_run(JobName=job, Arguments=dict(arguments))["JobRunId"]
        while (run := glue.get_job_run(JobName=job, RunId=started)["JobRun"])["JobRunState"] in _UNDER_WAY:
            if waited >= _LIMIT_SECONDS:
                raise StoreError(f"{job} {started} is still {run['JobRunState']}: look at it in Glue")
            sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
    if run["JobRunState"] != "SUCCEEDED":
        message = run.get("ErrorMessage") or "it gives no message"
        raise StoreError(f"{job} {started} ended {run['JobRunState']}: {message}")
