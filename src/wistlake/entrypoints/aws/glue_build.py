"""Glue script: builds what is pending and writes the verdicts down."""

import argparse
import sys
from datetime import UTC, datetime

from wistlake.pipeline.run.build import build_run
from wistlake.pipeline.run.handover import decode_plan
from wistlake.ports import LEASE, LEASE_SECONDS
from wistlake.wiring import aws_glue


def main(argv: list[str]) -> None:
    """See the package's docstring for the arguments; Glue adds its own, which are left aside."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--plan_key", required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    given, job = aws_glue.parsed(parser, argv[1:])
    rows = aws_glue.rows_per_build(given.workers, given.cores)
    deps = aws_glue.dependencies(job, given.run_id, lambda: datetime.now(UTC), rows)
    plan = decode_plan(deps.objects.get(given.plan_key))
    aws_glue.ledger(job).renew(LEASE, given.run_id, deps.clock(), LEASE_SECONDS)
    build_run(deps, plan)


if __name__ == "__main__":
    main(sys.argv)
