"""Runs modules of the tests on Apache Spark, which has an environment of its own (`make spark`)."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.aws import tools

TESTS = tools.ROOT / "tests"


Done = subprocess.CompletedProcess[str]


def module(name: str, *arguments: Any, seconds: float, environment: Mapping[str, str] | None = None) -> Done:
    """A module of the tests, run as a program. AssertionError, with the end of what it complains about, if it
    fails."""
    return python("-m", name, *arguments, seconds=seconds, environment=environment)


def python(*arguments: Any, seconds: float, environment: Mapping[str, str] | None = None) -> Done:
    """Spark's Python, given these arguments. AssertionError as `module`."""
    inherited = os.environ if environment is None else environment
    done = subprocess.run(
        [tools.python("spark"), *map(str, arguments)],
        cwd=TESTS,
        env={**inherited, "PYTHONPATH": os.pathsep.join((str(TESTS.parent / "src"), str(TESTS)))},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def home() -> Path:
    """The folder of PySpark, with the programs of Spark."""
    return next((tools.python("spark").parents[1] / "lib").glob("python3*/site-packages/pyspark"))
