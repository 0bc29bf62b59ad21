"""JSONata, as the emulated machine evaluates it."""

import json
import subprocess
from typing import Any

from support.aws import tools

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
