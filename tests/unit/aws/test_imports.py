"""What the entry points on AWS load: functions no engine, the Glue script nothing but pyspark and boto3."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.aws import tools

SOURCES = Path(__file__).parents[3] / "src"
_FUNCTIONS = ("plan", "ingest", "publish", "release", "chat", "watch", "digest")
_HEAVY = ("pyspark", "pysail", "pyarrow", "pyiceberg", "duckdb", "pandas", "numpy", "sqlalchemy")
_MOST_SECONDS = 1.5
# What Glue 5.1 is sure to have: pyspark, boto3, and what these need.
_GLUE = ("pyspark", "py4j", "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
_ONLY = """
import sys
ALLOWED = set(sys.stdlib_module_names) | {allowed!r}

class Refusing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] not in ALLOWED and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"{{name}} is not there on Glue")

sys.meta_path.insert(0, Refusing)
"""


def run(code: str, *, python: str | Path = sys.executable) -> str:
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}  # as Glue has it: beside the packages, not among them
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=False, timeout=120, env=env
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_a_function_loads_no_engine_and_is_quick(name: str) -> None:
    code = (
        "import sys, time; before = time.process_time();"
        f"import wistlake.entrypoints.aws.{name} as function; assert callable(function.handler);"
        f"print(time.process_time() - before, [m for m in {_HEAVY} if m in sys.modules])"
    )
    seconds, _, heavy = run(code).strip().partition(" ")
    assert heavy == "[]"
    assert float(seconds) < _MOST_SECONDS


@pytest.mark.spark
@pytest.mark.parametrize(
    ("script", "later"),
    [
        ("glue_build", "import wistlake.adapters.aws.spark"),
        (
            "glue_keep",
            (
                "import wistlake.adapters.aws.history\nfrom wistlake.adapters import lake_bytes\n"
                "assert [p.data for p in lake_bytes.plain('x.parquet', b'PAR1')] == [b'PAR1']"
            ),
        ),
    ],
)
def test_a_glue_script_needs_pyspark_and_boto3_only(script: str, later: str) -> None:
    allowed = _ONLY.format(allowed={*_GLUE, "wistlake"})
    run(
        f"{allowed}\nimport wistlake.entrypoints.aws.{script}\n{later}"
        "\nimport wistlake.adapters.engine.tables\nimport wistlake.pipeline.tables.gold"
        "\nimport wistlake.pipeline.tables.silver",
        python=tools.python("spark"),
    )


def test_the_check_itself_refuses() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ONLY.format(allowed={"wistlake"}) + "\nimport pydantic"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "pydantic is not there on Glue" in done.stderr
