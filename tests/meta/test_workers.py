"""Several workers: what belongs together stays together, whatever pytest and xdist make of each other."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from support.some import some
from support.workers import STAGE, ByFile

ROOT = Path(__file__).parents[2]
FILES = ("test_a.py", "test_b.py", "test_c.py")
CONFTEST = """
from support import workers


def pytest_xdist_make_scheduler(config, log):
    return workers.scheduler(config, log)
"""


def test_a_file_stays_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for file in FILES:
        (tmp_path / file).write_text("\n".join(f"def test_{n}(): pass" for n in range(8)))
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "-v", "-p", "no:cacheprovider", *FILES],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ).stdout  # fmt: skip
    took: dict[str, list[str]] = defaultdict(list)
    for worker, file in some(re.findall(r"^\[(gw\d)\] .* PASSED (\S+?)::", said, re.MULTILINE)):
        took[file].append(worker)
    assert {file: len(workers) for file, workers in took.items()} == dict.fromkeys(FILES, 8)
    assert {file: len(set(workers)) for file, workers in took.items()} == dict.fromkeys(FILES, 1)
    assert len({worker for workers in took.values() for worker in workers}) == 2


def test_the_stage_stays_on_one_worker() -> None:
    assert all((ROOT / file).is_file() for file in STAGE)
    split = ByFile._split_scope
    assert {split(None, f"{file}::TestA::test_b[c::d]") for file in STAGE} == {STAGE[0]}  # type: ignore[arg-type]
    assert split(None, "tests/aws/test_templates.py::test_a") == "tests/aws/test_templates.py"  # type: ignore[arg-type]


def test_who_uses_the_stage_or_the_build_is_on_its_worker() -> None:
    """Two builds at once would write into the same folder."""
    uses = re.compile(r"def \w+\([^)]*\b(deployed|built)\b", re.DOTALL)
    files = [p for p in (ROOT / "tests" / "aws").glob("test_*.py") if uses.search(p.read_text())]
    assert {str(path.relative_to(ROOT)) for path in some(files)} == set(STAGE)
