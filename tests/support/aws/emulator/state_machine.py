"""Step Functions: jobs of Glue and of EMR Serverless that are waited for, and the machine's own role, enforced.

Every call of a service is written as a JSON line to EMULATED_CALLS, since the emulator's history has no
events of what happens inside a Map.
"""

import contextvars
import copy
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import glue, stepfunctions

from support.aws.emulator.glue_jobs import run_application_job

NEEDS = (
    (stepfunctions, ("_SERVICE_DISPATCH", "_ExecutionError", "_execute_task", "_invoke_resource")),
    (stepfunctions, ("_state_machines", "_run_distributed_map", "_run_sub_machine", "_s3_object_text")),
    (
        stepfunctions,
        ("_apply_jsonata_template", "_apply_jsonata_output", "_apply_state_assign", "_next_or_end"),
    ),
    (glue, ("_start_job_run", "_get_job_run")),
    (iam_evaluator, ("EvalContext", "evaluate", "_gather_role_policies")),
    (app, ("AUTH",)),
)
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")
_DENIALS = {
    "lambda": "Lambda.AWSLambdaException",
    "glue": "Glue.AccessDeniedException",
    "emr-serverless": "EMRServerless.AccessDeniedException",
    "events": "EMRServerless.AccessDeniedException",
    "sns": "SNS.AuthorizationErrorException",
    "dynamodb": "DynamoDB.AccessDeniedException",
    "s3": "States.ItemReaderFailed",
    "states": "States.Runtime",
}
_role: contextvars.ContextVar[str] = contextvars.ContextVar("role_of_the_machine", default="")
_writing = Lock()


def install() -> None:
    """Glue is a service that the machine can call; what it may call is what its role allows."""
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _run_job
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::emr-serverless:startJobRun"] = _run_application_job
    task, invoke = stepfunctions._execute_task, stepfunctions._invoke_resource

    def task_with_role(state: Any, given: Any, execution: Any, context: Any) -> Any:
        token = _become(execution)
        try:
            return task(state, given, execution, context)
        finally:
            _role.reset(token)

    def invoke_if_allowed(resource: str, arguments: Any) -> Any:
        error = ""
        try:
            _allow(resource, arguments)
            return invoke(resource, arguments)
        except stepfunctions._ExecutionError as e:
            error = e.error
            raise
        finally:
            _note(resource, arguments, error)

    stepfunctions._execute_task, stepfunctions._invoke_resource = task_with_role, invoke_if_allowed
    stepfunctions._run_distributed_map = _run_distributed_map


def _become(execution: Any) -> Any:
    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn"), {})
    return _role.set(machine.get("roleArn", ""))


def _run_distributed_map(
    state: Any, given: Any, _effective: Any, processor: Any, execution: Any, context: Any
) -> Any:
    """A Distributed Map whose fields are JSONata: the emulator knows those of JSONPath. A child execution sees nothing
    of the variables outside."""
    reader = stepfunctions._apply_jsonata_template(state["ItemReader"]["Arguments"], given, context)
    most = stepfunctions._apply_jsonata_template(state["MaxConcurrency"], given, context)
    token = _become(execution)
    try:
        _allow("arn:aws:states:::s3:getObject", reader)
        _allow("arn:aws:states:::states:startExecution", {"StateMachineArn": execution["stateMachineArn"]})
    finally:
        _role.reset(token)
    items = json.loads(stepfunctions._s3_object_text(reader["Bucket"], reader["Key"]))
    _note("arn:aws:states:::s3:getObject", {**reader, "items": len(items)}, "")

    def child(number: int) -> Any:
        outside = copy.deepcopy(context)
        outside["Map"] = {"Item": {"Index": number, "Value": items[number]}}
        own = stepfunctions._apply_jsonata_template(state["ItemSelector"], given, outside)
        inside = {**copy.deepcopy(context), "variables": {}}
        return stepfunctions._run_sub_machine(
            processor["States"], processor["StartAt"], own, execution, inside
        )

    with ThreadPoolExecutor(int(most)) as pool:
        begun = [pool.submit(contextvars.copy_context().run, child, n) for n in range(len(items))]
        results = [b.result() for b in begun]
    output = stepfunctions._apply_jsonata_output(state, given, context, result=results, default=results)
    stepfunctions._apply_state_assign(state, given, context, result=results)
    return output, stepfunctions._next_or_end(state)


