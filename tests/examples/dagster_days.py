"""Executed by the interpreter that has Dagster: materialises the example's asset in each environment that is given as
JSON, calls the command in the last two, and prints what came of it as JSON, a line each."""

import json
import os
import sys
from typing import Any

import dagster as dg
import dagster_lake


def _enter(environment: dict[str, str]) -> None:
    os.environ |= environment
    dagster_lake.SECONDS = int(os.environ.get("LIMIT", dagster_lake.SECONDS))


def materialised(environment: dict[str, str]) -> dict[str, Any]:
    """How it ended, whether it is tried again, and the metadata of the asset and its check."""
    _enter(environment)
    result = dg.materialize([dagster_lake.lake], raise_on_error=False)
    again = any(event.event_type_value == "STEP_UP_FOR_RETRY" for event in result.all_events)
    if not result.success:
        return {"state": "failed", "tried_again": again}
    (asset,) = result.asset_materializations_for_node("wistlake")
    (check,) = result.get_asset_check_evaluations()
    figures = {name: value.value for name, value in {**asset.metadata, **check.metadata}.items()}
    return {"state": "success", "tried_again": again, "figures": figures}


def called(environment: dict[str, str]) -> dict[str, Any]:
    """How the command alone ended, which waits for no half an hour."""
    _enter(environment)
    try:
        return {"state": "success", "figures": dagster_lake.wistlake("run")}
    except dg.Failure as failure:
        sys.stderr.write(f"{failure.description}\n")
        return {"state": "failed", "tried_again": failure.allow_retries}


dg.Definitions.validate_loadable(dagster_lake.definitions)
*cases, outage, killed = json.loads(sys.argv[1])
for case in cases:
    print(json.dumps(materialised(case)), flush=True)
for case in (outage, killed):
    print(json.dumps(called(case)), flush=True)
