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
AGAIN = 75  # exit code: Wistia does not answer, another run holds the lake, or a store is out of reach
LAKE = Asset("wistlake")  # a DAG with schedule=[LAKE] follows each day
log = logging.getLogger(__name__)


def wistlake(*command: str) -> dict[str, Any]:
    """The answer of a command. An error with its own words, which is tried again only where that can help."""
    try:
        done = subprocess.run(
            [os.environ.get("WISTLAKE_COMMAND", "wistlake"), *command, "--json"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AirflowFailException(f"took longer than {SECONDS} s, and was ended") from None
    said = done.stderr.strip() or f"ended with {done.returncode}"
    is_again = done.returncode == AGAIN or done.returncode < 0  # killed by a signal
    if is_again:
        raise AirflowException(said)
    if done.returncode not in (0, PARTIAL):
        raise AirflowFailException(said)
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
        wrong = {name: answer[name] for name in ("missing_media_days", "broken_checks", "failed_intervals")}
        if any(wrong.values()):
            log.warning(" ".join((answer["trust"], *answer["notes"])))
        others = {name: answer[name] for name in ("refused_records", "last_day", "publication")}
        yield Metadata(LAKE, {**ran, **wrong, **others})

    trust(run())


wistlake_daily()
