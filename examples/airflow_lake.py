"""The lake as a DAG of Airflow 3: run once a day, then told how far its newest days can be trusted.

Wistlake is installed apart, for its packages and Airflow's don't agree. WISTLAKE_COMMAND is the path of its command; it
takes its settings from the environment, or from wistlake.toml where the worker runs.
"""

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

SECONDS = 6 * 3600  # no day takes as long
PARTIAL = 3  # exit code: published, but for few media
AGAIN = (74, 75)  # Wistia does not answer; another run holds the lake, or its disk is full
LAKE = Asset("wistlake")  # a DAG with schedule=[LAKE] follows each day
log = logging.getLogger(__name__)


def wistlake(*command: str) -> dict[str, Any]:
    """The answer of a command. An error with its own words, which is tried again only where that can help."""
    done = subprocess.run(
        [os.environ.get("WISTLAKE_COMMAND", "wistlake"), *command, "--json"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode in AGAIN:
        raise AirflowException(done.stderr.strip())
    if done.returncode not in (0, PARTIAL):
        raise AirflowFailException(done.stderr.strip())
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dag(
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,  # a run fetches every day that is missing
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=30)},
)
def wistlake_daily() -> None:
    """One day of the lake."""

    @task
    def run() -> dict[str, Any]:
        """What the run did; the errors of a partial one are warnings."""
        result = wistlake("run", "--scheduled")
        for error in result["errors"]:
            log.warning(error)
        return {
            "status": result["status"],
            "days_published": result["days_published"],  # a media's day each
            "new_sessions": result["tables"].get("silver.fact_events", {}).get("new", 0),
        }

    @task(outlets=[LAKE])
    def trust(ran: dict[str, Any]) -> Iterator[Metadata]:
        """The figures go along with the asset's event; what is wrong with the newest days is a warning."""
        answer = wistlake("trust")
        counts = {name: answer[name] for name in ("broken_checks", "failed_intervals", "refused_records")}
        missing = sum(day["certificate"] == "not published" for day in answer["rows"])
        if missing or counts["broken_checks"] or counts["failed_intervals"]:
            log.warning(" ".join((answer["trust"], *answer["notes"])))
        yield Metadata(LAKE, {**ran, **counts, "missing_days": missing, "publication": answer["publication"]})

    trust(run())


wistlake_daily()
