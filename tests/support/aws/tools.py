"""The environments below `.tools`: made by `make aws-tools`, once."""

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".tools"
NAMES = ("emulator", "lambda-runtime", "spark", "aws-tools", "checkov", "npm")


@cache
def made() -> Path:
    """The folder of all tools, after `make` has made what is missing."""
    if not all((TOOLS / name / "ready").exists() for name in NAMES):
        _make("aws-tools")
    return TOOLS


def python(name: str) -> Path:
    """The interpreter of one environment, which is made if it isn't there."""
    if not (TOOLS / name / "ready").exists():
        _make(f".tools/{name}/ready")
    return TOOLS / name / "bin" / "python"


def file(name: str, path: str) -> Path:
    """A file of one environment, which is made anew where it lacks the file."""
    found = TOOLS / name / path
    if not found.exists():
        _make(f".tools/{name}/ready")
    return found


def _make(target: str) -> None:
    command = ["make", "--no-print-directory", target, f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=1200)


def command(name: str) -> Path:
    """A program of the environment for templates and workflows."""
    return made() / "aws-tools" / "bin" / name
