"""What the machine's states carry for a thousand media, counted with the machine's own expressions."""

import json
import subprocess
from typing import Any

import pytest

from support.aws import tools
from support.aws.templates import machine

pytestmark = pytest.mark.aws
MEDIAS = [{"media_id": f"media{n:05d}"} for n in range(1000)]
MOST = 64 * 1024
_EVALUATE = """
import json, sys
import jsonata
found = []
for expression, bindings in json.load(sys.stdin):
    compiled = jsonata.Jsonata(expression)
    compiled.register_lambda("parse", json.loads)
    for name, value in bindings.items():
        compiled.assign(name, value)
    found.append(compiled.evaluate({}))
print(json.dumps(found, separators=(",", ":")))
"""


def evaluate(*asked: tuple[str, dict[str, Any]]) -> list[Any]:
    """The values of expressions, each with its variables."""
    plain = [(expression[2:-2].strip(), bindings) for expression, bindings in asked]
    done = subprocess.run(
        [str(tools.python("emulator")), "-c", _EVALUATE],
        input=json.dumps(plain),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    values = json.loads(done.stdout)
    assert isinstance(values, list)
    return values


def size(value: Any) -> int:
    """Bytes of a state."""
    return len(json.dumps(value, separators=(",", ":")).encode())


def failed_item(number: int) -> tuple[str, dict[str, Any]]:
    """What a media that fails leaves behind, as the expression in its Catch and what that is given."""
    catch = machine()["States"]["EachMedia"]["ItemProcessor"]["States"]["Ingest"]["Catch"][0]
    cause = json.dumps(
        {"errorMessage": "x" * 3000, "errorType": "SourceUnavailable", "stackTrace": ["y"] * 99}
    )
    given = {"media_id": MEDIAS[number]["media_id"], "nth": number}
    error = {"Error": "SourceUnavailable", "Cause": cause}
    return catch["Output"], {"states": {"input": given, "errorOutput": error}}


@pytest.fixture(scope="module")
def all_failed() -> list[Any]:
    """A day on which every media fails."""
    return evaluate(*(failed_item(n) for n in range(len(MEDIAS))))


def test_what_plan_hands_on() -> None:
    plan = {"run_id": "r" * 80, "plan_key": "runs/x/plan.json", "medias": MEDIAS, "nothing_to_do": False}
    (output,) = evaluate((machine()["States"]["Plan"]["Output"], {"states": {"result": {"Payload": plan}}}))
    assert output["medias"] == MEDIAS
    assert size(output) < MOST


def test_what_the_map_leaves_when_all_is_well() -> None:
    state = machine()["States"]["EachMedia"]
    given = {"states": {"result": MEDIAS}}
    failed, output = evaluate((state["Assign"]["failed"], given), (state["Output"], given))
    assert failed == []
    assert output == {"landed": 1000}
    assert size(MEDIAS) < MOST


def test_what_the_map_leaves_when_everything_fails(all_failed: list[Any]) -> None:
    assert size(all_failed) < MOST
    assert all_failed[0]["message"] == "x" * 300
    state = machine()["States"]["EachMedia"]
    given = {"states": {"result": all_failed}}
    failed, output = evaluate((state["Assign"]["failed"], given), (state["Output"], given))
    assert failed == all_failed
    assert output == {"landed": 0}


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_publish_hears_of_each_with_a_message(all_failed: list[Any], count: int) -> None:
    expression = machine()["States"]["Publish"]["Arguments"]["Payload"]["failed"]
    (payload,) = evaluate((expression, {"failed": all_failed[:count]}))
    assert len(payload) == count
    assert all({"media_id", "error", "message"} == set(f) for f in payload)
    assert size(payload) < 4 * MOST  # a call may carry that
