"""Glue script: builds what is pending and writes the verdicts down."""

import argparse
import sys
from datetime import UTC, datetime

from wistlake.pipeline.steps.build import build_run
from wistlake.pipeline.steps.handover import decode_plan
from wistlake.pipeline.steps.lease import renew
from wistlake.wiring import aws_glue


def main(argv: list[str]) -> None:
    """See the package's docstring for the arguments; Glue adds its own, which are left aside."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--plan_key", required=True)
    given, job = aws_glue.parsed(parser, argv[1:])
    objects, ledger = aws_glue.objects(job), aws_glue.ledger(job)
    planned = decode_plan(objects.get(given.plan_key))
    renew(ledger, given.run_id, datetime.now(UTC))
    build_run(planned, ledger, objects, aws_glue.keys(job), aws_glue.tables(job, given.run_id))


if __name__ == "__main__":
    main(sys.argv)
