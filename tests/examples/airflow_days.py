"""Executed by the interpreter that has Airflow: executes the example's DAG in each environment that is given as JSON,
and prints what came of it as JSON, a line each. Airflow's database is made in AIRFLOW_HOME."""

import json
import os
import sys
from datetime import timedelta
from typing import Any

import airflow_lake
from airflow.models.asset import AssetEvent
from airflow.settings import Session
from airflow.utils import db
from sqlalchemy import select


def executed(environment: dict[str, str]) -> dict[str, Any]:
    """How it ended, whether a task was tried again, and what the asset's event says."""
    os.environ |= environment
    airflow_lake.SECONDS = int(os.environ.get("LIMIT", airflow_lake.SECONDS))
    dag = airflow_lake.wistlake_daily()
    for task in dag.tasks:
        task.retry_delay = timedelta(0)  # nobody waits half an hour
    run = dag.test()
    with Session() as session:
        tries = {task.task_id: task.try_number for task in run.get_task_instances(session=session)}
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id)).all()
        return {
            "state": run.state,
            "tried_again": max(tries.values()) > 1,
            "figures": events[0].extra if events else None,
        }


db.upgradedb()
for case in json.loads(sys.argv[1]):
    print(json.dumps(executed(case)), flush=True)
