"""Several workers: what belongs together stays together, whatever pytest and xdist make of each other."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from support.some import some
from support.workers import STAGE, ByFile

ROOT = Path(__file__).parents[2]
FILES = ("tests/unit/test_orphans.py", "tests/unit/test_cost.py", "tests/unit/test_within_memory.py")


def test_a_file_stays_on_one_worker() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-v", "-p", "no:cacheprovider", *FILES],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    took: dict[str, set[str]] = defaultdict(set)
    for worker, file in some(re.findall(r"^\[(gw\d)\] .* PASSED (\S+?)::", said, re.MULTILINE)):
        took[file].add(worker)
    assert set(took) == set(FILES)
    assert {file: len(workers) for file, workers in took.items()} == dict.fromkeys(FILES, 1)


def test_the_stage_stays_on_one_worker() -> None:
    assert all((ROOT / file).is_file() for file in STAGE)
    split = ByFile._split_scope
    assert {split(None, f"{file}::TestA::test_b[c::d]") for file in STAGE} == {STAGE[0]}  # type: ignore[arg-type]
    assert split(None, "tests/aws/test_templates.py::test_a") == "tests/aws/test_templates.py"  # type: ignore[arg-type]
