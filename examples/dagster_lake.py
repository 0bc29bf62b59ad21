"""The lake as an asset of Dagster: run once a day, with a check of how far its newest days can be trusted.

Wistlake is installed apart, for its packages and Dagster's don't agree. WISTLAKE_COMMAND is the path of its command; it
takes its settings from the environment, or from wistlake.toml where Dagster runs.
"""

import json
import os
import subprocess
from typing import Any

import dagster as dg

SECONDS = 6 * 3600  # no day takes as long
PARTIAL = 3  # exit code: published, but for few media
AGAIN = 75  # exit code: Wistia does not answer, another run holds the lake, or a store is out of reach
TRUST = dg.AssetCheckSpec(
    "trust", asset="wistlake", description="Of the newest four weeks, or all days of a younger lake."
)


def wistlake(*command: str) -> dict[str, Any]:
    """The answer of a command. Failure with its own words, which is tried again only where that can help."""
    try:
        done = subprocess.run(
            [os.environ.get("WISTLAKE_COMMAND", "wistlake"), *command, "--json"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise dg.Failure(f"took longer than {SECONDS} s, and was ended", allow_retries=False) from None
    said = done.stderr.strip() or f"ended with {done.returncode}"
    is_again = done.returncode == AGAIN or done.returncode < 0  # killed by a signal
    if done.returncode not in (0, PARTIAL):
        raise dg.Failure(said, allow_retries=is_again)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dg.asset(
    name="wistlake",
    group_name="wistia",
    check_specs=[TRUST],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1800),
)
def lake(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Everything that Wistia has counted since the last run, and every earlier day that is missing or has moved: not
    partitioned, for the lake itself knows which days it lacks."""
    run = wistlake("run", "--scheduled")
    for error in run["errors"]:  # of a partial run
        context.log.warning(error)
    trust = wistlake("trust")
    return dg.MaterializeResult(
        metadata={
            "status": run["status"],
            "days_published": run["days_published"],  # a media's day each
            "new_sessions": run["tables"].get("silver.fact_events", {}).get("new", 0),
            "publication": trust["publication"],  # what readers see now
        },
        check_results=[checked(trust)],
    )


def checked(trust: dict[str, Any]) -> dg.AssetCheckResult:
    """Whether every media has every day that the lake should have, and nothing is broken or failed. Passed while
    nothing is published yet."""
    wrong = {name: trust[name] for name in ("missing_media_days", "broken_checks", "failed_intervals")}
    return dg.AssetCheckResult(
        check_name=TRUST.name,
        asset_key=TRUST.asset_key,
        passed=not any(wrong.values()),
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join((trust["trust"], *trust["notes"])),
        metadata={**wrong, "refused_records": trust["refused_records"], "last_day": trust["last_day"]},
    )


definitions = dg.Definitions(
    assets=[lake],
    schedules=[dg.ScheduleDefinition("wistlake_daily", target=[lake], cron_schedule="15 2 * * *")],
)
