"""What no test runs, a rename must not break: every name that the scripts import is there."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.some import some

ROOT = Path(__file__).parents[2]
SCRIPTS = some(p for room in ("benchmarks", "exploration", "infra") for p in (ROOT / room).rglob("*.py"))
OURS = ("wistlake", "wistia_simulator", "wistlake_")


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import of the project's packages, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith(OURS))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_import_of_a_script_is_there(path: Path) -> None:
    for module, name in imports(path):
        parent = importlib.import_module(module)
        if name and not hasattr(parent, name):
            importlib.import_module(f"{module}.{name}")


def test_scripts_import_the_product() -> None:
    assert sum(1 for path in SCRIPTS for _ in imports(path)) > 20