def _note(resource: str, arguments: Any, error: str) -> None:
    line = json.dumps({"resource": resource, "arguments": arguments, "error": error}, default=str)
    with _writing, Path(os.environ["EMULATED_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(line + "\n")


def _allow(resource: str, arguments: Any) -> None:
    role = _role.get()
    if not (app.AUTH and role and isinstance(arguments, dict)):
        return
    account = get_account_id()
    policies = iam_evaluator._gather_role_policies(role.rsplit("/", 1)[-1], account)
    for action, arn in _needed(resource, arguments):
        asked = iam_evaluator.EvalContext(
            principal_arn=role,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=arn,
            region=get_region(),
        )
        if iam_evaluator.evaluate(asked, policies).decision != "Allow":
            raise stepfunctions._ExecutionError(
                _DENIALS[action.split(":")[0]],
                f"User: {role} is not authorized to perform: {action} on resource: {arn}",
            )


def _needed(resource: str, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions that an integration uses, and on what."""
    place = f"{get_region()}:{get_account_id()}"
    if "lambda:invoke" in resource:
        function = arguments.get("FunctionName", "")
        arn = function if function.startswith("arn:") else f"arn:aws:lambda:{place}:function:{function}"
        return [("lambda:InvokeFunction", arn)]
    if "glue:startJobRun" in resource:
        arn = f"arn:aws:glue:{place}:job/{arguments.get('JobName')}"
        watching = ("glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun")
        return [(a, arn) for a in ("glue:StartJobRun", *(watching if resource.endswith(".sync") else ()))]
    if "emr-serverless:startJobRun" in resource:
        application = f"arn:aws:emr-serverless:{place}:/applications/{arguments.get('ApplicationId')}"
        rule = f"arn:aws:events:{place}:rule/StepFunctionsGetEventsForEMRServerlessJobRule"
        return [
            ("emr-serverless:StartJobRun", application),
            ("emr-serverless:GetJobRun", f"{application}/jobruns/00f1"),
            ("emr-serverless:CancelJobRun", f"{application}/jobruns/00f1"),
            *((f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")),
        ]
    if "dynamodb:updateItem" in resource:
        return [("dynamodb:UpdateItem", f"arn:aws:dynamodb:{place}:table/{arguments.get('TableName')}")]
    if "s3:getObject" in resource:
        return [("s3:GetObject", f"arn:aws:s3:::{arguments.get('Bucket')}/{arguments.get('Key')}")]
    if "states:startExecution" in resource:
        return [("states:StartExecution", arguments["StateMachineArn"])]
    if "sns:publish" in resource:
        return [("sns:Publish", arguments.get("TopicArn", ""))]
    return []


def _run_application_job(_resource: str, arguments: dict[str, Any]) -> Any:
    if error := run_application_job(arguments):
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps({"StateDetails": error}))
    return {"JobRun": {"State": "SUCCESS"}}


def _run_job(resource: str, arguments: dict[str, Any]) -> Any:
    status, _headers, body = glue._start_job_run(arguments)
    started = json.loads(body)
    if status >= 400:
        kind = started.get("__type", "AWSGlueException").rsplit("#")[-1]
        raise stepfunctions._ExecutionError(f"Glue.{kind}", started.get("message", ""))
    if not resource.endswith(".sync"):
        return started
    asked = {"JobName": arguments["JobName"], "RunId": started["JobRunId"]}
    while True:
        run = json.loads(glue._get_job_run(asked)[2])["JobRun"]
        if run["JobRunState"] in _ENDED:
            break
        time.sleep(0.1)
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run, default=str))
    return {name: value for name, value in run.items() if value is not None}
