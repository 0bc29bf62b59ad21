"""Glue script: work on the whole lake beside the daily run. Forgets a person, turns the key, tidies up."""

import argparse
import sys
import traceback
from datetime import UTC, datetime

from wistlake.errors import StoreError, WistlakeError
from wistlake.pipeline.jobs.request import FORGET, MAINTAIN, Request, decoded, keep
from wistlake.wiring import aws_glue


def main(argv: list[str]) -> None:
    """See the package's docstring for the arguments; Glue adds its own, which are left aside."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--task", required=True)
    parser.add_argument("--request_key", default="")
    parser.add_argument("--retention_days", type=int, required=True)
    parser.add_argument("--log_retention_days", type=int, required=True)
    given, job = aws_glue.parsed(parser, argv[1:])
    request = Request(given.task, datetime.now(UTC))
    if given.request_key:
        objects = aws_glue.objects(job)
        request = decoded(objects.get(given.request_key))
        objects.delete([given.request_key])  # whom it names, no bucket keeps
    aws_glue.require_free(job, given.run_id, datetime.now(UTC))
    try:
        with aws_glue.keeping(job, given.run_id, lambda: datetime.now(UTC), given.retention_days) as lake:
            keep(request, given.run_id, *lake)
        if request.task == MAINTAIN:
            aws_glue.expire_logs(given.stage, given.log_retention_days)
    except WistlakeError:
        raise
    except Exception as e:
        if given.task != FORGET:
            raise
        # Its own words may quote the person, and Glue keeps them.
        at = traceback.extract_tb(e.__traceback__)[-1]
        raise StoreError(f"{type(e).__name__} in {at.name}, {at.filename}:{at.lineno}") from None


if __name__ == "__main__":
    main(sys.argv)
