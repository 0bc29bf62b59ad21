"""Lambda: the handler's own error name, and the runtime's own packages.

The emulator calls every error `Runtime.HandlerError`, so that a Retry by name never matches; AWS gives the
class's name. And it runs functions beside its own packages; Lambda has boto3 and nothing else.
"""

import os
import re
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

NEEDS = (
    (lambda_svc, ("_execute_function_warm",)),
    (lambda_runtime, ("_detect_runtime_binary",)),
)
_RAISED = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?([A-Za-z_]\w*)(?::.*)?$")
_BEGINS = "Traceback (most recent call last):"


def install() -> None:
    """Errors by their names; an interpreter that has only what Lambda has."""
    execute, detect = lambda_svc._execute_function_warm, lambda_runtime._detect_runtime_binary
    runtime_python = os.environ["EMULATED_LAMBDA_PYTHON"]

    def execute_by_name(function: Any, event: Any, request_id: str) -> Any:
        answer = execute(function, event, request_id)
        body = answer.get("body")
        if answer.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            name_error(body, answer.get("log", ""))
            body["requestId"] = request_id
        return answer

    def detect_lean(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (runtime_python, script) if runtime.startswith("python") else (binary, script)

    lambda_svc._execute_function_warm = execute_by_name
    lambda_runtime._detect_runtime_binary = detect_lean


def name_error(body: dict[str, Any], log: str) -> None:
    """Put the class of the last exception in `log` where AWS puts it."""
    trace = log[log.rfind(_BEGINS) :].splitlines()
    for line in trace[1:]:
        raised = _RAISED.match(line)
        if raised and not line.startswith(" "):
            body["errorType"] = raised.group(1)
            break
    body["stackTrace"] = [line for line in trace if line.startswith("  ")]
