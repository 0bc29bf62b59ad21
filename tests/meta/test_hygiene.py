"""What must never be committed, and what every file must keep."""

import re
import subprocess
from pathlib import Path

import pytest

from support.some import some

ROOT = Path(__file__).parents[2]
REGISTRIES = re.compile(
    r"py" r"pi\.org|python" r"hosted\.org|registry\.npm" r"js\.org|deb\.debi" r"an\.org|file://" r"/opt"
)
MACHINE_PATHS = re.compile(r"(^|[^A-Za-z0-9_.])/(work|root|home)/[A-Za-z.]")
BIGGEST = 1_000_000


def tracked() -> list[Path]:
    """Every file that is, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    """Every tracked file that is text."""
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_file_is_big() -> None:
    assert [p.name for p in some(tracked()) if p.stat().st_size > BIGGEST] == []


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registry hosts", "paths of a machine"])
def test_nothing_of_one_machine_is_committed(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_no_file_holds_the_marks_of_a_merge() -> None:
    marks = tuple(f"{sign * 7} " for sign in "<>")
    marked = [
        str(path.relative_to(ROOT))
        for path, text in texts()
        for line in text.splitlines()
        if line.startswith(marks)
    ]
    assert marked == []


def test_requirements_are_pinned_with_hashes() -> None:
    locked = sorted((ROOT / "requirements").glob("*.txt"))
    assert locked
    for path in locked:
        blocks = re.split(r"\n(?=[a-z0-9])", path.read_text())
        unpinned = [
            b.splitlines()[0] for b in blocks if b.strip() and ("==" not in b or "--hash=sha256:" not in b)
        ]
        assert unpinned == [], path.name


def test_ignored_files_keep_secrets_out() -> None:
    for name in (".env", "lake/x", "exploration/samples/x.json"):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        assert done.returncode == 0, name
